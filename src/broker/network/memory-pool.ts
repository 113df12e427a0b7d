/**
 * Bounds the bytes of requests in memory (`queued.max.request.bytes`; Kafka's `SimpleMemoryPool`, not strict: a request is
 * let in while anything is left, so that the largest one always can be). When nothing is left, connections that have announced
 * a request wait here, unread, and are let on in order.
 */
export class MemoryPool {
  readonly #sizeBytes: number;
  #availableBytes: number;
  readonly #waiting = new Set<() => void>();

  /** @param sizeBytes 0 or less for no limit. */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes > 0 ? sizeBytes : Number.MAX_SAFE_INTEGER;
    this.#availableBytes = this.#sizeBytes;
  }

  get usedBytes(): number {
    return this.#sizeBytes - this.#availableBytes;
  }

  /** Connections that wait for memory. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  tryAllocate(bytes: number): boolean {
    if (this.#availableBytes <= 0) return false;
    this.#availableBytes -= bytes;
    return true;
  }

  /** Gives memory back, and lets those on who wait, while there is some. */
  release(bytes: number): void {
    this.#availableBytes += bytes;
    for (const resume of this.#waiting) {
      if (this.#availableBytes <= 0) return;
      this.#waiting.delete(resume);
      resume();
    }
  }

  wait(resume: () => void): void {
    this.#waiting.add(resume);
  }

  stopWaiting(resume: () => void): void {
    this.#waiting.delete(resume);
  }
}
