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
import { DELETE_DIR_SUFFIX, logDirName, STRAY_DIR_SUFFIX } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { CleanerDescription } from './cleaner/cleaner-description.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
import { forEachConcurrently } from './for-each-concurrently.ts';
import { cleanedEvent } from './log-activity.ts';
import { LogCheckpoints } from './log-checkpoints.ts';
import { createLogContext } from './log-context.ts';
import type { CleaningPause, LogContext } from './log-context.ts';
import type { LogDir } from './log-dir.ts';
import { LogDirMoves } from './log-dir-moves.ts';
import { LogDirRefusedError, LogStorageError } from './log-errors.ts';
import type { LogEvent, LogRecovered } from './log-events.ts';
import { LogHousekeeping } from './log-housekeeping.ts';
import { createLog } from './create-log.ts';
import type { LoadProgress, LogDirDescription, LogManagerOptions } from './log-manager-options.ts';
import { LogRemoval } from './log-removal.ts';
import type { RemovedDirSuffix } from './log-removal.ts';
import { LogTable } from './log-table.ts';
import { LogsLoader } from './logs-loader.ts';
import { takeLogDirs } from './take-log-dirs.ts';
import type { UnifiedLog } from './unified-log.ts';

export type * from './log-manager-options.ts';

const CLOSE_CONCURRENCY = 16;

export class LogManager {
  readonly #options: LogManagerOptions;
  readonly #context: LogContext;
  readonly #logger: Logger;
  readonly #table: LogTable;
  readonly #checkpoints: LogCheckpoints;
  readonly #housekeeping: LogHousekeeping;
  readonly #removal: LogRemoval;
  readonly #loader: LogsLoader;
  readonly #moves: LogDirMoves;
  #cleaner: LogCleaner | undefined;
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: LogManagerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'LogManager' });
    this.#table = new LogTable({
      onDirFailing: (directory, message, error) => {
        this.#cleaner?.handleLogDirFailure(directory);
        this.#logger.error({ err: error, directory }, `Log dir ${directory} is offline: ${message}`);
      },
      onDirFailed: (directory, reason) => {
        options.onEvent?.({ kind: 'log-dir-failed', directory, reason, liveLogDirs: this.liveLogDirs.length });
        options.onLogDirFailure?.(directory, reason);
      },
    });
    this.#checkpoints = new LogCheckpoints({
      dirs: () => this.#table.dirs.values(),
      logsIn: (directory) => this.#table.allLogsIn(directory),
      cleanerSettled: (directory) => this.#cleaner?.manager.checkpointSettled(directory),
      onFailure: (directory, message, error) => this.#table.fail(directory, message, error),
    });
    this.#context = createLogContext(
      { ...options.runtime, logger: this.#logger },
      {
        onFailure: (directory, message, error) => this.#table.fail(directory, message, error),
        onEvent: (event) => options.onEvent?.(event),
        onRecoveryPointLowered: ({ logDir }) => this.#checkpoints.writeIn(logDir),
        producerIdExpirationMs: () => options.config().producerIdExpirationMs,
        beforeSegmentsGo: (log) => {
          const dir = this.#table.dirs.get(log.logDir);
          return dir === undefined ? undefined : this.#checkpoints.startWritten(dir, log);
        },
        pauseCleaning: (log) => this.#pauseCleaning(log),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      },
    );
    const [context, table, checkpoints] = [this.#context, this.#table, this.#checkpoints];
    const cleaner = (): LogCleaner | undefined => this.#cleaner;
    const onEvent = (event: LogEvent): void => options.onEvent?.(event);
    this.#housekeeping = new LogHousekeeping({ context, config: options.config, table, checkpoints, cleaner, onEvent });
    this.#removal = new LogRemoval({ context, table, after: (delayMs, task) => this.#housekeeping.after(delayMs, task) });
    this.#loader = new LogsLoader({ context, options, table, removal: this.#removal });
    this.#moves = new LogDirMoves({
      context,
      table,
      removal: this.#removal,
      topicConfig: options.topicConfig,
      cleaner,
      holdUntilForgotten: (log, dir) => this.#holdUntilForgotten(log, dir),
      forget: (dir, key) => this.#forget(dir, key),
    });
  }

  // ---- Start

  /**
   * Takes the log dirs and opens every log in them. A folder that can't be read goes offline.
   *
   * @throws LogDirRefusedError when a folder is another broker's or in use, or when none is left.
   */
  async startup(): Promise<void> {
    await takeLogDirs(this.#table, this.#options, this.#logger);
    await this.#loader.load();
    if (this.liveLogDirs.length === 0) {
      await this.#table.unlockAll();
      const { logDirs } = this.#options.config();
      const reasons = Array.from(this.#table.dirs.values(), ({ path, failure }) => failure ?? path);
      throw new LogDirRefusedError(logDirs.join(','), `No log dir of ${logDirs.join(', ')} can be used: ${reasons.join('; ')}`);
    }
    this.#state = 'running';
    this.#housekeeping.start();
    this.#startCleaner();
    for (const [dir, keys] of this.#loader.strangers) void this.#checkpoints.forget(dir, keys);
  }

  get progress(): LoadProgress {
    return this.#loader.progress;
  }

  // ---- Logs

  getLog(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#table.get(topicPartition);
  }

  get allLogs(): IterableIterator<UnifiedLog> {
    return this.#table.logs.values();
  }

  logsOfTopic(topic: string): UnifiedLog[] {
    return [...this.#table.logs.values()].filter((log) => log.topicPartition.topic === topic);
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
    const offline = [...this.#table.dirs.values()].filter((dir) => dir.isOffline);
    if (!isNew && offline.length > 0) {
      throw new LogStorageError(
        offline.map((dir) => dir.path).join(','),
        `No log of ${key} is made while ${offline.length} log dirs are offline: it may lie in one of them`,
      );
    }
    const preferred = this.#table.dirs.get(this.#table.futures.takePreferred(topicPartition) ?? '');
    const dir = preferred === undefined || preferred.isOffline ? this.#table.leastUsedDir() : preferred;
    try {
      const log = createLog(this.#context, {
        topicPartition,
        directory: `${dir.path}/${logDirName(topicPartition)}`,
        config: this.#options.topicConfig(topicPartition.topic),
        topicId,
      });
      this.#holdUntilForgotten(log, dir);
      this.#table.logs.set(key, log);
      this.#options.onNewLog?.(topicPartition);
      return log;
    } catch (error) {
      const message = `Making the log of ${key} in ${dir.path} failed: ${String(error)}`;
      this.#table.fail(dir.path, message, error);
      throw new LogStorageError(dir.path, message, error);
    }
  }

  #holdUntilForgotten(log: UnifiedLog, dir: LogDir): void {
    const forgotten = this.#checkpoints.forgotten(dir, topicPartitionKey(log.topicPartition));
    if (forgotten !== undefined) log.holdFirstWrite(forgotten);
  }

  /** Takes a log away: its folder is renamed at once and removed after `file.delete.delay.ms`. Resolves when nothing writes to it. */
  asyncDelete(topicPartition: TopicPartition): Promise<void> {
    return this.#takeAway(topicPartition, DELETE_DIR_SUFFIX);
  }

  /** As `asyncDelete`, for a log that is another topic's of that name: its folder stays, marked as stray, for people to look at. */
  setAsideStray(topicPartition: TopicPartition): Promise<void> {
    return this.#takeAway(topicPartition, STRAY_DIR_SUFFIX);
  }

  async #takeAway(topicPartition: TopicPartition, suffix: RemovedDirSuffix): Promise<void> {
    const key = topicPartitionKey(topicPartition);
    const log = this.#table.logs.get(key);
    if (log === undefined) return;
    this.#table.logs.delete(key);
    const dir = this.#table.dirs.get(log.logDir);
    if (dir?.isOffline === false) this.#cleaner?.onLogDeleted(log);
    await Promise.all([this.#removal.retire(log, suffix), this.#forget(dir, key)]);
  }

  /** What a folder's checkpoints say of a log that has left it must not be believed of one that comes back under its name. */
  async #forget(dir: LogDir | undefined, key: string): Promise<void> {
    if (dir !== undefined && this.#state === 'running') await this.#checkpoints.forget(dir, [key]);
  }

  // ---- Moves to another log dir

  /** The log that is to take the place of the partition's. */
  futureLog(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#table.futures.get(topicPartition);
  }

  /** @param path as in log.dirs; one / more at the end does no harm. */
  logDirState(path: string): { readonly path: string; readonly state: 'online' | 'offline' | 'unknown' } {
    const dir = this.#table.dirs.get(path.replace(/(.)\/+$/, '$1'));
    if (dir === undefined) return { path, state: 'unknown' };
    return { path: dir.path, state: dir.isOffline ? 'offline' : 'online' };
  }

  /** The partition's log is to be made there, when it is. */
  preferLogDir(topicPartition: TopicPartition, directory: string): void {
    this.#table.futures.prefer(topicPartition, directory);
  }

  /** @throws LogStorageError when the folder can't be made. */
  createFutureLog(topicPartition: TopicPartition, directory: string): UnifiedLog {
    return this.#moves.create(topicPartition, directory);
  }

  /** The move is given up: the folder is renamed at once and removed later. */
  deleteFutureLog(topicPartition: TopicPartition): Promise<void> {
    return this.#moves.delete(topicPartition);
  }

  /** Until `resume` the partition's log isn't cleaned; undefined when there is no cleaner. */
  pauseCleaningForMove(log: UnifiedLog): CleaningPause | undefined {
    return this.#cleaner?.pauseForMove(log);
  }

  /** The future log takes the place of the partition's, if it can: the log that is the partition's then; undefined when it can't. */
  replaceCurrentWithFuture(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#moves.replaceCurrent(topicPartition);
  }

  /** A topic's configuration has changed. */
  updateTopicConfig(topic: string, config: LogConfig): void {
    for (const log of this.logsOfTopic(topic)) this.#updateConfig(log, config);
    for (const log of this.#table.futures.all()) if (log.topicPartition.topic === topic) log.updateConfig(config);
  }

  /** The broker's defaults have changed: every log gets its topic's configuration anew. */
  reconfigureDefaults(): void {
    for (const log of this.#table.futures.all()) log.updateConfig(this.#options.topicConfig(log.topicPartition.topic));
    for (const log of this.#table.logs.values()) this.#updateConfig(log, this.#options.topicConfig(log.topicPartition.topic));
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
      logs: () => this.#table.logs.values(),
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
    return this.#loader.openedAtMs;
  }

  /** Wall clock. */
  get nextRetentionCheckMs(): number {
    return this.#housekeeping.nextRetentionCheckMs;
  }

  /** What the flushes of all logs have cost. */
  flushSummary(nowMs: number): FlushSummary {
    return this.#context.stats.flushSummary(nowMs);
  }

  /** What recovery found when the log was opened; undefined when it had nothing to scan. */
  recoveryOf(topicPartition: TopicPartition): LogRecovered | undefined {
    return this.#loader.recoveryOf(topicPartition);
  }

  get liveLogDirs(): string[] {
    return this.#table.liveLogDirs;
  }

  describeLogDirs(): LogDirDescription[] {
    return this.#table.describe(this.#context.disk);
  }

  /** The broker epoch of the last clean shutdown, -1 when a folder wasn't left in order (KIP-966). */
  get previousBrokerEpoch(): number {
    return this.#table.previousBrokerEpoch;
  }

  /** Someone else found a folder's disk to fail. */
  handleLogDirFailure(directory: string, error: unknown): void {
    this.#table.fail(directory, `Input or output on ${directory} failed: ${String(error)}`, error);
  }

  // ---- What time asks for

  /** Deletes what retention and the log start offsets let go, of logs that the cleaner doesn't look after. Returns the count of segments. */
  deleteOldSegments(): number {
    return this.#housekeeping.deleteOldSegments();
  }

  /** Flushes the logs whose `flush.ms` has passed since the last time. */
  flushDirtyLogs(): void {
    this.#housekeeping.flushDirtyLogs();
  }

  checkpointRecoveryPoints(): Promise<void> {
    return this.#checkpoints.writeRecoveryPoints();
  }

  /** Only of logs whose start lies inside their first segment; of others the file names tell. */
  checkpointLogStartOffsets(): Promise<void> {
    return this.#checkpoints.writeLogStartOffsets();
  }

  /** What was read from a log has been sent: its memory may be used for the next read. */
  releaseRecords(records: readonly Buffer[]): void {
    this.#context.readBuffers.giveBack(records);
  }

  // ---- End

  /** Closes every log, writes the checkpoints and marks each folder as cleanly left. */
  async shutdown(options: { brokerEpoch?: number } = {}): Promise<void> {
    if (this.#state === 'closed') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'closed';
    this.#housekeeping.stop();
    await this.#cleaner?.shutdown();
    await this.#checkpoints.settled();
    for (const dir of this.#table.dirs.values()) {
      if (dir.isOffline || !wasRunning) continue;
      const logs = this.#table.allLogsIn(dir.path);
      await forEachConcurrently(logs, CLOSE_CONCURRENCY, (log) => log.close());
      if (dir.isOffline) continue;
      this.#table.guarded(dir, () => {
        this.#checkpoints.writeNow(dir);
        dir.markCleanShutdown(options.brokerEpoch ?? -1);
      });
    }
    this.#table.logs.clear();
    this.#table.futures.clear();
    await this.#table.unlockAll();
  }
}
