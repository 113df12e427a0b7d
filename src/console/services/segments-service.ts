/**
 * A replica's folder as it is on this machine's disk, read without a broker: files, segments, batches, records. The folder is found
 * by what the supervisor knows of its brokers' log dirs, so it can be looked at while the broker is down. A broker that is running writes
 * meanwhile: a tail that is not whole is shown as such, and is no error.
 */
import { join } from 'node:path';
import type { DiskFile } from '../../runtime/disk.ts';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import {
  LEADER_EPOCH_CHECKPOINT,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  PARTITION_METADATA,
  TIME_INDEX_SUFFIX,
  logDirName,
  parseSegmentFileName,
  segmentFileName,
} from '../../log-format/file-names.ts';
import { OffsetIndex } from '../../log-format/offset-index.ts';
import { computeBatchCrc, readBatchHeader } from '../../protocol/records/record-batch.ts';
import type { MessageRow } from '../contract/messages.ts';
import type { BatchPage, BatchRow, LogFile, ReplicaContents, ReplicaFolder, SegmentRow } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, refuse, toFailure } from './failures.ts';
import { batchRows, codecName } from './message-rows.ts';
import { describe } from './topics-service.ts';

const MAX_FILES = 20_000;
/** A page of batches reads at most so much of a file, bodies (for the checksums) included. */
const MAX_PAGE_READ_BYTES = 64 * 1024 * 1024;

const KINDS: Readonly<Record<string, LogFile['kind']>> = {
  '.log': 'log',
  '.index': 'index',
  '.timeindex': 'timeindex',
  '.txnindex': 'txnindex',
  '.snapshot': 'snapshot',
};

export interface Replica {
  readonly brokerId: number;
  readonly topic: string;
  readonly partition: number;
}

export async function replicaFolders(session: ClusterSession, topic: string): Promise<ReplicaFolder[]> {
  const logDirs = await localLogDirs(session);
  const metadata = await describe(session, topic);
  return metadata.partitions.flatMap(({ partition, replicas, isr, leaderId }) =>
    replicas.map((brokerId): ReplicaFolder => {
      const found = findFolder(session, logDirs, { brokerId, topic, partition });
      const files = found === undefined ? [] : session.runtime.disk.list(found).flatMap(({ name }) => parseSegmentFileName(name) ?? []);
      return {
        partition,
        brokerId,
        path: found ?? join(logDirs.get(brokerId)?.[0] ?? '', logDirName({ topic, partition })),
        role: leaderId === brokerId ? 'leader' : 'follower',
        inSync: isr.includes(brokerId),
        onDisk: found !== undefined,
        sizeBytes: found === undefined ? null : segmentBytes(session, found),
        segments: found === undefined ? null : files.filter(({ suffix, state }) => suffix === LOG_SUFFIX && state === '').length,
      };
    }),
  );
}

export async function replicaContents(session: ClusterSession, replica: Replica): Promise<ReplicaContents> {
  const path = await folderOf(session, replica);
  const { disk } = session.runtime;
  const files = disk
    .list(path)
    .slice(0, MAX_FILES)
    .flatMap(({ name, isDirectory }): LogFile[] => {
      // Deleted between the listing and now: not there any more.
      const stat = isDirectory ? undefined : disk.stat(join(path, name));
      return stat === undefined ? [] : [logFile(name, stat.sizeBytes, stat.mtimeMs)];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { path, files, segments: segmentRows(session, path, files) };
}

export interface BatchQuery extends Replica {
  readonly baseOffset: number;
  readonly position: number;
  readonly max: number;
}

export async function segmentBatches(session: ClusterSession, query: BatchQuery): Promise<BatchPage> {
  const path = join(await folderOf(session, query), segmentFileName(query.baseOffset, LOG_SUFFIX));
  return withFile(session, path, (file) => {
    const to = file.sizeBytes();
    const scanner = new BatchScanner((target, at, length, position) => file.read(target, at, length, position), {
      from: query.position,
      to,
      bodies: true,
    });
    const batches: BatchRow[] = [];
    while (batches.length < query.max && scanner.position - query.position < MAX_PAGE_READ_BYTES) {
      const batch = scanner.next();
      if (batch === undefined) break;
      batches.push(batchRow(batch.buffer.subarray(batch.at, batch.at + batch.sizeBytes), batch.position));
    }
    const { end } = scanner;
    const torn = end?.kind === 'invalid' ? { position: end.position, reason: end.reason } : null;
    return { batches, nextPosition: end === undefined && scanner.position < to ? scanner.position : null, torn };
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
): Promise<{ readonly records: MessageRow[]; readonly more: boolean }> {
  const path = join(await folderOf(session, query), segmentFileName(query.baseOffset, LOG_SUFFIX));
  return withFile(session, path, (file) => {
    const to = file.sizeBytes();
    const scanner = new BatchScanner((target, at, length, position) => file.read(target, at, length, position), {
      from: query.position,
      to,
      bodies: true,
    });
    const scanned = scanner.next();
    if (scanned === undefined) throw refuse('notFound', `No whole batch begins at position ${query.position} of ${path}`);
    const batch = scanned.buffer.subarray(scanned.at, scanned.at + scanned.sizeBytes);
    const records: MessageRow[] = [];
    let index = 0;
    for (const row of batchRows(batch, readBatchHeader(batch, 0), query.partition, query.previewBytes)) {
      if (index++ < query.skip) continue;
      if (records.length >= query.max) return { records, more: true };
      records.push(row);
    }
    return { records, more: false };
  });
}

/** Throws a `refused` failure for a cluster that isn't on this machine. */
async function localLogDirs(session: ClusterSession): Promise<ReadonlyMap<number, readonly string[]>> {
  if (session.control === undefined)
    throw refuse('refused', "Only a local cluster's files can be looked at: those of a remote one are on its own machines");
  return (await session.control.status()).logDirs;
}

async function folderOf(session: ClusterSession, replica: Replica): Promise<string> {
  // The topic becomes part of a path: only what can be a topic's name may.
  if (!/^[a-zA-Z0-9._-]+$/.test(replica.topic)) throw refuse('invalid', "That is not a topic's name");
  const path = findFolder(session, await localLogDirs(session), replica);
  if (path === undefined)
    throw refuse('notFound', `Broker ${replica.brokerId} has no folder of ${replica.topic}-${replica.partition} on its disk`);
  return path;
}

function findFolder(
  session: ClusterSession,
  logDirs: ReadonlyMap<number, readonly string[]>,
  { brokerId, topic, partition }: Replica,
): string | undefined {
  for (const logDir of logDirs.get(brokerId) ?? []) {
    const path = join(logDir, logDirName({ topic, partition }));
    if (session.runtime.disk.stat(path)?.isDirectory === true) return path;
  }
  return undefined;
}

function segmentBytes(session: ClusterSession, folder: string): number {
  const { disk } = session.runtime;
  return disk.list(folder).reduce((sum, { name }) => {
    const parsed = parseSegmentFileName(name);
    return parsed?.suffix === LOG_SUFFIX && parsed.state === '' ? sum + (disk.stat(join(folder, name))?.sizeBytes ?? 0) : sum;
  }, 0);
}

function logFile(name: string, sizeBytes: number, modifiedAtMs: number): LogFile {
  const parsed = parseSegmentFileName(name);
  const base = { name, sizeBytes, modifiedAtMs };
  if (name === LEADER_EPOCH_CHECKPOINT) return { ...base, kind: 'leaderEpochCheckpoint', baseOffset: null };
  if (name === PARTITION_METADATA) return { ...base, kind: 'partitionMetadata', baseOffset: null };
  if (parsed === undefined) return { ...base, kind: 'other', baseOffset: null };
  return { ...base, kind: parsed.state === '.deleted' ? 'deleted' : (KINDS[parsed.suffix] ?? 'other'), baseOffset: parsed.offset };
}

function segmentRows(session: ClusterSession, folder: string, files: readonly LogFile[]): SegmentRow[] {
  const logs = files.filter(({ kind }) => kind === 'log').toSorted((a, b) => (a.baseOffset ?? 0) - (b.baseOffset ?? 0));
  const sizes = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  return logs.map((log, at) => {
    const baseOffset = log.baseOffset ?? 0;
    const next = logs[at + 1]?.baseOffset ?? null;
    return {
      baseOffset,
      file: log.name,
      sizeBytes: log.sizeBytes,
      indexBytes: sizes.get(segmentFileName(baseOffset, OFFSET_INDEX_SUFFIX)) ?? null,
      timeIndexBytes: sizes.get(segmentFileName(baseOffset, TIME_INDEX_SUFFIX)) ?? null,
      ...offsetsIn(session, folder, baseOffset, next),
      modifiedAtMs: log.modifiedAtMs,
      active: at === logs.length - 1,
    };
  });
}

/** First and last offset of a segment. Of a closed one the next segment's base tells the end; of the active one its index, and the batches after. */
function offsetsIn(
  session: ClusterSession,
  folder: string,
  baseOffset: number,
  nextBaseOffset: number | null,
): { firstOffset: number | null; lastOffset: number | null } {
  const none = { firstOffset: null, lastOffset: null };
  try {
    return withFile(session, join(folder, segmentFileName(baseOffset, LOG_SUFFIX)), (file) => {
      const to = file.sizeBytes();
      const scan = (from: number): BatchScanner =>
        new BatchScanner((target, at, length, position) => file.read(target, at, length, position), { from, to, bodies: false });
      const first = scan(0).next();
      if (first === undefined) return none;
      const header = readBatchHeader(first.buffer, first.at);
      if (nextBaseOffset !== null) return { firstOffset: header.baseOffset, lastOffset: nextBaseOffset - 1 };
      let { lastOffset } = header;
      const scanner = scan(lastIndexedPosition(session, folder, baseOffset));
      for (let batch = scanner.next(); batch !== undefined; batch = scanner.next())
        lastOffset = readBatchHeader(batch.buffer, batch.at).lastOffset;
      return { firstOffset: header.baseOffset, lastOffset };
    });
  } catch {
    return none;
  }
}

/** Where the last batch that the offset index knows begins: all but a few KiB of the segment need not be read. 0 when there is no index to trust. */
function lastIndexedPosition(session: ClusterSession, folder: string, baseOffset: number): number {
  try {
    const index = OffsetIndex.fromFile(
      baseOffset,
      session.runtime.disk.readFile(join(folder, segmentFileName(baseOffset, OFFSET_INDEX_SUFFIX))),
    );
    return index.count === 0 ? 0 : index.entry(index.count - 1).position;
  } catch {
    return 0;
  }
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

function withFile<T>(session: ClusterSession, path: string, work: (file: DiskFile) => T): T {
  let file: DiskFile;
  try {
    file = session.runtime.disk.open(path, 'read');
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (gone) throw refuse('notFound', `${path} is not there any more`, { api: 'log segment' });
    throw new FailureError(toFailure(error, { api: 'log segment' }));
  }
  try {
    return work(file);
  } catch (error) {
    throw error instanceof FailureError ? error : new FailureError(toFailure(error, { api: 'log segment' }));
  } finally {
    file.close();
  }
}
