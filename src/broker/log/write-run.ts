/**
 * What waits to be written to one segment: large batches as they came, small ones copied together (`write-slabs.ts`). Pieces are made as appends
 * come, one for all neighbours in a slab, so that nothing is left to be planned when they are written.
 */
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import type { Slab, WriteSlabs } from './write-slabs.ts';

/** Smaller batches are copied together. */
const COPY_BELOW_BYTES = 8 * 1024;
const NONE_ABORTED: readonly AbortedTxn[] = [];
const NO_PIECES: WritePiece[] = [];

/** The segment that begins with an append, and the producer state at that point. */
export interface PlannedRoll {
  readonly baseOffset: number;
  readonly snapshot: Buffer | undefined;
}

/** Whole batches, contiguous in memory. */
export class WritePiece {
  readonly firstOffset: number;
  lastOffset: number;
  /** Where the bytes lie, unless they are a buffer of their own. */
  readonly slab: Slab | undefined;
  /** In the slab. */
  readonly start: number;
  end: number;
  #records: Buffer | undefined;

  constructor(records: Buffer | undefined, slab: Slab | undefined, sizeBytes: number, firstOffset: number, lastOffset: number) {
    this.#records = records;
    this.slab = slab;
    this.end = slab === undefined ? sizeBytes : slab.used;
    this.start = this.end - sizeBytes;
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
    slab?.retain();
  }

  /** Asked for when the piece has come to its end. */
  get records(): Buffer {
    return (this.#records ??= (this.slab as Slab).buffer.subarray(this.start, this.end));
  }
}

export class WriteRun {
  /** Set when the run begins a new segment. */
  readonly roll: PlannedRoll | undefined;
  /** At first none, then an array made with its first element: one that is pushed to gets room for 17 at once. */
  pieces: WritePiece[] = NO_PIECES;
  bytes = 0;
  abortedTxns: readonly AbortedTxn[] = NONE_ABORTED;
  /** How many appends of the group are complete once this run is written. */
  appends = 0;

  constructor(roll: PlannedRoll | undefined) {
    this.roll = roll;
  }

  add(records: Buffer, firstOffset: number, lastOffset: number, slabs: WriteSlabs, nowMs: number): void {
    const sizeBytes = records.length;
    this.bytes += sizeBytes;
    if (sizeBytes >= COPY_BELOW_BYTES) {
      this.#push(new WritePiece(records, undefined, sizeBytes, firstOffset, lastOffset));
      return;
    }
    const slab = slabs.copy(records, nowMs);
    const last = this.pieces[this.pieces.length - 1];
    if (last !== undefined && last.slab === slab && last.end === slab.used - sizeBytes) {
      last.end = slab.used;
      last.lastOffset = lastOffset;
      return;
    }
    this.#push(new WritePiece(undefined, slab, sizeBytes, firstOffset, lastOffset));
  }

  #push(piece: WritePiece): void {
    if (this.pieces === NO_PIECES) this.pieces = [piece];
    else this.pieces.push(piece);
  }

  /** What is written, in order. */
  chunks(): Buffer[] {
    const [first] = this.pieces;
    return this.pieces.length === 1 && first !== undefined ? [first.records] : this.pieces.map(({ records }) => records);
  }
}
