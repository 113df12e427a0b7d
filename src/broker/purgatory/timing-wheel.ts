/**
 * A hierarchical timing wheel (Varghese & Lauck; Kafka's `TimingWheel`): `wheelSize` buckets of `tickMs` each, used as a ring.
 * What is due later than one turn of this wheel goes to an overflow wheel whose tick is this wheel's whole turn, made on demand.
 * Adding costs O(levels), cancelling O(1). With a tick of 1 ms and size 20, level n spans 20^n ms: 30 s is 4 levels, a week 7.
 *
 * Invariants: `currentTimeMs` is a multiple of `tickMs`; a bucket holds tasks of one tick only, since a bucket
 * is emptied when its time has come, and before the wheel reaches it again; a bucket is in the queue while it may hold tasks.
 */
import { type BucketQueue } from './bucket-queue.ts';
import { type TaskCounter, TimerBucket, type TimerTask } from './timer-task.ts';

export class TimingWheel {
  readonly #tickMs: number;
  readonly #wheelSize: number;
  readonly #intervalMs: number;
  readonly #queue: BucketQueue;
  readonly #counter: TaskCounter;
  readonly #buckets: TimerBucket[];
  #currentTimeMs: number;
  #overflowWheel: TimingWheel | undefined = undefined;

  constructor(tickMs: number, wheelSize: number, startMs: number, queue: BucketQueue, counter: TaskCounter) {
    this.#tickMs = tickMs;
    this.#wheelSize = wheelSize;
    this.#intervalMs = tickMs * wheelSize;
    this.#queue = queue;
    this.#counter = counter;
    this.#buckets = Array.from({ length: wheelSize }, () => new TimerBucket(counter));
    this.#currentTimeMs = startMs - (startMs % tickMs);
  }

  /** Puts `task` into the bucket of its `expirationMs`; false when that time has come already, and the caller is to run it. */
  add(task: TimerTask): boolean {
    const { expirationMs } = task;
    if (expirationMs < this.#currentTimeMs + this.#tickMs) return false;
    if (expirationMs >= this.#currentTimeMs + this.#intervalMs) return this.#getOrCreateOverflowWheel().add(task);
    const virtualId = Math.floor(expirationMs / this.#tickMs);
    const bucket = this.#buckets[virtualId % this.#wheelSize];
    if (bucket === undefined) throw new Error(`no bucket for expiration ${expirationMs} in a wheel of tick ${this.#tickMs} ms`);
    bucket.add(task);
    if (bucket.heapIndex < 0) {
      bucket.expirationMs = virtualId * this.#tickMs;
      this.#queue.push(bucket);
    }
    return true;
  }

  /** Moves this wheel and those above to `timeMs`. Buckets due by then must have been emptied. */
  advanceClock(timeMs: number): void {
    if (timeMs < this.#currentTimeMs + this.#tickMs) return;
    this.#currentTimeMs = timeMs - (timeMs % this.#tickMs);
    this.#overflowWheel?.advanceClock(this.#currentTimeMs);
  }

  /** Every bucket of this wheel and those above. */
  *buckets(): Generator<TimerBucket> {
    yield* this.#buckets;
    if (this.#overflowWheel !== undefined) yield* this.#overflowWheel.buckets();
  }

  #getOrCreateOverflowWheel(): TimingWheel {
    this.#overflowWheel ??= new TimingWheel(this.#intervalMs, this.#wheelSize, this.#currentTimeMs, this.#queue, this.#counter);
    return this.#overflowWheel;
  }
}
