/**
 * The offset index: a sparse map from an offset to a position in the segment's log file, kept as the bytes of its file.
 *
 *   entry (8 bytes, big endian)   int32 offset - baseOffset    int32 position
 *
 * An entry's offset is the last offset of the batch that begins at its position; offsets and positions grow strictly.
 * Apache Kafka's live files are preallocated to 10 MiB of zeros; `fromFile` stops at that tail. We write the entries only.
 * A torn last entry or one that doesn't grow makes the file corrupt: it is rebuilt from the log.
 * Source: Kafka's OffsetIndex. Differs: one entry a batch (Kafka 3.9: an append), as dump-log expects of an index.
 */
import { GrowableEntries } from './growable-entries.ts';
import { LogFormatError } from './log-format-error.ts';

export const OFFSET_INDEX_ENTRY_BYTES = 8;

export interface OffsetPosition {
  readonly offset: number;
  readonly position: number;
}

export class OffsetIndex {
  readonly baseOffset: number;
  readonly #entries: GrowableEntries;

  constructor(baseOffset: number, bytes?: Buffer, count = 0) {
    this.baseOffset = baseOffset;
    this.#entries = new GrowableEntries(OFFSET_INDEX_ENTRY_BYTES, bytes, count);
  }

  /**
   * Reads a file's bytes (kept, not copied).
   *
   * @throws LogFormatError 'corrupt-index' when the length is no multiple of an entry or the entries don't grow.
   */
  static fromFile(baseOffset: number, bytes: Buffer): OffsetIndex {
    if (bytes.length % OFFSET_INDEX_ENTRY_BYTES !== 0) {
      throw new LogFormatError(
        'corrupt-index',
        `offset index of segment ${baseOffset} has ${bytes.length} bytes, no multiple of ${OFFSET_INDEX_ENTRY_BYTES}`,
      );
    }
    let count = bytes.length / OFFSET_INDEX_ENTRY_BYTES;
    while (count > 0 && isZero(bytes, count - 1)) count--;
    let lastRelative = -1;
    let lastPosition = -1;
    for (let slot = 0; slot < count; slot++) {
      const relative = bytes.readInt32BE(slot * OFFSET_INDEX_ENTRY_BYTES);
      const position = bytes.readInt32BE(slot * OFFSET_INDEX_ENTRY_BYTES + 4);
      if (relative <= lastRelative || position <= lastPosition) {
        throw new LogFormatError('corrupt-index', `offset index of segment ${baseOffset} doesn't grow at entry ${slot}`);
      }
      lastRelative = relative;
      lastPosition = position;
    }
    return new OffsetIndex(baseOffset, bytes, count);
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

  /** The offset of the last entry; the base offset when there is none. */
  get lastOffset(): number {
    return this.count === 0 ? this.baseOffset : this.#offsetAt(this.count - 1);
  }

  entry(slot: number): OffsetPosition {
    if (slot < 0 || slot >= this.count) throw new RangeError(`no entry ${slot} in an offset index of ${this.count}`);
    return { offset: this.#offsetAt(slot), position: this.#positionAt(slot) };
  }

  /** Whether `offset` can be kept as an int32 from the base offset. */
  canAppendOffset(offset: number): boolean {
    const relative = offset - this.baseOffset;
    return relative >= 0 && relative <= 0x7fff_ffff;
  }

  /** Adds an entry; both must exceed the last one's. */
  append(offset: number, position: number): void {
    if (this.count > 0 && offset <= this.lastOffset) {
      throw new RangeError(`offset ${offset} isn't above ${this.lastOffset}, the last of the index of segment ${this.baseOffset}`);
    }
    const at = this.#entries.grow();
    this.#entries.buffer.writeInt32BE(offset - this.baseOffset, at);
    this.#entries.buffer.writeInt32BE(position, at + 4);
  }

  /** The position to scan from for `targetOffset`: of the last entry at or below it, or 0. */
  lookupPosition(targetOffset: number): number {
    const slot = this.#lastSlotAtOrBelow(targetOffset);
    return slot < 0 ? 0 : this.#positionAt(slot);
  }

  /** The last entry at or below `targetOffset`, or the segment's begin. */
  lookup(targetOffset: number): OffsetPosition {
    const slot = this.#lastSlotAtOrBelow(targetOffset);
    return slot < 0 ? { offset: this.baseOffset, position: 0 } : this.entry(slot);
  }

  /** The position of the last entry at or below `position`; 0 when there is none. A batch begins there. */
  lastPositionAtOrBelow(position: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positionAt(middle) <= position) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#positionAt(low - 1);
  }

  /** Removes the entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.#entries.count = this.#lastSlotAtOrBelow(offset - 1) + 1;
  }

  clear(): void {
    this.#entries.count = 0;
  }

  #offsetAt(slot: number): number {
    return this.baseOffset + this.#entries.buffer.readInt32BE(slot * OFFSET_INDEX_ENTRY_BYTES);
  }

  #positionAt(slot: number): number {
    return this.#entries.buffer.readInt32BE(slot * OFFSET_INDEX_ENTRY_BYTES + 4);
  }

  #lastSlotAtOrBelow(offset: number): number {
    const relative = offset - this.baseOffset;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries.buffer.readInt32BE(middle * OFFSET_INDEX_ENTRY_BYTES) <= relative) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function isZero(bytes: Buffer, slot: number): boolean {
  const at = slot * OFFSET_INDEX_ENTRY_BYTES;
  return bytes.readInt32BE(at) === 0 && bytes.readInt32BE(at + 4) === 0;
}
