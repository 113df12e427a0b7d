/**
 * Which log is cleaned next, what state each partition's cleaning is in, and how far each log is clean.
 *
 *   nothing ──grab──► in-progress ──done──► nothing          paused(n) ──resume──► paused(n - 1) … nothing
 *                         │abort-and-pause       ▲ abort-and-pause of what isn't in progress (n + 1)
 *                         ▼                      │
 *                      aborted ──its work ends──► paused(number of those who wait)
 *
 * How far a log is clean is kept in memory and written to its folder's `cleaner-offset-checkpoint` after each change: lost, it costs a cleaning again.
 * A partition whose log can't be cleaned is set aside with the reason, until it is deleted, cut back, or the broker starts again.
 * Source: Kafka's LogCleanerManager.
 */
import { CLEANER_OFFSET_CHECKPOINT } from '../../../log-format/file-names.ts';
import { topicPartitionKey } from '../../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { sleep } from '../../../runtime/scheduler.ts';
import { OffsetCheckpointFile } from '../offset-checkpoint-file.ts';
import type { UnifiedLog } from '../unified-log.ts';
import { cleanableOffsets, cleanableRatio, logToClean, maxCompactionDelayMs } from './cleanable-offsets.ts';
import type { LogToClean, OffsetsToClean } from './cleanable-offsets.ts';

export type CleaningState =
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'aborted'; readonly waiting: number }
  | { readonly kind: 'paused'; readonly count: number };

export interface CleanerManagerOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'clock' | 'scheduler'>;
  readonly logger: Logger;
  readonly logDirs: readonly string[];
  readonly logs: () => Iterable<UnifiedLog>;
  readonly onLogDirFailure: (directory: string, error: unknown) => void;
}

/** What grabbing found, for the metrics. */
export interface PreCleanStats {
  readonly maxCompactionDelayMs: number;
  readonly delayedPartitions: number;
  readonly cleanablePartitions: number;
}

/** One takes 1 to 3 µs. */
const LOGS_PER_TURN = 500;

interface DirState {
  readonly file: OffsetCheckpointFile;
  readonly offsets: Map<string, { readonly topicPartition: TopicPartition; readonly offset: number }>;
}

export class LogCleanerManager {
  readonly #options: CleanerManagerOptions;
  readonly #dirs = new Map<string, DirState>();
  readonly #states = new Map<string, CleaningState>();
  readonly #waiters = new Map<string, (() => void)[]>();
  readonly #uncleanable = new Map<string, { readonly log: UnifiedLog; readonly reason: string }>();
  #dirtiestRatio = 0;
  #lastRunMs: number;
  #preClean: PreCleanStats = { maxCompactionDelayMs: 0, delayedPartitions: 0, cleanablePartitions: 0 };

  constructor(options: CleanerManagerOptions) {
    this.#options = options;
    this.#lastRunMs = options.runtime.clock.wallMs();
    for (const directory of options.logDirs) {
      const file = new OffsetCheckpointFile(options.runtime.disk, directory, CLEANER_OFFSET_CHECKPOINT, options.logger);
      this.#dirs.set(directory, { file, offsets: new Map() });
    }
  }

  /** Reads the checkpoints. A folder whose file can't be read has failed. */
  load(): void {
    const logs = new Map(Array.from(this.#options.logs(), (log) => [topicPartitionKey(log.topicPartition), log]));
    for (const [directory, { file, offsets }] of this.#dirs) {
      try {
        const named = file.read();
        for (const [key, offset] of named) {
          const log = logs.get(key);
          if (log !== undefined && log.logDir === directory) offsets.set(key, { topicPartition: log.topicPartition, offset });
        }
        // Those of logs that are gone must not be believed of logs made under their names.
        if (offsets.size < named.size) this.#write(directory);
      } catch (error) {
        this.#options.onLogDirFailure(directory, error);
      }
    }
  }

  // ---- Choosing

  /**
   * The log most worth cleaning, in progress from now on; undefined when none is worth it. Lets other work in on the way over many logs.
   */
  async grabFilthiestCompactedLog(): Promise<LogToClean | undefined> {
    const nowMs = this.#options.runtime.clock.wallMs();
    this.#lastRunMs = nowMs;
    let filthiest: LogToClean | undefined;
    let dirtiestRatio = 0;
    let maxDelayMs = 0;
    let delayedPartitions = 0;
    let cleanablePartitions = 0;
    for await (const log of this.compactedLogs()) {
      const toClean = this.#isFree(log) ? this.#assess(log, nowMs) : undefined;
      if (toClean === undefined) continue;
      const ratio = cleanableRatio(toClean);
      if (toClean.compactionDelayMs > 0) delayedPartitions++;
      maxDelayMs = Math.max(maxDelayMs, toClean.compactionDelayMs);
      dirtiestRatio = Math.max(dirtiestRatio, ratio);
      if (!isWorthCleaning(toClean)) continue;
      cleanablePartitions++;
      if (filthiest === undefined || ratio > cleanableRatio(filthiest)) filthiest = toClean;
    }
    this.#dirtiestRatio = dirtiestRatio;
    this.#preClean = { maxCompactionDelayMs: maxDelayMs, delayedPartitions, cleanablePartitions };
    return filthiest === undefined ? undefined : this.#claim(filthiest.log, nowMs);
  }

  /** It may have changed, or another thread may have taken it, since it was looked at. */
  #claim(log: UnifiedLog, nowMs: number): Promise<LogToClean | undefined> | LogToClean {
    const toClean = this.#isFree(log) ? this.#assess(log, nowMs) : undefined;
    if (toClean === undefined || !isWorthCleaning(toClean)) return this.grabFilthiestCompactedLog();
    this.#states.set(keyOf(log), { kind: 'in-progress' });
    return toClean;
  }

  /** Nothing is being done with the log's files, and nothing forbids it. */
  #isFree(log: UnifiedLog): boolean {
    return log.config.compact && !log.isOffline && !this.#states.has(keyOf(log)) && !this.isUncleanable(log);
  }

  /** All logs with compact, some hundred in each turn of the event loop: a broker may have thousands. */
  async *compactedLogs(): AsyncGenerator<UnifiedLog, void, undefined> {
    let inTurn = 0;
    for (const log of this.#options.logs()) {
      if (!log.config.compact) continue;
      yield log;
      if (++inTurn % LOGS_PER_TURN === 0) await sleep(this.#options.runtime.scheduler, 0);
    }
  }

  /** A log that can't even be looked at must not end the thread: its disk has failed, or it is set aside. */
  #assess(log: UnifiedLog, nowMs: number): LogToClean | undefined {
    try {
      return this.#assessOrThrow(log, nowMs);
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) this.#options.onLogDirFailure(log.logDir, error);
      else this.markPartitionUncleanable(log, `how dirty it is can't be told: ${String(error)}`);
      return undefined;
    }
  }

  #assessOrThrow(log: UnifiedLog, nowMs: number): LogToClean | undefined {
    const offsets = this.cleanableOffsets(log, nowMs);
    const { firstDirtyOffset, resetReason, boundBy } = offsets;
    if (resetReason !== undefined) {
      // With compact,delete it is retention that moves the start, all the time.
      if (!log.config.delete)
        this.#options.logger.warn(`${keyOf(log)} counts as dirty from its start ${firstDirtyOffset} on: ${resetReason}`);
      this.#setOffset(log, firstDirtyOffset);
    }
    const active = log.segments.at(-1);
    // After an unclean start nothing may ask for a flush for long.
    if (boundBy === 'unflushed' && active !== undefined && log.flushedOffset < active.baseOffset) void log.flush();
    const toClean = logToClean(log, offsets, maxCompactionDelayMs(log, firstDirtyOffset, nowMs));
    return toClean.cleanBytes + toClean.cleanableBytes > 0 ? toClean : undefined;
  }

  cleanableOffsets(log: UnifiedLog, nowMs: number): OffsetsToClean {
    return cleanableOffsets(log, this.checkpointOf(log), nowMs);
  }

  /** Whether old segments of a compacted log may be deleted now (retention of compact,delete; what lies below the log start offset). */
  mayDeleteSegments(log: UnifiedLog): boolean {
    return this.#isFree(log);
  }

  /** No cleaning of the log begins before `work`, which never rejects, is done. Only while `mayDeleteSegments` says so. */
  async whileInProgress(log: UnifiedLog, work: Promise<void>): Promise<void> {
    this.#states.set(keyOf(log), { kind: 'in-progress' });
    await work;
    this.doneCleaning(log, undefined);
  }

  // ---- States

  stateOf(log: UnifiedLog): CleaningState | undefined {
    return this.#states.get(keyOf(log));
  }

  isAborted(log: UnifiedLog): boolean {
    return this.stateOf(log)?.kind === 'aborted';
  }

  /** The cleaning of `log` has ended, at `endOffset` if it wasn't aborted. */
  doneCleaning(log: UnifiedLog, endOffset: number | undefined): void {
    if (endOffset !== undefined && this.stateOf(log)?.kind === 'in-progress' && !log.isOffline) this.#setOffset(log, endOffset);
    this.#release(keyOf(log));
  }

  #release(key: string): void {
    const state = this.#states.get(key);
    if (state === undefined || state.kind === 'paused')
      throw new Error(`the cleaning of ${key} can't end: it is ${state?.kind ?? 'not in progress'}`);
    if (state.kind === 'in-progress') {
      this.#states.delete(key);
      return;
    }
    this.#states.set(key, { kind: 'paused', count: state.waiting });
    const waiters = this.#waiters.get(key) ?? [];
    this.#waiters.delete(key);
    for (const waiter of waiters) waiter();
  }

  /** Ends a cleaning that is under way and lets none begin until `resumeCleaning`; resolves when nothing touches the log's files any more. */
  async abortAndPauseCleaning(topicPartition: TopicPartition): Promise<void> {
    const key = topicPartitionKey(topicPartition);
    const state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, { kind: 'paused', count: 1 });
    else if (state.kind === 'paused') this.#states.set(key, { kind: 'paused', count: state.count + 1 });
    else {
      this.#states.set(key, { kind: 'aborted', waiting: state.kind === 'aborted' ? state.waiting + 1 : 1 });
      await new Promise<void>((resolve) => {
        this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), resolve]);
      });
    }
  }

  resumeCleaning(topicPartition: TopicPartition): void {
    const key = topicPartitionKey(topicPartition);
    const state = this.#states.get(key);
    if (state?.kind !== 'paused') throw new Error(`the cleaning of ${key} can't be resumed: it is ${state?.kind ?? 'not paused'}`);
    if (state.count > 1) this.#states.set(key, { kind: 'paused', count: state.count - 1 });
    else this.#states.delete(key);
  }

  /** Ends a cleaning that is under way. */
  async abortCleaning(topicPartition: TopicPartition): Promise<void> {
    await this.abortAndPauseCleaning(topicPartition);
    this.resumeCleaning(topicPartition);
  }

  // ---- Checkpoints

  checkpointOf(log: UnifiedLog): number | undefined {
    return this.#dirs.get(log.logDir)?.offsets.get(keyOf(log))?.offset;
  }

  /** The log was cut back: it is clean no further than `offset`. What made it uncleanable may be gone. */
  maybeTruncateCheckpoint(log: UnifiedLog, offset: number): void {
    this.#uncleanable.delete(keyOf(log));
    if ((this.checkpointOf(log) ?? 0) > offset) this.#setOffset(log, offset);
  }

  /** `next` has taken the place of `log`, in another log dir, with the same records. */
  alterCheckpointDir(log: UnifiedLog, next: UnifiedLog): void {
    const offset = this.checkpointOf(log);
    this.removeCheckpoint(log);
    if (offset !== undefined) this.#setOffset(next, offset);
  }

  /** A log is gone. */
  removeCheckpoint(log: UnifiedLog): void {
    this.#uncleanable.delete(keyOf(log));
    if (this.#dirs.get(log.logDir)?.offsets.delete(keyOf(log)) === true) this.#write(log.logDir);
  }

  #setOffset(log: UnifiedLog, offset: number): void {
    this.#dirs.get(log.logDir)?.offsets.set(keyOf(log), { topicPartition: log.topicPartition, offset });
    this.#write(log.logDir);
  }

  #write(directory: string): void {
    const dir = this.#dirs.get(directory);
    dir?.file
      .write(() => [...dir.offsets.values()])
      .catch((error: unknown) => {
        if (this.#dirs.has(directory)) this.#options.onLogDirFailure(directory, error);
      });
  }

  /** Resolves when the checkpoint of a folder says what is known now, or the folder has failed. */
  async checkpointSettled(directory: string): Promise<void> {
    await this.#dirs.get(directory)?.file.settled();
  }

  /** The same for all folders. */
  async settled(): Promise<void> {
    for (const { file } of this.#dirs.values()) await file.settled();
  }

  handleLogDirFailure(directory: string): void {
    this.#dirs.delete(directory);
    for (const [key, { log }] of this.#uncleanable) if (log.logDir === directory) this.#uncleanable.delete(key);
  }

  // ---- Uncleanable partitions

  markPartitionUncleanable(log: UnifiedLog, reason: string): void {
    this.#uncleanable.set(keyOf(log), { log, reason });
  }

  isUncleanable(log: UnifiedLog): boolean {
    return this.#uncleanable.get(keyOf(log))?.log === log;
  }

  uncleanableReason(log: UnifiedLog): string | undefined {
    return this.isUncleanable(log) ? this.#uncleanable.get(keyOf(log))?.reason : undefined;
  }

  /** Forgets those whose log is gone. */
  maintainUncleanablePartitions(): void {
    if (this.#uncleanable.size === 0) return;
    const present = new Set(this.#options.logs());
    for (const [key, { log }] of this.#uncleanable) if (!present.has(log)) this.#uncleanable.delete(key);
  }

  uncleanablePartitions(directory: string): UnifiedLog[] {
    return [...this.#uncleanable.values()].map(({ log }) => log).filter((log) => log.logDir === directory);
  }

  // ---- Numbers

  get dirtiestRatio(): number {
    return this.#dirtiestRatio;
  }
  get preCleanStats(): PreCleanStats {
    return this.#preClean;
  }
  /** Wall clock of the last time a log to clean was looked for. */
  get lastRunMs(): number {
    return this.#lastRunMs;
  }
}

/** min.cleanable.dirty.ratio or max.compaction.lag.ms asks for it. */
export function isWorthCleaning(toClean: LogToClean): boolean {
  if (toClean.compactionDelayMs > 0 && toClean.cleanableBytes > 0) return true;
  return cleanableRatio(toClean) > toClean.log.config.minCleanableDirtyRatio;
}

function keyOf(log: UnifiedLog): string {
  return topicPartitionKey(log.topicPartition);
}
