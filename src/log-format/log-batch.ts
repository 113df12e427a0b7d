/**
 * What a `.log` file holds, for those who look and don't serve (dump-log, the console): batches of format 2 and messages of the formats 0 and 1
 * as values of one kind, and their records. Damage never throws where only the header is looked at: numbers past 2^53 are rounded, and `isValid`
 * tells of the checksum. Opening the records of a damaged batch throws `LogFormatError` 'corrupt-batch', and nothing else.
 */
import { KafkaError } from '../protocol/errors.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { compressionName } from '../protocol/records/compression.ts';
import {
  COMPRESSION_MASK,
  CONTROL_FLAG,
  CRC_OFFSET,
  DELETE_HORIZON_FLAG,
  hasValidCrc,
  incrementSequence,
  LOG_APPEND_TIME_FLAG,
  MAGIC_V2,
  NO_SEQUENCE,
  TRANSACTIONAL_FLAG,
} from '../protocol/records/record-batch.ts';
import { iterateRecords } from '../protocol/records/record-reader.ts';
import {
  attributesAt,
  baseOffsetAt,
  baseSequenceAt,
  baseTimestampAt,
  lastOffsetAt,
  lastSequenceAt,
  leaderEpochAt,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
} from './batch-fields.ts';
import type { ScannedBatch } from './batch-scanner.ts';
import { LogFormatError } from './log-format-error.ts';
import { legacyMessages, readLegacyMessage } from './message-set.ts';
import type { MessageTimestampType } from './message-set.ts';

/** Above any `max.message.bytes` in use; a length beyond it is taken for damage. */
export const MAX_BATCH_BYTES = 512 * 1024 * 1024;
/** What a batch may decompress to. */
const MAX_RECORDS_BYTES = 1024 * 1024 * 1024;

export interface LogBatch {
  /** 0 and 1: one message, or several compressed in one. */
  readonly magic: number;
  readonly position: number;
  readonly sizeBytes: number;
  /** Of a message of format 0 or 1 it is the same as `lastOffset`. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestampType: MessageTimestampType;
  readonly maxTimestamp: number;
  readonly crc: number;
  readonly isValid: boolean;
  /** 'unknown' for the codec numbers 5 to 7. */
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'unknown';
  /** What only format 2 has. */
  readonly v2: LogBatchV2 | undefined;
}

export interface LogBatchV2 {
  readonly count: number;
  readonly baseTimestamp: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitionLeaderEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly deleteHorizonMs: number | undefined;
}

export interface LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Only in format 2. */
  readonly sequence: number | undefined;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
  /** Only in formats 0 and 1, where each message has its checksum. */
  readonly checksum: { readonly crc: number; readonly isValid: boolean } | undefined;
  /** Of a record in a control batch. */
  readonly control: ControlRecord | undefined;
}

export interface ControlRecord {
  readonly type:
    | 'ABORT'
    | 'COMMIT'
    | 'LEADER_CHANGE'
    | 'SNAPSHOT_HEADER'
    | 'SNAPSHOT_FOOTER'
    | 'KRAFT_VERSION'
    | 'KRAFT_VOTERS'
    | 'UNKNOWN';
  readonly typeId: number;
  /** Of a transaction marker. */
  readonly coordinatorEpoch: number | undefined;
}

const CONTROL_TYPES = ['ABORT', 'COMMIT', 'LEADER_CHANGE', 'SNAPSHOT_HEADER', 'SNAPSHOT_FOOTER', 'KRAFT_VERSION', 'KRAFT_VOTERS'] as const;

/** What the header of a batch says that a scanner with `bodies` gave. @throws LogFormatError for a message of format 0 or 1 whose lengths don't fit. */
export function readLogBatch({ buffer, at, position, sizeBytes }: ScannedBatch): LogBatch {
  const magic = magicAt(buffer, at);
  if (magic < MAGIC_V2) {
    const message = readLegacyMessage(buffer.subarray(at, at + sizeBytes), 0);
    const { offset, timestampType, timestamp, crc, isValid } = message;
    const common = { magic, position, sizeBytes, timestampType, crc, isValid };
    return { ...common, baseOffset: offset, lastOffset: offset, maxTimestamp: timestamp, codec: codecOf(message.codec), v2: undefined };
  }
  const attributes = attributesAt(buffer, at);
  const baseTimestamp = baseTimestampAt(buffer, at);
  return {
    magic,
    position,
    sizeBytes,
    baseOffset: baseOffsetAt(buffer, at),
    lastOffset: lastOffsetAt(buffer, at),
    timestampType: (attributes & LOG_APPEND_TIME_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime',
    maxTimestamp: maxTimestampAt(buffer, at),
    crc: buffer.readUInt32BE(at + CRC_OFFSET),
    isValid: hasValidCrc(buffer, at),
    codec: codecOf(attributes & COMPRESSION_MASK),
    v2: {
      count: recordCountAt(buffer, at),
      baseTimestamp,
      baseSequence: baseSequenceAt(buffer, at),
      lastSequence: lastSequenceAt(buffer, at),
      producerId: producerIdAt(buffer, at),
      producerEpoch: producerEpochAt(buffer, at),
      partitionLeaderEpoch: leaderEpochAt(buffer, at),
      isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
      isControl: (attributes & CONTROL_FLAG) !== 0,
      deleteHorizonMs: (attributes & DELETE_HORIZON_FLAG) === 0 ? undefined : baseTimestamp,
    },
  };
}

/** The records of that batch, one after another. @throws LogFormatError 'corrupt-batch' where they can't be read, at the first such one. */
export function* readLogRecords({ buffer, at, position, sizeBytes }: ScannedBatch, batch: LogBatch): Generator<LogRecord, void, undefined> {
  const bytes = buffer.subarray(at, at + sizeBytes);
  try {
    if (batch.v2 === undefined) {
      for (const { offset, timestamp, key, value, crc, isValid } of legacyMessages(bytes, 0, MAX_RECORDS_BYTES))
        yield { offset, timestamp, key, value, sequence: undefined, headers: [], checksum: { crc, isValid }, control: undefined };
      return;
    }
    const { baseSequence, isControl } = batch.v2;
    for (const record of iterateRecords(bytes, MAX_RECORDS_BYTES)) {
      const sequence = baseSequence < 0 ? NO_SEQUENCE : incrementSequence(baseSequence, record.offset - batch.baseOffset);
      yield { ...record, sequence, checksum: undefined, control: isControl ? readControlRecord(record.key, record.value) : undefined };
    }
  } catch (error) {
    if (error instanceof KafkaError || error instanceof ProtocolError || error instanceof LogFormatError)
      throw new LogFormatError('corrupt-batch', error.message, position);
    throw error;
  }
}

/** Key: int16 version, int16 type; value of a transaction marker: int16 version, int32 coordinator epoch. */
export function readControlRecord(key: Buffer | null, value: Buffer | null): ControlRecord {
  const typeId = key !== null && key.length >= 4 ? key.readInt16BE(2) : -1;
  const type = CONTROL_TYPES[typeId] ?? 'UNKNOWN';
  const isMarker = type === 'ABORT' || type === 'COMMIT';
  return { type, typeId, coordinatorEpoch: isMarker && value !== null && value.length >= 6 ? value.readInt32BE(2) : undefined };
}

function codecOf(codec: number): LogBatch['codec'] {
  return compressionName(codec) ?? 'unknown';
}
