/**
 * Memory that small batches are copied to as they come: they are written from there together, and the tail keeps the same bytes. A gather list
 * costs the kernel and Node about 100 ns an entry, more than the copy of 1 KiB, and the tail would copy them anyway.
 *
 * A slab is used by whoever fills it, by each piece that waits to be written and by each chunk of the tail. When the last of them lets go and no
 * reader was shown it, its memory goes back to the pool; a piece that is never written (the folder went offline) leaves its slab to the garbage
 * collector. Bytes in front of `used` never change.
 */
import type { BufferPool } from './buffer-pool.ts';

const FIRST_SLAB_BYTES = 4 * 1024;
const MAX_SLAB_BYTES = 128 * 1024;

export class Slab {
  readonly buffer: Buffer;
  /** Bytes filled. */
  used = 0;
  /** Somebody may look at it for as long as they like: its memory isn't used again. */
  wasRead = false;
  readonly #pool: BufferPool;
  #users = 0;

  constructor(buffer: Buffer, pool: BufferPool) {
    this.buffer = buffer;
    this.#pool = pool;
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0 && !this.wasRead) this.#pool.giveBack([this.buffer]);
  }
}

/** The slab of one log that is being filled. */
export class WriteSlabs {
  readonly #pool: BufferPool;
  #current: Slab | undefined;
  /** Slabs grow with use, so that a log with little traffic holds little. */
  #nextBytes = FIRST_SLAB_BYTES;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get current(): Slab | undefined {
    return this.#current;
  }

  /** Copies `bytes` behind what the slab holds: they end at its `used`. */
  copy(bytes: Buffer, nowMs: number): Slab {
    let slab = this.#current;
    if (slab === undefined || slab.used + bytes.length > slab.buffer.length) slab = this.#begin(bytes.length, nowMs);
    slab.buffer.set(bytes, slab.used);
    slab.used += bytes.length;
    return slab;
  }

  /** What comes next goes to a new, small slab. */
  drop(): void {
    this.#current?.release();
    this.#current = undefined;
    this.#nextBytes = FIRST_SLAB_BYTES;
  }

  #begin(sizeBytes: number, nowMs: number): Slab {
    this.#current?.release();
    const slab = new Slab(this.#pool.take(Math.max(sizeBytes, this.#nextBytes), nowMs), this.#pool);
    slab.retain();
    this.#nextBytes = Math.min(MAX_SLAB_BYTES, slab.buffer.length * 2);
    this.#current = slab;
    return slab;
  }
}
