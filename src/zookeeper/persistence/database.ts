/**
 * Opens `<dataDir>/version-2`: the newest whole snapshot, and the logs from its zxid on replayed over it
 * (FileTxnSnapLog). A first start writes `snapshot.0`, which Apache ZooKeeper wants to see beside a log.
 *
 * The end of the last log may be torn by a crash: what is behind the last whole entry was never acknowledged and is cut
 * off (Apache refuses to start on it). A fault in an earlier log is damage and refused: replaying on would leave a hole.
 *
 * What a killed server had written and not synced is replayed, and then synced before anything is built on it (Apache doesn't): the next
 * log is synced by itself, and a power loss would leave it without the end of the one before.
 */
import { type Disk, makeDirectoryDurably } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import { OpCode } from '../jute/constants.ts';
import type { LongHex } from '../jute/records.ts';
import { DataTree } from '../tree/data-tree.ts';
import type { Watcher } from '../tree/watch-manager.ts';
import type { TxnLogEntry } from '../txn.ts';
import { CorruptFileError, EndOfFileError } from './file-input.ts';
import { LOG_PREFIX, SNAPSHOT_PREFIX, TEMPORARY_SUFFIX, type ZxidFile, listZxidFiles } from './file-names.ts';
import { readSnapshot, type Snapshot } from './file-snap-reader.ts';
import { type SnapshotWriterRuntime, writeSnapshot } from './file-snap-writer.ts';
import { readTxnLog } from './txn-log-reader.ts';

/** The folder can't be opened; `message` says which file and why. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

export interface OpenedDatabase<W extends Watcher> {
  readonly directory: string;
  readonly tree: DataTree<W>;
  /** Time-outs in milliseconds of the sessions that were open. */
  readonly sessions: Map<LongHex, number>;
  /** Transactions replayed from logs. */
  readonly replayedTxns: number;
  readonly snapshotLoadMs: number;
  readonly txnsLoadMs: number;
  /** Transactions after whose replay the tree's digest wasn't the one in the log. */
  readonly digestMismatches: number;
}

export interface OpenDatabaseOptions {
  readonly dataDir: string;
  readonly extendedTypesEnabled: boolean;
}

/** Opens or makes the database. Throws `DatabaseError`, or the disk's errors. */
export async function openDatabase<W extends Watcher>(
  runtime: SnapshotWriterRuntime & { readonly logger: Logger },
  options: OpenDatabaseOptions,
): Promise<OpenedDatabase<W>> {
  const { disk, logger, clock } = runtime;
  const directory = `${options.dataDir}/version-2`;
  makeDirectoryDurably(disk, directory);
  removeTemporaryFiles(disk, directory);
  const startMs = clock.monotonicMs();
  const { tree, sessions, found, digest } = loadNewestSnapshot<W>(disk, directory, options, logger);
  const logs = listZxidFiles(disk, directory, LOG_PREFIX);
  if (!found) {
    if (logs.length > 0) throw new DatabaseError(`${directory} has transaction logs and no snapshot that can be read`);
    await writeSnapshot(runtime, directory, { tree, sessions });
    return { directory, tree, sessions, replayedTxns: 0, snapshotLoadMs: 0, txnsLoadMs: 0, digestMismatches: 0 };
  }
  const loadedMs = clock.monotonicMs();
  const check = new DigestCheck(tree, digest, logger);
  const replayedTxns = replayLogs(disk, logs, tree, sessions, logger, check);
  await syncLastLog(disk, directory, logs);
  for (const [session] of Array.from(tree.sessionsWithEphemerals()))
    if (!sessions.has(session)) tree.killSession(session, tree.lastProcessedZxid);
  logger.info({ zxid: tree.lastProcessedZxid, replayedTxns, nodes: tree.nodeCount, sessions: sessions.size }, 'opened the database');
  return {
    directory,
    tree,
    sessions,
    replayedTxns,
    snapshotLoadMs: loadedMs - startMs,
    txnsLoadMs: clock.monotonicMs() - loadedMs,
    digestMismatches: check.mismatches,
  };
}

function loadNewestSnapshot<W extends Watcher>(
  disk: Disk,
  directory: string,
  options: OpenDatabaseOptions,
  logger: Logger,
): Snapshot & { tree: DataTree<W>; found: boolean } {
  for (const snapshot of listZxidFiles(disk, directory, SNAPSHOT_PREFIX).toReversed()) {
    const tree = new DataTree<W>(options);
    try {
      const { sessions, digest } = readSnapshot(disk, snapshot.path, tree);
      tree.lastProcessedZxid = snapshot.zxid;
      return { tree, sessions, digest, found: true };
    } catch (error) {
      if (!(error instanceof CorruptFileError || error instanceof EndOfFileError)) throw error;
      logger.warn({ err: error }, `snapshot ${snapshot.name} can't be read, trying an older one`);
    }
  }
  return { tree: new DataTree<W>(options), sessions: new Map(), digest: undefined, found: false };
}

/** Applies what the logs have after the tree's zxid. Returns how many transactions that were. */
function replayLogs(
  disk: Disk,
  logs: readonly ZxidFile[],
  tree: DataTree,
  sessions: Map<LongHex, number>,
  logger: Logger,
  check: DigestCheck,
): number {
  const snapshotZxid = tree.lastProcessedZxid;
  let replayed = 0;
  let lastZxid = snapshotZxid;
  const apply = ({ header, txn, digest }: TxnLogEntry): void => {
    if (header.zxid <= snapshotZxid) return;
    if (header.zxid <= lastZxid && replayed > 0)
      throw new DatabaseError(`zxid 0x${header.zxid.toString(16)} comes after 0x${lastZxid.toString(16)} in the log`);
    if (txn.type === OpCode.createSession) sessions.set(header.clientId, txn.timeOut);
    else if (txn.type === OpCode.closeSession) sessions.delete(header.clientId);
    tree.processTxn(header, txn);
    check.after(header.zxid, digest);
    lastZxid = header.zxid;
    replayed++;
  };
  const first = logs.findLastIndex((log) => log.zxid <= snapshotZxid + 1);
  for (const [index, log] of logs.entries()) {
    if (index < first) continue;
    const end = readTxnLog(disk, log.path, apply);
    if (end.torn === undefined) continue;
    if (index < logs.length - 1) throw new DatabaseError(`${log.path} is damaged after byte ${end.validBytes}: ${end.torn}`);
    logger.warn({ log: log.name, validBytes: end.validBytes }, `the end of ${log.name} is torn (${end.torn}), cutting it off`);
    cutTornEnd(disk, log, end.validBytes, end.entries);
  }
  return replayed;
}

/**
 * Compares the tree's digest with those in the log. A snapshot is fuzzy, so nothing is compared before the transaction up to which
 * it may have some of the tree; without a digest of its own, nothing is. As in Apache, a mismatch is told and counted, and no more.
 */
class DigestCheck {
  mismatches = 0;
  readonly #tree: DataTree;
  readonly #logger: Logger;
  readonly #snapshotDigest: Snapshot['digest'];

  constructor(tree: DataTree, snapshotDigest: Snapshot['digest'], logger: Logger) {
    this.#tree = tree;
    this.#snapshotDigest = snapshotDigest;
    this.#logger = logger;
  }

  after(zxid: number, logged: number | undefined): void {
    const { digest } = this.#tree;
    const snapshot = this.#snapshotDigest;
    if (digest === undefined || snapshot === undefined || zxid < snapshot.zxid) return;
    const expected = zxid === snapshot.zxid ? snapshot.digest : logged;
    if (expected === undefined || expected === digest) return;
    if (this.mismatches++ > 0) return;
    this.#logger.warn(
      { zxid, expected, digest },
      `the tree after transaction 0x${zxid.toString(16)} is not the one that was logged (digest ${digest}, not ${expected})`,
    );
  }
}

/** Those before it were synced when they were finished, or by the start that found them to be the last. */
async function syncLastLog(disk: Disk, directory: string, logs: readonly ZxidFile[]): Promise<void> {
  const last = logs.at(-1);
  // One without an entry was removed.
  if (last !== undefined && disk.exists(last.path)) {
    const file = disk.open(last.path, 'read-write');
    try {
      await file.syncAsync();
    } finally {
      file.close();
    }
  }
  await disk.syncDirectoryAsync(directory);
}

function cutTornEnd(disk: Disk, log: ZxidFile, validBytes: number, entries: number): void {
  if (entries === 0) {
    disk.remove(log.path);
    return;
  }
  const file = disk.open(log.path, 'read-write');
  try {
    file.truncate(validBytes);
  } finally {
    file.close();
  }
}

function removeTemporaryFiles(disk: Disk, directory: string): void {
  for (const entry of disk.list(directory)) {
    if (!entry.isDirectory && entry.name.startsWith(`${SNAPSHOT_PREFIX}.`) && entry.name.endsWith(TEMPORARY_SUFFIX))
      disk.remove(`${directory}/${entry.name}`);
  }
}
