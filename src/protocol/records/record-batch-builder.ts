/**
 * Makes record batches: for the coordinators' own records, markers, the cleaner, tools and our producer.
 * What it makes is byte for byte what Apache Kafka's MemoryRecordsBuilder makes of the same records, uncompressed.
 * Source: MemoryRecordsBuilder.java, EndTransactionMarker.java, ControlRecordType.java.
 */
import { ProtocolError } from '../protocol-error.ts';
import { writeInt64 } from '../int64.ts';
import { compress, CompressionCodec } from './compression.ts';
import * as batch from './record-batch.ts';
import type { KafkaRecord } from './record-reader.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

export interface RecordInput {
  /** Unset: one more than the record before, from the batch's base offset on. */
  readonly offset?: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly { readonly key: string; readonly value: Buffer | null }[];
}

export interface RecordBatchOptions {
  /** Default 0. */
  readonly baseOffset?: number;
  /** Of the batch, where it is past the last record's offset (after compaction). */
  readonly lastOffset?: number;
  /** Default -1: a broker sets it. */
  readonly partitionLeaderEpoch?: number;
  /** Default none. */
  readonly codec?: CompressionCodec;
  readonly compressionLevel?: number;
  /** Set: the batch is stamped by the log with this time (LogAppendTime). */
  readonly logAppendTime?: number;
  /** All three or none. */
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  /** When the tombstones and markers in it may go: stands in place of the base timestamp (KIP-534). */
  readonly deleteHorizonMs?: number;
}

/** Records whose deltas do not fit an int32, or an int64 of 2^53, have no batch. Throws `ProtocolError` ('invalid-value'). */
export function buildRecordBatch(records: readonly RecordInput[], options: RecordBatchOptions = {}): Buffer {
  const baseOffset = options.baseOffset ?? 0;
  const baseTimestamp = options.deleteHorizonMs ?? records[0]?.timestamp ?? batch.NO_TIMESTAMP;
  let maxTimestamp: number = batch.NO_TIMESTAMP;
  let size = 0;
  let offset = baseOffset - 1;
  const bodies: number[] = [];
  for (const record of records) {
    offset = record.offset ?? offset + 1;
    checkDelta(offset - baseOffset);
    const body = bodySize(record, record.timestamp - baseTimestamp, offset - baseOffset);
    bodies.push(body);
    size += varintSize(body) + body;
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
  }
  const lastOffsetDelta = Math.max(options.lastOffset ?? offset, baseOffset) - baseOffset;
  checkDelta(lastOffsetDelta);
  const codec = options.codec ?? CompressionCodec.NONE;
  const plain = Buffer.allocUnsafe(batch.RECORD_BATCH_OVERHEAD + size);
  writeRecords(plain, records, bodies, baseOffset, baseTimestamp);
  let whole = plain;
  if (codec !== CompressionCodec.NONE) {
    const compressed = compress(codec, plain.subarray(batch.RECORD_BATCH_OVERHEAD), options.compressionLevel);
    whole = Buffer.allocUnsafe(batch.RECORD_BATCH_OVERHEAD + compressed.length);
    compressed.copy(whole, batch.RECORD_BATCH_OVERHEAD);
  }
  let attributes: number = codec;
  if (options.logAppendTime !== undefined) attributes |= batch.LOG_APPEND_TIME_FLAG;
  if (options.isTransactional === true) attributes |= batch.TRANSACTIONAL_FLAG;
  if (options.isControl === true) attributes |= batch.CONTROL_FLAG;
  if (options.deleteHorizonMs !== undefined) attributes |= batch.DELETE_HORIZON_FLAG;
  writeInt64(whole, baseOffset, batch.BASE_OFFSET_OFFSET);
  whole.writeInt32BE(whole.length - batch.LOG_OVERHEAD, batch.BATCH_LENGTH_OFFSET);
  whole.writeInt32BE(options.partitionLeaderEpoch ?? batch.NO_PARTITION_LEADER_EPOCH, batch.PARTITION_LEADER_EPOCH_OFFSET);
  whole.writeInt8(batch.MAGIC_V2, batch.MAGIC_OFFSET);
  whole.writeInt16BE(attributes, batch.ATTRIBUTES_OFFSET);
  whole.writeInt32BE(lastOffsetDelta, batch.LAST_OFFSET_DELTA_OFFSET);
  writeInt64(whole, baseTimestamp, batch.BASE_TIMESTAMP_OFFSET);
  writeInt64(whole, options.logAppendTime ?? maxTimestamp, batch.MAX_TIMESTAMP_OFFSET);
  writeInt64(whole, options.producerId ?? batch.NO_PRODUCER_ID, batch.PRODUCER_ID_OFFSET);
  whole.writeInt16BE(options.producerEpoch ?? batch.NO_PRODUCER_EPOCH, batch.PRODUCER_EPOCH_OFFSET);
  whole.writeInt32BE(options.baseSequence ?? batch.NO_SEQUENCE, batch.BASE_SEQUENCE_OFFSET);
  whole.writeInt32BE(records.length, batch.RECORD_COUNT_OFFSET);
  whole.writeUInt32BE(batch.computeBatchCrc(whole, 0), batch.CRC_OFFSET);
  return whole;
}

function checkDelta(delta: number): void {
  if (delta >= 0 && delta <= 0x7fffffff) return;
  throw new ProtocolError('invalid-value', `an offset ${delta} away from the batch's base does not fit a batch`);
}

function bodySize(record: RecordInput, timestampDelta: number, offsetDelta: number): number {
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + bytesSize(record.key) + bytesSize(record.value);
  const headers = record.headers ?? [];
  size += varintSize(headers.length);
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key);
    size += varintSize(keyLength) + keyLength + bytesSize(header.value);
  }
  return size;
}

function bytesSize(bytes: Buffer | null | undefined): number {
  return bytes === null || bytes === undefined ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeRecords(
  target: Buffer,
  records: readonly RecordInput[],
  bodies: readonly number[],
  baseOffset: number,
  baseTimestamp: number,
): void {
  let position: number = batch.RECORD_BATCH_OVERHEAD;
  let offset = baseOffset - 1;
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    offset = record.offset ?? offset + 1;
    position = writeVarint(target, bodies[index]!, position);
    target[position++] = 0;
    position = writeVarlong(target, record.timestamp - baseTimestamp, position);
    position = writeVarint(target, offset - baseOffset, position);
    position = writeBytes(target, record.key, position);
    position = writeBytes(target, record.value, position);
    const headers = record.headers ?? [];
    position = writeVarint(target, headers.length, position);
    for (const header of headers) {
      const keyLength = Buffer.byteLength(header.key);
      position = writeVarint(target, keyLength, position);
      position += target.write(header.key, position, keyLength, 'utf8');
      position = writeBytes(target, header.value, position);
    }
  }
}

function writeBytes(target: Buffer, bytes: Buffer | null | undefined, position: number): number {
  if (bytes === null || bytes === undefined) return writeVarint(target, -1, position);
  const start = writeVarint(target, bytes.length, position);
  target.set(bytes, start);
  return start + bytes.length;
}

/** The types of control records; the others are KRaft's. */
export const ControlRecordType = { ABORT: 0, COMMIT: 1 } as const;
export type ControlRecordType = (typeof ControlRecordType)[keyof typeof ControlRecordType];

export interface ControlBatchOptions {
  readonly type: ControlRecordType;
  readonly coordinatorEpoch: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timestamp: number;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
}

/** The marker that ends a transaction on a partition: a control batch of one record, without a sequence. */
export function buildControlBatch(options: ControlBatchOptions): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(options.type, 2);
  const value = Buffer.alloc(6);
  value.writeInt32BE(options.coordinatorEpoch, 2);
  return buildRecordBatch([{ timestamp: options.timestamp, key, value }], {
    ...(options.baseOffset === undefined ? {} : { baseOffset: options.baseOffset }),
    ...(options.partitionLeaderEpoch === undefined ? {} : { partitionLeaderEpoch: options.partitionLeaderEpoch }),
    producerId: options.producerId,
    producerEpoch: options.producerEpoch,
    isTransactional: true,
    isControl: true,
  });
}

export interface EndTransactionMarker {
  readonly type: ControlRecordType;
  readonly coordinatorEpoch: number;
}

/** What a control record says; undefined: it ends no transaction (KRaft's, a newer type, or malformed). */
export function readEndTransactionMarker(record: Pick<KafkaRecord, 'key' | 'value'>): EndTransactionMarker | undefined {
  const { key, value } = record;
  if (key === null || key.length < 4 || key.readInt16BE(0) < 0 || value === null || value.length < 6) return undefined;
  const type = key.readInt16BE(2);
  if (type !== ControlRecordType.ABORT && type !== ControlRecordType.COMMIT) return undefined;
  return { type, coordinatorEpoch: value.readInt32BE(2) };
}
