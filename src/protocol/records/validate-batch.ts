/**
 * Whether a batch may be appended: the checks of a broker before it writes, as one function with a typed outcome.
 *
 * Always: it is all there, format 2, and its checksum is right. Records are walked when uncompressed; compressed ones are
 * opened only when asked (compacted topics), which is where this differs from Apache Kafka: it always opens them.
 * From a client also: no control batch, a record count that fits the offsets, a sequence where there is a producer id.
 * Source: LogValidator.java, DefaultRecordBatch.ensureValid, ProduceRequest.validateRecords.
 */
import { ErrorCode, KafkaError } from '../errors.ts';
import { readInt16, readInt32 } from '../int32.ts';
import { readInt64Lossy } from '../int64.ts';
import { compressionName, decompress } from './compression.ts';
import type { CompressionCodec } from './compression.ts';
import {
  ATTRIBUTES_OFFSET,
  BASE_OFFSET_OFFSET,
  BASE_SEQUENCE_OFFSET,
  batchSizeAt,
  COMPRESSION_MASK,
  CONTROL_FLAG,
  hasValidCrc,
  LAST_OFFSET_DELTA_OFFSET,
  MAGIC_OFFSET,
  MAGIC_V2,
  NO_PRODUCER_ID,
  PRODUCER_ID_OFFSET,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_OFFSET,
  TRANSACTIONAL_FLAG,
} from './record-batch.ts';
import { scanRecords, type RecordScan } from './record-scan.ts';

export interface ValidateBatchOptions {
  /** Where the bytes that may be looked at end. Default: the buffer's end. */
  readonly end?: number;
  /** A client's batch, for which stricter rules hold; false: another replica's, or one of the broker's own. */
  readonly fromClient: boolean;
  /** Each record must have a key: the topic is compacted. Opens compressed batches. */
  readonly requireKeys?: boolean;
  /** Also opens compressed batches to walk their records. */
  readonly openCompressed?: boolean;
  /** What a compressed batch may decompress to. Default 100 MiB. */
  readonly maxDecompressedBytes?: number;
  /** False: the checksum is known to be right. */
  readonly checkCrc?: boolean;
}

export type BatchOutcome =
  | {
      readonly ok: true;
      /** undefined: a compressed batch that was not opened. */
      readonly scan: RecordScan | undefined;
    }
  | {
      readonly ok: false;
      /** CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE or MESSAGE_TOO_LARGE. */
      readonly errorCode: number;
      readonly message: string;
      /** Index in the batch of the record at fault (Produce v8's record errors). */
      readonly recordIndex?: number;
      /** Records without a key are the fault. */
      readonly keyless?: true;
    };

const DEFAULT_MAX_DECOMPRESSED_BYTES = 100 * 1024 * 1024;
const UNOPENED: BatchOutcome = { ok: true, scan: undefined };
const CONSECUTIVE = { consecutive: true };
const WITH_GAPS = { consecutive: false };

function refuse(errorCode: number, message: string): BatchOutcome {
  return { ok: false, errorCode, message };
}

/** Checks the batch at `position`. Never throws on what the bytes may be. */
export function validateBatch(buffer: Buffer, position: number, options: ValidateBatchOptions): BatchOutcome {
  const end = options.end ?? buffer.length;
  const size = batchSizeAt(buffer, position, end);
  if (size === undefined) return refuse(ErrorCode.CORRUPT_MESSAGE, `${end - position} bytes are no record batch`);
  if (position + MAGIC_OFFSET < end) {
    const magic = (buffer[position + MAGIC_OFFSET]! << 24) >> 24;
    if (magic !== MAGIC_V2) {
      const old = magic === 0 || magic === 1;
      return refuse(old ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE, `message format ${magic}: only 2 is supported`);
    }
  }
  if (size < RECORD_BATCH_OVERHEAD) return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${size} bytes is shorter than its header`);
  if (size > end - position) return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${size} bytes, of which ${end - position} are there`);
  if (options.checkCrc !== false && !hasValidCrc(buffer, position)) return refuse(ErrorCode.CORRUPT_MESSAGE, 'the checksum does not match');
  const fault = headerFault(buffer, position, options.fromClient);
  if (fault !== undefined) return refuse(ErrorCode.INVALID_RECORD, fault);
  const codec = (readInt16(buffer, position + ATTRIBUTES_OFFSET) & COMPRESSION_MASK) as CompressionCodec;
  if (compressionName(codec) === undefined) {
    return refuse(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `compression codec ${codec} is unknown`);
  }
  const start = position + RECORD_BATCH_OVERHEAD;
  const count = readInt32(buffer, position + RECORD_COUNT_OFFSET);
  const needKeys = options.requireKeys === true && !isControlAt(buffer, position);
  if (codec === 0) return checkRecords(buffer, start, position + size, count, options.fromClient, needKeys);
  if (options.requireKeys !== true && options.openCompressed !== true) return UNOPENED;
  let content: Buffer;
  try {
    content = decompress(codec, buffer.subarray(start, position + size), options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES);
  } catch (error) {
    if (error instanceof KafkaError) return refuse(error.code, error.message);
    throw error;
  }
  return checkRecords(content, 0, content.length, count, options.fromClient, needKeys);
}

function isControlAt(buffer: Buffer, position: number): boolean {
  return (readInt16(buffer, position + ATTRIBUTES_OFFSET) & CONTROL_FLAG) !== 0;
}

/** Reads the fields where they lie: this runs for every batch, and an object of them would cost more than the checksum. */
function headerFault(buffer: Buffer, position: number, fromClient: boolean): string | undefined {
  const producerId = readInt64Lossy(buffer, position + PRODUCER_ID_OFFSET);
  if (!Number.isSafeInteger(readInt64Lossy(buffer, position + BASE_OFFSET_OFFSET)) || !Number.isSafeInteger(producerId))
    return 'an offset or a producer id outside ±(2^53 - 1)';
  const offsets = readInt32(buffer, position + LAST_OFFSET_DELTA_OFFSET) + 1;
  const recordCount = readInt32(buffer, position + RECORD_COUNT_OFFSET);
  if (offsets <= 0) return `an offset range of ${offsets}`;
  if (recordCount < 0) return `a record count of ${recordCount}`;
  if (!fromClient) return recordCount > offsets ? `${recordCount} records on ${offsets} offsets` : undefined;
  const attributes = readInt16(buffer, position + ATTRIBUTES_OFFSET);
  if ((attributes & CONTROL_FLAG) !== 0) return 'a control batch, which clients may not write';
  if (recordCount !== offsets) return `${recordCount} records on ${offsets} offsets`;
  if (producerId === NO_PRODUCER_ID)
    return (attributes & TRANSACTIONAL_FLAG) === 0 ? undefined : 'a transactional batch without a producer id';
  const baseSequence = readInt32(buffer, position + BASE_SEQUENCE_OFFSET);
  return baseSequence < 0 ? `producer id ${producerId} with sequence ${baseSequence}` : undefined;
}

// Single parameters: this runs for every batch, and an object of them would be garbage.
function checkRecords(content: Buffer, start: number, end: number, count: number, consecutive: boolean, needKeys: boolean): BatchOutcome {
  const scan = scanRecords(content, start, end, count, consecutive ? CONSECUTIVE : WITH_GAPS);
  if (scan.fault !== undefined) {
    return {
      ok: false,
      errorCode: ErrorCode.INVALID_RECORD,
      message: `record ${scan.faultIndex} has ${scan.fault}`,
      recordIndex: scan.faultIndex,
    };
  }
  if (needKeys && scan.nullKeys > 0) {
    const message = `${scan.nullKeys} records without a key, which a compacted topic does not take`;
    return { ok: false, errorCode: ErrorCode.INVALID_RECORD, message, keyless: true };
  }
  return { ok: true, scan };
}
