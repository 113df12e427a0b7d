/**
 * The recent end of a log, kept in memory so that followers and consumers at the tail cause no system call and no copy.
 *
 * A row of chunks, contiguous in one segment's file: large batches are the buffers that came from the socket, small ones are copied
 * together. What is handed out stays valid: a byte written here never changes. Bounded per log and over all logs; the oldest go first.
 * A roll, a truncation or a gap empties it. Memory from the pool that nobody was shown goes back there.
 */
import { lastOffsetAt, sizeAt } from '../../log-format/batch-fields.ts';
import type { BufferPool } from './buffer-pool.ts';

const MAX_BYTES_PER_LOG = 1024 * 1024;
/** A batch from this size on is kept as it came, if it isn't a small part of a large buffer that it would keep alive. */
const KEEP_AS_IS_BYTES = 8 * 1024;
const MAX_SHARE_OF_BUFFER = 4;
const SLAB_BYTES = 64 * 1024;
const FIRST_SLAB_BYTES = 4 * 1024;

interface Chunk {
  readonly baseOffset: number;
  lastOffset: number;
  readonly position: number;
  /** A slab may have room behind `length`. */
  readonly buffer: Buffer;
  length: number;
  readonly isSlab: boolean;
  /** Somebody may look at it for as long as they like: its memory isn't used again. */
  wasRead: boolean;
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
  #chunks: Chunk[] = [];
  #bytes = 0;
  lastUsedMs = 0;

  constructor(budget: TailBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds whole batches that have just been written at `position` of the active segment. */
  add(position: number, buffer: Buffer, baseOffset: number, lastOffset: number, nowMs: number): void {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.position + last.length !== position) this.clear();
    this.lastUsedMs = nowMs;
    const keepAsIs = buffer.length >= KEEP_AS_IS_BYTES && buffer.length * MAX_SHARE_OF_BUFFER >= buffer.buffer.byteLength;
    if (keepAsIs)
      this.#push({ baseOffset, lastOffset, position, buffer, length: buffer.length, isSlab: false, wasRead: false }, buffer.length);
    else this.#copy(position, buffer, baseOffset, lastOffset);
    while (this.#bytes > MAX_BYTES_PER_LOG && this.#chunks.length > 1) this.dropOldest();
    this.#budget.grown(this);
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
        chunk.wasRead = true;
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
    chunk.wasRead = true;
    return { records: [chunk.buffer.subarray(from.at, from.at + size)], sizeBytes: size, firstEntryIncomplete: false };
  }

  clear(): void {
    this.#budget.changed(-this.#bytes);
    this.#bytes = 0;
    for (const chunk of this.#chunks) this.#budget.recycle(chunk);
    this.#chunks = [];
  }

  /** For TailBudget. */
  dropOldest(): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#count(-(chunk.isSlab ? chunk.buffer.length : chunk.length));
    this.#budget.recycle(chunk);
  }

  #copy(position: number, buffer: Buffer, baseOffset: number, lastOffset: number): void {
    const last = this.#chunks.at(-1);
    if (last?.isSlab === true && last.length + buffer.length <= last.buffer.length) {
      buffer.copy(last.buffer, last.length);
      last.length += buffer.length;
      last.lastOffset = lastOffset;
      return;
    }
    // Slabs grow with use, so that a log with little traffic holds little.
    const wanted = last === undefined ? FIRST_SLAB_BYTES : Math.min(SLAB_BYTES, last.buffer.length * 2);
    const slab = Buffer.allocUnsafeSlow(Math.max(wanted, buffer.length));
    buffer.copy(slab);
    this.#push({ baseOffset, lastOffset, position, buffer: slab, length: buffer.length, isSlab: true, wasRead: false }, slab.length);
  }

  #push(chunk: Chunk, bytes: number): void {
    this.#chunks.push(chunk);
    this.#count(bytes);
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
  readonly #buffers: BufferPool | undefined;
  /** Tails that hold something, in order of their last growth. */
  readonly #tails = new Set<TailCache>();
  #newest: TailCache | undefined;
  #bytes = 0;

  /** @param buffers where memory goes that nobody has looked at. */
  constructor(maxBytes: number, buffers?: BufferPool) {
    this.#maxBytes = maxBytes;
    this.#buffers = buffers;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** For TailCache: a chunk that goes. */
  recycle({ buffer, wasRead }: { readonly buffer: Buffer; readonly wasRead: boolean }): void {
    if (!wasRead) this.#buffers?.giveBack([buffer]);
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
