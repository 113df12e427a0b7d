/**
 * Removes from compacted logs the records that newer ones of their keys have replaced.
 *
 * A log is a clean section, which has been cleaned before, and a dirty one. `log.cleaner.threads` threads each take the log whose dirty share is
 * largest, clean it (Cleaner), and look for the next; with none worth it they rest `log.cleaner.backoff.ms`. Logs with compact,delete lose what
 * retention lets go here too, so that no segment is deleted while it is being copied.
 *
 * A thread is a loop on the event loop whose reading and writing workers do. The number of threads and all limits may change at any time.
 * Metrics are Kafka's. Source: Kafka's LogCleaner.
 */
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import { topicPartitionKey } from '../../../protocol/topic-partition.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { Cancellable } from '../../../runtime/scheduler.ts';
import { ConfigException } from '../../config/config-def.ts';
import type { KafkaConfig } from '../../config/kafka-config.ts';
import type { CleaningPause } from '../log-context.ts';
import type { UnifiedLog } from '../unified-log.ts';
import { cleanableRatio, compactionDueMs, logToClean } from './cleanable-offsets.ts';
import type { LogToClean } from './cleanable-offsets.ts';
import type { CleanerDescription, CleaningStateName, PartitionCleaning } from './cleaner-description.ts';
import type { CleaningRun } from './cleaner-stats.ts';
import { Cleaner, isDiskFailure } from './cleaner.ts';
import type { CleanerLimits } from './cleaner.ts';
import { registerCleanerMetrics } from './cleaner-metrics.ts';
import { LogCleanerManager, isWorthCleaning } from './log-cleaner-manager.ts';
import { LogCleaningAbortedError } from './log-cleaning-error.ts';
import { Throttler } from './throttler.ts';

export type LogCleanerConfig = Pick<
  KafkaConfig,
  | 'logCleanerThreads'
  | 'logCleanerDedupeBufferSize'
  | 'logCleanerIoBufferSize'
  | 'logCleanerIoBufferLoadFactor'
  | 'logCleanerIoMaxBytesPerSecond'
  | 'logCleanerBackoffMs'
>;

/** Those of the keys above that may change while the broker runs: all. */
export const cleanerReconfigurableConfigs: readonly string[] = [
  'log.cleaner.threads',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.backoff.ms',
];

/** @throws ConfigException: at least one thread must be left. */
export function validateCleanerReconfiguration({ logCleanerThreads }: Pick<KafkaConfig, 'logCleanerThreads'>): void {
  if (logCleanerThreads < 1)
    throw new ConfigException('log.cleaner.threads', String(logCleanerThreads), 'Log cleaner threads should be at least 1');
}

export interface LogCleanerOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'clock' | 'scheduler' | 'random' | 'logger' | 'metrics' | 'offload'>;
  /** Asked each time. */
  readonly config: () => LogCleanerConfig;
  readonly logDirs: readonly string[];
  readonly logs: () => Iterable<UnifiedLog>;
  readonly onLogDirFailure: (directory: string, error: unknown) => void;
  /** A log was cleaned. */
  readonly onCleaned?: (log: UnifiedLog, run: CleaningRun) => void;
}

export class LogCleaner {
  readonly manager: LogCleanerManager;
  readonly #options: LogCleanerOptions;
  readonly #logger: Logger;
  readonly #threads: CleanerThread[] = [];
  readonly #throttler: Throttler;
  readonly #lastRuns = new WeakMap<UnifiedLog, CleaningRun>();
  #state: 'new' | 'running' | 'closed' = 'new';
  #removeMetrics: () => void = () => {};

  constructor(options: LogCleanerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'LogCleaner' });
    this.manager = new LogCleanerManager({ ...options, logger: this.#logger });
    this.#throttler = new Throttler(options.runtime, () => options.config().logCleanerIoMaxBytesPerSecond);
  }

  startup(): void {
    this.manager.load();
    this.#state = 'running';
    this.#removeMetrics = registerCleanerMetrics(this.#options, this.manager, () => this.#threads);
    this.reconfigure();
  }

  /** The configuration has changed: the number of threads is brought in line, and those that rest look again. */
  reconfigure(): void {
    if (this.#state !== 'running') return;
    const wanted = this.#options.config().logCleanerThreads;
    while (this.#threads.length > wanted) void this.#threads.pop()?.stop();
    for (const thread of this.#threads) thread.wake();
    while (this.#threads.length < wanted) this.#threads.push(this.#startThread(this.#threads.length));
  }

  /** Aborts what is under way; resolves when nothing touches a log any more. */
  async shutdown(): Promise<void> {
    this.#state = 'closed';
    await Promise.all(this.#threads.map((thread) => thread.stop()));
    await this.manager.settled();
    this.#removeMetrics();
  }

  #startThread(id: number): CleanerThread {
    return new CleanerThread({
      id,
      options: this.#options,
      logger: this.#logger,
      manager: this.manager,
      throttler: this.#throttler,
      onCleaned: (log, run) => {
        this.#lastRuns.set(log, run);
        this.#options.onCleaned?.(log, run);
      },
    });
  }

  // ---- What others ask for

  isInProgress(log: UnifiedLog): boolean {
    const kind = this.manager.stateOf(log)?.kind;
    return kind === 'in-progress' || kind === 'aborted';
  }

  /** The log is about to lose closed segments at its end: it isn't cleaned meanwhile, and afterwards is clean no further than it reaches. */
  pauseForCut(log: UnifiedLog): CleaningPause {
    const wasInProgress = this.isInProgress(log);
    const paused = this.manager.abortAndPauseCleaning(log.topicPartition);
    return {
      settled: wasInProgress ? paused : undefined,
      resume: () => {
        const active = log.segments.at(-1);
        if (!log.isOffline && active !== undefined) this.manager.maybeTruncateCheckpoint(log, active.baseOffset);
        this.manager.resumeCleaning(log.topicPartition);
      },
    };
  }

  /** The log is being copied to another log dir: it isn't cleaned meanwhile. */
  pauseForMove(log: UnifiedLog): CleaningPause {
    const wasInProgress = this.isInProgress(log);
    const paused = this.manager.abortAndPauseCleaning(log.topicPartition);
    return { settled: wasInProgress ? paused : undefined, resume: () => this.manager.resumeCleaning(log.topicPartition) };
  }

  abortCleaning(topicPartition: TopicPartition): Promise<void> {
    return this.manager.abortCleaning(topicPartition);
  }

  /** The log is about to be deleted: what is under way is aborted, not waited for, and its checkpoint goes. */
  onLogDeleted(log: UnifiedLog): void {
    void this.manager.abortCleaning(log.topicPartition);
    this.manager.removeCheckpoint(log);
  }

  handleLogDirFailure(directory: string): void {
    this.manager.handleLogDirFailure(directory);
  }

  describe(): CleanerDescription {
    return {
      isEnabled: true,
      threads: this.#threads.filter((thread) => !thread.isDead).length,
      deadThreads: this.#threads.filter((thread) => thread.isDead).length,
      lastCheckMs: this.manager.lastRunMs,
      backoffMs: this.#options.config().logCleanerBackoffMs,
      partitions: Array.from(this.#options.logs())
        .filter((log) => log.config.compact && !log.isOffline)
        .map((log) => this.describePartition(log)),
    };
  }

  describePartition(log: UnifiedLog): PartitionCleaning {
    const nowMs = this.#options.runtime.clock.wallMs();
    const offsets = this.manager.cleanableOffsets(log, nowMs);
    const dueMs = compactionDueMs(log, offsets.firstDirtyOffset);
    const toClean = logToClean(log, offsets, dueMs === undefined ? 0 : Math.max(0, nowMs - dueMs));
    const uncleanableReason = this.manager.uncleanableReason(log);
    return {
      ...log.topicPartition,
      logDir: log.logDir,
      state: this.#stateName(log, uncleanableReason),
      uncleanableReason,
      firstDirtyOffset: toClean.firstDirtyOffset,
      firstUncleanableOffset: toClean.firstUncleanableOffset,
      boundBy: offsets.boundBy,
      logStartOffset: log.logStartOffset,
      logEndOffset: log.logEndOffset,
      cleanBytes: toClean.cleanBytes,
      cleanableBytes: toClean.cleanableBytes,
      uncleanableBytes: toClean.uncleanableBytes,
      dirtyRatio: cleanableRatio(toClean),
      minCleanableDirtyRatio: log.config.minCleanableDirtyRatio,
      segments: log.segments.length,
      isDue: uncleanableReason === undefined && isWorthCleaning(toClean),
      dueMs,
      lastRun: this.#lastRuns.get(log),
    };
  }

  #stateName(log: UnifiedLog, uncleanableReason: string | undefined): CleaningStateName {
    return this.manager.stateOf(log)?.kind ?? (uncleanableReason === undefined ? 'idle' : 'uncleanable');
  }
}

interface CleanerThreadOptions {
  readonly id: number;
  readonly options: LogCleanerOptions;
  readonly logger: Logger;
  readonly manager: LogCleanerManager;
  readonly throttler: Throttler;
  readonly onCleaned: (log: UnifiedLog, run: CleaningRun) => void;
}

/** One loop that cleans a log after another. */
export class CleanerThread {
  readonly #parts: CleanerThreadOptions;
  readonly #cleaner: Cleaner;
  readonly #ended: Promise<void>;
  #isStopping = false;
  #isDead = false;
  #lastRun: CleaningRun | undefined;
  #resting: { readonly timer: Cancellable; readonly wake: () => void } | undefined;

  constructor(parts: CleanerThreadOptions) {
    this.#parts = parts;
    const { options, logger, throttler, manager } = parts;
    this.#cleaner = new Cleaner({
      runtime: options.runtime,
      logger,
      throttler,
      limits: () => limitsOf(options.config()),
      checkDone: (log) => {
        if (this.#isStopping || manager.isAborted(log)) throw new LogCleaningAbortedError(`the cleaning of ${log.directory} was aborted`);
      },
    });
    this.#ended = this.#loop().catch((error: unknown) => {
      this.#isDead = true;
      logger.error({ err: error }, `Cleaner thread ${parts.id} has ended by an error`);
    });
  }

  /** An error of our own has ended it. */
  get isDead(): boolean {
    return this.#isDead;
  }
  get lastRun(): CleaningRun | undefined {
    return this.#lastRun;
  }

  /** Ends what it does, at the next slice; resolves when it has. */
  stop(): Promise<void> {
    this.#isStopping = true;
    this.wake();
    return this.#ended;
  }

  /** Ends its rest. */
  wake(): void {
    this.#resting?.timer.cancel();
    this.#resting?.wake();
  }

  async #loop(): Promise<void> {
    const { options, manager } = this.#parts;
    while (!this.#isStopping) {
      const cleaned = await this.#cleanFilthiestLog();
      await this.#deleteOldSegments();
      manager.maintainUncleanablePartitions();
      if (!cleaned && !this.#isStopping) await this.#rest(options.config().logCleanerBackoffMs);
    }
  }

  #rest(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#resting = undefined;
        resolve();
      };
      this.#resting = { timer: this.#parts.options.runtime.scheduler.after(Math.min(durationMs, 0x7fff_ffff), wake), wake };
    });
  }

  /** Whether a log was cleaned or set aside: there may be another to clean. */
  async #cleanFilthiestLog(): Promise<boolean> {
    const toClean = await this.#parts.manager.grabFilthiestCompactedLog();
    if (toClean === undefined) return false;
    const { log } = toClean;
    let endOffset: number | undefined;
    try {
      const run = await this.#cleaner.clean(toClean);
      endOffset = run.nextDirtyOffset;
      this.#lastRun = run;
      this.#parts.onCleaned(log, run);
      this.#report(toClean, run);
    } catch (error) {
      this.#onError(log, error);
    } finally {
      this.#parts.manager.doneCleaning(log, endOffset);
    }
    return endOffset !== undefined || this.#parts.manager.isUncleanable(log);
  }

  #onError(log: UnifiedLog, error: unknown): void {
    const { manager, options, logger } = this.#parts;
    // What is said of a log that goes or is gone means nothing.
    if (error instanceof LogCleaningAbortedError || log.isOffline || manager.isAborted(log)) return;
    const message = error instanceof Error ? error.message : String(error);
    if (isDiskFailure(error)) {
      options.onLogDirFailure(log.logDir, error);
      return;
    }
    logger.warn(
      { err: error, ...log.topicPartition },
      `${topicPartitionKey(log.topicPartition)} can't be compacted and is set aside: ${message}`,
    );
    manager.markPartitionUncleanable(log, message);
  }

  async #deleteOldSegments(): Promise<void> {
    const { manager } = this.#parts;
    for await (const log of manager.compactedLogs()) {
      if (this.#isStopping || !manager.mayDeleteSegments(log)) continue;
      log.deleteOldSegments();
      if (log.segmentsGoing !== undefined) await manager.whileInProgress(log, log.segmentsGoing);
    }
  }

  #report({ log, firstDirtyOffset }: LogToClean, run: CleaningRun): void {
    const { bytesRead, bytesWritten, recordsRead, recordsWritten, nextDirtyOffset } = run;
    const name = topicPartitionKey(log.topicPartition);
    this.#parts.logger.info(
      { ...log.topicPartition, ...run },
      `Compacted ${name}, dirty from offset ${firstDirtyOffset} to ${nextDirtyOffset}: ${recordsRead} records (${bytesRead} bytes) became ${recordsWritten} (${bytesWritten}) in ${Math.round(run.durationMs)} ms`,
    );
    if (run.invalidRecords > 0) this.#parts.logger.warn(`${run.invalidRecords} records of ${name} had no key and were dropped`);
  }
}

function limitsOf(config: LogCleanerConfig): CleanerLimits {
  const threads = Math.max(1, config.logCleanerThreads);
  return {
    dedupeBufferBytes: Math.floor(config.logCleanerDedupeBufferSize / threads),
    loadFactor: Math.min(1, Math.max(0.01, config.logCleanerIoBufferLoadFactor)),
    ioBufferBytes: Math.floor(config.logCleanerIoBufferSize / threads / 2),
  };
}
