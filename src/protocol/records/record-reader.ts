/**
 * The records of a batch as objects: for coordinators, the cleaner, tools and consumers, never for produce and fetch.
 * Keys, values and header values are views of the batch, or of what it decompressed to. Source: DefaultRecord.java.
 */
import { ErrorCode, KafkaError } from '../errors.ts';
import { decompress } from './compression.ts';
import { batchSizeAt, MAGIC_V2, readBatchHeader, RECORD_BATCH_OVERHEAD, type RecordBatchHeader } from './record-batch.ts';
import { readVarint, readVarlong, type VarintCursor } from './varint.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface KafkaRecord {
  readonly offset: number;
  /** The batch's maximum timestamp where the topic stamps records itself (LogAppendTime). */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * Calls `visit` with each record of the whole batch at the start of `batch`; `visit` may return false to stop. The
 * checksum is not checked. Throws `KafkaError`: CORRUPT_MESSAGE (no batch of format 2, not of its codec), INVALID_RECORD (a
 * malformed record), UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE (more than `maxDecompressedBytes`).
 */
export function forEachRecord(batch: Buffer, maxDecompressedBytes: number, visit: (record: KafkaRecord) => void | false): void {
  const { header, content } = openBatch(batch, maxDecompressedBytes);
  const cursor: VarintCursor = { position: 0, failed: false };
  for (let index = 0; index < header.recordCount; index++) {
    if (visit(readRecord(content, cursor, header, index)) === false) return;
  }
}

/** As `forEachRecord`, record by record as they are asked for. */
export function* iterateRecords(batch: Buffer, maxDecompressedBytes: number): Generator<KafkaRecord, void, undefined> {
  const { header, content } = openBatch(batch, maxDecompressedBytes);
  const cursor: VarintCursor = { position: 0, failed: false };
  for (let index = 0; index < header.recordCount; index++) yield readRecord(content, cursor, header, index);
}

function openBatch(batch: Buffer, maxDecompressedBytes: number): { header: RecordBatchHeader; content: Buffer } {
  const size = batchSizeAt(batch, 0);
  if (size === undefined || size < RECORD_BATCH_OVERHEAD || size > batch.length) {
    throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `${batch.length} bytes hold no whole record batch`);
  }
  const header = readBatchHeader(batch, 0);
  if (header.magic !== MAGIC_V2) throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `message format ${header.magic}: only 2 is supported`);
  return { header, content: decompress(header.codec, batch.subarray(RECORD_BATCH_OVERHEAD, size), maxDecompressedBytes) };
}

function readRecord(content: Buffer, cursor: VarintCursor, batch: RecordBatchHeader, index: number): KafkaRecord {
  const length = readVarint(content, cursor, content.length);
  const end = cursor.position + length;
  if (cursor.failed || length < 1 || end > content.length) throw malformed(index, 'its length');
  cursor.position += 1;
  const timestampDelta = readVarlong(content, cursor, end);
  const offsetDelta = readVarint(content, cursor, end);
  const key = readNullableBytes(content, cursor, end, index);
  const value = readNullableBytes(content, cursor, end, index);
  const headerCount = readVarint(content, cursor, end);
  if (headerCount < 0 || headerCount > end - cursor.position) throw malformed(index, 'its header count');
  const headers = headerCount === 0 ? NO_HEADERS : readHeaders(content, cursor, end, headerCount, index);
  if (cursor.failed || cursor.position !== end) throw malformed(index, 'its length');
  return {
    offset: batch.baseOffset + offsetDelta,
    timestamp: batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : batch.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  };
}

function readNullableBytes(content: Buffer, cursor: VarintCursor, end: number, index: number): Buffer | null {
  const length = readVarint(content, cursor, end);
  if (length === -1) return null;
  const start = cursor.position;
  if (cursor.failed || length < 0 || length > end - start) throw malformed(index, 'a key or value');
  cursor.position = start + length;
  return content.subarray(start, start + length);
}

function readHeaders(content: Buffer, cursor: VarintCursor, end: number, count: number, index: number): RecordHeader[] {
  const headers: RecordHeader[] = [];
  for (let left = count; left > 0; left--) {
    const key = readNullableBytes(content, cursor, end, index);
    if (key === null) throw malformed(index, 'a header without a key');
    headers.push({ key: key.toString('utf8'), value: readNullableBytes(content, cursor, end, index) });
  }
  return headers;
}

function malformed(index: number, what: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_RECORD, `record ${index} of the batch is malformed: ${what}`);
}
