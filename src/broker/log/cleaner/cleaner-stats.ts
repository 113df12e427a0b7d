/** What one cleaning of a log did. */
import type { SliceStats } from './clean-slice.ts';

/** A finished cleaning, for the console and the log. */
export interface CleaningRun {
  /** Wall clock. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Of that, for reading the dirty section into the offset map. */
  readonly indexDurationMs: number;
  readonly firstDirtyOffset: number;
  /** Where the next cleaning begins. */
  readonly nextDirtyOffset: number;
  /** Of the segments that were copied. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  /** Without a key: dropped. */
  readonly invalidRecords: number;
  /** Tombstones that no newer record had replaced, whose time was over. */
  readonly tombstonesDropped: number;
  readonly indexBytesRead: number;
  readonly indexRecordsRead: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  /** Share of the offset map's bound that was used, 0 to 1. */
  readonly bufferUtilization: number;
}

export class CleanerStats {
  readonly startedMs: number;
  readonly #beganMs: number;
  #indexedMs: number;
  #copy = NOTHING;
  #index = NOTHING;

  constructor(startedMs: number, monotonicMs: number) {
    this.startedMs = startedMs;
    this.#beganMs = monotonicMs;
    this.#indexedMs = monotonicMs;
  }

  addIndexed(stats: SliceStats): void {
    this.#index = sum(this.#index, stats);
  }

  addCopied(stats: SliceStats): void {
    this.#copy = sum(this.#copy, stats);
  }

  indexDone(monotonicMs: number): void {
    this.#indexedMs = monotonicMs;
  }

  finish(
    monotonicMs: number,
    rest: Pick<CleaningRun, 'firstDirtyOffset' | 'nextDirtyOffset' | 'segmentsBefore' | 'segmentsAfter' | 'bufferUtilization'>,
  ): CleaningRun {
    return {
      startedMs: this.startedMs,
      durationMs: monotonicMs - this.#beganMs,
      indexDurationMs: this.#indexedMs - this.#beganMs,
      ...this.#copy,
      indexBytesRead: this.#index.bytesRead,
      indexRecordsRead: this.#index.recordsRead,
      ...rest,
    };
  }
}

const NOTHING: SliceStats = { bytesRead: 0, bytesWritten: 0, recordsRead: 0, recordsWritten: 0, invalidRecords: 0, tombstonesDropped: 0 };

function sum(a: SliceStats, b: SliceStats): SliceStats {
  return {
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
    recordsRead: a.recordsRead + b.recordsRead,
    recordsWritten: a.recordsWritten + b.recordsWritten,
    invalidRecords: a.invalidRecords + b.invalidRecords,
    tombstonesDropped: a.tombstonesDropped + b.tombstonesDropped,
  };
}
