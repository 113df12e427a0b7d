/**
 * Whether a batch may be appended: the checks of a broker before it writes, as one function with a typed outcome.
 *
 * Always: it is all there, format 2, and its checksum is right. Records are walked when uncompressed; compressed ones are
 * opened only when asked (compacted topics), which is where this differs from Apache Kafka: it always opens them.
 * From a client also: no control batch, a record count that fits the offsets, a sequence where there is a producer id.
 * Source: LogValidator.java, DefaultRecordBatch.ensureValid, ProduceRequest.validateRecords.
 */
import { ErrorCode, KafkaError } from '../errors.ts';
import { ProtocolError } from '../protocol-error.ts';
import { compressionName, decompress } from './compression.ts';
import {
  batchSizeAt,
  hasValidCrc,
  MAGIC_OFFSET,
  MAGIC_V2,
  NO_PRODUCER_ID,
  readBatchHeader,
  RECORD_BATCH_OVERHEAD,
  type RecordBatchHeader,
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
      readonly header: RecordBatchHeader;
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
    };

const DEFAULT_MAX_DECOMPRESSED_BYTES = 100 * 1024 * 1024;

function refuse(errorCode: number, message: string): BatchOutcome {
  return { ok: false, errorCode, message };
}

/** Checks the batch at `position`. Never throws on what the bytes may be. */
export function validateBatch(buffer: Buffer, position: number, options: ValidateBatchOptions): BatchOutcome {
  const end = options.end ?? buffer.length;
  const size = batchSizeAt(buffer, position, end);
  if (size === undefined) return refuse(ErrorCode.CORRUPT_MESSAGE, `${end - position} bytes are no record batch`);
  if (position + MAGIC_OFFSET < end) {
    const magic = buffer.readInt8(position + MAGIC_OFFSET);
    if (magic !== MAGIC_V2) {
      const old = magic === 0 || magic === 1;
      return refuse(old ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE, `message format ${magic}: only 2 is supported`);
    }
  }
  if (size < RECORD_BATCH_OVERHEAD) return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${size} bytes is shorter than its header`);
  if (size > end - position) return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${size} bytes, of which ${end - position} are there`);
  if (options.checkCrc !== false && !hasValidCrc(buffer, position)) return refuse(ErrorCode.CORRUPT_MESSAGE, 'the checksum does not match');
  let header: RecordBatchHeader;
  try {
    header = readBatchHeader(buffer, position);
  } catch (error) {
    if (error instanceof ProtocolError) return refuse(ErrorCode.INVALID_RECORD, error.message);
    throw error;
  }
  const fault = headerFault(header, options.fromClient);
  if (fault !== undefined) return refuse(ErrorCode.INVALID_RECORD, fault);
  if (compressionName(header.codec) === undefined) {
    return refuse(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `compression codec ${header.codec} is unknown`);
  }
  return checkRecords(buffer.subarray(position + RECORD_BATCH_OVERHEAD, position + size), header, options);
}

function headerFault(header: RecordBatchHeader, fromClient: boolean): string | undefined {
  const offsets = header.lastOffset - header.baseOffset + 1;
  if (offsets <= 0) return `an offset range of ${offsets}`;
  if (header.recordCount < 0) return `a record count of ${header.recordCount}`;
  if (!fromClient) return header.recordCount > offsets ? `${header.recordCount} records on ${offsets} offsets` : undefined;
  if (header.isControl) return 'a control batch, which clients may not write';
  if (header.recordCount !== offsets) return `${header.recordCount} records on ${offsets} offsets`;
  if (header.producerId !== NO_PRODUCER_ID && header.baseSequence < 0)
    return `producer id ${header.producerId} with sequence ${header.baseSequence}`;
  if (header.isTransactional && header.producerId === NO_PRODUCER_ID) return 'a transactional batch without a producer id';
  return undefined;
}

function checkRecords(records: Buffer, header: RecordBatchHeader, options: ValidateBatchOptions): BatchOutcome {
  let content = records;
  if (header.codec !== 0) {
    if (options.requireKeys !== true && options.openCompressed !== true) return { ok: true, header, scan: undefined };
    try {
      content = decompress(header.codec, records, options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES);
    } catch (error) {
      if (error instanceof KafkaError) return refuse(error.code, error.message);
      throw error;
    }
  }
  const scan = scanRecords(content, 0, content.length, header.recordCount, { consecutive: options.fromClient });
  if (scan.fault !== undefined) {
    return {
      ok: false,
      errorCode: ErrorCode.INVALID_RECORD,
      message: `record ${scan.faultIndex} has ${scan.fault}`,
      recordIndex: scan.faultIndex,
    };
  }
  if (options.requireKeys === true && scan.nullKeys > 0 && !header.isControl) {
    return refuse(ErrorCode.INVALID_RECORD, `${scan.nullKeys} records without a key, which a compacted topic does not take`);
  }
  return { ok: true, header, scan };
}
