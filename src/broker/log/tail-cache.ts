/**
 * The recent end of a log, kept in memory so that followers and consumers at the tail cause no system call and no copy.
 *
 * A row of chunks, contiguous in one segment's file: large batches are the buffers that came from the socket, small ones lie in the slabs that
 * they were written from. What is handed out stays valid: a byte written here never changes. Bounded per log and over all logs; the oldest go first.
 * A roll, a truncation or a gap empties it. Memory from the pool that nobody was shown goes back there.
 */
import { lastOffsetAt, sizeAt } from '../../log-format/batch-fields.ts';
import { lastOf } from './last-of.ts';
import { WritePiece } from './write-run.ts';
import type { Slab, WriteSlabs } from './write-slabs.ts';

const MAX_BYTES_PER_LOG = 512 * 1024;
/** A large batch is kept as it came, if it isn't a small part of a buffer that it would keep alive. */
const MAX_SHARE_OF_BUFFER = 4;

interface Chunk {
  readonly baseOffset: number;
  lastOffset: number;
  readonly position: number;
  /** In a slab there may be more behind `length`. */
  readonly buffer: Buffer;
  length: number;
  readonly slab: Slab | undefined;
  /** What it holds of the machine's memory. */
  readonly heldBytes: number;
}

/** Where the batch that holds an offset lies. */
export interface TailPosition {
  readonly chunk: number;
  /** In the chunk. */
  readonly at: number;
  /** In the segment's file. */
  readonly position: number;
}

export class TailCache {
  readonly #budget: TailBudget;
  readonly #slabs: WriteSlabs;
  #chunks: Chunk[] = [];
  #bytes = 0;
  lastUsedMs = 0;

  /** @param slabs of the same log: emptied with the tail. */
  constructor(budget: TailBudget, slabs: WriteSlabs) {
    this.#budget = budget;
    this.#slabs = slabs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what has just been written at `position` of the active segment. */
  add(position: number, piece: WritePiece, nowMs: number): void {
    const last = lastOf(this.#chunks);
    if (last !== undefined && last.position + last.length !== position) this.clear();
    this.lastUsedMs = nowMs;
    const { slab } = piece;
    if (slab !== undefined) this.#addSlab(position, piece, slab);
    else this.#addLarge(position, piece, nowMs);
    while (this.#bytes > MAX_BYTES_PER_LOG && this.#chunks.length > 1) this.dropOldest();
    this.#budget.grown(this);
  }

  #addSlab(position: number, { start, end, firstOffset, lastOffset }: WritePiece, slab: Slab): void {
    const last = lastOf(this.#chunks);
    if (last?.slab === slab && last.buffer.byteOffset + last.length === slab.buffer.byteOffset + start) {
      last.length += end - start;
      last.lastOffset = lastOffset;
      slab.release();
      return;
    }
    const buffer = start === 0 ? slab.buffer : slab.buffer.subarray(start);
    this.#push({ baseOffset: firstOffset, lastOffset, position, buffer, length: end - start, slab, heldBytes: slab.buffer.length });
  }

  #addLarge(position: number, { buffer: records, firstOffset, lastOffset }: WritePiece, nowMs: number): void {
    if (records.length * MAX_SHARE_OF_BUFFER >= records.buffer.byteLength) {
      const { length } = records;
      this.#push({ baseOffset: firstOffset, lastOffset, position, buffer: records, length, slab: undefined, heldBytes: length });
      return;
    }
    // A small part of a large buffer, which it would keep alive.
    const slab = this.#slabs.copy(records, nowMs);
    this.#addSlab(position, new WritePiece(undefined, slab, records.length, firstOffset, lastOffset), slab);
  }

  /** The place of the first batch whose last offset is at least `offset`, when all from there to the log's end is here. */
  find(offset: number): TailPosition | undefined {
    const first = this.#chunks[0];
    if (first === undefined || offset < first.baseOffset) return undefined;
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle] as Chunk).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined) return undefined;
    let at = 0;
    while (at < chunk.length && lastOffsetAt(chunk.buffer, at) < offset) at += sizeAt(chunk.buffer, at);
    return { chunk: low, at, position: chunk.position + at };
  }

  /**
   * Whole batches from `from` on, none that begins at or behind `endPosition`, `maxBytes` at most but for a first one when
   * `minOneMessage`. Pieces in order; their bytes are contiguous in the file.
   */
  slice(
    from: TailPosition,
    endPosition: number,
    maxBytes: number,
    minOneMessage: boolean,
  ): { records: Buffer[]; sizeBytes: number; firstEntryIncomplete: boolean } {
    const records: Buffer[] = [];
    let left = Math.min(maxBytes, endPosition - from.position);
    let total = 0;
    for (let index = from.chunk; index < this.#chunks.length && left > 0; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const start = index === from.chunk ? from.at : 0;
      const available = chunk.length - start;
      const taken = available <= left ? available : wholeBatches(chunk.buffer, start, start + left);
      if (taken > 0) {
        if (chunk.slab !== undefined) chunk.slab.wasRead = true;
        records.push(chunk.buffer.subarray(start, start + taken));
      }
      total += taken;
      left -= taken;
      if (taken < available) break;
    }
    if (total > 0 || from.position >= endPosition) return { records, sizeBytes: total, firstEntryIncomplete: false };
    const chunk = this.#chunks[from.chunk] as Chunk;
    const size = sizeAt(chunk.buffer, from.at);
    if (!minOneMessage) return { records, sizeBytes: 0, firstEntryIncomplete: true };
    if (chunk.slab !== undefined) chunk.slab.wasRead = true;
    return { records: [chunk.buffer.subarray(from.at, from.at + size)], sizeBytes: size, firstEntryIncomplete: false };
  }

  clear(): void {
    this.#budget.changed(-this.#bytes);
    this.#bytes = 0;
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const { slab } of chunks) slab?.release();
    this.#slabs.drop();
  }

  /** For TailBudget. */
  dropOldest(): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#count(-chunk.heldBytes);
    if (chunk.slab === undefined) return;
    // What is held is counted by chunks: no slab outlives the last one.
    if (chunk.slab === this.#slabs.current) this.#slabs.drop();
    chunk.slab.release();
  }

  #push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#count(chunk.heldBytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.changed(bytes);
  }
}

/** Bytes of whole batches in `buffer` from `start`, none reaching past `end`. */
function wholeBatches(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const next = at + sizeAt(buffer, at);
    if (next > end) break;
    at = next;
  }
  return at - start;
}

/** What the tails of all logs may hold together. */
export class TailBudget {
  readonly #maxBytes: number;
  /** Tails that hold something, in order of their last growth. */
  readonly #tails = new Set<TailCache>();
  #newest: TailCache | undefined;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** For TailCache. */
  changed(bytes: number): void {
    this.#bytes += bytes;
  }

  /** For TailCache: `tail` has just got more; the tails that grew longest ago give way. */
  grown(tail: TailCache): void {
    if (this.#newest !== tail) {
      this.#newest = tail;
      this.#tails.delete(tail);
      this.#tails.add(tail);
    }
    while (this.#bytes > this.#maxBytes) {
      const [oldest] = this.#tails;
      if (oldest === undefined) return;
      if (oldest.bytes === 0) this.#forget(oldest);
      else oldest.dropOldest();
    }
  }

  /** Empties the tails that nothing was added to since `beforeMs`. */
  expire(beforeMs: number): void {
    for (const tail of this.#tails) {
      if (tail.lastUsedMs >= beforeMs) return;
      tail.clear();
      this.#forget(tail);
    }
  }

  #forget(tail: TailCache): void {
    this.#tails.delete(tail);
    if (this.#newest === tail) this.#newest = undefined;
  }
}
