/**
 * Gathers requests out of the chunks of one connection: int32 size, then that many bytes.
 *
 * A request that lies in one chunk whole is a view of it, without a copy. Otherwise it is copied into one buffer of the
 * announced size as its bytes come; above 1 MiB that buffer is made in full only when the first MiB has arrived, so that
 * announcing costs the broker nothing. Kafka 3.9: `NetworkReceive`.
 */
import type { MemoryPool } from './memory-pool.ts';

/** What `feed` has come to. */
export type ReceiveState =
  /** Wants more bytes. */
  | 'incomplete'
  /** A request is there: `take` it. */
  | 'complete'
  /** The size is known, but there is no memory for it now: wait at the pool, then feed the rest. */
  | 'no-memory'
  /** The size is negative or above the limit. */
  | 'invalid-size';

const SIZE_BYTES = 4;
const FIRST_ALLOCATION_BYTES = 1024 * 1024;

export class NetworkReceive {
  readonly #maxBytes: number;
  readonly #pool: MemoryPool;
  #sizeBytesRead = 0;
  #size = 0;
  #reserved = false;
  #buffer: Buffer | undefined = undefined;
  #filled = 0;
  #complete: Buffer | undefined = undefined;
  /** How many bytes of the last chunk `feed` has used. */
  consumed = 0;

  constructor(maxBytes: number, pool: MemoryPool) {
    this.#maxBytes = maxBytes;
    this.#pool = pool;
  }

  /** The announced size of the request that is coming; for the log line when it is refused. */
  get size(): number {
    return this.#size;
  }

  /** Uses bytes of `chunk` from `offset` until a request is complete or the chunk is used up; see `consumed`. */
  feed(chunk: Buffer, offset: number): ReceiveState {
    let position = this.#readSize(chunk, offset);
    this.consumed = position - offset;
    if (this.#sizeBytesRead < SIZE_BYTES) return 'incomplete';
    if (this.#size < 0 || this.#size > this.#maxBytes) return 'invalid-size';
    if (!this.tryReserve()) return 'no-memory';
    if (this.#buffer === undefined && chunk.length - position >= this.#size) {
      this.#complete = chunk.subarray(position, position + this.#size);
      position += this.#size;
    } else {
      position += this.#copy(chunk, position);
      if (this.#filled === this.#size) this.#complete = this.#buffer;
    }
    this.consumed = position - offset;
    return this.#complete === undefined ? 'incomplete' : 'complete';
  }

  /** Reserves memory for the request whose size is known; true when it has it (now or from before). */
  tryReserve(): boolean {
    this.#reserved ||= this.#pool.tryAllocate(this.#size);
    return this.#reserved;
  }

  /** The complete request without its size, and a new beginning. Its memory is the caller's to release. */
  take(): Buffer {
    const complete = this.#complete;
    if (complete === undefined) throw new Error('no request is complete');
    this.#complete = undefined;
    this.#buffer = undefined;
    this.#sizeBytesRead = 0;
    this.#size = 0;
    this.#filled = 0;
    this.#reserved = false;
    return complete;
  }

  /** Gives back what a request that will never be complete has reserved. */
  abandon(): void {
    if (!this.#reserved) return;
    this.#reserved = false;
    this.#buffer = undefined;
    this.#pool.release(this.#size);
  }

  #readSize(chunk: Buffer, offset: number): number {
    if (this.#sizeBytesRead === 0 && chunk.length - offset >= SIZE_BYTES) {
      this.#size = chunk.readInt32BE(offset);
      this.#sizeBytesRead = SIZE_BYTES;
      return offset + SIZE_BYTES;
    }
    let position = offset;
    while (this.#sizeBytesRead < SIZE_BYTES && position < chunk.length) {
      this.#size = (this.#size << 8) | (chunk[position++] ?? 0);
      this.#sizeBytesRead++;
    }
    return position;
  }

  #copy(chunk: Buffer, position: number): number {
    const length = Math.min(chunk.length - position, this.#size - this.#filled);
    const target = this.#bufferFor(this.#filled + length);
    chunk.copy(target, this.#filled, position, position + length);
    this.#filled += length;
    return length;
  }

  #bufferFor(neededBytes: number): Buffer {
    const current = this.#buffer;
    if (current !== undefined && current.length >= neededBytes) return current;
    const buffer = Buffer.allocUnsafeSlow(
      neededBytes <= FIRST_ALLOCATION_BYTES ? Math.min(this.#size, FIRST_ALLOCATION_BYTES) : this.#size,
    );
    current?.copy(buffer, 0, 0, this.#filled);
    this.#buffer = buffer;
    return buffer;
  }
}
