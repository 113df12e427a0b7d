/**
 * Walks the batches of a `.log` file through a read function, without a broker: recovery, rebuilding of producer state,
 * the console's segment browser and dump-log use it. It reads in large chunks and keeps one in memory; a batch's bytes are a view
 * on it, valid until the next step.
 *
 * The walk ends at the first byte that can't begin a whole, plausible batch; `end` says why. Nothing is trusted: a length below a
 * header or past the file's end stops it.
 */
import { LOG_OVERHEAD, MAGIC_V2, RECORD_BATCH_OVERHEAD } from '../protocol/records/record-batch.ts';
import { magicAt, sizeAt } from './batch-fields.ts';

/** Least bytes of a message in format 0, with offset and size, and of one in format 1, which has a timestamp. */
export const MESSAGE_V0_OVERHEAD = LOG_OVERHEAD + 14;
export const MESSAGE_V1_OVERHEAD = LOG_OVERHEAD + 22;

/** Reads up to `length` bytes at `position` into `target` at `targetOffset`; returns the bytes read, 0 at the end of the file. */
export type ReadAt = (target: Buffer, targetOffset: number, length: number, position: number) => number;

export const SCAN_CHUNK_BYTES = 256 * 1024;
const ZEROS_LOOKED_AT_BYTES = 64 * 1024;

export type ScanEnd =
  /** All of the range was whole batches. */
  | { readonly kind: 'complete'; readonly position: number }
  /** The bytes at `position` don't make a batch. */
  | {
      readonly kind: 'invalid';
      readonly position: number;
      readonly reason: string;
      /** They are zeros, at their begin and at the range's end: with `preallocate` a file has its full length before it is written. */
      readonly isZeros: boolean;
    };

/** One batch under the scanner: `buffer` has it at `at`, whole when bodies were asked for, else at least its header. */
export interface ScannedBatch {
  readonly buffer: Buffer;
  readonly at: number;
  readonly position: number;
  readonly sizeBytes: number;
}

export interface ScanOptions {
  /** Where the first batch begins. */
  readonly from: number;
  /** Exclusive end of the range; a batch that begins before it and ends after it is invalid. */
  readonly to: number;
  /** False when headers are enough: bodies that aren't in the chunk are skipped, not read. */
  readonly bodies: boolean;
  readonly chunkBytes?: number;
  /** True where messages of the formats 0 and 1 are taken too (tools); a broker reads format 2 only. */
  readonly legacy?: boolean;
  /** A larger batch is invalid: bounds memory where a length may be damage. No bound when unset. */
  readonly maxBatchBytes?: number;
}

/** Steps over batches: `next()` gives one after another, then undefined; `end` is set from then on. */
export class BatchScanner {
  readonly #readAt: ReadAt;
  readonly #to: number;
  readonly #bodies: boolean;
  readonly #chunkBytes: number;
  readonly #smallest: number;
  readonly #maxBatchBytes: number;
  #chunk: Buffer;
  #chunkPosition: number;
  #chunkLength = 0;
  #position: number;
  #end: ScanEnd | undefined;

  constructor(readAt: ReadAt, options: ScanOptions) {
    this.#readAt = readAt;
    this.#to = options.to;
    this.#bodies = options.bodies;
    this.#smallest = options.legacy === true ? MESSAGE_V0_OVERHEAD : RECORD_BATCH_OVERHEAD;
    this.#maxBatchBytes = options.maxBatchBytes ?? Infinity;
    this.#position = options.from;
    this.#chunkPosition = options.from;
    this.#chunkBytes = Math.max(
      RECORD_BATCH_OVERHEAD,
      Math.min(options.chunkBytes ?? SCAN_CHUNK_BYTES, Math.max(0, options.to - options.from)),
    );
    this.#chunk = Buffer.allocUnsafe(this.#chunkBytes);
  }

  /** Where the next batch begins. */
  get position(): number {
    return this.#position;
  }

  get end(): ScanEnd | undefined {
    return this.#end;
  }

  next(): ScannedBatch | undefined {
    if (this.#end !== undefined) return undefined;
    const left = this.#to - this.#position;
    if (left <= 0) return this.#finish({ kind: 'complete', position: this.#position });
    const smallest = this.#smallest;
    if (left < smallest) return this.#invalid(`${left} bytes are left, a batch has at least ${smallest}`);
    if (!this.#fill(smallest)) return this.#invalid('the file ends inside a header');
    let at = this.#position - this.#chunkPosition;
    const sizeBytes = sizeAt(this.#chunk, at);
    if (sizeBytes < smallest) return this.#invalid(`the length ${sizeBytes - LOG_OVERHEAD} is below a batch's smallest`);
    if (sizeBytes > left) return this.#invalid(`a batch of ${sizeBytes} bytes doesn't fit the ${left} that are left`);
    const magic = magicAt(this.#chunk, at);
    if (magic !== MAGIC_V2) {
      if (smallest === RECORD_BATCH_OVERHEAD) return this.#invalid(`magic is ${magic}, known is 2`);
      if (magic !== 0 && magic !== 1) return this.#invalid(`magic is ${magic}, known are 0, 1 and 2`);
    }
    const header = magic === MAGIC_V2 ? RECORD_BATCH_OVERHEAD : magic === 1 ? MESSAGE_V1_OVERHEAD : MESSAGE_V0_OVERHEAD;
    if (sizeBytes < header) return this.#invalid(`the length ${sizeBytes - LOG_OVERHEAD} is below the smallest of format ${magic}`);
    if (sizeBytes > this.#maxBatchBytes)
      return this.#invalid(`a batch of ${sizeBytes} bytes is above the ${this.#maxBatchBytes} that are read`);
    if (!this.#fill(header)) return this.#invalid('the file ends inside a header');
    if (this.#bodies && !this.#fill(sizeBytes)) return this.#invalid('the file ends inside a batch');
    at = this.#position - this.#chunkPosition;
    const batch: ScannedBatch = { buffer: this.#chunk, at, position: this.#position, sizeBytes };
    this.#position += sizeBytes;
    return batch;
  }

  /** Has at least `length` bytes from the current position in the chunk, reading when it must. */
  #fill(length: number): boolean {
    const at = this.#position - this.#chunkPosition;
    if (at >= 0 && at + length <= this.#chunkLength) return true;
    if (length > this.#chunk.length) this.#chunk = Buffer.allocUnsafe(length);
    // The chunk's buffer is only used up to the range's end: what lies behind it may be written at this moment.
    const wanted = Math.min(this.#chunk.length, this.#to - this.#position);
    this.#chunkPosition = this.#position;
    this.#chunkLength = 0;
    while (this.#chunkLength < wanted) {
      const read = this.#readAt(this.#chunk, this.#chunkLength, wanted - this.#chunkLength, this.#chunkPosition + this.#chunkLength);
      if (read === 0) break;
      this.#chunkLength += read;
    }
    return this.#chunkLength >= length;
  }

  #invalid(reason: string): undefined {
    const position = this.#position;
    const isZeros = this.#isZeros(position) && this.#isZeros(Math.max(position, this.#to - ZEROS_LOOKED_AT_BYTES));
    return this.#finish({ kind: 'invalid', position, reason: isZeros ? 'zeros' : reason, isZeros });
  }

  #isZeros(position: number): boolean {
    const bytes = Buffer.alloc(Math.max(0, Math.min(ZEROS_LOOKED_AT_BYTES, this.#to - position)));
    let total = 0;
    for (let read = -1; read !== 0 && total < bytes.length; total += read)
      read = this.#readAt(bytes, total, bytes.length - total, position + total);
    return total > 0 && bytes.every((byte) => byte === 0);
  }

  #finish(end: ScanEnd): undefined {
    this.#end = end;
    return undefined;
  }
}
