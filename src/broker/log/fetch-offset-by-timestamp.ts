/** Look-ups by time, as ListOffsets asks for them. Source: Kafka's UnifiedLog.fetchOffsetByTimestamp; tiered storage is not here. */
import { attributesAt, lastOffsetAt, leaderEpochAt, maxTimestampAt } from '../../log-format/batch-fields.ts';
import { LOG_APPEND_TIME_FLAG } from '../../protocol/records/record-batch.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogSegment } from './log-segment.ts';
import { findRecordByTimestamp } from './timestamp-search.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3;
export const EARLIEST_LOCAL_TIMESTAMP = -4;
export const LATEST_TIERED_TIMESTAMP = -5;

export interface TimestampView {
  readonly segments: readonly LogSegment[];
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly epochs: LeaderEpochFileCache;
}

/** The answer for `timestamp`, or one of the special values above; undefined when no record has such a time. */
export function fetchOffsetByTimestamp(view: TimestampView, timestamp: number): TimestampAndOffset | undefined {
  const { logStartOffset, logEndOffset, epochs } = view;
  switch (timestamp) {
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP: {
      const earliest = epochs.earliestEntry;
      const leaderEpoch = earliest !== undefined && earliest.startOffset <= logStartOffset ? earliest.epoch : -1;
      return { timestamp: -1, offset: logStartOffset, leaderEpoch };
    }
    case LATEST_TIMESTAMP:
      return { timestamp: -1, offset: logEndOffset, leaderEpoch: epochs.latestEpoch ?? -1 };
    case LATEST_TIERED_TIMESTAMP:
      return { timestamp: -1, offset: -1, leaderEpoch: -1 };
    case MAX_TIMESTAMP:
      return recordWithMaxTimestamp(view.segments);
    default: {
      const segment = view.segments.find((candidate) => candidate.largestTimestamp >= timestamp);
      return segment?.findOffsetByTimestamp(timestamp, logStartOffset);
    }
  }
}

function recordWithMaxTimestamp(segments: readonly LogSegment[]): TimestampAndOffset | undefined {
  let latest: LogSegment | undefined;
  for (const segment of segments)
    if (latest === undefined || segment.maxTimestampSoFar.timestamp > latest.maxTimestampSoFar.timestamp) latest = segment;
  const largest = latest?.maxTimestampSoFar;
  if (latest === undefined || largest === undefined || largest.timestamp < 0) return undefined;
  const found = latest.findBatch(largest.offset);
  if (found === undefined) return undefined;
  const batch = latest.read(found.position, found.sizeBytes);
  const timestamp = maxTimestampAt(batch, 0);
  const leaderEpoch = leaderEpochAt(batch, 0);
  if ((attributesAt(batch, 0) & LOG_APPEND_TIME_FLAG) !== 0) return { timestamp, offset: lastOffsetAt(batch, 0), leaderEpoch };
  const record = findRecordByTimestamp(batch, timestamp, 0);
  return record === undefined ? undefined : { ...record, leaderEpoch };
}
