/**
 * What a leader checks of a batch before it gets offsets: shape and checksum, size, time, keys; and makes of it: offsets, epoch, the
 * time of the append, another codec.
 *
 * Differs from Apache Kafka: a compressed batch is opened only for a compacted topic or to be compressed anew; its timestamps are
 * judged by the header else (docs/adr). Source: Kafka's LogValidator and UnifiedLog.analyzeAndValidateRecords.
 */
import { attributesAt, baseOffsetAt, baseTimestampAt, maxTimestampAt, sizeAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { compressionByName, CompressionCodec } from '../../protocol/records/compression.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import {
  batchSizeAt,
  COMPRESSION_MASK,
  CONTROL_FLAG,
  LOG_APPEND_TIME_FLAG,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  readBatchHeader,
  RECORD_BATCH_OVERHEAD,
  setBaseOffsetAndLeaderEpoch,
  setMaxTimestamp,
  TRANSACTIONAL_FLAG,
  type TimestampType,
} from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import { validateBatch } from '../../protocol/records/validate-batch.ts';
import type { RecordScan } from '../../protocol/records/record-scan.ts';
import type { BatchOutcome, ValidateBatchOptions } from '../../protocol/records/validate-batch.ts';
import type { AppendConfig } from './append-config.ts';
import type { LogAppendError } from './log-errors.ts';
import { appendError } from './log-errors.ts';

/** Who appends: what a client sends is checked more than what the broker's own coordinators write. */
export type LeaderAppendOrigin = 'client' | 'coordinator';

export interface ValidatedBatch {
  readonly ok: true;
  /** One whole batch, to be written; another buffer than came in when it was compressed anew. */
  readonly batch: Buffer;
  readonly maxTimestamp: number;
}

/** The default of `compression.lz4.level`: as in Kafka the fast compressor. Any other level is LZ4's high compression. */
export const LZ4_FAST_LEVEL = 9;
/** A compressed batch that must be opened may grow to this. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;
const MAX_RECORD_ERRORS = 3;
/** A client's batch for a topic that isn't compacted and takes every codec. Made once: this runs for every batch. */
const USUAL_CHECKS: ValidateBatchOptions = {
  fromClient: true,
  requireKeys: false,
  openCompressed: false,
  maxDecompressedBytes: MAX_DECOMPRESSED_BYTES,
};

/**
 * Checks the one batch of `records`. Its bytes may be changed: timestamp type and largest timestamp, with the checksum.
 * Offsets and epoch are set by `assignOffsets`, once nothing else can refuse it.
 *
 * Errors: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP.
 */
export function validateLeaderBatch(
  records: Buffer,
  options: { config: AppendConfig; origin: LeaderAppendOrigin; nowMs: number },
): ValidatedBatch | LogAppendError {
  const { config, origin, nowMs } = options;
  const fromClient = origin === 'client';
  const sizeBytes = batchSizeAt(records, 0);
  if (sizeBytes !== undefined && sizeBytes > config.maxMessageBytes && sizeBytes <= records.length) {
    return appendError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `A record batch of ${sizeBytes} bytes exceeds max.message.bytes ${config.maxMessageBytes}`,
    );
  }
  const targetCodec = targetCodecOf(config, records);
  const sourceCodec = records.length >= RECORD_BATCH_OVERHEAD ? attributesAt(records, 0) & COMPRESSION_MASK : 0;
  const needsMore = targetCodec !== sourceCodec || config.compact || !fromClient;
  const checks = needsMore ? checksOf(config, fromClient, targetCodec !== sourceCodec) : USUAL_CHECKS;
  const outcome = validateBatch(records, 0, checks);
  if (!outcome.ok) return refused(records, outcome);
  if (sizeBytes !== records.length) return appendError(ErrorCode.INVALID_RECORD, 'More than one record batch for a partition');
  if (fromClient && baseOffsetAt(records, 0) !== 0) {
    return appendError(ErrorCode.INVALID_RECORD, `The base offset of a batch from a client is 0, not ${baseOffsetAt(records, 0)}`);
  }
  const maxTimestamp = checkTimestamps(records, outcome.scan, config, nowMs);
  if (typeof maxTimestamp !== 'number') return maxTimestamp;
  const batch = targetCodec === sourceCodec ? records : recompress(records, targetCodec, config);
  if (batch !== records && batch.length > config.maxMessageBytes) {
    return appendError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `A record batch compressed anew has ${batch.length} bytes, above max.message.bytes ${config.maxMessageBytes}`,
    );
  }
  // Nanoseconds are legal; rounding them would change the batch.
  if (Math.abs(maxTimestamp) <= Number.MAX_SAFE_INTEGER) setMaxTimestamp(batch, 0, timestampTypeOf(config), maxTimestamp);
  return { ok: true, batch, maxTimestamp };
}

function checksOf({ compact }: AppendConfig, fromClient: boolean, openCompressed: boolean): ValidateBatchOptions {
  return { fromClient, requireKeys: compact, openCompressed, maxDecompressedBytes: MAX_DECOMPRESSED_BYTES };
}

function timestampTypeOf(config: AppendConfig): TimestampType {
  return config.messageTimestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime';
}

/** Gives the batch its offsets and the leader's epoch; neither is covered by the checksum. */
export function assignOffsets(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  setBaseOffsetAndLeaderEpoch(batch, 0, baseOffset, leaderEpoch);
}

/** The codec that the batch shall have: what `compression.type` says, or its own. Control batches are left as they are. */
export function targetCodecOf(config: AppendConfig, records: Buffer): CompressionCodec {
  const attributes = records.length >= RECORD_BATCH_OVERHEAD ? attributesAt(records, 0) : 0;
  const own = (attributes & COMPRESSION_MASK) as CompressionCodec;
  if (config.compressionType === 'producer' || (attributes & CONTROL_FLAG) !== 0) return own;
  return config.compressionType === 'uncompressed' ? CompressionCodec.NONE : (compressionByName(config.compressionType) ?? own);
}

function refused(records: Buffer, outcome: Extract<BatchOutcome, { ok: false }>): LogAppendError {
  const { errorCode, message, recordIndex, keyless } = outcome;
  if (keyless === true) return appendError(errorCode, message, keylessRecords(records));
  return appendError(errorCode, message, recordIndex === undefined ? [] : [{ batchIndex: recordIndex, message }]);
}

/** The first records without a key; only asked for when the batch is refused for them. */
function keylessRecords(records: Buffer): LogAppendError['recordErrors'] {
  const faults: { batchIndex: number; message: string }[] = [];
  let batchIndex = 0;
  for (const { key } of iterateRecords(records, MAX_DECOMPRESSED_BYTES)) {
    if (key === null) faults.push({ batchIndex, message: 'A compacted topic takes no record without a key' });
    if (faults.length >= MAX_RECORD_ERRORS) break;
    batchIndex++;
  }
  return faults;
}

/** The largest timestamp, which is the time of the append where the topic says so; or why the batch is refused. */
function checkTimestamps(records: Buffer, scan: RecordScan | undefined, config: AppendConfig, nowMs: number): number | LogAppendError {
  if ((attributesAt(records, 0) & LOG_APPEND_TIME_FLAG) !== 0) {
    return appendError(ErrorCode.INVALID_TIMESTAMP, 'A producer may not set the timestamp type to LogAppendTime');
  }
  if (config.messageTimestampType === 'LogAppendTime') return nowMs;
  const oldest = nowMs - config.messageTimestampBeforeMaxMs;
  const newest = nowMs + config.messageTimestampAfterMaxMs;
  const base = baseTimestampAt(records, 0);
  const isEmpty = scan === undefined || scan.maxTimestampDelta < scan.minTimestampDelta;
  const highest = isEmpty ? maxTimestampAt(records, 0) : base + scan.maxTimestampDelta;
  const lowest = isEmpty ? Math.min(base, highest) : base + scan.minTimestampDelta;
  if (highest <= newest && lowest >= oldest) return highest;
  // A record without a timestamp is never too old; beside it there may be one that is.
  if (highest <= newest && lowest === NO_TIMESTAMP && faultyRecords(records, oldest, newest).length === 0) return highest;
  return appendError(
    ErrorCode.INVALID_TIMESTAMP,
    `A record's timestamp is not within [${oldest}, ${newest}]`,
    faultyRecords(records, oldest, newest),
  );
}

/** The first records out of the limits; only asked for when the batch is refused. */
function faultyRecords(records: Buffer, oldest: number, newest: number): LogAppendError['recordErrors'] {
  const faults: { batchIndex: number; message: string }[] = [];
  if ((attributesAt(records, 0) & COMPRESSION_MASK) !== 0) return faults;
  let batchIndex = 0;
  for (const { timestamp } of iterateRecords(records, MAX_DECOMPRESSED_BYTES)) {
    if (timestamp !== NO_TIMESTAMP && (timestamp < oldest || timestamp > newest))
      faults.push({ batchIndex, message: `Timestamp ${timestamp} is out of range` });
    if (faults.length >= MAX_RECORD_ERRORS) break;
    batchIndex++;
  }
  return faults;
}

function recompress(records: Buffer, codec: CompressionCodec, config: AppendConfig): Buffer {
  const header = readBatchHeader(records, 0);
  const level = levelOf(codec, config);
  const attributes = attributesAt(records, 0);
  return buildRecordBatch([...iterateRecords(records.subarray(0, sizeAt(records, 0)), MAX_DECOMPRESSED_BYTES)], {
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    codec,
    ...(level === undefined ? {} : { compressionLevel: level }),
    ...(header.producerId === NO_PRODUCER_ID
      ? {}
      : { producerId: header.producerId, producerEpoch: header.producerEpoch, baseSequence: header.baseSequence }),
    isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
  });
}

/** Undefined for the codec's usual one. */
function levelOf(codec: CompressionCodec, config: AppendConfig): number | undefined {
  if (codec === CompressionCodec.LZ4) return config.compressionLz4Level === LZ4_FAST_LEVEL ? undefined : config.compressionLz4Level;
  if (codec === CompressionCodec.GZIP) return config.compressionGzipLevel > 0 ? config.compressionGzipLevel : undefined;
  return codec === CompressionCodec.ZSTD ? config.compressionZstdLevel : undefined;
}
