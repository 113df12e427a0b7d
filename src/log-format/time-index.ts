/**
 * The time index: from a timestamp to an offset, kept as the bytes of its file.
 *
 *   entry (12 bytes, big endian)   int64 timestamp    int32 offset - baseOffset
 *
 * (t, o) says that no batch up to offset o has a timestamp above t, and that o is the last offset of the batch that has t.
 * Timestamps grow strictly, offsets too. The last slot a full index may have is kept for the entry made when the segment is closed.
 * Source: Kafka's TimeIndex.
 */
import { GrowableEntries } from './growable-entries.ts';
import { readInt64Lossy, writeInt64 } from '../protocol/int64.ts';
import { LogFormatError } from './log-format-error.ts';

export const TIME_INDEX_ENTRY_BYTES = 12;

export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

export class TimeIndex {
  readonly baseOffset: number;
  readonly #entries: GrowableEntries;

  constructor(baseOffset: number, bytes?: Buffer, count = 0) {
    this.baseOffset = baseOffset;
    this.#entries = new GrowableEntries(TIME_INDEX_ENTRY_BYTES, bytes, count);
  }

  /**
   * Reads a file's bytes (kept, not copied).
   *
   * @throws LogFormatError 'corrupt-index' when the length is no multiple of an entry or the entries don't grow.
   */
  static fromFile(baseOffset: number, bytes: Buffer): TimeIndex {
    if (bytes.length % TIME_INDEX_ENTRY_BYTES !== 0) {
      throw new LogFormatError(
        'corrupt-index',
        `time index of segment ${baseOffset} has ${bytes.length} bytes, no multiple of ${TIME_INDEX_ENTRY_BYTES}`,
      );
    }
    let count = bytes.length / TIME_INDEX_ENTRY_BYTES;
    while (count > 0 && isZero(bytes, count - 1)) count--;
    let lastTimestamp = -1;
    let lastRelative = -1;
    for (let slot = 0; slot < count; slot++) {
      const timestamp = readInt64Lossy(bytes, slot * TIME_INDEX_ENTRY_BYTES);
      const relative = bytes.readInt32BE(slot * TIME_INDEX_ENTRY_BYTES + 8);
      if (timestamp <= lastTimestamp || relative < lastRelative) {
        throw new LogFormatError('corrupt-index', `time index of segment ${baseOffset} doesn't grow at entry ${slot}`);
      }
      lastTimestamp = timestamp;
      lastRelative = relative;
    }
    return new TimeIndex(baseOffset, bytes, count);
  }

  get count(): number {
    return this.#entries.count;
  }

  /** Bytes of memory held, room for growth included. */
  get capacityBytes(): number {
    return this.#entries.buffer.length;
  }

  /** The bytes of the file. A view: valid until the next change. */
  get bytes(): Buffer {
    return this.#entries.bytes;
  }

  /** The last entry; (-1, base offset) when there is none. */
  get lastEntry(): TimestampOffset {
    return this.count === 0 ? { timestamp: -1, offset: this.baseOffset } : this.entry(this.count - 1);
  }

  get lastTimestamp(): number {
    return this.count === 0 ? -1 : this.#timestampAt(this.count - 1);
  }

  entry(slot: number): TimestampOffset {
    if (slot < 0 || slot >= this.count) throw new RangeError(`no entry ${slot} in a time index of ${this.count}`);
    return { timestamp: this.#timestampAt(slot), offset: this.#offsetAt(slot) };
  }

  /** Adds (timestamp, offset) when the timestamp exceeds the last one; returns whether it did. */
  maybeAppend(timestamp: number, offset: number): boolean {
    if (timestamp <= this.lastTimestamp) return false;
    const at = this.#entries.grow();
    writeInt64(this.#entries.buffer, timestamp, at);
    this.#entries.buffer.writeInt32BE(offset - this.baseOffset, at + 8);
    return true;
  }

  /** The last entry whose timestamp is at or below `timestamp`; (-1, base offset) when there is none. */
  lookup(timestamp: number): TimestampOffset {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestampAt(middle) <= timestamp) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? { timestamp: -1, offset: this.baseOffset } : this.entry(low - 1);
  }

  /** Removes the entries at or above `offset`. */
  truncateTo(offset: number): void {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsetAt(middle) < offset) low = middle + 1;
      else high = middle;
    }
    this.#entries.count = low;
  }

  clear(): void {
    this.#entries.count = 0;
  }

  #timestampAt(slot: number): number {
    return readInt64Lossy(this.#entries.buffer, slot * TIME_INDEX_ENTRY_BYTES);
  }

  #offsetAt(slot: number): number {
    return this.baseOffset + this.#entries.buffer.readInt32BE(slot * TIME_INDEX_ENTRY_BYTES + 8);
  }
}

function isZero(bytes: Buffer, slot: number): boolean {
  for (let at = slot * TIME_INDEX_ENTRY_BYTES, end = at + TIME_INDEX_ENTRY_BYTES; at < end; at += 4) {
    if (bytes.readInt32BE(at) !== 0) return false;
  }
  return true;
}
