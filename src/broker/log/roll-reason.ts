/** Why a segment was closed, for people: what of the rules for a roll held when the next one was begun. */
import type { LogConfig } from '../config/log-config.ts';
import type { LogSegment } from './log-segment.ts';

export function rollReason(closed: LogSegment, nextOffset: number, config: LogConfig, nowMs: number): string {
  if (!closed.canConvertToRelativeOffset(nextOffset)) return `offset ${nextOffset} is too far from its first`;
  if (closed.indexes.isFull) return `its index is full (segment.index.bytes ${config.segmentIndexBytes})`;
  const begin = closed.firstBatchTimestamp;
  const waitedMs = begin < 0 ? 0 : Math.max(nowMs, closed.maxTimestampSoFar.timestamp) - begin;
  if (waitedMs > config.segmentMs - closed.rollJitterMs) return `segment.ms ${config.segmentMs}`;
  return `segment.bytes ${config.segmentBytes}`;
}
