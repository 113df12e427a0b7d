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
  RECORD_BATCH_OVERHEAD,
  setBaseOffsetAndLeaderEpoch,
  setMaxTimestamp,
  TRANSACTIONAL_FLAG,
} from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import { validateBatch } from '../../protocol/records/validate-batch.ts';
import type { BatchOutcome } from '../../protocol/records/validate-batch.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { LogAppendError } from './log-errors.ts';
import { appendError } from './log-errors.ts';

/** Who appends: what a client sends is checked more than what the broker's own coordinators write. */
export type LeaderAppendOrigin = 'client' | 'coordinator';

export interface ValidatedBatch {
  readonly ok: true;
  /** One whole batch, to be written; another buffer than came in when it was compressed anew. */
  readonly batch: Buffer;
  readonly recordCount: number;
  readonly maxTimestamp: number;
}

/** A compressed batch that must be opened may grow to this. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;
const MAX_RECORD_ERRORS = 3;

type ValidOutcome = Extract<BatchOutcome, { ok: true }>;

/**
 * Checks the one batch of `records`. Its bytes may be changed: timestamp type and largest timestamp, with the checksum.
 * Offsets and epoch are set by `assignOffsets`, once nothing else can refuse it.
 *
 * Errors: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP.
 */
export function validateLeaderBatch(
  records: Buffer,
  options: { config: LogConfig; origin: LeaderAppendOrigin; nowMs: number },
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
  const outcome = validateBatch(records, 0, {
    fromClient,
    requireKeys: config.compact,
    openCompressed: targetCodec !== sourceCodec,
    maxDecompressedBytes: MAX_DECOMPRESSED_BYTES,
  });
  if (!outcome.ok) return refused(outcome);
  const { header } = outcome;
  if (header.sizeInBytes !== records.length) return appendError(ErrorCode.INVALID_RECORD, 'More than one record batch for a partition');
  if (fromClient && baseOffsetAt(records, 0) !== 0) {
    return appendError(ErrorCode.INVALID_RECORD, `The base offset of a batch from a client is 0, not ${header.baseOffset}`);
  }
  const timeError = checkTimestamps(records, outcome, config, nowMs);
  if (timeError !== undefined) return timeError;
  const batch = targetCodec === sourceCodec ? records : recompress(records, outcome, targetCodec, config);
  if (batch !== records && batch.length > config.maxMessageBytes) {
    return appendError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `A record batch compressed anew has ${batch.length} bytes, above max.message.bytes ${config.maxMessageBytes}`,
    );
  }
  const maxTimestamp = stampTime(batch, outcome, config, nowMs);
  return { ok: true, batch, recordCount: header.recordCount, maxTimestamp };
}

/** Gives the batch its offsets and the leader's epoch; neither is covered by the checksum. */
export function assignOffsets(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  setBaseOffsetAndLeaderEpoch(batch, 0, baseOffset, leaderEpoch);
}

/** The codec that the batch shall have: what `compression.type` says, or its own. Control batches are left as they are. */
function targetCodecOf(config: LogConfig, records: Buffer): CompressionCodec {
  const attributes = records.length >= RECORD_BATCH_OVERHEAD ? attributesAt(records, 0) : 0;
  const own = (attributes & COMPRESSION_MASK) as CompressionCodec;
  if (config.compressionType === 'producer' || (attributes & CONTROL_FLAG) !== 0) return own;
  return config.compressionType === 'uncompressed' ? CompressionCodec.NONE : (compressionByName(config.compressionType) ?? own);
}

function refused(outcome: Extract<BatchOutcome, { ok: false }>): LogAppendError {
  const { errorCode, message, recordIndex } = outcome;
  return appendError(errorCode, message, recordIndex === undefined ? [] : [{ batchIndex: recordIndex, message }]);
}

function checkTimestamps(records: Buffer, outcome: ValidOutcome, config: LogConfig, nowMs: number): LogAppendError | undefined {
  if ((attributesAt(records, 0) & LOG_APPEND_TIME_FLAG) !== 0) {
    return appendError(ErrorCode.INVALID_TIMESTAMP, 'A producer may not set the timestamp type to LogAppendTime');
  }
  if (config.messageTimestampType === 'LogAppendTime') return undefined;
  const oldest = nowMs - config.messageTimestampBeforeMaxMs;
  const newest = nowMs + config.messageTimestampAfterMaxMs;
  const base = baseTimestampAt(records, 0);
  const { scan } = outcome;
  const lowest = scan === undefined ? Math.min(base, maxTimestampAt(records, 0)) : base + scan.minTimestampDelta;
  const highest = scan === undefined ? maxTimestampAt(records, 0) : base + scan.maxTimestampDelta;
  if (highest <= newest && (lowest >= oldest || lowest === NO_TIMESTAMP)) return undefined;
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

/** Sets what the header says of time; returns the largest timestamp. */
function stampTime(batch: Buffer, outcome: ValidOutcome, config: LogConfig, nowMs: number): number {
  if (config.messageTimestampType === 'LogAppendTime') {
    setMaxTimestamp(batch, 0, 'LogAppendTime', nowMs);
    return nowMs;
  }
  const { scan, header } = outcome;
  const isEmpty = scan === undefined || header.recordCount === 0;
  const maxTimestamp = isEmpty ? maxTimestampAt(batch, 0) : baseTimestampAt(batch, 0) + scan.maxTimestampDelta;
  // Nanoseconds are legal; rounding them would change the batch.
  if (Math.abs(maxTimestamp) <= Number.MAX_SAFE_INTEGER) setMaxTimestamp(batch, 0, 'CreateTime', maxTimestamp);
  return maxTimestamp;
}

function recompress(records: Buffer, outcome: ValidOutcome, codec: CompressionCodec, config: LogConfig): Buffer {
  const { header } = outcome;
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

function levelOf(codec: CompressionCodec, config: LogConfig): number | undefined {
  if (codec === CompressionCodec.GZIP) return config.compressionGzipLevel > 0 ? config.compressionGzipLevel : undefined;
  return codec === CompressionCodec.ZSTD ? config.compressionZstdLevel : undefined;
}
