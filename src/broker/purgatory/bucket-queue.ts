/**
 * The buckets that hold tasks, ordered by when they are due: a binary min-heap (Kafka's `DelayQueue` of `TimerTaskList`).
 * It holds at most `wheelSize` buckets per wheel, so it stays small whatever the number of tasks.
 */
import type { TimerBucket } from './timer-task.ts';

export class BucketQueue {
  readonly #heap: TimerBucket[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): TimerBucket | undefined {
    return this.#heap[0];
  }

  /** Adds a bucket that isn't in the queue; its `expirationMs` must not change until it is taken out. */
  push(bucket: TimerBucket): void {
    this.#heap.push(bucket);
    this.#siftUp(this.#heap.length - 1, bucket);
  }

  pop(): TimerBucket | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined) return undefined;
    top.heapIndex = -1;
    if (top !== last) this.#siftDown(0, last);
    return top;
  }

  #siftUp(from: number, bucket: TimerBucket): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.expirationMs <= bucket.expirationMs) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(bucket, index);
  }

  #siftDown(from: number, bucket: TimerBucket): void {
    let index = from;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = this.#heap[leftIndex];
      if (left === undefined) break;
      const right = this.#heap[leftIndex + 1];
      const useRight = right !== undefined && right.expirationMs < left.expirationMs;
      const child = useRight ? right : left;
      if (bucket.expirationMs <= child.expirationMs) break;
      this.#place(child, index);
      index = useRight ? leftIndex + 1 : leftIndex;
    }
    this.#place(bucket, index);
  }

  #place(bucket: TimerBucket, index: number): void {
    this.#heap[index] = bucket;
    bucket.heapIndex = index;
  }
}
