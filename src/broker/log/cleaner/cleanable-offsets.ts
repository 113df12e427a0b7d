/**
 * Which part of a log may be cleaned, and how dirty it is.
 *
 *   | clean | cleanable              | uncleanable                       |
 *   start   firstDirtyOffset         firstUncleanableOffset (a segment's)  end
 *
 * Uncleanable are the active segment, what lies at or above the last stable offset, what is younger than min.compaction.lag.ms and,
 * other than in Kafka, what isn't on the device yet: an old value must not go while the newer one could still be lost.
 * Source: Kafka's LogCleanerManager.cleanableOffsets, calculateCleanableBytes, maxCompactionDelay; LogToClean.
 */
import { LONG_MAX } from '../../config/config-def.ts';
import type { LogSegment } from '../log-segment.ts';
import type { UnifiedLog } from '../unified-log.ts';

export interface OffsetsToClean {
  readonly firstDirtyOffset: number;
  readonly firstUncleanableDirtyOffset: number;
  /** Set: the checkpoint doesn't fit the log, which is dirty from its start; why. */
  readonly resetReason: string | undefined;
  /** What keeps `firstUncleanableDirtyOffset` from being higher. */
  readonly boundBy: CleaningBound;
}

export type CleaningBound = 'active-segment' | 'last-stable-offset' | 'unflushed' | 'min-compaction-lag';

/** @param checkpoint where the last cleaning ended, if there was one. */
export function cleanableOffsets(log: UnifiedLog, checkpoint: number | undefined, nowMs: number): OffsetsToClean {
  const { firstDirtyOffset, resetReason } = firstDirty(log, checkpoint);
  let bound = Infinity;
  let boundBy: CleaningBound = 'active-segment';
  const limit = (offset: number | undefined, by: CleaningBound): void => {
    if (offset === undefined || offset >= bound) return;
    bound = offset;
    boundBy = by;
  };
  limit(activeSegmentOf(log)?.baseOffset ?? 0, 'active-segment');
  limit(log.lastStableOffset, 'last-stable-offset');
  limit(log.flushedOffset, 'unflushed');
  const minLagMs = Math.max(0, log.config.minCompactionLagMs);
  if (minLagMs > 0) {
    const young = nonActiveSegmentsFrom(log, firstDirtyOffset).find((segment) => segment.largestTimestamp > nowMs - minLagMs);
    limit(young?.baseOffset, 'min-compaction-lag');
  }
  return { firstDirtyOffset, firstUncleanableDirtyOffset: Math.max(firstDirtyOffset, bound), resetReason, boundBy };
}

function firstDirty(log: UnifiedLog, checkpoint: number | undefined): { firstDirtyOffset: number; resetReason: string | undefined } {
  const { logStartOffset, logEndOffset } = log;
  const offset = checkpoint ?? logStartOffset;
  if (offset < logStartOffset) {
    return { firstDirtyOffset: logStartOffset, resetReason: `the checkpoint ${offset} is below the log start offset ${logStartOffset}` };
  }
  if (offset > logEndOffset) {
    return { firstDirtyOffset: logStartOffset, resetReason: `the checkpoint ${offset} is above the log end offset ${logEndOffset}` };
  }
  return { firstDirtyOffset: offset, resetReason: undefined };
}

/** By how much the oldest dirty record is older than max.compaction.lag.ms; 0 when it isn't. */
export function maxCompactionDelayMs(log: UnifiedLog, firstDirtyOffset: number, nowMs: number): number {
  const dueMs = compactionDueMs(log, firstDirtyOffset);
  return dueMs === undefined ? 0 : Math.max(0, nowMs - dueMs);
}

/** When max.compaction.lag.ms asks for a cleaning; undefined when it never does. */
export function compactionDueMs(log: UnifiedLog, firstDirtyOffset: number): number | undefined {
  const { maxCompactionLagMs } = log.config;
  if (maxCompactionLagMs >= LONG_MAX) return undefined;
  let earliest = Infinity;
  for (const segment of nonActiveSegmentsFrom(log, firstDirtyOffset)) {
    const timestamp = segment.firstBatchTimestamp;
    if (timestamp > 0 && timestamp < earliest) earliest = timestamp;
  }
  return earliest === Infinity ? undefined : earliest + Math.max(0, maxCompactionLagMs);
}

/** A log that may be cleaned, and how worthwhile that is. */
export interface LogToClean {
  readonly log: UnifiedLog;
  readonly firstDirtyOffset: number;
  /** The base offset of the first segment that may not be cleaned. */
  readonly firstUncleanableOffset: number;
  readonly cleanBytes: number;
  readonly cleanableBytes: number;
  readonly uncleanableBytes: number;
  /** max.compaction.lag.ms is exceeded by this much. */
  readonly compactionDelayMs: number;
}

export function logToClean(log: UnifiedLog, offsets: OffsetsToClean, compactionDelayMs: number): LogToClean {
  const { firstDirtyOffset, firstUncleanableDirtyOffset } = offsets;
  const segments = log.segments;
  const firstUncleanable = segments.slice(0, -1).find((_segment, index) => endOf(segments, index) > firstUncleanableDirtyOffset);
  const firstUncleanableOffset = (firstUncleanable ?? activeSegmentOf(log))?.baseOffset ?? 0;
  let cleanBytes = 0;
  let cleanableBytes = 0;
  let uncleanableBytes = 0;
  for (const [index, segment] of segments.entries()) {
    // The segment with the first dirty offset counts as cleanable, all of it.
    if (segment.baseOffset >= firstUncleanableOffset) uncleanableBytes += segment.sizeBytes;
    else if (endOf(segments, index) <= firstDirtyOffset) cleanBytes += segment.sizeBytes;
    else cleanableBytes += segment.sizeBytes;
  }
  return { log, firstDirtyOffset, firstUncleanableOffset, cleanBytes, cleanableBytes, uncleanableBytes, compactionDelayMs };
}

/** The share of what may be cleaned that is dirty, 0 to 1. */
export function cleanableRatio({ cleanBytes, cleanableBytes }: LogToClean): number {
  return cleanableBytes === 0 ? 0 : cleanableBytes / (cleanBytes + cleanableBytes);
}

export function nonActiveSegmentsFrom(log: UnifiedLog, offset: number): LogSegment[] {
  const { segments } = log;
  return segments.filter((_segment, index) => index < segments.length - 1 && endOf(segments, index) > offset);
}

function endOf(segments: readonly LogSegment[], index: number): number {
  return segments[index + 1]?.baseOffset ?? Infinity;
}

function activeSegmentOf(log: UnifiedLog): LogSegment | undefined {
  return log.segments.at(-1);
}
