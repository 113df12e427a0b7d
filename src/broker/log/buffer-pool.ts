/**
 * Buffers that are used again: for what is read from segments until it is sent, and for the small batches that are written together
 * and then make up the tail. Fresh memory costs more in page faults than the read or the copy itself. What isn't given back (a
 * connection broke, somebody still looks at it) is garbage like any other; nothing is lost.
 *
 * Sizes are powers of two; what is smaller or larger than the pool's gets a buffer of its own. Idle memory is bounded, and dropped when
 * nothing was taken for a while.
 */

export interface BufferPoolOptions {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Memory that may wait for its next use. */
  readonly maxIdleBytes: number;
}

const KIB = 1024;

/** Smaller answers go to the kernel without the sender hearing when: from here on, above a socket's high-water mark, it is told. */
export const READ_BUFFERS: BufferPoolOptions = { minBytes: 128 * KIB, maxBytes: 4096 * KIB, maxIdleBytes: 16 * KIB * KIB };
export const TAIL_BUFFERS: BufferPoolOptions = { minBytes: 8 * KIB, maxBytes: 256 * KIB, maxIdleBytes: 2 * KIB * KIB };

export class BufferPool {
  readonly #options: BufferPoolOptions;
  /** Free ones by size, which is a power of two. */
  readonly #free = new Map<number, Buffer[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #idleBytes = 0;
  #lastUsedMs = 0;

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Memory that waits for its next use. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of `sizeBytes`; what is in it is undefined. */
  take(sizeBytes: number, nowMs: number): Buffer {
    if (sizeBytes < this.#options.minBytes || sizeBytes > this.#options.maxBytes) return Buffer.allocUnsafeSlow(sizeBytes);
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
      if (this.#idleBytes + capacity > this.#options.maxIdleBytes) continue;
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
