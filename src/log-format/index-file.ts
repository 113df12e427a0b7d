/**
 * The offset, time and transaction index read from their files entry by entry, for tools: a page of it or one look-up touches a few
 * hundred bytes of a file that may have 10 MiB. Nothing is refused for its content: entries are shown as they are, and what is wrong with
 * them is for the reader to see. The broker keeps the same bytes in memory: `OffsetIndex`, `TimeIndex`.
 *
 * A tail of zeros (Apache Kafka preallocates live indexes) isn't counted: entries grow, so where it begins is found by halving.
 */
import { readInt64Lossy } from '../protocol/int64.ts';
import type { ReadAt } from './batch-scanner.ts';
import { LogFormatError } from './log-format-error.ts';
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts';
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts';
import { TXN_INDEX_ENTRY_BYTES } from './txn-index.ts';

/** A file of known size that is read in pieces. */
export interface FileBytes {
  readonly sizeBytes: number;
  readonly readAt: ReadAt;
}

export interface IndexEntry {
  readonly slot: number;
  readonly offset: number;
  /** Of an offset index. */
  readonly position: number;
  /** Of a time index. */
  readonly timestamp: number;
}

export interface TxnIndexEntry {
  readonly slot: number;
  readonly version: number;
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly lastStableOffset: number;
}

/** One look at an entry during a binary search over the slots from `low` to `high`, the latter excluded. */
export interface IndexProbe {
  readonly low: number;
  readonly high: number;
  readonly entry: IndexEntry;
  /** Whether the entry is at or below what is looked for: the search goes on above it. */
  readonly isAtOrBelow: boolean;
}

export interface IndexLookup {
  readonly probes: readonly IndexProbe[];
  /** The last entry at or below what was looked for; undefined: it lies before the first entry, and the search begins at the segment's begin. */
  readonly found: IndexEntry | undefined;
}

/** So much is read at once when entries are listed. */
const PAGE_BYTES = 48 * 1024;

export class IndexFile {
  readonly kind: 'offset' | 'time';
  readonly baseOffset: number;
  /** Entries before the tail of zeros. */
  readonly count: number;
  /** Bytes at the end that are no whole entry. */
  readonly tornBytes: number;
  /** Entries of zeros at the end. */
  readonly zeroEntries: number;
  readonly #file: FileBytes;
  readonly #entryBytes: number;

  constructor(kind: 'offset' | 'time', baseOffset: number, file: FileBytes) {
    this.kind = kind;
    this.baseOffset = baseOffset;
    this.#file = file;
    this.#entryBytes = kind === 'offset' ? OFFSET_INDEX_ENTRY_BYTES : TIME_INDEX_ENTRY_BYTES;
    const entries = Math.floor(file.sizeBytes / this.#entryBytes);
    this.tornBytes = file.sizeBytes - entries * this.#entryBytes;
    this.count = firstSlot(entries, (slot) => this.#isZero(slot));
    this.zeroEntries = entries - this.count;
  }

  entry(slot: number): IndexEntry {
    return this.#decode(this.#read(slot, 1), 0, slot);
  }

  get lastEntry(): IndexEntry | undefined {
    return this.count === 0 ? undefined : this.entry(this.count - 1);
  }

  /** Up to `max` entries from slot `from` on. */
  *entries(from = 0, max = Infinity): Generator<IndexEntry, void, undefined> {
    const end = Math.min(this.count, from + max);
    const perPage = Math.floor(PAGE_BYTES / this.#entryBytes);
    for (let slot = from; slot < end; slot += perPage) {
      const count = Math.min(perPage, end - slot);
      const bytes = this.#read(slot, count);
      for (let index = 0; index < count; index++) yield this.#decode(bytes, index * this.#entryBytes, slot + index);
    }
  }

  /** The last entry whose offset (offset index) or timestamp (time index) is at or below `target`, and how it was found. */
  lookup(target: number): IndexLookup {
    const probes: IndexProbe[] = [];
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.entry(middle);
      const isAtOrBelow = (this.kind === 'offset' ? entry.offset : entry.timestamp) <= target;
      probes.push({ low, high, entry, isAtOrBelow });
      if (isAtOrBelow) low = middle + 1;
      else high = middle;
    }
    return { probes, found: low === 0 ? undefined : this.entry(low - 1) };
  }

  #decode(bytes: Buffer, at: number, slot: number): IndexEntry {
    if (this.kind === 'offset')
      return { slot, offset: this.baseOffset + bytes.readInt32BE(at), position: bytes.readInt32BE(at + 4), timestamp: -1 };
    return { slot, offset: this.baseOffset + bytes.readInt32BE(at + 8), position: -1, timestamp: readInt64Lossy(bytes, at) };
  }

  #isZero(slot: number): boolean {
    return this.#read(slot, 1).every((byte) => byte === 0);
  }

  #read(slot: number, count: number): Buffer {
    return readExactly(this.#file, slot * this.#entryBytes, count * this.#entryBytes);
  }
}

/** The entries of a transaction index from slot `from` on, as they are. */
export function* txnIndexEntries(file: FileBytes, from = 0, max = Infinity): Generator<TxnIndexEntry, void, undefined> {
  const end = Math.min(Math.floor(file.sizeBytes / TXN_INDEX_ENTRY_BYTES), from + max);
  for (let slot = from; slot < end; slot++) {
    const bytes = readExactly(file, slot * TXN_INDEX_ENTRY_BYTES, TXN_INDEX_ENTRY_BYTES);
    yield {
      slot,
      version: bytes.readInt16BE(0),
      producerId: readInt64Lossy(bytes, 2),
      firstOffset: readInt64Lossy(bytes, 10),
      lastOffset: readInt64Lossy(bytes, 18),
      lastStableOffset: readInt64Lossy(bytes, 26),
    };
  }
}

/** The first slot from which on all are zeros, given that those before aren't. */
function firstSlot(entries: number, isZero: (slot: number) => boolean): number {
  let low = 0;
  let high = entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isZero(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @throws LogFormatError 'corrupt-index' when the file has become shorter meanwhile. */
function readExactly(file: FileBytes, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let total = 0;
  while (total < length) {
    const read = file.readAt(bytes, total, length - total, position + total);
    if (read === 0)
      throw new LogFormatError('corrupt-index', `the file ends at byte ${position + total}, inside an entry`, position + total);
    total += read;
  }
  return bytes;
}
