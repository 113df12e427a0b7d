/**
 * A replica's folder on this machine's disk, and its files for reading. Found by what the supervisor knows of its brokers' log dirs, so that it can be
 * looked at while the broker is down. What is read meanwhile may grow, or go: a file that is gone is 'notFound', and sizes are taken once.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { logDirName, parseSegmentFileName } from '../../log-format/file-names.ts';
import type { SegmentFile } from '../../log-format/file-names.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import type { DiskFile } from '../../runtime/disk.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, refuse, toFailure } from './failures.ts';

const DETAILS = { api: 'log segment' } as const;
/** A walk over thousands of segments needs three files of one at a time; the oldest are closed. */
const MAX_OPEN_FILES = 24;
/** One turn of the event loop does so much of a long walk over files. */
const STEPS_A_TURN = 32;

export interface Replica {
  readonly brokerId: number;
  readonly topic: string;
  readonly partition: number;
}

export interface ReplicaPlace {
  readonly logDir: string;
  readonly path: string;
}

/** Throws a `refused` failure for a cluster that isn't on this machine. */
export async function localLogDirs(session: ClusterSession): Promise<ReadonlyMap<number, readonly string[]>> {
  if (session.control === undefined)
    throw refuse('refused', "Only a local cluster's files can be looked at: those of a remote one are on its own machines");
  return (await session.control.status()).logDirs;
}

/** Where the replica lies; 'notFound' when its broker has none, 'invalid' for a topic that can't be one. */
export async function placeOf(session: ClusterSession, replica: Replica): Promise<ReplicaPlace> {
  assertTopic(replica.topic);
  const place = findPlace(session, await localLogDirs(session), replica);
  if (place === undefined)
    throw refuse('notFound', `Broker ${replica.brokerId} has no folder of ${replica.topic}-${replica.partition} on its disk`);
  return place;
}

/** The topic becomes part of a path: only what can be a topic's name may. */
export function assertTopic(topic: string): void {
  if (!/^[a-zA-Z0-9._-]+$/.test(topic) || topic === '.' || topic === '..') throw refuse('invalid', "That is not a topic's name");
}

export function findPlace(
  session: ClusterSession,
  logDirs: ReadonlyMap<number, readonly string[]>,
  { brokerId, topic, partition }: Replica,
): ReplicaPlace | undefined {
  for (const logDir of logDirs.get(brokerId) ?? []) {
    const path = join(logDir, logDirName({ topic, partition }));
    if (session.runtime.disk.stat(path)?.isDirectory === true) return { logDir, path };
  }
  return undefined;
}

/** Live segment files of one kind in a folder, in order of offset. */
export function segmentFilesIn(session: ClusterSession, folder: string, suffix: SegmentFile['suffix']): number[] {
  return session.runtime.disk
    .list(folder)
    .flatMap(({ name }) => parseSegmentFileName(name) ?? [])
    .filter((file) => file.suffix === suffix && file.state === '')
    .map(({ offset }) => offset)
    .toSorted((a, b) => a - b);
}

export async function withFile<T>(session: ClusterSession, path: string, work: (file: FileBytes) => T | Promise<T>): Promise<T> {
  return withFiles(session, async (open) => {
    const file = open(path);
    if (file === undefined) throw refuse('notFound', `${path} is not there any more`, DETAILS);
    return work(file);
  });
}

/**
 * Gives `work` a way to open files, undefined for those that aren't there. All are closed when it ends; of more than `MAX_OPEN_FILES` the first opened ones
 * before, so that who comes back to a file asks for it again.
 */
export async function withFiles<T>(
  session: ClusterSession,
  work: (open: (path: string) => FileBytes | undefined) => Promise<T>,
): Promise<T> {
  const files = new Map<string, { readonly file: DiskFile; readonly bytes: FileBytes } | undefined>();
  try {
    return await work((path) => {
      if (!files.has(path)) {
        const [oldest] = files.keys();
        if (files.size >= MAX_OPEN_FILES && oldest !== undefined) {
          files.get(oldest)?.file.close();
          files.delete(oldest);
        }
        files.set(path, openFile(session, path));
      }
      return files.get(path)?.bytes;
    });
  } catch (error) {
    throw fileFailure(error);
  } finally {
    for (const opened of files.values()) opened?.file.close();
  }
}

/** What went wrong with a file, as a failure with the byte where it is known. */
export function fileFailure(error: unknown): FailureError {
  if (error instanceof FailureError) return error;
  if (!(error instanceof LogFormatError)) return new FailureError(toFailure(error, DETAILS));
  const where = error.position === undefined ? '' : ` (at byte ${error.position})`;
  return new FailureError(toFailure(new Error(`${error.message}${where}`), DETAILS));
}

/** Runs a walk to its end and lets others run in between. */
export async function runSteps<T>(steps: Generator<undefined, T, undefined>): Promise<T> {
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (count % STEPS_A_TURN === 0) await turn();
  }
}

function openFile(session: ClusterSession, path: string): { readonly file: DiskFile; readonly bytes: FileBytes } | undefined {
  try {
    const file = session.runtime.disk.open(path, 'read');
    const readAt: FileBytes['readAt'] = (target, at, length, position) => file.read(target, at, length, position);
    return { file, bytes: { sizeBytes: file.sizeBytes(), readAt } };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
