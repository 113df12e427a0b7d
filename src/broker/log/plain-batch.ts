/**
 * The short way for what nearly every batch is: from a client, not compressed, for a topic that takes it as it is. It only ever accepts, and only
 * what `validateLeaderBatch` would accept unchanged, with the same largest timestamp (a property test holds the two together); whatever it
 * doesn't know goes there, where refusals and their reasons are. It makes no objects: with batches of 1 KiB those of the long way cost more
 * than the checksum.
 */
import { readInt16, readInt32 } from '../../protocol/int32.ts';
import { readInt64Lossy } from '../../protocol/int64.ts';
import { batchCrc } from '../../protocol/records/batch-crc.ts';
import {
  ATTRIBUTES_OFFSET,
  BASE_SEQUENCE_OFFSET,
  BASE_TIMESTAMP_OFFSET,
  BATCH_LENGTH_OFFSET,
  CRC_OFFSET,
  LAST_OFFSET_DELTA_OFFSET,
  LOG_OVERHEAD,
  MAGIC_OFFSET,
  MAGIC_V2,
  MAX_TIMESTAMP_OFFSET,
  PRODUCER_ID_OFFSET,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_OFFSET,
  TRANSACTIONAL_FLAG,
} from '../../protocol/records/record-batch.ts';
import { newRecordWalk, walkPlainRecords } from '../../protocol/records/record-scan.ts';
import type { AppendConfig } from './append-config.ts';

/** Above it a producer id has more than 53 bits. */
const MAX_PRODUCER_ID_HIGH = 0x1f_ffff;
const walk = newRecordWalk(0);

/** The largest timestamp of a batch that may be written as it is; NaN when the long way must judge. */
export function plainBatchTimestamp(batch: Buffer, config: AppendConfig, nowMs: number): number {
  const sizeBytes = batch.length;
  if (!config.takesBatchesAsTheyAre || sizeBytes <= RECORD_BATCH_OVERHEAD || sizeBytes > config.maxMessageBytes) return NaN;
  if (readInt32(batch, BATCH_LENGTH_OFFSET) + LOG_OVERHEAD !== sizeBytes || batch[MAGIC_OFFSET] !== MAGIC_V2) return NaN;
  // A client's base offset is 0.
  if ((readInt32(batch, 0) | readInt32(batch, 4)) !== 0) return NaN;
  const attributes = readInt16(batch, ATTRIBUTES_OFFSET);
  const producerHigh = readInt32(batch, PRODUCER_ID_OFFSET);
  if (producerHigh === -1) {
    if (attributes !== 0 || readInt32(batch, PRODUCER_ID_OFFSET + 4) !== -1) return NaN;
  } else {
    if (attributes !== 0 && attributes !== TRANSACTIONAL_FLAG) return NaN;
    if (producerHigh < 0 || producerHigh > MAX_PRODUCER_ID_HIGH || readInt32(batch, BASE_SEQUENCE_OFFSET) < 0) return NaN;
  }
  const count = readInt32(batch, RECORD_COUNT_OFFSET);
  if (count <= 0 || readInt32(batch, LAST_OFFSET_DELTA_OFFSET) !== count - 1) return NaN;
  if (batchCrc(batch) !== readInt32(batch, CRC_OFFSET) >>> 0) return NaN;
  walk.position = RECORD_BATCH_OVERHEAD;
  walk.index = 0;
  walk.minTimestampDelta = Infinity;
  walk.maxTimestampDelta = -Infinity;
  if (!walkPlainRecords(batch, walk, sizeBytes, count, true)) return NaN;
  const baseTimestamp = readInt64Lossy(batch, BASE_TIMESTAMP_OFFSET);
  const maxTimestamp = baseTimestamp + walk.maxTimestampDelta;
  const isWithin =
    maxTimestamp <= nowMs + config.messageTimestampAfterMaxMs &&
    baseTimestamp + walk.minTimestampDelta >= nowMs - config.messageTimestampBeforeMaxMs &&
    maxTimestamp === readInt64Lossy(batch, MAX_TIMESTAMP_OFFSET) &&
    Math.abs(maxTimestamp) <= Number.MAX_SAFE_INTEGER;
  return isWithin ? maxTimestamp : NaN;
}
