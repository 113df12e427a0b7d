/** What the cleaner tells the console of each compacted partition. */
import type { CleaningBound } from './cleanable-offsets.ts';
import type { CleaningRun } from './cleaner-stats.ts';

export interface CleanerDescription {
  /** `log.cleaner.enable`; false: nothing is compacted. */
  readonly isEnabled: boolean;
  /** Cleaner threads that run. */
  readonly threads: number;
  /** Cleaner threads that an error has ended. */
  readonly deadThreads: number;
  /** Wall clock of the last time a log to clean was looked for; the next is at most `backoffMs` later. */
  readonly lastCheckMs: number;
  readonly backoffMs: number;
  readonly partitions: readonly PartitionCleaning[];
}

export type CleaningStateName =
  /** Waits until it is dirty enough. */
  | 'idle'
  | 'in-progress'
  /** Is about to end before its time: the log is being truncated or deleted. */
  | 'aborted'
  | 'paused'
  /** Set aside: `uncleanableReason` says why. */
  | 'uncleanable';

export interface PartitionCleaning {
  readonly topic: string;
  readonly partition: number;
  readonly logDir: string;
  readonly state: CleaningStateName;
  readonly uncleanableReason: string | undefined;
  readonly firstDirtyOffset: number;
  /** Where the cleanable section ends, and what ends it there. */
  readonly firstUncleanableOffset: number;
  readonly boundBy: CleaningBound;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly cleanBytes: number;
  readonly cleanableBytes: number;
  readonly uncleanableBytes: number;
  /** Cleanable bytes in proportion to all that may be cleaned, 0 to 1; the log is cleaned above `minCleanableDirtyRatio`. */
  readonly dirtyRatio: number;
  readonly minCleanableDirtyRatio: number;
  /** Of how many segments it is made. */
  readonly segments: number;
  /** The log could be cleaned at the next check. */
  readonly isDue: boolean;
  /** When max.compaction.lag.ms makes it due, by the wall clock; undefined when it never does or nothing is dirty. */
  readonly dueMs: number | undefined;
  /** The last cleaning since the broker started. */
  readonly lastRun: CleaningRun | undefined;
}
