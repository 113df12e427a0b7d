/**
 * Writes the files of a cleaned segment, `<base offset>.*.cleaned`, across several slices of work: what it knows between two of them is plain data.
 * Index entries are made as an append makes them: one a batch at most, every `index.interval.bytes`.
 *
 * `finish` leaves nothing to chance: all four files are there (the transaction index also when it is empty, so that a crash among the renames
 * that follow can't mix it with the old one's), they and their names are on the device.
 */
import { lastOffsetAt, maxTimestampAt, sizeAt } from '../../../log-format/batch-fields.ts';
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../../../log-format/file-names.ts';
import type { SegmentFileSuffix } from '../../../log-format/file-names.ts';
import { OffsetIndex } from '../../../log-format/offset-index.ts';
import { TimeIndex } from '../../../log-format/time-index.ts';
import type { AbortedTxn } from '../../../log-format/txn-index.ts';
import { encodeAbortedTxn } from '../../../log-format/txn-index.ts';
import { writeFully } from '../../../runtime/disk.ts';
import type { Disk, DiskFile } from '../../../runtime/disk.ts';
import { LogCleaningError } from './log-cleaning-error.ts';

export interface CleanedSegmentState {
  readonly directory: string;
  readonly baseOffset: number;
  readonly indexIntervalBytes: number;
  sizeBytes: number;
  offsetIndexBytes: number;
  timeIndexBytes: number;
  bytesSinceLastIndexEntry: number;
  /** Of the last entry of the time index. */
  lastIndexedTimestamp: number;
  maxTimestamp: number;
  offsetOfMaxTimestamp: number;
}

export function newCleanedSegment(directory: string, baseOffset: number, indexIntervalBytes: number): CleanedSegmentState {
  return {
    directory,
    baseOffset,
    indexIntervalBytes,
    sizeBytes: 0,
    offsetIndexBytes: 0,
    timeIndexBytes: 0,
    bytesSinceLastIndexEntry: 0,
    lastIndexedTimestamp: -1,
    maxTimestamp: -1,
    offsetOfMaxTimestamp: baseOffset,
  };
}

export function cleanedPath(directory: string, baseOffset: number, suffix: SegmentFileSuffix): string {
  return `${directory}/${segmentFileName(baseOffset, suffix)}${CLEANED_SUFFIX}`;
}

export class CleanedSegmentWriter {
  readonly #disk: Disk;
  readonly #state: CleanedSegmentState;
  readonly #log: DiskFile;
  #offsetIndex: OffsetIndex;
  #timeIndex: TimeIndex;

  constructor(disk: Disk, state: CleanedSegmentState) {
    this.#disk = disk;
    this.#state = state;
    this.#offsetIndex = new OffsetIndex(state.baseOffset);
    this.#timeIndex = new TimeIndex(state.baseOffset);
    this.#log = disk.open(this.#path(LOG_SUFFIX), state.sizeBytes === 0 ? 'truncate' : 'read-write');
  }

  /** Writes whole batches at the end. */
  append(batches: Buffer): void {
    if (batches.length === 0) return;
    const state = this.#state;
    writeFully(this.#log, [batches], state.sizeBytes);
    for (let at = 0; at < batches.length; at += sizeAt(batches, at)) this.#note(batches, at, state.sizeBytes + at);
    state.sizeBytes += batches.length;
  }

  #note(batches: Buffer, at: number, position: number): void {
    const state = this.#state;
    const lastOffset = lastOffsetAt(batches, at);
    const timestamp = maxTimestampAt(batches, at);
    if (!this.#offsetIndex.canAppendOffset(lastOffset) || position > 0x7fff_ffff)
      throw new LogCleaningError(`offset ${lastOffset} at ${position} doesn't fit a segment that begins at ${state.baseOffset}`);
    if (timestamp > state.maxTimestamp) {
      state.maxTimestamp = timestamp;
      state.offsetOfMaxTimestamp = lastOffset;
    }
    if (state.bytesSinceLastIndexEntry > state.indexIntervalBytes) {
      this.#offsetIndex.append(lastOffset, position);
      this.#noteTimestamp();
      state.bytesSinceLastIndexEntry = 0;
    }
    state.bytesSinceLastIndexEntry += sizeAt(batches, at);
  }

  #noteTimestamp(): void {
    const state = this.#state;
    if (state.maxTimestamp <= state.lastIndexedTimestamp) return;
    this.#timeIndex.maybeAppend(state.maxTimestamp, state.offsetOfMaxTimestamp);
    state.lastIndexedTimestamp = state.maxTimestamp;
  }

  /** Ends a slice of work: what waits is written, the file closed. */
  suspend(): void {
    const state = this.#state;
    state.offsetIndexBytes += this.#writeIndex(OFFSET_INDEX_SUFFIX, this.#offsetIndex.bytes, state.offsetIndexBytes);
    state.timeIndexBytes += this.#writeIndex(TIME_INDEX_SUFFIX, this.#timeIndex.bytes, state.timeIndexBytes);
    this.#offsetIndex = new OffsetIndex(state.baseOffset);
    this.#timeIndex = new TimeIndex(state.baseOffset);
    this.#log.close();
  }

  /** Ends the segment; all of it is on the device when this returns. */
  finish(abortedTxns: readonly AbortedTxn[]): void {
    if (this.#state.maxTimestamp >= 0) this.#noteTimestamp();
    this.#log.sync();
    this.suspend();
    this.#disk.writeFile(this.#path(TXN_INDEX_SUFFIX), Buffer.concat(abortedTxns.map(encodeAbortedTxn)));
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX] as const) {
      const file = this.#disk.open(this.#path(suffix), 'create');
      try {
        file.sync();
      } finally {
        file.close();
      }
    }
    this.#disk.syncDirectory(this.#state.directory);
  }

  close(): void {
    this.#log.close();
  }

  #writeIndex(suffix: SegmentFileSuffix, bytes: Buffer, at: number): number {
    const file = this.#disk.open(this.#path(suffix), at === 0 ? 'truncate' : 'read-write');
    try {
      writeFully(file, [bytes], at);
    } finally {
      file.close();
    }
    return bytes.length;
  }

  #path(suffix: SegmentFileSuffix): string {
    return cleanedPath(this.#state.directory, this.#state.baseOffset, suffix);
  }
}
