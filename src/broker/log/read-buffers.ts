/**
 * Buffers for what is read from segments to be sent, used again once it is sent: a fresh megabyte for each fetch costs more in page
 * faults than the read itself. What isn't given back (its connection broke) is garbage like any other; nothing is lost.
 *
 * Only for large reads: a small answer goes to the kernel without the sender hearing when. Idle memory is bounded, and dropped when
 * nothing was read for a while.
 */

/** Smaller reads get a buffer of their own. Above the high-water mark of a socket, so that the end of sending is always told. */
const MIN_POOLED_BYTES = 128 * 1024;
const MAX_POOLED_BYTES = 4 * 1024 * 1024;
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

export class ReadBuffers {
  /** Free ones by size, which is a power of two. */
  readonly #free = new Map<number, Buffer[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #idleBytes = 0;
  #lastUsedMs = 0;

  /** Memory that waits for its next use. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of `sizeBytes`; what is in it is undefined. */
  take(sizeBytes: number, nowMs: number): Buffer {
    if (sizeBytes < MIN_POOLED_BYTES || sizeBytes > MAX_POOLED_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    this.#lastUsedMs = nowMs;
    const capacity = 2 ** Math.ceil(Math.log2(sizeBytes));
    let buffer = this.#free.get(capacity)?.pop();
    if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(capacity);
    else this.#idleBytes -= capacity;
    this.#lent.add(buffer.buffer);
    return buffer.subarray(0, sizeBytes);
  }

  /** Takes back what of `records` came from here, the rest is left alone. Nobody may look at them any more. */
  giveBack(records: readonly Buffer[]): void {
    for (const { buffer } of records) {
      if (!this.#lent.delete(buffer)) continue;
      const capacity = buffer.byteLength;
      if (this.#idleBytes + capacity > MAX_IDLE_BYTES) continue;
      this.#idleBytes += capacity;
      const free = this.#free.get(capacity);
      if (free === undefined) this.#free.set(capacity, [Buffer.from(buffer)]);
      else free.push(Buffer.from(buffer));
    }
  }

  /** Lets go of what is idle when nothing was taken since `beforeMs`. */
  expire(beforeMs: number): void {
    if (this.#lastUsedMs >= beforeMs || this.#idleBytes === 0) return;
    this.#free.clear();
    this.#idleBytes = 0;
  }
}
