/** The lines of a `.log` file: one a batch, and with deep iteration one a record. Source: Kafka's DumpLogSegments. */
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import type { ScannedBatch } from '../../log-format/batch-scanner.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import { decodeOffsetsRecord, decodeTransactionRecord } from '../../log-format/internal-topic-records.ts';
import type { DecodedRecord } from '../../log-format/internal-topic-records.ts';
import { MAX_BATCH_BYTES, readLogBatch, readLogRecords } from '../../log-format/log-batch.ts';
import type { LogBatch, LogRecord } from '../../log-format/log-batch.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import type { DumpFindings } from './dump-findings.ts';
import type { DumpOptions } from './dump-options.ts';
import { decodePayload } from './payload-decoders.ts';

interface DumpedLog {
  /** As it was given, for faults. */
  readonly path: string;
  readonly absolutePath: string;
  readonly name: string;
  readonly baseOffset: number;
  readonly file: FileBytes;
}

export function* dumpBatches(log: DumpedLog, options: DumpOptions, findings: DumpFindings): Generator<string, void, undefined> {
  const { file, path, name } = log;
  yield `Log starting offset: ${log.baseOffset}`;
  const to = Math.min(file.sizeBytes, options.maxBytes);
  const scanner = new BatchScanner(file.readAt, { from: 0, to, bodies: true, legacy: true, maxBatchBytes: MAX_BATCH_BYTES });
  const order = { last: -1 };
  for (let scanned = scanner.next(); scanned !== undefined; scanned = scanner.next()) {
    try {
      const batch = readLogBatch(scanned);
      yield batchLine(batch);
      if (!batch.isValid) findings.fault(path, `the batch's checksum is ${batch.crc}, its bytes have another`, batch.position);
      if (options.deepIteration) yield* recordLines(log, scanned, batch, options, findings, order);
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      findings.fault(path, error.message, scanned.position);
    }
  }
  const { end } = scanner;
  if (end?.kind !== 'invalid' || options.maxBytes !== Infinity) return;
  if (end.isZeros) {
    yield `Found ${file.sizeBytes - end.position} zero bytes at the end of ${name}: preallocated, not written yet`;
    return;
  }
  yield `Found ${file.sizeBytes - end.position} invalid bytes at the end of ${name}`;
  findings.fault(path, end.reason, end.position);
}

function* recordLines(
  { absolutePath }: DumpedLog,
  scanned: ScannedBatch,
  batch: LogBatch,
  options: DumpOptions,
  findings: DumpFindings,
  order: { last: number },
): Generator<string, void, undefined> {
  for (const record of readLogRecords(scanned, batch)) {
    if (order.last !== -1 && record.offset !== order.last + 1) findings.nonConsecutive.add(absolutePath, order.last, record.offset);
    order.last = record.offset;
    let line = '';
    let prefix = '| ';
    if (!options.skipRecordMetadata) {
      line += `${prefix}${metadataOf(record, batch)}`;
      prefix = ' ';
    }
    if (options.printDataLog && batch.v2?.isControl !== true) {
      const { key, value } = contentOf(record, options);
      if (key !== null) {
        line += `${prefix}key: ${key}`;
        prefix = ' ';
      }
      if (value !== null) line += ` payload: ${value}`;
    }
    yield line;
  }
}

function batchLine(batch: LogBatch): string {
  const { v2 } = batch;
  const head =
    v2 === undefined
      ? `offset: ${batch.lastOffset}`
      : `baseOffset: ${batch.baseOffset} lastOffset: ${batch.lastOffset} count: ${v2.count} baseSequence: ${v2.baseSequence} ` +
        `lastSequence: ${v2.lastSequence} producerId: ${v2.producerId} producerEpoch: ${v2.producerEpoch} ` +
        `partitionLeaderEpoch: ${v2.partitionLeaderEpoch} isTransactional: ${v2.isTransactional} isControl: ${v2.isControl} ` +
        `deleteHorizonMs: ${optionalLong(v2.deleteHorizonMs)}`;
  return (
    `${head} position: ${batch.position} ${batch.timestampType}: ${batch.maxTimestamp} size: ${batch.sizeBytes} ` +
    `magic: ${batch.magic} compresscodec: ${batch.codec} crc: ${batch.crc} isvalid: ${batch.isValid}`
  );
}

function metadataOf(record: LogRecord, batch: LogBatch): string {
  const { checksum, control } = record;
  let text =
    `offset: ${record.offset} ${batch.timestampType}: ${record.timestamp} ` +
    `keySize: ${record.key?.length ?? -1} valueSize: ${record.value?.length ?? -1}`;
  if (record.sequence !== undefined)
    text += ` sequence: ${record.sequence} headerKeys: [${record.headers.map(({ key }) => key).join(',')}]`;
  // The brace is Kafka's.
  if (checksum !== undefined) text += ` isValid: ${checksum.isValid} crc: ${checksum.crc}}`;
  if (control === undefined) return text;
  if (control.coordinatorEpoch !== undefined) return `${text} endTxnMarker: ${control.type} coordinatorEpoch: ${control.coordinatorEpoch}`;
  return `${text} controlType: ${control.type}(${control.typeId})`;
}

function contentOf(record: LogRecord, options: DumpOptions): { readonly key: string | null; readonly value: string | null } {
  const { recordDecoder, keyDecoder, valueDecoder } = options;
  if (recordDecoder !== undefined) {
    const decoded: DecodedRecord = recordDecoder === 'offsets' ? decodeOffsetsRecord(record) : decodeTransactionRecord(record);
    return decoded;
  }
  return {
    key: record.key === null ? null : decodePayload(keyDecoder, record.key),
    value: record.value === null ? null : decodePayload(valueDecoder, record.value),
  };
}

/** As Java prints it. */
export function optionalLong(value: number | undefined): string {
  return value === undefined ? 'OptionalLong.empty' : `OptionalLong[${value}]`;
}
