/** The answer to `log.retention`: what of a replica on this broker will go, when and why; what compaction has done and will do. */
export interface RetentionSegment {
  readonly baseOffset: number;
  /** The next segment's base, or the log end offset. */
  readonly endOffset: number;
  readonly sizeBytes: number;
  /** Largest timestamp of its records; the file's time where no record has one. */
  readonly largestTimestampMs: number;
  readonly isActive: boolean;
  /** Lets it go at the next check. */
  readonly dueBy: 'logStartOffset' | 'retention.bytes' | 'retention.ms' | null;
  /** When `retention.ms` lets it and all before it go; null without that rule. May lie in the past, see `heldBy`. */
  readonly expiresAtMs: number | null;
  /** The base offset of an older segment whose records are younger: this one waits for it. Null when it doesn't. */
  readonly waitsForBaseOffset: number | null;
  /** How many bytes must be appended until `retention.bytes` lets it go, 0 when it does; null without that rule. */
  readonly bytesUntilSize: number | null;
  /** Keeps it (and all behind it) although a rule is met: not all of it is committed, or it is the empty active segment. */
  readonly heldBy: 'highWatermark' | 'emptyActive' | null;
}

/** Renamed to `.deleted`, to be removed after `file.delete.delay.ms`. */
export interface LeavingSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly removedAtMs: number;
}

/** Segments that went, since the broker's start. */
export interface SegmentDeletion {
  readonly atMs: number;
  readonly baseOffsets: readonly number[];
  readonly sizeBytes: number;
  readonly reason: string;
}

export interface CleaningRunAnswer {
  readonly startedMs: number;
  readonly durationMs: number;
  readonly firstDirtyOffset: number;
  readonly nextDirtyOffset: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
}

export interface PartitionCleaningAnswer {
  readonly state: 'idle' | 'in-progress' | 'aborted' | 'paused' | 'uncleanable';
  readonly uncleanableReason: string | null;
  readonly firstDirtyOffset: number;
  readonly firstUncleanableOffset: number;
  /** What keeps `firstUncleanableOffset` from being higher. */
  readonly boundBy: 'active-segment' | 'last-stable-offset' | 'unflushed' | 'min-compaction-lag';
  readonly cleanBytes: number;
  readonly cleanableBytes: number;
  readonly uncleanableBytes: number;
  /** Cleanable bytes in proportion to all that may be cleaned, 0 to 1. */
  readonly dirtyRatio: number;
  readonly minCleanableDirtyRatio: number;
  readonly isDue: boolean;
  /** When max.compaction.lag.ms makes it due; null when it never does or nothing is dirty. */
  readonly dueMs: number | null;
  readonly lastRun: CleaningRunAnswer | null;
}

export interface ReplicaRetention {
  readonly partition: number;
  readonly isLeader: boolean;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly sizeBytes: number;
  /** What holds for this log now; -1: no limit. */
  readonly deletes: boolean;
  readonly compacts: boolean;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly fileDeleteDelayMs: number;
  readonly segmentCount: number;
  /** The oldest ones, in order, and the active one; `segmentCount` tells of more. */
  readonly segments: readonly RetentionSegment[];
  readonly leaving: readonly LeavingSegment[];
  /** Newest first. */
  readonly deletions: readonly SegmentDeletion[];
  /** Null for a log that isn't compacted. */
  readonly cleaning: PartitionCleaningAnswer | null;
}

export interface LogRetentionAnswer {
  readonly brokerId: number;
  readonly replica: ReplicaRetention;
  readonly nowMs: number;
  /** `log.retention.check.interval.ms`; compacted logs are looked after by the cleaner at its own checks. */
  readonly checkIntervalMs: number;
  readonly nextCheckMs: number;
  readonly cleaner: {
    readonly isEnabled: boolean;
    readonly threads: number;
    readonly deadThreads: number;
    readonly lastCheckMs: number;
    readonly backoffMs: number;
  };
}
