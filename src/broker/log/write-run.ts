/**
 * What waits to be written to one segment: large batches as they came, small ones copied together (`write-slabs.ts`). Pieces are made as appends
 * come, one for all neighbours in a slab, so that nothing is left to be planned when they are written. Pieces and runs are chained: most
 * have no second one, for which an array would be one more object to make for every append.
 */
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import type { LogStorageError } from './log-errors.ts';
import type { LogSegment } from './log-segment.ts';
import type { Slab, WriteSlabs } from './write-slabs.ts';

/** Smaller batches are copied together. */
const COPY_BELOW_BYTES = 8 * 1024;
const NONE_ABORTED: readonly AbortedTxn[] = [];

/** The segment that begins with an append, and the producer state at that point. */
export interface PlannedRoll {
  readonly baseOffset: number;
  readonly snapshot: Buffer | undefined;
}

/** Told when the append's bytes are in the page cache, or what kept them from it. */
export type OnComplete = ((error?: LogStorageError) => void) | undefined;

/** Whole batches, contiguous in memory. */
export class WritePiece {
  readonly firstOffset: number;
  lastOffset: number;
  /** Where the bytes lie, from `start` to `end`. */
  readonly buffer: Buffer;
  readonly start: number;
  end: number;
  /** The slab that `buffer` belongs to; undefined for one that came as it is. */
  readonly slab: Slab | undefined;
  next: WritePiece | undefined = undefined;

  /** @param sizeBytes the bytes at the end of what the slab holds, or all of `records`. */
  constructor(records: Buffer | undefined, slab: Slab | undefined, sizeBytes: number, firstOffset: number, lastOffset: number) {
    this.buffer = records ?? (slab as Slab).buffer;
    this.end = slab === undefined ? sizeBytes : slab.used;
    this.start = this.end - sizeBytes;
    this.slab = slab;
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
    slab?.retain();
  }
}

export class WriteRun {
  /** Of the appends that are complete once this run is written, in their order. */
  readonly completions: OnComplete[];
  /** Set when the run begins a new segment. */
  readonly roll: PlannedRoll | undefined;
  firstPiece: WritePiece | undefined = undefined;
  #lastPiece: WritePiece | undefined = undefined;
  bytes = 0;
  abortedTxns: readonly AbortedTxn[] = NONE_ABORTED;
  next: WriteRun | undefined = undefined;

  /** @param onComplete of the first append. */
  constructor(roll: PlannedRoll | undefined, onComplete: OnComplete) {
    this.roll = roll;
    this.completions = [onComplete];
  }

  add(records: Buffer, firstOffset: number, lastOffset: number, slabs: WriteSlabs, nowMs: number): void {
    const sizeBytes = records.length;
    this.bytes += sizeBytes;
    if (sizeBytes >= COPY_BELOW_BYTES) {
      this.#push(new WritePiece(records, undefined, sizeBytes, firstOffset, lastOffset));
      return;
    }
    const slab = slabs.copy(records, nowMs);
    const last = this.#lastPiece;
    if (last !== undefined && last.slab === slab && last.end === slab.used - sizeBytes) {
      last.end = slab.used;
      last.lastOffset = lastOffset;
      return;
    }
    this.#push(new WritePiece(undefined, slab, sizeBytes, firstOffset, lastOffset));
  }

  #push(piece: WritePiece): void {
    if (this.#lastPiece === undefined) this.firstPiece = piece;
    else this.#lastPiece.next = piece;
    this.#lastPiece = piece;
  }

  /** Writes all at the segment's end; the count of bytes written, which may be short. */
  write(segment: LogSegment): number {
    const first = this.firstPiece;
    if (first === undefined) return 0;
    if (first.next === undefined) return segment.write(first.buffer, first.start, first.end);
    return segment.writeGathered(this.chunks());
  }

  /** The same without holding the event loop. */
  writeAsync(segment: LogSegment): Promise<number> {
    return segment.writeGatheredAsync(this.chunks());
  }

  /** What is written, in order. */
  chunks(): Buffer[] {
    const chunks: Buffer[] = [];
    for (let piece = this.firstPiece; piece !== undefined; piece = piece.next) {
      chunks.push(piece.slab === undefined ? piece.buffer : piece.buffer.subarray(piece.start, piece.end));
    }
    return chunks;
  }
}
