/**
 * Which segments retention lets go: from the oldest on, as long as each meets the rule, and none at or above the high watermark.
 * Source: Kafka's UnifiedLog.deletableSegments and the three rules beside it.
 */
import type { LogConfig } from '../config/log-config.ts';
import type { LogSegment } from './log-segment.ts';

export interface RetentionView {
  /** Ascending. */
  readonly segments: readonly LogSegment[];
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
}

export interface DeletableSegments {
  readonly segments: readonly LogSegment[];
  readonly reason: string;
}

/** What `retention.ms` and `retention.bytes` let go; nothing unless `cleanup.policy` has delete. */
export function deletableByRetention(view: RetentionView, config: LogConfig, nowMs: number): DeletableSegments[] {
  if (!config.delete) return [];
  const found: DeletableSegments[] = [];
  const { retentionMs, retentionBytes } = config;
  if (retentionBytes >= 0) {
    let excess = sizeOf(view.segments) - retentionBytes;
    const segments = deletable(view, (segment) => {
      excess -= segment.sizeBytes;
      return excess >= 0;
    });
    found.push({ segments, reason: `retention.bytes ${retentionBytes}` });
  }
  if (retentionMs >= 0) {
    found.push({
      segments: deletable(view, (segment) => nowMs - segment.largestTimestamp > retentionMs),
      reason: `retention.ms ${retentionMs}`,
    });
  }
  return found.filter(({ segments }) => segments.length > 0);
}

/** The segments whose records all lie below the log start offset. */
export function segmentsBelow(view: RetentionView): LogSegment[] {
  return deletable(view, (_segment, next) => next !== undefined && next.baseOffset <= view.logStartOffset);
}

function deletable(view: RetentionView, predicate: (segment: LogSegment, next: LogSegment | undefined) => boolean): LogSegment[] {
  const found: LogSegment[] = [];
  for (const [index, segment] of view.segments.entries()) {
    const next = view.segments[index + 1];
    const upperBound = next?.baseOffset ?? view.logEndOffset;
    const isEmptyActive = next === undefined && segment.sizeBytes === 0;
    if (isEmptyActive || view.highWatermark < upperBound || !predicate(segment, next)) break;
    found.push(segment);
  }
  return found;
}

function sizeOf(segments: readonly LogSegment[]): number {
  let total = 0;
  for (const segment of segments) total += segment.sizeBytes;
  return total;
}
