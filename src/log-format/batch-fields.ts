/**
 * Fields of a record batch read in place, one at a time, without an object for the batch: what walks over a log use.
 * `at` is where the batch begins; the caller knows that its header lies in the buffer. No value is trusted or refused here:
 * an offset past 2^53 is rounded, as it can only be damage.
 */
import { readInt16, readInt32 } from '../protocol/int32.ts';
import { readInt64Lossy } from '../protocol/int64.ts';
import {
  ATTRIBUTES_OFFSET,
  BASE_OFFSET_OFFSET,
  BASE_SEQUENCE_OFFSET,
  BASE_TIMESTAMP_OFFSET,
  BATCH_LENGTH_OFFSET,
  LAST_OFFSET_DELTA_OFFSET,
  LOG_OVERHEAD,
  MAGIC_OFFSET,
  MAX_TIMESTAMP_OFFSET,
  PARTITION_LEADER_EPOCH_OFFSET,
  PRODUCER_EPOCH_OFFSET,
  PRODUCER_ID_OFFSET,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_OFFSET,
} from '../protocol/records/record-batch.ts';

export const baseOffsetAt = (buffer: Buffer, at: number): number => readInt64Lossy(buffer, at + BASE_OFFSET_OFFSET);
/** The whole batch's size in bytes, header included; may be nonsense in a corrupt log. */
export const sizeAt = (buffer: Buffer, at: number): number => readInt32(buffer, at + BATCH_LENGTH_OFFSET) + LOG_OVERHEAD;
export const leaderEpochAt = (buffer: Buffer, at: number): number => readInt32(buffer, at + PARTITION_LEADER_EPOCH_OFFSET);
export const magicAt = (buffer: Buffer, at: number): number => (buffer[at + MAGIC_OFFSET]! << 24) >> 24;
export const attributesAt = (buffer: Buffer, at: number): number => readInt16(buffer, at + ATTRIBUTES_OFFSET);
export const lastOffsetDeltaAt = (buffer: Buffer, at: number): number => readInt32(buffer, at + LAST_OFFSET_DELTA_OFFSET);
export const lastOffsetAt = (buffer: Buffer, at: number): number => baseOffsetAt(buffer, at) + lastOffsetDeltaAt(buffer, at);
export const baseTimestampAt = (buffer: Buffer, at: number): number => readInt64Lossy(buffer, at + BASE_TIMESTAMP_OFFSET);
export const maxTimestampAt = (buffer: Buffer, at: number): number => readInt64Lossy(buffer, at + MAX_TIMESTAMP_OFFSET);
export const producerIdAt = (buffer: Buffer, at: number): number => readInt64Lossy(buffer, at + PRODUCER_ID_OFFSET);
export const producerEpochAt = (buffer: Buffer, at: number): number => readInt16(buffer, at + PRODUCER_EPOCH_OFFSET);
export const baseSequenceAt = (buffer: Buffer, at: number): number => readInt32(buffer, at + BASE_SEQUENCE_OFFSET);
export const recordCountAt = (buffer: Buffer, at: number): number => readInt32(buffer, at + RECORD_COUNT_OFFSET);

/** The sequence number of the batch's last record; sequences go round from 2^31 - 1 to 0. */
export function lastSequenceAt(buffer: Buffer, at: number): number {
  const base = baseSequenceAt(buffer, at);
  if (base < 0) return -1;
  const last = base + lastOffsetDeltaAt(buffer, at);
  return last > 0x7fff_ffff ? last - 0x8000_0000 : last;
}

/** Bytes of whole batches at the begin of `buffer`; a batch cut short at its end isn't counted. */
export function wholeBatchesBytes(buffer: Buffer): number {
  let at = 0;
  while (at + LOG_OVERHEAD <= buffer.length) {
    const size = sizeAt(buffer, at);
    if (size < RECORD_BATCH_OVERHEAD || at + size > buffer.length) break;
    at += size;
  }
  return at;
}
