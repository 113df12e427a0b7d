/**
 * Makes the offset and time index of a segment from its batches, in the order of the file: recovery and a rebuild of damaged indexes.
 * What an append adds to an index that is in use is `LogSegment`'s, by the same rule: an entry for a batch that begins more than
 * `index.interval.bytes` behind the one before that has one.
 */
import { OffsetIndex } from '../../log-format/offset-index.ts';
import { TimeIndex } from '../../log-format/time-index.ts';

export class IndexBuilder {
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly #intervalBytes: number;
  /** -1 while no batch has one. */
  maxTimestamp = -1;
  /** The last offset of the batch that has it. */
  offsetOfMaxTimestamp: number;
  bytesSinceLastIndexEntry = 0;

  /** @param made what was made elsewhere. */
  constructor(baseOffset: number, intervalBytes: number, made?: { readonly offset: OffsetIndex; readonly time: TimeIndex }) {
    this.offsetIndex = made?.offset ?? new OffsetIndex(baseOffset);
    this.timeIndex = made?.time ?? new TimeIndex(baseOffset);
    this.offsetOfMaxTimestamp = baseOffset;
    this.#intervalBytes = intervalBytes;
  }

  noteBatch(position: number, sizeBytes: number, lastOffset: number, maxTimestamp: number): void {
    if (maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = maxTimestamp;
      this.offsetOfMaxTimestamp = lastOffset;
    }
    if (this.bytesSinceLastIndexEntry > this.#intervalBytes) {
      this.offsetIndex.append(lastOffset, position);
      this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
      this.bytesSinceLastIndexEntry = 0;
    }
    this.bytesSinceLastIndexEntry += sizeBytes;
  }

  /** No more batches: the time index gets its last entry. */
  finish(): void {
    this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
  }
}
