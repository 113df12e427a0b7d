/** The record of a batch that a look-up by time is after: opens the batch when it is compressed. Source: Kafka's FileRecords. */
import { iterateRecords } from '../../protocol/records/record-reader.ts';

/** What a compressed batch may grow to while it is searched. */
const MAX_DECOMPRESSED_BYTES = 100 * 1024 * 1024;

export interface TimestampAndOffset {
  /** -1 where the question was for an end of the log. */
  readonly timestamp: number;
  readonly offset: number;
  /** The epoch in which the record was written, -1 when not known. */
  readonly leaderEpoch: number;
}

/** The first record of `batch` at or above `startingOffset` with a timestamp of at least `timestamp`. */
export function findRecordByTimestamp(
  batch: Buffer,
  timestamp: number,
  startingOffset: number,
): Omit<TimestampAndOffset, 'leaderEpoch'> | undefined {
  for (const record of iterateRecords(batch, MAX_DECOMPRESSED_BYTES)) {
    if (record.timestamp >= timestamp && record.offset >= startingOffset) return { timestamp: record.timestamp, offset: record.offset };
  }
  return undefined;
}
