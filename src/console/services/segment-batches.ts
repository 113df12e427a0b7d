/**
 * A segment opened into its batches, a page at a time with each checksum computed, and a batch into its records. A page reads at most some MiB and lets
 * others run in between; a tail that is not whole is shown as such, and is no error: a broker that is running writes meanwhile.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import { LOG_SUFFIX, segmentFileName } from '../../log-format/file-names.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import { internalTopicDecoder } from '../../log-format/internal-topic-records.ts';
import { readControlRecord } from '../../log-format/log-batch.ts';
import { computeBatchCrc, readBatchHeader } from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import type { BatchPage, BatchRow, SegmentRecord } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { batchRows, codecName, MAX_DECOMPRESSED_BYTES } from './message-rows.ts';
import { placeOf, withFile } from './replica-folder.ts';
import type { Replica } from './replica-folder.ts';

/** A page of batches reads at most so much of a file, bodies (for the checksums) included. */
const MAX_PAGE_READ_BYTES = 32 * 1024 * 1024;
const BYTES_A_TURN = 2 * 1024 * 1024;
/** A batch above it is named, not read. */
const MAX_BATCH_BYTES = 128 * 1024 * 1024;
const MAX_DECODED_CHARACTERS = 64 * 1024;

export interface BatchQuery extends Replica {
  readonly baseOffset: number;
  readonly position: number;
  readonly max: number;
}

export async function segmentBatches(session: ClusterSession, query: BatchQuery): Promise<BatchPage> {
  return withFile(session, await logOf(session, query), async (file) => {
    const scanner = bodiesFrom(file, query.position);
    const batches: BatchRow[] = [];
    let turnEndsAt = query.position + BYTES_A_TURN;
    while (batches.length < query.max && scanner.position - query.position < MAX_PAGE_READ_BYTES) {
      const batch = scanner.next();
      if (batch === undefined) break;
      batches.push(batchRow(batch.buffer.subarray(batch.at, batch.at + batch.sizeBytes), batch.position));
      if (scanner.position < turnEndsAt) continue;
      turnEndsAt = scanner.position + BYTES_A_TURN;
      await turn();
    }
    const { end } = scanner;
    const torn =
      end?.kind === 'invalid'
        ? { position: end.position, reason: end.reason, bytes: file.sizeBytes - end.position, isPreallocated: end.isZeros }
        : null;
    return { batches, nextPosition: end === undefined && scanner.position < file.sizeBytes ? scanner.position : null, torn };
  });
}

export interface RecordQuery extends Replica {
  readonly baseOffset: number;
  readonly position: number;
  readonly skip: number;
  readonly max: number;
  readonly previewBytes: number;
}

export async function batchRecords(
  session: ClusterSession,
  query: RecordQuery,
): Promise<{ readonly records: SegmentRecord[]; readonly more: boolean }> {
  const path = await logOf(session, query);
  return withFile(session, path, (file) => {
    const scanned = bodiesFrom(file, query.position).next();
    if (scanned === undefined) throw refuse('notFound', `No whole batch begins at position ${query.position} of ${path}`);
    const batch = scanned.buffer.subarray(scanned.at, scanned.at + scanned.sizeBytes);
    const records: SegmentRecord[] = [];
    let index = 0;
    for (const record of segmentRecords(batch, query)) {
      if (index++ < query.skip) continue;
      if (records.length >= query.max) return { records, more: true };
      records.push(record);
    }
    return { records, more: false };
  });
}

/** The rows of a batch, with what internal topics and control records say in words. Rows and records come from two passes over the same bytes. */
export function* segmentRecords(
  batch: Buffer,
  { topic, partition, previewBytes }: Pick<RecordQuery, 'topic' | 'partition' | 'previewBytes'>,
): Generator<SegmentRecord, void, undefined> {
  const header = readBatchHeader(batch, 0);
  const decoder = internalTopicDecoder(topic);
  const rows = batchRows(batch, header, partition, previewBytes);
  if (decoder === undefined && !header.isControl) {
    for (const row of rows) yield { ...row, decoded: null };
    return;
  }
  const raw = iterateRecords(batch, MAX_DECOMPRESSED_BYTES);
  for (const row of rows) {
    const { value: record } = raw.next();
    if (record === undefined) return;
    if (header.isControl) {
      const { type, coordinatorEpoch } = readControlRecord(record.key, record.value);
      yield { ...row, decoded: { key: type, value: coordinatorEpoch === undefined ? null : `coordinatorEpoch: ${coordinatorEpoch}` } };
    } else {
      const decoded = decoder?.(record);
      yield {
        ...row,
        decoded:
          decoded === undefined ? null : { key: bounded(decoded.key), value: decoded.value === null ? null : bounded(decoded.value) },
      };
    }
  }
}

function bounded(text: string): string {
  return text.length > MAX_DECODED_CHARACTERS ? `${text.slice(0, MAX_DECODED_CHARACTERS)}…` : text;
}

async function logOf(session: ClusterSession, query: Replica & { readonly baseOffset: number }): Promise<string> {
  const { path } = await placeOf(session, query);
  return join(path, segmentFileName(query.baseOffset, LOG_SUFFIX));
}

function bodiesFrom(file: FileBytes, from: number): BatchScanner {
  return new BatchScanner(file.readAt, { from, to: file.sizeBytes, bodies: true, maxBatchBytes: MAX_BATCH_BYTES });
}

function batchRow(batch: Buffer, position: number): BatchRow {
  const header = readBatchHeader(batch, 0);
  return {
    position,
    sizeBytes: batch.length,
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    records: header.recordCount,
    baseTimestampMs: known(header.baseTimestamp),
    maxTimestampMs: known(header.maxTimestamp),
    timestampType: header.timestampType,
    codec: codecName(header.codec),
    leaderEpoch: header.partitionLeaderEpoch,
    magic: header.magic,
    crc: header.crc,
    crcValid: computeBatchCrc(batch, 0) === header.crc,
    producerId: known(header.producerId),
    producerEpoch: known(header.producerEpoch),
    baseSequence: known(header.baseSequence),
    transactional: header.isTransactional,
    control: header.isControl,
  };
}

function known(value: number): number | null {
  return value === -1 ? null : value;
}
