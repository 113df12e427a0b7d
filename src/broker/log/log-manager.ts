/**
 * All logs of a broker, in its log dirs: opens them at start, makes and deletes them, and does what time asks for: flushing, retention,
 * checkpoints, forgetting producers.
 *
 * A log dir whose disk fails goes offline alone: its logs are refused, the others go on; when the last one fails the process must end.
 * A clean end is marked per folder only when every log in it was closed and synced.
 * Compacted logs are the cleaner's: it also deletes their old segments. Without it (`log.cleaner.enable=false`) that is done here.
 * Logs on their way to another folder are `FutureLogs`. Source: Kafka's LogManager.
 */
import type { FlushSummary } from '../../introspection/answers/log-flush.ts';
import {
  DELETE_DIR_SUFFIX,
  FUTURE_DIR_SUFFIX,
  logDirName,
  markedDirName,
  parsePartitionDirName,
  STRAY_DIR_SUFFIX,
} from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { makeDirectoryDurably } from '../../runtime/disk.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { sleep } from '../../runtime/scheduler.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { CleanerDescription } from './cleaner/cleaner-description.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
import type { LogCleanerConfig } from './cleaner/log-cleaner.ts';
import { FutureLogs, furtherOf, isReadyToReplace, takeOver } from './future-logs.ts';
import { LogCheckpoints } from './log-checkpoints.ts';
import { createLogContext } from './log-context.ts';
import type { CleaningPause, LogContext, LogLimits } from './log-context.ts';
import type { LogEvent, LogRecovered } from './log-events.ts';
import { cleanedEvent, FlushReport } from './log-activity.ts';
import { LogDir } from './log-dir.ts';
import { LogDirLock } from './log-dir-lock.ts';
import { LogDirRefusedError, LogStorageError } from './log-errors.ts';
import { isDiskError } from './log-guard.ts';
import { createLog, loadLog } from './log-loader.ts';
import type { LoadOptions } from './log-loader.ts';
import type { UnifiedLog } from './unified-log.ts';

export type LogManagerConfig = Pick<
  KafkaConfig,
  | 'brokerId'
  | 'logDirs'
  | 'logFlushSchedulerIntervalMs'
  | 'logFlushOffsetCheckpointIntervalMs'
  | 'logFlushStartOffsetCheckpointIntervalMs'
  | 'logRetentionCheckIntervalMs'
  | 'logInitialTaskDelayMs'
  | 'producerIdExpirationMs'
  | 'numRecoveryThreadsPerDataDir'
  | 'producerIdExpirationCheckIntervalMs'
  | 'logCleanerEnable'
> &
  LogCleanerConfig;

export interface LogManagerOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'clock' | 'scheduler' | 'random' | 'logger' | 'metrics' | 'net' | 'offload'>;
  /** Asked each time: a dynamic change of the broker's configuration counts from then on. */
  readonly config: () => LogManagerConfig;
  readonly clusterId: string;
  /** A topic's configuration: its own settings over the broker's. */
  readonly topicConfig: (topic: string) => LogConfig;
  readonly pid: number;
  /** A folder with a short path for sockets: the system's temporary one. */
  readonly socketDirectory: string;
  /** A log dir has failed; its logs are offline by then. `liveLogDirs` tells how many are left: with none the process must end. */
  readonly onLogDirFailure?: (directory: string, message: string) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** What recovery found, and log dirs that fail. */
  readonly onEvent?: (event: LogEvent) => void;
  readonly limits?: Partial<LogLimits>;
}

export interface LoadProgress {
  readonly totalLogs: number;
  readonly loadedLogs: number;
  /** Bytes scanned by recovery. */
  readonly scannedBytes: number;
}

export interface LogDirDescription {
  readonly path: string;
  readonly isOffline: boolean;
  readonly logs: readonly UnifiedLog[];
  /** Those that are being filled here, to take the place of one in another log dir. */
  readonly futureLogs: readonly UnifiedLog[];
  /** Of the file system; -1 when it can't be told. */
  readonly totalBytes: number;
  readonly usableBytes: number;
}

interface FoundLog {
  readonly dir: LogDir;
  readonly name: string;
  readonly topicPartition: TopicPartition;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly wasCleaned: boolean;
  readonly isFuture: boolean;
}

/** Logs of one dir that are opened beside each other at least: there is one thread here, which waits for the disk as a rule. */
const MIN_LOAD_CONCURRENCY = 8;
/** Loading lets other work in after this long. */
const LOAD_SLICE_MS = 20;
const INDEX_SWEEP_MS = 1000;
const FLUSH_REPORT_MS = 10_000;
/** Tails of logs that nothing is appended to are dropped after this. */
const TAIL_EXPIRY_MS = 10_000;
const CLOSE_CONCURRENCY = 16;
const MAX_PERIOD_MS = 0x7fff_ffff;

export class LogManager {
  readonly #options: LogManagerOptions;
  readonly #context: LogContext;
  readonly #logger: Logger;
  readonly #dirs = new Map<string, LogDir>();
  readonly #logs = new Map<string, UnifiedLog>();
  readonly #futures = new FutureLogs();
  readonly #checkpoints: LogCheckpoints;
  /** Logs that a dir's checkpoints name at start and that aren't there. */
  readonly #strangers = new Map<LogDir, readonly string[]>();
  readonly #timers = new Set<Cancellable>();
  readonly #recoveries = new Map<string, LogRecovered>();
  #openedAtMs = 0;
  #nextRetentionCheckMs = 0;
  #cleaner: LogCleaner | undefined;
  #progress: LoadProgress = { totalLogs: 0, loadedLogs: 0, scannedBytes: 0 };
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: LogManagerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'LogManager' });
    this.#checkpoints = new LogCheckpoints({
      dirs: () => this.#dirs.values(),
      logsIn: (directory) => this.#allLogsIn(directory),
      cleanerSettled: (directory) => this.#cleaner?.manager.checkpointSettled(directory),
      onFailure: (directory, message, error) => this.#onFailure(directory, message, error),
    });
    this.#context = createLogContext(
      { ...options.runtime, logger: this.#logger },
      {
        onFailure: (directory, message, error) => this.#onFailure(directory, message, error),
        onEvent: (event) => options.onEvent?.(event),
        onRecoveryPointLowered: ({ logDir }) => this.#checkpoints.writeIn(logDir),
        producerIdExpirationMs: () => options.config().producerIdExpirationMs,
        beforeSegmentsGo: (log) => {
          const dir = this.#dirs.get(log.logDir);
          return dir === undefined ? undefined : this.#checkpoints.startWritten(dir, log);
        },
        pauseCleaning: (log) => this.#pauseCleaning(log),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      },
    );
  }

  // ---- Start

  /**
   * Takes the log dirs and opens every log in them. A folder that can't be read goes offline.
   *
   * @throws LogDirRefusedError when a folder is another broker's or in use, or when none is left.
   */
  async startup(): Promise<void> {
    const { logDirs, brokerId } = this.#options.config();
    const { runtime, clusterId } = this.#options;
    for (const path of logDirs) {
      const dir = new LogDir(runtime.disk, path.replace(/(.)\/+$/, '$1'), this.#logger);
      this.#dirs.set(dir.path, dir);
      try {
        makeDirectoryDurably(runtime.disk, dir.path);
        dir.setLock(
          await LogDirLock.acquire({
            runtime,
            directory: dir.path,
            pid: this.#options.pid,
            socketDirectory: this.#options.socketDirectory,
          }),
        );
        dir.claim({ brokerId, clusterId, nowMs: runtime.clock.wallMs() });
      } catch (error) {
        if (error instanceof LogDirRefusedError) {
          await this.#unlockAll();
          throw error;
        }
        const reason = error instanceof Error ? error.message : String(error);
        this.#onFailure(dir.path, `${dir.path} can't be used: ${reason}`, error);
      }
    }
    await this.#loadAll();
    if (this.liveLogDirs.length === 0) {
      await this.#unlockAll();
      const reasons = Array.from(this.#dirs.values(), ({ path, failure }) => failure ?? path);
      throw new LogDirRefusedError(logDirs.join(','), `No log dir of ${logDirs.join(', ')} can be used: ${reasons.join('; ')}`);
    }
    this.#state = 'running';
    this.#startTasks();
    this.#startCleaner();
    for (const [dir, keys] of this.#strangers) void this.#checkpoints.forget(dir, keys);
  }

  async #loadAll(): Promise<void> {
    const jobs: FoundLog[][] = [];
    for (const dir of this.#dirs.values()) if (!dir.isOffline) this.#guarded(dir, () => void jobs.push(this.#findLogs(dir)));
    const totalLogs = jobs.reduce((sum, ofDir) => sum + ofDir.length, 0);
    const concurrency = Math.max(MIN_LOAD_CONCURRENCY, this.#options.config().numRecoveryThreadsPerDataDir);
    const startMs = this.#context.clock.monotonicMs();
    const recovered: LogRecovered[] = [];
    this.#setProgress({ totalLogs });
    let sliceBeganMs = startMs;
    const load = async (found: FoundLog): Promise<void> => {
      const { dir, name, topicPartition, recoveryPoint, logStartOffset, wasCleaned } = found;
      if (dir.isOffline) return;
      try {
        const options: LoadOptions = {
          topicPartition,
          directory: `${dir.path}/${name}`,
          config: this.#options.topicConfig(topicPartition.topic),
          logStartOffset,
          recoveryPoint,
          hadCleanShutdown: dir.hadCleanShutdown,
          wasCleaned,
          onBytes: (bytes) => this.#setProgress({ scannedBytes: this.#progress.scannedBytes + bytes }),
          onRecovered: (outcome) => {
            recovered.push(outcome);
            if (!found.isFuture) this.#recoveries.set(topicPartitionKey(topicPartition), outcome);
            this.#options.onEvent?.(outcome);
          },
        };
        const log = await loadLog(this.#context, options).catch((error: unknown) => {
          if (isDiskError(error)) throw error;
          // Files that contradict each other in a way that nobody thought of: what the batches say counts.
          this.#logger.error({ err: error }, `${options.directory} is damaged: all of it is scanned`);
          return loadLog(this.#context, { ...options, hadCleanShutdown: false, recoveryPoint: 0 });
        });
        // Gaps can't be told from what compaction took: after an unclean end only what is known to be on the device is believed.
        if (found.isFuture && !dir.hadCleanShutdown) await log.truncateTo(Math.max(recoveryPoint, log.logStartOffset));
        this.#addLoaded(log, found.isFuture);
      } catch (error) {
        this.#onFailure(dir.path, `Opening ${dir.path}/${name} failed: ${String(error)}`, error);
      }
      this.#setProgress({ loadedLogs: this.#progress.loadedLogs + 1 });
      if (this.#context.clock.monotonicMs() - sliceBeganMs > LOAD_SLICE_MS) {
        await sleep(this.#context.scheduler, 0);
        sliceBeganMs = this.#context.clock.monotonicMs();
      }
    };
    // Dirs are devices, as a rule: none waits for another.
    await Promise.all(jobs.map((ofDir) => forEachConcurrently(ofDir, concurrency, load)));
    this.#openedAtMs = this.#context.clock.wallMs();
    const tookMs = Math.round(this.#context.clock.monotonicMs() - startMs);
    this.#logger.info(
      { logs: totalLogs, tookMs },
      `Opened ${totalLogs} logs in ${tookMs} ms, ${this.#progress.scannedBytes} bytes scanned`,
    );
    this.#tellRecovered(recovered, tookMs);
  }

  #tellRecovered(recovered: readonly LogRecovered[], tookMs: number): void {
    if (recovered.length === 0) return;
    const truncated = recovered.filter(({ truncatedBytes }) => truncatedBytes > 0);
    this.#options.onEvent?.({
      kind: 'logs-recovered',
      totalLogs: this.#progress.totalLogs,
      recoveredLogs: recovered.length,
      truncatedLogs: truncated.length,
      truncatedBytes: truncated.reduce((sum, { truncatedBytes }) => sum + truncatedBytes, 0),
      scannedBytes: this.#progress.scannedBytes,
      tookMs,
      reason: 'the broker had not closed them in order',
    });
  }

  /** The logs in a folder; those marked for deletion go. */
  #findLogs(dir: LogDir): FoundLog[] {
    const { disk } = this.#context;
    dir.takeCleanShutdownMark();
    const recoveryPoints = dir.recoveryPoints.read();
    const logStartOffsets = dir.logStartOffsets.read();
    const cleanerOffsets = dir.cleanerOffsets.read();
    const found: FoundLog[] = [];
    for (const { name, isDirectory } of disk.list(dir.path)) {
      if (!isDirectory) continue;
      const partition = parsePartitionDirName(name);
      if (partition?.kind === 'delete') {
        this.#removeLater(dir, `${dir.path}/${name}`, 0);
        continue;
      }
      if (partition?.kind !== 'current' && partition?.kind !== 'future') {
        this.#logger.warn(`${dir.path}/${name} is no folder of a partition in use and is left alone`);
        continue;
      }
      const key = topicPartitionKey(partition.topicPartition);
      found.push({
        dir,
        name,
        topicPartition: partition.topicPartition,
        recoveryPoint: Math.max(0, recoveryPoints.get(key) ?? 0),
        logStartOffset: Math.max(0, logStartOffsets.get(key) ?? 0),
        // A copy of a log that was cleaned has its gaps.
        wasCleaned: cleanerOffsets.has(key) || partition.kind === 'future',
        isFuture: partition.kind === 'future',
      });
    }
    const present = new Set(found.map(({ topicPartition }) => topicPartitionKey(topicPartition)));
    const named = new Set([...recoveryPoints.keys(), ...logStartOffsets.keys(), ...cleanerOffsets.keys()]);
    const strangers = [...named].filter((key) => !present.has(key));
    if (strangers.length > 0) this.#strangers.set(dir, strangers);
    return found;
  }

  #addLoaded(log: UnifiedLog, isFuture: boolean): void {
    const key = topicPartitionKey(log.topicPartition);
    const other = isFuture ? this.#futures.get(log.topicPartition) : this.#logs.get(key);
    const kept = other === undefined ? log : this.#keepOne(log, other);
    if (isFuture) this.#futures.add(kept);
    else this.#logs.set(key, kept);
  }

  /** A move that died between its two renames leaves two whole logs; of another topic's or a hand's copy that can't be said. */
  #keepOne(log: UnifiedLog, other: UnifiedLog): UnifiedLog {
    const key = topicPartitionKey(log.topicPartition);
    if (log.topicId === undefined || log.topicId !== other.topicId) {
      throw new LogStorageError(log.logDir, `${key} lies in ${other.logDir} and in ${log.logDir}: remove the folder that is not wanted`);
    }
    const further = furtherOf(other, log);
    const kept = further ?? other;
    const spare = kept === log ? other : log;
    this.#logger.warn(`${key} lies in ${other.logDir} and in ${log.logDir}, as after a move that was cut short: ${kept.directory} is kept`);
    // The shorter one is for people to look at: nothing but a hand makes one that isn't the beginning of the other.
    void this.#retire(spare, further === undefined ? DELETE_DIR_SUFFIX : STRAY_DIR_SUFFIX);
    return kept;
  }

  get progress(): LoadProgress {
    return this.#progress;
  }

  #setProgress(change: Partial<LoadProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#options.onProgress?.(this.#progress);
  }

  // ---- Logs

  getLog(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#logs.get(topicPartitionKey(topicPartition));
  }

  get allLogs(): IterableIterator<UnifiedLog> {
    return this.#logs.values();
  }

  logsOfTopic(topic: string): UnifiedLog[] {
    return [...this.#logs.values()].filter((log) => log.topicPartition.topic === topic);
  }

  /**
   * The log of a partition, made when there is none, in the folder with the fewest logs.
   *
   * `isNew`: the partition has just been made, so its log can't lie in a folder that is offline.
   * @throws LogStorageError when an offline folder may hold it, or its folder can't be made; InconsistentTopicIdError.
   */
  getOrCreateLog(topicPartition: TopicPartition, options: { topicId?: string | undefined; isNew?: boolean } = {}): UnifiedLog {
    const { topicId, isNew = false } = options;
    const found = this.getLog(topicPartition);
    if (found !== undefined) {
      if (topicId !== undefined) found.assignTopicId(topicId);
      return found;
    }
    const key = topicPartitionKey(topicPartition);
    const offline = [...this.#dirs.values()].filter((dir) => dir.isOffline);
    if (!isNew && offline.length > 0) {
      throw new LogStorageError(
        offline.map((dir) => dir.path).join(','),
        `No log of ${key} is made while ${offline.length} log dirs are offline: it may lie in one of them`,
      );
    }
    const preferred = this.#dirs.get(this.#futures.takePreferred(topicPartition) ?? '');
    const dir = preferred === undefined || preferred.isOffline ? this.#leastUsedDir() : preferred;
    try {
      const log = createLog(this.#context, {
        topicPartition,
        directory: `${dir.path}/${logDirName(topicPartition)}`,
        config: this.#options.topicConfig(topicPartition.topic),
        topicId,
      });
      this.#holdUntilForgotten(log, dir);
      this.#logs.set(key, log);
      return log;
    } catch (error) {
      const message = `Making the log of ${key} in ${dir.path} failed: ${String(error)}`;
      this.#onFailure(dir.path, message, error);
      throw new LogStorageError(dir.path, message, error);
    }
  }

  #holdUntilForgotten(log: UnifiedLog, dir: LogDir): void {
    const forgotten = this.#checkpoints.forgotten(dir, topicPartitionKey(log.topicPartition));
    if (forgotten !== undefined) log.holdFirstWrite(forgotten);
  }

  #leastUsedDir(): LogDir {
    let best: LogDir | undefined;
    let bestCount = Infinity;
    for (const dir of this.#dirs.values()) {
      if (dir.isOffline) continue;
      const count = this.#countIn(dir.path);
      if (count < bestCount) [best, bestCount] = [dir, count];
    }
    if (best === undefined) throw new LogStorageError('', 'No log dir is online');
    return best;
  }

  #countIn(directory: string): number {
    if (this.#dirs.size === 1) return this.#logs.size;
    let count = this.#futures.in(directory).length;
    for (const log of this.#logs.values()) if (log.logDir === directory) count++;
    return count;
  }

  #logsIn(directory: string): UnifiedLog[] {
    // With one folder, as nearly always, nothing is looked at.
    if (this.#dirs.size === 1) return [...this.#logs.values()];
    return [...this.#logs.values()].filter((log) => log.logDir === directory);
  }

  /** With those that are on their way there. A partition has at most one of both in a folder, so checkpoints can name it. */
  #allLogsIn(directory: string): UnifiedLog[] {
    return [...this.#logsIn(directory), ...this.#futures.in(directory)];
  }

  /** Takes a log away: its folder is renamed at once and removed after `file.delete.delay.ms`. Resolves when nothing writes to it. */
  asyncDelete(topicPartition: TopicPartition): Promise<void> {
    return this.#takeAway(topicPartition, DELETE_DIR_SUFFIX);
  }

  /** As `asyncDelete`, for a log that is another topic's of that name: its folder stays, marked as stray, for people to look at. */
  setAsideStray(topicPartition: TopicPartition): Promise<void> {
    return this.#takeAway(topicPartition, STRAY_DIR_SUFFIX);
  }

  async #takeAway(topicPartition: TopicPartition, suffix: typeof DELETE_DIR_SUFFIX | typeof STRAY_DIR_SUFFIX): Promise<void> {
    const key = topicPartitionKey(topicPartition);
    const log = this.#logs.get(key);
    if (log === undefined) return;
    this.#logs.delete(key);
    const dir = this.#dirs.get(log.logDir);
    if (dir?.isOffline === false) this.#cleaner?.onLogDeleted(log);
    await Promise.all([this.#retire(log, suffix), this.#forget(dir, key)]);
  }

  /** What a folder's checkpoints say of a log that has left it must not be believed of one that comes back under its name. */
  async #forget(dir: LogDir | undefined, key: string): Promise<void> {
    if (dir !== undefined && this.#state === 'running') await this.#checkpoints.forget(dir, [key]);
  }

  /** Renames the folder of a log that isn't one of ours any more. Resolves when nothing writes to it. */
  async #retire(log: UnifiedLog, suffix: typeof DELETE_DIR_SUFFIX | typeof STRAY_DIR_SUFFIX): Promise<void> {
    const { topicPartition } = log;
    const key = topicPartitionKey(topicPartition);
    const dir = this.#dirs.get(log.logDir);
    if (dir === undefined || dir.isOffline) return;
    const target = `${dir.path}/${markedDirName(topicPartition, this.#context.random.bytes(16).toString('hex'), suffix)}`;
    await this.#guarded(dir, () => {
      this.#context.disk.rename(log.directory, target);
      if (suffix === STRAY_DIR_SUFFIX) this.#logger.warn(`Log of ${key} is renamed to ${target}: it is not the topic's of this name`);
      else {
        this.#logger.info(`Log of ${key} is renamed to ${target} and will be removed in ${log.config.fileDeleteDelayMs} ms`);
        this.#removeLater(dir, target, log.config.fileDeleteDelayMs);
      }
      return log.abandon(target);
    });
  }

  #removeLater(dir: LogDir, path: string, delayMs: number): void {
    this.#after(Math.min(delayMs, MAX_PERIOD_MS), () => {
      if (dir.isOffline) return;
      this.#context.disk.removeTreeAsync(path).catch((error: unknown) => this.#onFailure(dir.path, `Removing ${path} failed`, error));
    });
  }

  // ---- Moves to another log dir

  /** The log that is to take the place of the partition's. */
  futureLog(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#futures.get(topicPartition);
  }

  /** @param path as in log.dirs; one / more at the end does no harm. */
  logDirState(path: string): { readonly path: string; readonly state: 'online' | 'offline' | 'unknown' } {
    const dir = this.#dirs.get(path.replace(/(.)\/+$/, '$1'));
    if (dir === undefined) return { path, state: 'unknown' };
    return { path: dir.path, state: dir.isOffline ? 'offline' : 'online' };
  }

  /** The partition's log is to be made there, when it is. */
  preferLogDir(topicPartition: TopicPartition, directory: string): void {
    this.#futures.prefer(topicPartition, directory);
  }

  /** @throws LogStorageError when the folder can't be made. */
  createFutureLog(topicPartition: TopicPartition, directory: string): UnifiedLog {
    const name = markedDirName(topicPartition, this.#context.random.bytes(16).toString('hex'), FUTURE_DIR_SUFFIX);
    try {
      const log = createLog(this.#context, {
        topicPartition,
        directory: `${directory}/${name}`,
        config: this.#options.topicConfig(topicPartition.topic),
        topicId: this.getLog(topicPartition)?.topicId,
      });
      const dir = this.#dirs.get(directory);
      if (dir !== undefined) this.#holdUntilForgotten(log, dir);
      this.#futures.add(log);
      return log;
    } catch (error) {
      const message = `Making ${directory}/${name} failed: ${String(error)}`;
      this.#onFailure(directory, message, error);
      throw new LogStorageError(directory, message, error);
    }
  }

  /** The move is given up: the folder is renamed at once and removed later. */
  async deleteFutureLog(topicPartition: TopicPartition): Promise<void> {
    const log = this.#futures.get(topicPartition);
    if (log === undefined) return;
    this.#futures.delete(topicPartition);
    await Promise.all([this.#retire(log, DELETE_DIR_SUFFIX), this.#forget(this.#dirs.get(log.logDir), topicPartitionKey(topicPartition))]);
  }

  /** Until `resume` the partition's log isn't cleaned; undefined when there is no cleaner. */
  pauseCleaningForMove(log: UnifiedLog): CleaningPause | undefined {
    return this.#cleaner?.pauseForMove(log);
  }

  /**
   * The future log takes the place of the partition's, at once, when it holds everything and nothing is under way in either: the log that
   * is the partition's then; undefined when it isn't so, or a disk failed. The old log is refused from then on, its folder removed later.
   */
  replaceCurrentWithFuture(topicPartition: TopicPartition): UnifiedLog | undefined {
    const current = this.getLog(topicPartition);
    const future = this.#futures.get(topicPartition);
    const dir = this.#dirs.get(future?.logDir ?? '');
    if (current === undefined || future === undefined || dir === undefined || !isReadyToReplace(current, future)) return undefined;
    takeOver(current, future);
    const target = `${dir.path}/${logDirName(topicPartition)}`;
    const isDone = this.#guarded(dir, () => {
      this.#context.disk.rename(future.directory, target);
      future.movedTo(target);
      // Before the old one goes: a crash must find at least one of the two under this name.
      this.#context.disk.syncDirectory(dir.path);
      return true;
    });
    if (isDone === undefined) return undefined;
    this.#futures.delete(topicPartition);
    this.#logs.set(topicPartitionKey(topicPartition), future);
    this.#cleaner?.manager.alterCheckpointDir(current, future);
    this.#logger.info(`${topicPartitionKey(topicPartition)} has moved from ${current.logDir} to ${future.logDir}`);
    void this.#retire(current, DELETE_DIR_SUFFIX);
    void this.#forget(this.#dirs.get(current.logDir), topicPartitionKey(topicPartition));
    return future;
  }

  /** A topic's configuration has changed. */
  updateTopicConfig(topic: string, config: LogConfig): void {
    for (const log of this.logsOfTopic(topic)) this.#updateConfig(log, config);
    for (const log of this.#futures.all()) if (log.topicPartition.topic === topic) log.updateConfig(config);
  }

  /** The broker's defaults have changed: every log gets its topic's configuration anew. */
  reconfigureDefaults(): void {
    for (const log of this.#futures.all()) log.updateConfig(this.#options.topicConfig(log.topicPartition.topic));
    for (const log of this.#logs.values()) this.#updateConfig(log, this.#options.topicConfig(log.topicPartition.topic));
  }

  #updateConfig(log: UnifiedLog, config: LogConfig): void {
    const wasCompact = log.config.compact;
    log.updateConfig(config);
    if (wasCompact && !config.compact) void this.#cleaner?.abortCleaning(log.topicPartition);
  }

  // ---- The cleaner

  #startCleaner(): void {
    const { runtime, config } = this.#options;
    if (!config().logCleanerEnable) {
      this.#logger.warn('log.cleaner.enable is false: compacted topics, __consumer_offsets among them, grow without bound');
      return;
    }
    this.#cleaner = new LogCleaner({
      runtime: { ...runtime, logger: this.#logger },
      config,
      logDirs: this.liveLogDirs,
      logs: () => this.#logs.values(),
      onLogDirFailure: (directory, error) => this.handleLogDirFailure(directory, error),
      onCleaned: (log, run) => this.#options.onEvent?.(cleanedEvent(log, run)),
    });
    this.#cleaner.startup();
  }

  #pauseCleaning(log: UnifiedLog): CleaningPause | undefined {
    const cleaner = this.#cleaner;
    // A log that isn't (or is no longer) one of ours is not cleaned.
    if (cleaner === undefined || this.getLog(log.topicPartition) !== log) return undefined;
    return cleaner.pauseForCut(log);
  }

  /** One of the cleaner's settings has changed. */
  reconfigureCleaner(): void {
    this.#cleaner?.reconfigure();
  }

  describeCleaner(): CleanerDescription {
    if (this.#cleaner !== undefined) return this.#cleaner.describe();
    const backoffMs = this.#options.config().logCleanerBackoffMs;
    return { isEnabled: false, threads: 0, deadThreads: 0, lastCheckMs: 0, backoffMs, partitions: [] };
  }

  // ---- Folders

  /** Wall clock of the moment when all logs were open. */
  get openedAtMs(): number {
    return this.#openedAtMs;
  }

  /** Wall clock. */
  get nextRetentionCheckMs(): number {
    return this.#nextRetentionCheckMs;
  }

  /** What the flushes of all logs have cost. */
  flushSummary(nowMs: number): FlushSummary {
    return this.#context.stats.flushSummary(nowMs);
  }

  /** What recovery found when the log was opened; undefined when it had nothing to scan. */
  recoveryOf(topicPartition: TopicPartition): LogRecovered | undefined {
    return this.#recoveries.get(topicPartitionKey(topicPartition));
  }

  get liveLogDirs(): string[] {
    return [...this.#dirs.values()].filter((dir) => !dir.isOffline).map((dir) => dir.path);
  }

  describeLogDirs(): LogDirDescription[] {
    return Array.from(this.#dirs.values(), (dir) => {
      const { path, isOffline } = dir;
      const space = isOffline ? undefined : this.#guarded(dir, () => spaceOf(this.#context.disk, path));
      return {
        path,
        isOffline,
        logs: isOffline ? [] : this.#logsIn(path),
        futureLogs: isOffline ? [] : this.#futures.in(path),
        totalBytes: space?.totalBytes ?? -1,
        usableBytes: space?.usableBytes ?? -1,
      };
    });
  }

  /** The broker epoch of the last clean shutdown, -1 when a folder wasn't left in order (KIP-966). */
  get previousBrokerEpoch(): number {
    const epochs = new Set(Array.from(this.#dirs.values(), (dir) => dir.previousBrokerEpoch));
    const [first] = epochs;
    return epochs.size === 1 && first !== undefined ? first : -1;
  }

  /** Someone else found a folder's disk to fail. */
  handleLogDirFailure(directory: string, error: unknown): void {
    this.#onFailure(directory, `Input or output on ${directory} failed: ${String(error)}`, error);
  }

  #onFailure(directory: string, message: string, error: unknown): void {
    const dir = this.#dirs.get(directory);
    if (dir === undefined || dir.isOffline) return;
    dir.goOffline(message);
    this.#cleaner?.handleLogDirFailure(directory);
    this.#logger.error({ err: error, directory }, `Log dir ${directory} is offline: ${message}`);
    for (const [key, log] of this.#logs) {
      if (log.logDir !== directory) continue;
      log.goOffline(message);
      this.#logs.delete(key);
    }
    for (const log of this.#futures.in(directory)) {
      log.goOffline(message);
      this.#futures.delete(log.topicPartition);
    }
    this.#options.onEvent?.({ kind: 'log-dir-failed', directory, reason: message, liveLogDirs: this.liveLogDirs.length });
    this.#options.onLogDirFailure?.(directory, message);
  }

  /** What `action` returns; undefined when the disk fails it, which takes the folder offline. */
  #guarded<T>(dir: LogDir, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#onFailure(dir.path, String(error), error);
      return undefined;
    }
  }

  // ---- What time asks for

  #startTasks(): void {
    const { config } = this.#options;
    const initialDelayMs = config().logInitialTaskDelayMs;
    this.#nextRetentionCheckMs = this.#context.clock.wallMs() + initialDelayMs;
    this.#repeat(
      () => config().logRetentionCheckIntervalMs,
      initialDelayMs,
      () => {
        this.#nextRetentionCheckMs = this.#context.clock.wallMs() + config().logRetentionCheckIntervalMs;
        this.deleteOldSegments();
      },
    );
    this.#repeat(
      () => config().logFlushSchedulerIntervalMs,
      initialDelayMs,
      () => this.flushDirtyLogs(),
    );
    this.#repeat(
      () => config().logFlushOffsetCheckpointIntervalMs,
      initialDelayMs,
      () => void this.checkpointRecoveryPoints(),
    );
    this.#repeat(
      () => config().logFlushStartOffsetCheckpointIntervalMs,
      initialDelayMs,
      () => void this.checkpointLogStartOffsets(),
    );
    this.#repeat(
      () => config().producerIdExpirationCheckIntervalMs,
      initialDelayMs,
      () => this.#removeExpiredProducers(),
    );
    const flushes = new FlushReport((nowMs) => this.flushSummary(nowMs), this.#context.clock.wallMs());
    this.#repeat(
      () => FLUSH_REPORT_MS,
      FLUSH_REPORT_MS,
      () => {
        const event = flushes.next(this.#context.clock.wallMs());
        if (event !== undefined) this.#options.onEvent?.(event);
      },
    );
    this.#repeat(
      () => INDEX_SWEEP_MS,
      INDEX_SWEEP_MS,
      () => this.#sweep(),
    );
  }

  #repeat(periodMs: () => number, firstMs: number, task: () => void): void {
    const again = (delayMs: number): void => {
      this.#after(Math.min(delayMs, MAX_PERIOD_MS), () => {
        task();
        again(periodMs());
      });
    };
    again(firstMs);
  }

  #after(delayMs: number, task: () => void): void {
    const timer = this.#context.scheduler.after(delayMs, () => {
      this.#timers.delete(timer);
      if (this.#state !== 'closed') task();
    });
    this.#timers.add(timer);
  }

  /** Deletes what retention and the log start offsets let go, of logs that the cleaner doesn't look after. Returns the count of segments. */
  deleteOldSegments(): number {
    let count = 0;
    for (const log of this.#logs.values()) {
      const isCleaners = this.#cleaner !== undefined && (log.config.compact || this.#cleaner.isInProgress(log));
      if (!isCleaners) count += log.deleteOldSegments();
    }
    return count;
  }

  /** Flushes the logs whose `flush.ms` has passed since the last time. */
  flushDirtyLogs(): void {
    const nowMs = this.#context.clock.wallMs();
    for (const log of this.#logs.values()) {
      if (log.unflushedMessages > 0 && nowMs - log.lastFlushMs >= log.config.flushMs) void log.flush('flush.ms');
    }
  }

  checkpointRecoveryPoints(): Promise<void> {
    return this.#checkpoints.writeRecoveryPoints();
  }

  /** Only of logs whose start lies inside their first segment; of others the file names tell. */
  checkpointLogStartOffsets(): Promise<void> {
    return this.#checkpoints.writeLogStartOffsets();
  }

  #removeExpiredProducers(): void {
    const nowMs = this.#context.clock.wallMs();
    for (const log of this.#logs.values()) if (log.activeProducers.size > 0) log.removeExpiredProducers(nowMs);
  }

  /** What was read from a log has been sent: its memory may be used for the next read. */
  releaseRecords(records: readonly Buffer[]): void {
    this.#context.readBuffers.giveBack(records);
  }

  /** Index entries go to their files for whoever looks at them from outside; memory that isn't in use any more is dropped. */
  #sweep(): void {
    for (const log of this.#logs.values()) if (log.unflushedMessages > 0) log.persistIndexes();
    const idleSinceMs = this.#context.clock.wallMs() - TAIL_EXPIRY_MS;
    this.#context.tail.expire(idleSinceMs);
    this.#context.readBuffers.expire(idleSinceMs);
    this.#context.tailBuffers.expire(idleSinceMs);
  }

  // ---- End

  /** Closes every log, writes the checkpoints and marks each folder as cleanly left. */
  async shutdown(options: { brokerEpoch?: number } = {}): Promise<void> {
    if (this.#state === 'closed') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'closed';
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    await this.#cleaner?.shutdown();
    await this.#checkpoints.settled();
    for (const dir of this.#dirs.values()) {
      if (dir.isOffline || !wasRunning) continue;
      const logs = this.#allLogsIn(dir.path);
      await forEachConcurrently(logs, CLOSE_CONCURRENCY, (log) => log.close());
      if (dir.isOffline) continue;
      this.#guarded(dir, () => {
        this.#checkpoints.writeNow(dir);
        dir.markCleanShutdown(options.brokerEpoch ?? -1);
      });
    }
    this.#logs.clear();
    this.#futures.clear();
    await this.#unlockAll();
  }

  async #unlockAll(): Promise<void> {
    for (const dir of this.#dirs.values()) await dir.unlock();
  }
}

function spaceOf(disk: Disk, path: string): { totalBytes: number; usableBytes: number } {
  return { totalBytes: disk.totalBytes(path), usableBytes: disk.freeBytes(path) };
}

/** Runs `task` on each item, `concurrency` at a time. */
async function forEachConcurrently<T>(items: readonly T[], concurrency: number, task: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await task(next.value);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
