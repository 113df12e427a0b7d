/**
 * A replica's folder as it is on this machine's disk, read without a broker: its files, and its segments with their offsets. Which replicas there are is
 * asked of the brokers; when none answers, the disk itself tells. What the files hold is in `segment-batches.ts`, `segment-files.ts`, `segment-lookup.ts`.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  LEADER_EPOCH_CHECKPOINT,
  LOG_SUFFIX,
  META_PROPERTIES,
  OFFSET_INDEX_SUFFIX,
  PARTITION_METADATA,
  TIME_INDEX_SUFFIX,
  logDirName,
  parsePartitionDirName,
  parseSegmentFileName,
  segmentFileName,
} from '../../log-format/file-names.ts';
import { baseOffsetAt, lastOffsetAt } from '../../log-format/batch-fields.ts';
import { IndexFile } from '../../log-format/index-file.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import type { LogFile, ReplicaContents, ReplicaFolder, SegmentRow } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError } from './failures.ts';
import { assertTopic, findPlace, localLogDirs, placeOf, withFiles } from './replica-folder.ts';
import type { Replica } from './replica-folder.ts';
import { readMarks } from './replica-marks.ts';
import { describe } from './topics-service.ts';

const MAX_FILES = 20_000;
/** Each needs some reads: others run in between. */
const SEGMENTS_A_TURN = 64;
const HEADER_CHUNK_BYTES = 16 * 1024;
const MAX_REMEMBERED = 50_000;

/** First offsets of closed segments, which don't change while size and time of the file stay: a page that follows a live log asks each second. */
type RememberedOffsets = Map<string, { readonly sizeBytes: number; readonly modifiedAtMs: number; readonly firstOffset: number | null }>;
const remembered = new WeakMap<ClusterSession, RememberedOffsets>();

const KINDS: Readonly<Record<string, LogFile['kind']>> = {
  '.log': 'log',
  '.index': 'index',
  '.timeindex': 'timeindex',
  '.txnindex': 'txnindex',
  '.snapshot': 'snapshot',
  [LEADER_EPOCH_CHECKPOINT]: 'leaderEpochCheckpoint',
  [PARTITION_METADATA]: 'partitionMetadata',
  [META_PROPERTIES]: 'metaProperties',
  [CLEAN_SHUTDOWN_FILE]: 'cleanShutdown',
};

export async function replicaFolders(session: ClusterSession, topic: string): Promise<ReplicaFolder[]> {
  assertTopic(topic);
  const logDirs = await localLogDirs(session);
  const partitions = await describe(session, topic).then(
    (metadata) => metadata.partitions,
    (error: unknown) => {
      // A topic that is known not to be there is no reason to search for its remains.
      if (error instanceof FailureError && error.failure.kind === 'notFound') throw error;
      return undefined;
    },
  );
  const asked = partitions?.flatMap(({ partition, replicas, isr, leaderId }) => [
    ...replicas.map((brokerId) => ({
      partition,
      brokerId,
      role: leaderId === brokerId ? ('leader' as const) : ('follower' as const),
      inSync: isr.includes(brokerId),
    })),
    ...Array.from(logDirs.keys())
      .filter((brokerId) => !replicas.includes(brokerId) && findPlace(session, logDirs, { topic, partition, brokerId }) !== undefined)
      .map((brokerId) => ({ partition, brokerId, role: 'stray' as const, inSync: null })),
  ]);
  const replicas = asked ?? foldersOnDisk(session, logDirs, topic).map((found) => ({ ...found, role: 'unknown' as const, inSync: null }));
  return replicas.map((replica) => {
    const place = findPlace(session, logDirs, { ...replica, topic });
    return {
      ...replica,
      path: place?.path ?? join(logDirs.get(replica.brokerId)?.[0] ?? '', logDirName({ topic, partition: replica.partition })),
      onDisk: place !== undefined,
      ...(place === undefined ? { sizeBytes: null, segments: null } : sizeOf(session, place.path)),
    };
  });
}

export async function replicaContents(session: ClusterSession, replica: Replica): Promise<ReplicaContents> {
  const { path, logDir } = await placeOf(session, replica);
  const files = filesIn(session, path);
  const status = await session.control?.status();
  return {
    path,
    logDir,
    brokerRuns: status?.processes.some(({ brokerId, pid }) => brokerId === replica.brokerId && pid !== null) === true,
    files,
    logDirFiles: filesIn(session, logDir).filter(({ kind }) => kind !== 'other'),
    segments: await segmentRows(session, path, files),
    marks: readMarks(session, logDir, replica),
  };
}

/** The folders of a topic that the brokers' log dirs have, in order of partition and broker. */
function foldersOnDisk(
  session: ClusterSession,
  logDirs: ReadonlyMap<number, readonly string[]>,
  topic: string,
): Pick<ReplicaFolder, 'partition' | 'brokerId'>[] {
  const { disk } = session.runtime;
  return [...logDirs]
    .flatMap(([brokerId, dirs]) =>
      dirs.flatMap((dir) =>
        (disk.stat(dir)?.isDirectory === true ? disk.list(dir) : []).flatMap(({ name, isDirectory }) => {
          const parsed = isDirectory ? parsePartitionDirName(name) : undefined;
          return parsed?.kind === 'current' && parsed.topicPartition.topic === topic
            ? [{ partition: parsed.topicPartition.partition, brokerId }]
            : [];
        }),
      ),
    )
    .toSorted((a, b) => a.partition - b.partition || a.brokerId - b.brokerId);
}

function sizeOf(session: ClusterSession, folder: string): { readonly sizeBytes: number; readonly segments: number } {
  const { disk } = session.runtime;
  const logs = disk.list(folder).filter(({ name }) => {
    const parsed = parseSegmentFileName(name);
    return parsed?.suffix === LOG_SUFFIX && parsed.state === '';
  });
  return { sizeBytes: logs.reduce((sum, { name }) => sum + (disk.stat(join(folder, name))?.sizeBytes ?? 0), 0), segments: logs.length };
}

function filesIn(session: ClusterSession, folder: string): LogFile[] {
  const { disk } = session.runtime;
  return disk
    .list(folder)
    .filter(({ isDirectory }) => !isDirectory)
    .slice(0, MAX_FILES)
    .flatMap(({ name }): LogFile[] => {
      // Deleted between the listing and now: not there any more.
      const stat = disk.stat(join(folder, name));
      return stat === undefined ? [] : [logFile(name, stat.sizeBytes, stat.mtimeMs)];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function logFile(name: string, sizeBytes: number, modifiedAtMs: number): LogFile {
  const parsed = parseSegmentFileName(name);
  const base = { name, sizeBytes, modifiedAtMs };
  if (parsed === undefined) {
    const kind = name.endsWith('-offset-checkpoint') ? 'offsetCheckpoint' : (KINDS[name] ?? 'other');
    return { ...base, kind, baseOffset: null };
  }
  const { state, suffix, offset } = parsed;
  const kind = state === '' ? (KINDS[suffix] ?? 'other') : state === '.deleted' ? 'deleted' : 'unfinished';
  return { ...base, kind, baseOffset: offset };
}

async function segmentRows(session: ClusterSession, folder: string, files: readonly LogFile[]): Promise<SegmentRow[]> {
  const logs = files.filter(({ kind }) => kind === 'log').toSorted((a, b) => (a.baseOffset ?? 0) - (b.baseOffset ?? 0));
  const sizes = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  const rows: SegmentRow[] = [];
  for (const [at, log] of logs.entries()) {
    const baseOffset = log.baseOffset ?? 0;
    const { firstOffset, lastOffset, preallocatedBytes } = await offsetsOf(session, folder, log, logs[at + 1]?.baseOffset ?? null);
    rows.push({
      baseOffset,
      file: log.name,
      sizeBytes: log.sizeBytes - preallocatedBytes,
      preallocatedBytes,
      indexBytes: sizes.get(segmentFileName(baseOffset, OFFSET_INDEX_SUFFIX)) ?? null,
      timeIndexBytes: sizes.get(segmentFileName(baseOffset, TIME_INDEX_SUFFIX)) ?? null,
      firstOffset,
      lastOffset,
      modifiedAtMs: log.modifiedAtMs,
      active: at === logs.length - 1,
    });
    if (at % SEGMENTS_A_TURN === SEGMENTS_A_TURN - 1) await turn();
  }
  return rows;
}

async function offsetsOf(session: ClusterSession, folder: string, log: LogFile, nextBaseOffset: number | null): Promise<SegmentOffsets> {
  const baseOffset = log.baseOffset ?? 0;
  if (nextBaseOffset === null) return offsetsIn(session, folder, baseOffset, null);
  const known: RememberedOffsets = remembered.get(session) ?? new Map();
  remembered.set(session, known);
  const path = join(folder, log.name);
  const { sizeBytes, modifiedAtMs } = log;
  const before = known.get(path);
  if (before?.sizeBytes === sizeBytes && before.modifiedAtMs === modifiedAtMs)
    return { firstOffset: before.firstOffset, lastOffset: before.firstOffset === null ? null : nextBaseOffset - 1, preallocatedBytes: 0 };
  const offsets = await offsetsIn(session, folder, baseOffset, nextBaseOffset);
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(path, { sizeBytes, modifiedAtMs, firstOffset: offsets.firstOffset });
  return offsets;
}

interface SegmentOffsets {
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  /** Zeros at the end of the active one. */
  readonly preallocatedBytes: number;
}

/** First and last offset of a segment. Of a closed one the next segment's base tells the end; of the active one its index, and the batches after. */
async function offsetsIn(
  session: ClusterSession,
  folder: string,
  baseOffset: number,
  nextBaseOffset: number | null,
): Promise<SegmentOffsets> {
  const none = { firstOffset: null, lastOffset: null, preallocatedBytes: 0 };
  return withFiles(session, async (open) => {
    const log = open(join(folder, segmentFileName(baseOffset, LOG_SUFFIX)));
    if (log === undefined) return none;
    const begin = headersFrom(log, 0);
    const first = begin.next();
    if (first === undefined) return { ...none, preallocatedBytes: zerosBehind(begin, log) };
    const firstOffset = baseOffsetAt(first.buffer, first.at);
    if (nextBaseOffset !== null) return { firstOffset, lastOffset: nextBaseOffset - 1, preallocatedBytes: 0 };
    let lastOffset = lastOffsetAt(first.buffer, first.at);
    const scanner = headersFrom(log, lastIndexedPosition(open(join(folder, segmentFileName(baseOffset, OFFSET_INDEX_SUFFIX))), baseOffset));
    let scanned = 0;
    for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
      lastOffset = lastOffsetAt(batch.buffer, batch.at);
      // Without an index that is all of the segment.
      if (++scanned % 1024 === 0) await turn();
    }
    return { firstOffset, lastOffset, preallocatedBytes: zerosBehind(scanner, log) };
  }).catch(() => none);
}

/** Of a scanner that has come to its end. */
function zerosBehind({ end }: BatchScanner, log: FileBytes): number {
  return end?.kind === 'invalid' && end.isZeros ? log.sizeBytes - end.position : 0;
}

/** Where the last batch that the offset index knows begins: all but a few KiB of the segment need not be read. 0 when there is no index. */
function lastIndexedPosition(index: FileBytes | undefined, baseOffset: number): number {
  const position = index === undefined ? 0 : (new IndexFile('offset', baseOffset, index).lastEntry?.position ?? 0);
  return Math.max(0, position);
}

function headersFrom(log: FileBytes, from: number): BatchScanner {
  return new BatchScanner(log.readAt, { from, to: log.sizeBytes, bodies: false, chunkBytes: HEADER_CHUNK_BYTES });
}
