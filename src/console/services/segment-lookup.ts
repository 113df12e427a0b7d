/** An offset or a time looked up in a replica's files, step by step, for the page: what `src/log-format/lookup-walk.ts` tells, with the record found. */
import { join } from 'node:path';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import { segmentFileName } from '../../log-format/file-names.ts';
import type { FileBytes, IndexEntry } from '../../log-format/index-file.ts';
import { walkOffsetLookup, walkTimestampLookup } from '../../log-format/lookup-walk.ts';
import type { IndexStep, LookupWalk, ScannedStep, WalkableSegment } from '../../log-format/lookup-walk.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { LookupEntry, LookupIndexStep, LookupResult, LookupScannedBatch, SegmentRecord } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import { placeOf, runSteps, segmentFilesIn, withFiles } from './replica-folder.ts';
import type { Replica } from './replica-folder.ts';
import { readMarks } from './replica-marks.ts';
import { segmentRecords } from './segment-batches.ts';

const PREVIEW_BYTES = 512;

export interface LookupQuery extends Replica {
  readonly by: 'offset' | 'time';
  /** An offset, or milliseconds since 1970. */
  readonly target: number;
}

export async function segmentLookup(session: ClusterSession, query: LookupQuery): Promise<LookupResult> {
  const { path, logDir } = await placeOf(session, query);
  const baseOffsets = segmentFilesIn(session, path, '.log');
  // Kafka notes it only where it lies inside of the first segment.
  const logStartOffset = readMarks(session, logDir, query).logStartOffset ?? baseOffsets[0] ?? 0;
  return withFiles(session, async (open) => {
    const suffixes = { log: '.log', index: '.index', timeindex: '.timeindex' } as const;
    const file = (baseOffset: number, kind: keyof typeof suffixes): FileBytes | undefined =>
      open(join(path, segmentFileName(baseOffset, suffixes[kind])));
    const segments = baseOffsets.map((baseOffset): WalkableSegment => ({ baseOffset, open: (kind) => file(baseOffset, kind) }));
    const walk = await runSteps(
      query.by === 'offset' ? walkOffsetLookup(segments, query.target) : walkTimestampLookup(segments, query.target, logStartOffset),
    );
    return {
      by: query.by,
      target: query.target,
      segmentCount: baseOffsets.length,
      firstOffset: baseOffsets[0] ?? null,
      nextBaseOffset: baseOffsets.find((baseOffset) => baseOffset > (walk.segments.at(-1)?.baseOffset ?? Infinity)) ?? null,
      logStartOffset,
      segmentTimes: walk.segmentTimes.map(({ baseOffset, largestTimestamp }) => ({
        baseOffset,
        largestTimestampMs: known(largestTimestamp),
      })),
      segmentTimesCount: walk.segmentTimesCount,
      segments: walk.segments.map((segment) => ({
        baseOffset: segment.baseOffset,
        indexes: segment.indexes.map(indexStep),
        scanFrom: segment.scanFrom,
        scanned: segment.scanned.map(scannedBatch),
        scannedCount: segment.scannedCount,
        damage: segment.damage ?? null,
      })),
      found: foundOf(walk, query, (baseOffset) => file(baseOffset, 'log')),
    };
  });
}

function foundOf(walk: LookupWalk, query: LookupQuery, log: (baseOffset: number) => FileBytes | undefined): LookupResult['found'] {
  const { found } = walk;
  if (found === undefined) return null;
  const { batch, segment, record, recordError } = found;
  const file = log(segment);
  const row = record === undefined || file === undefined ? null : recordRow(file, batch, record.offset, query);
  return { segment, batch: scannedBatch(batch), record: row, recordError: recordError ?? null };
}

function recordRow(file: FileBytes, batch: ScannedStep, offset: number, query: LookupQuery): SegmentRecord | null {
  const range = { from: batch.position, to: batch.position + batch.sizeBytes, bodies: true };
  const scanned = new BatchScanner(file.readAt, range).next();
  if (scanned === undefined) return null;
  try {
    const bytes = scanned.buffer.subarray(scanned.at, scanned.at + scanned.sizeBytes);
    for (const row of segmentRecords(bytes, { ...query, previewBytes: PREVIEW_BYTES })) if (row.offset === offset) return row;
  } catch (error) {
    if (!(error instanceof KafkaError) && !(error instanceof ProtocolError)) throw error;
  }
  return null;
}

function indexStep({ kind, target, entries, probes, found }: IndexStep): LookupIndexStep {
  return {
    kind,
    target,
    entries: entries ?? null,
    probes: probes.map(({ low, high, entry, isAtOrBelow }) => ({ low, high, entry: indexEntry(kind, entry), isAtOrBelow })),
    found: found === undefined ? null : indexEntry(kind, found),
  };
}

function indexEntry(kind: IndexStep['kind'], { slot, offset, position, timestamp }: IndexEntry): LookupEntry {
  return kind === 'offset' ? { slot, offset, position, timestampMs: null } : { slot, offset, position: null, timestampMs: timestamp };
}

function scannedBatch({ position, sizeBytes, baseOffset, lastOffset, maxTimestamp, records }: ScannedStep): LookupScannedBatch {
  return { position, sizeBytes, baseOffset, lastOffset, maxTimestampMs: known(maxTimestamp), records };
}

function known(value: number): number | null {
  return value === -1 ? null : value;
}
