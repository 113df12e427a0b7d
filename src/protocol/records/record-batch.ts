/**
 * A record batch of format 2, read and changed in place.
 *
 *     0 int64 baseOffset        12 int32 partitionLeaderEpoch   27 int64 baseTimestamp   53 int32 baseSequence
 *     8 int32 batchLength       16 int8  magic (2)              35 int64 maxTimestamp    57 int32 record count
 *       (bytes after it)        17 uint32 CRC-32C of 21..end    43 int64 producerId      61 records
 *                               21 int16 attributes             51 int16 producerEpoch
 *                               23 int32 lastOffsetDelta
 *
 * attributes: bits 0-2 codec, 3 timestamp type (1: LogAppendTime), 4 transactional, 5 control, 6 delete horizon in
 * baseTimestamp. Base offset and leader epoch stand outside the checksum, so a broker sets them without a new one.
 * A torn batch is shorter than its length says; a damaged one has another checksum.
 * Source: DefaultRecordBatch.java, KIP-98, KIP-530.
 */
import { readInt16, readInt32, writeInt32 } from '../int32.ts';
import { readInt64, readInt64Lossy, writeInt64 } from '../int64.ts';
import type { CompressionCodec } from './compression.ts';
import { crc32c } from './crc32c.ts';

export const BASE_OFFSET_OFFSET = 0;
export const BATCH_LENGTH_OFFSET = 8;
export const PARTITION_LEADER_EPOCH_OFFSET = 12;
export const MAGIC_OFFSET = 16;
export const CRC_OFFSET = 17;
export const ATTRIBUTES_OFFSET = 21;
export const LAST_OFFSET_DELTA_OFFSET = 23;
export const BASE_TIMESTAMP_OFFSET = 27;
export const MAX_TIMESTAMP_OFFSET = 35;
export const PRODUCER_ID_OFFSET = 43;
export const PRODUCER_EPOCH_OFFSET = 51;
export const BASE_SEQUENCE_OFFSET = 53;
export const RECORD_COUNT_OFFSET = 57;
/** Of the header: where the records begin. */
export const RECORD_BATCH_OVERHEAD = 61;
/** Base offset and length, which every batch of every format begins with and which its length does not count. */
export const LOG_OVERHEAD = 12;
export const MAGIC_V2 = 2;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_FLAG = 0x08;
export const TRANSACTIONAL_FLAG = 0x10;
export const CONTROL_FLAG = 0x20;
export const DELETE_HORIZON_FLAG = 0x40;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_PARTITION_LEADER_EPOCH = -1;

export type TimestampType = 'CreateTime' | 'LogAppendTime';

export interface RecordBatchHeader {
  readonly baseOffset: number;
  /** Of the whole batch, `LOG_OVERHEAD` included. */
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  /** 0 to 4 are `CompressionCodec`s; 5 to 7 are unknown. */
  readonly codec: CompressionCodec;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly hasDeleteHorizon: boolean;
  readonly lastOffset: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/**
 * The size in bytes of the batch at `position`, as its length field says; undefined when fewer than `LOG_OVERHEAD` bytes
 * are left before `end`. Not checked: it may be absurd, or reach past `end` (a partial batch at the end of a fetch).
 */
export function batchSizeAt(buffer: Buffer, position: number, end = buffer.length): number | undefined {
  return position + LOG_OVERHEAD > end ? undefined : readInt32(buffer, position + BATCH_LENGTH_OFFSET) + LOG_OVERHEAD;
}

/**
 * Reads the header at `position`, whose 61 bytes must be there. Nothing is validated but that offsets and ids fit a number
 * (`ProtocolError`, 'malformed').
 */
export function readBatchHeader(buffer: Buffer, position: number): RecordBatchHeader {
  const baseOffset = readInt64(buffer, position + BASE_OFFSET_OFFSET);
  const attributes = buffer.readInt16BE(position + ATTRIBUTES_OFFSET);
  return {
    baseOffset,
    sizeInBytes: buffer.readInt32BE(position + BATCH_LENGTH_OFFSET) + LOG_OVERHEAD,
    partitionLeaderEpoch: buffer.readInt32BE(position + PARTITION_LEADER_EPOCH_OFFSET),
    magic: buffer.readInt8(position + MAGIC_OFFSET),
    crc: buffer.readUInt32BE(position + CRC_OFFSET),
    attributes,
    codec: (attributes & COMPRESSION_MASK) as CompressionCodec,
    timestampType: (attributes & LOG_APPEND_TIME_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControl: (attributes & CONTROL_FLAG) !== 0,
    hasDeleteHorizon: (attributes & DELETE_HORIZON_FLAG) !== 0,
    lastOffset: baseOffset + buffer.readInt32BE(position + LAST_OFFSET_DELTA_OFFSET),
    baseTimestamp: readInt64Lossy(buffer, position + BASE_TIMESTAMP_OFFSET),
    maxTimestamp: readInt64Lossy(buffer, position + MAX_TIMESTAMP_OFFSET),
    producerId: readInt64(buffer, position + PRODUCER_ID_OFFSET),
    producerEpoch: buffer.readInt16BE(position + PRODUCER_EPOCH_OFFSET),
    baseSequence: buffer.readInt32BE(position + BASE_SEQUENCE_OFFSET),
    recordCount: buffer.readInt32BE(position + RECORD_COUNT_OFFSET),
  };
}

/** The sequence number of a batch's last record; -1 without a producer's sequence. Sequences go round after 2^31 - 1. */
export function lastSequence(header: Pick<RecordBatchHeader, 'baseSequence' | 'baseOffset' | 'lastOffset'>): number {
  return header.baseSequence === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(header.baseSequence, header.lastOffset - header.baseOffset);
}

/** `sequence + by`, going round from 2^31 - 1 to 0. */
export function incrementSequence(sequence: number, by: number): number {
  return sequence > 0x7fffffff - by ? by - (0x7fffffff - sequence) - 1 : sequence + by;
}

/** Sets base offset and leader epoch, in place; the checksum does not cover them. */
export function setBaseOffsetAndLeaderEpoch(buffer: Buffer, position: number, baseOffset: number, leaderEpoch: number): void {
  writeInt64(buffer, baseOffset, position + BASE_OFFSET_OFFSET);
  writeInt32(buffer, leaderEpoch, position + PARTITION_LEADER_EPOCH_OFFSET);
}

/** Sets timestamp type and maximum timestamp, in place, and the checksum anew when either changed. */
export function setMaxTimestamp(buffer: Buffer, position: number, timestampType: TimestampType, maxTimestamp: number): void {
  const attributes = readInt16(buffer, position + ATTRIBUTES_OFFSET);
  const wanted = timestampType === 'LogAppendTime' ? attributes | LOG_APPEND_TIME_FLAG : attributes & ~LOG_APPEND_TIME_FLAG;
  if (wanted === attributes && readInt64Lossy(buffer, position + MAX_TIMESTAMP_OFFSET) === maxTimestamp) return;
  buffer.writeInt16BE(wanted, position + ATTRIBUTES_OFFSET);
  writeInt64(buffer, maxTimestamp, position + MAX_TIMESTAMP_OFFSET);
  buffer.writeUInt32BE(computeBatchCrc(buffer, position), position + CRC_OFFSET);
}

/** The checksum that the batch at `position` should have; all of it must be in the buffer. */
export function computeBatchCrc(buffer: Buffer, position: number): number {
  const end = position + LOG_OVERHEAD + readInt32(buffer, position + BATCH_LENGTH_OFFSET);
  return crc32c(buffer.subarray(position + ATTRIBUTES_OFFSET, end));
}

/** Whether the batch at `position`, all of it in the buffer, has the checksum that it says. */
export function hasValidCrc(buffer: Buffer, position: number): boolean {
  return readInt32(buffer, position + CRC_OFFSET) >>> 0 === computeBatchCrc(buffer, position);
}

/**
 * The batches in `buffer`, each as a view, up to `end`. Stops before a partial batch at the end, and before one whose
 * length can't be right (less than its format's least): what lies there is the caller's to judge.
 */
export function* iterateBatches(buffer: Buffer, start = 0, end = buffer.length): Generator<Buffer, void, undefined> {
  let position = start;
  for (;;) {
    const size = batchSizeAt(buffer, position, end);
    if (size === undefined || size <= MAGIC_OFFSET || position + size > end) return;
    yield buffer.subarray(position, position + size);
    position += size;
  }
}
