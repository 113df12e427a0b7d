/**
 * Record batches as rows for the page: keys and values cut to a preview with their full size told, control records and
 * tombstones named. Nothing here trusts what is inside a batch: a malformed one throws a KafkaError, as everything does that reads batches.
 */
import { isUtf8 } from 'node:buffer';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import type { RecordBatchHeader } from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import type { KafkaRecord } from '../../protocol/records/record-reader.ts';
import type { MessageRow, Payload } from '../contract/messages.ts';

/** What one batch may decompress to: above any sane `max.message.bytes`, below what would fell the process. */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;
/** A record with more headers than this shows the first ones. */
const MAX_HEADERS = 500;
const ABORT_MARKER = 0;
const COMMIT_MARKER = 1;

const CODECS: Readonly<Record<number, MessageRow['codec']>> = {
  [CompressionCodec.NONE]: 'none',
  [CompressionCodec.GZIP]: 'gzip',
  [CompressionCodec.SNAPPY]: 'snappy',
  [CompressionCodec.LZ4]: 'lz4',
  [CompressionCodec.ZSTD]: 'zstd',
};

export function codecName(codec: number): MessageRow['codec'] | 'unknown' {
  return CODECS[codec] ?? 'unknown';
}

/** The rows of the whole batch at the start of `batch`, record by record. Throws KafkaError as `iterateRecords` does. */
export function* batchRows(
  batch: Buffer,
  header: RecordBatchHeader,
  partition: number,
  previewBytes: number,
): Generator<MessageRow, void, undefined> {
  const codec = CODECS[header.codec] ?? 'none';
  const about = {
    baseOffset: header.baseOffset,
    sizeBytes: header.sizeInBytes,
    leaderEpoch: header.partitionLeaderEpoch,
    producerId: known(header.producerId),
    producerEpoch: known(header.producerEpoch),
    baseSequence: known(header.baseSequence),
    transactional: header.isTransactional,
  };
  for (const record of iterateRecords(batch, MAX_DECOMPRESSED_BYTES)) {
    yield {
      partition,
      offset: record.offset,
      kind: kindOf(record, header.isControl),
      timestampMs: known(record.timestamp),
      timestampType: header.timestampType,
      key: payloadOf(record.key, previewBytes),
      value: payloadOf(record.value, previewBytes),
      headers: record.headers
        .slice(0, MAX_HEADERS)
        .map(({ key, value }) => ({ key: key.slice(0, previewBytes), value: payloadOf(value, previewBytes) })),
      codec,
      batch: about,
    };
  }
}

/** The beginning of `bytes` as text where it is readable as such, else as base64; null for null. */
export function payloadOf(bytes: Buffer | null, previewBytes: number): Payload | null {
  if (bytes === null) return null;
  const truncated = bytes.length > previewBytes;
  const part = truncated ? bytes.subarray(0, previewBytes) : bytes;
  const whole = truncated ? cutAtCharacter(part) : part;
  if (isText(whole)) return { sizeBytes: bytes.length, encoding: 'text', data: whole.toString('utf8'), truncated };
  return { sizeBytes: bytes.length, encoding: 'base64', data: part.toString('base64'), truncated };
}

/** Bytes a row takes on the wire, about. */
export function rowBytes(row: MessageRow): number {
  let bytes = 400 + (row.key?.data.length ?? 0) + (row.value?.data.length ?? 0);
  for (const { key, value } of row.headers) bytes += 60 + key.length + (value?.data.length ?? 0);
  return bytes;
}

function known(value: number): number | null {
  return value === -1 ? null : value;
}

/** A control record's key is int16 version, int16 type. */
function kindOf({ key, value }: KafkaRecord, isControl: boolean): MessageRow['kind'] {
  if (!isControl) return value === null ? 'tombstone' : 'record';
  const type = key !== null && key.length >= 4 ? key.readInt16BE(2) : undefined;
  if (type === COMMIT_MARKER) return 'commitMarker';
  return type === ABORT_MARKER ? 'abortMarker' : 'otherControl';
}

/** Without the bytes of a UTF-8 character that the cut went through. */
function cutAtCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  for (let back = 0; back < 3 && end > 0 && isContinuation(bytes[end - 1]); back++) end--;
  const lead = bytes[end - 1] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return end - 1 + length <= bytes.length ? bytes : bytes.subarray(0, Math.max(0, end - 1));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** UTF-8 without control characters but tab, line feed and carriage return. */
function isText(bytes: Buffer): boolean {
  for (const byte of bytes) if ((byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f) return false;
  return isUtf8(bytes);
}
