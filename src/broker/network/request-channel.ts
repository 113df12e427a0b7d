/**
 * The bounded queue between processors and handlers (`queued.max.requests`). When it is full a processor keeps the request it
 * has, stops reading its sockets, and waits here for room; processors are let on in the order of their coming.
 * Kafka 3.9: `RequestChannel` (there a blocking queue).
 */
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { NetworkRequest } from './network-request.ts';

export class RequestChannel {
  readonly capacity: number;
  readonly #queue: (NetworkRequest | undefined)[] = [];
  #head = 0;
  readonly #waiting = new Set<() => void>();
  #onRequest: () => void = () => {};

  constructor(capacity: number, metrics?: MetricsRegistry) {
    this.capacity = capacity;
    metrics?.gauge('RequestQueueSize', () => this.size, { type: 'RequestChannel' });
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** Who is called when a request has come. */
  setConsumer(onRequest: () => void): void {
    this.#onRequest = onRequest;
  }

  /** Puts a request in line; false when the queue is full and nothing was done. */
  trySend(request: NetworkRequest): boolean {
    if (this.size >= this.capacity) return false;
    this.#queue.push(request);
    this.#onRequest();
    return true;
  }

  /** Calls `resume` once when there is room. */
  waitForRoom(resume: () => void): void {
    this.#waiting.add(resume);
  }

  stopWaiting(resume: () => void): void {
    this.#waiting.delete(resume);
  }

  /** The request that has waited longest; undefined when there is none. */
  receive(): NetworkRequest | undefined {
    const request = this.#queue[this.#head];
    if (request === undefined) return undefined;
    this.#queue[this.#head++] = undefined;
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#letOneOn();
    return request;
  }

  /** Empties the queue: what was in it is never handled. */
  clear(): NetworkRequest[] {
    const requests = this.#queue.slice(this.#head).filter((request) => request !== undefined);
    this.#queue.length = 0;
    this.#head = 0;
    return requests;
  }

  #letOneOn(): void {
    for (const resume of this.#waiting) {
      this.#waiting.delete(resume);
      resume();
      return;
    }
  }
}
