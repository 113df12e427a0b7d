/**
 * Opens all logs of the log dirs at the start, several beside each other, and tells how far it is. Of two folders of one partition, which a
 * move between dirs that was cut short leaves, one is kept. Source: Kafka's LogManager.loadLogs.
 */
import { DELETE_DIR_SUFFIX, parsePartitionDirName, STRAY_DIR_SUFFIX } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { sleep } from '../../runtime/scheduler.ts';
import { forEachConcurrently } from './for-each-concurrently.ts';
import { furtherOf } from './future-logs.ts';
import type { LogContext } from './log-context.ts';
import type { LogDir } from './log-dir.ts';
import { LogStorageError } from './log-errors.ts';
import type { LogRecovered } from './log-events.ts';
import { isDiskError } from './log-guard.ts';
import { loadLog } from './log-loader.ts';
import type { LoadOptions } from './log-loader.ts';
import type { LoadProgress, LogManagerOptions } from './log-manager-options.ts';
import type { LogRemoval } from './log-removal.ts';
import type { LogTable } from './log-table.ts';
import { RecoveryWorkers } from './recovery-workers.ts';
import type { UnifiedLog } from './unified-log.ts';

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

export class LogsLoader {
  /** Logs that a dir's checkpoints name and that aren't there. */
  readonly strangers = new Map<LogDir, readonly string[]>();
  readonly #context: LogContext;
  readonly #options: LogManagerOptions;
  readonly #table: LogTable;
  readonly #removal: LogRemoval;
  readonly #recoveries = new Map<string, LogRecovered>();
  #openedAtMs = 0;
  #progress: LoadProgress = { totalLogs: 0, loadedLogs: 0, scannedBytes: 0 };

  constructor(parts: { context: LogContext; options: LogManagerOptions; table: LogTable; removal: LogRemoval }) {
    this.#context = parts.context;
    this.#options = parts.options;
    this.#table = parts.table;
    this.#removal = parts.removal;
  }

  /** Wall clock of the moment when all logs were open. */
  get openedAtMs(): number {
    return this.#openedAtMs;
  }

  /** What recovery found when the log was opened; undefined when it had nothing to scan. */
  recoveryOf(topicPartition: TopicPartition): LogRecovered | undefined {
    return this.#recoveries.get(topicPartitionKey(topicPartition));
  }

  async load(): Promise<void> {
    const jobs: FoundLog[][] = [];
    for (const dir of this.#table.dirs.values()) if (!dir.isOffline) this.#table.guarded(dir, () => void jobs.push(this.#findLogs(dir)));
    const totalLogs = jobs.reduce((sum, ofDir) => sum + ofDir.length, 0);
    const threadsPerDir = this.#options.config().numRecoveryThreadsPerDataDir;
    const concurrency = Math.max(MIN_LOAD_CONCURRENCY, threadsPerDir);
    const workers = new RecoveryWorkers({ runtime: this.#options.runtime, threadsPerDir, ...this.#options.recoveryBounds });
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
          workers,
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
          this.#context.logger.error({ err: error }, `${options.directory} is damaged: all of it is scanned`);
          return loadLog(this.#context, { ...options, hadCleanShutdown: false, recoveryPoint: 0 });
        });
        // Gaps can't be told from what compaction took: after an unclean end only what is known to be on the device is believed.
        if (found.isFuture && !dir.hadCleanShutdown) await log.truncateTo(Math.max(recoveryPoint, log.logStartOffset));
        this.#addLoaded(log, found.isFuture);
      } catch (error) {
        this.#table.fail(dir.path, `Opening ${dir.path}/${name} failed: ${String(error)}`, error);
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
    this.#context.logger.info(
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
        this.#removal.removeLater(dir, `${dir.path}/${name}`, 0);
        continue;
      }
      if (partition?.kind !== 'current' && partition?.kind !== 'future') {
        this.#context.logger.warn(`${dir.path}/${name} is no folder of a partition in use and is left alone`);
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
    if (strangers.length > 0) this.strangers.set(dir, strangers);
    return found;
  }

  #addLoaded(log: UnifiedLog, isFuture: boolean): void {
    const key = topicPartitionKey(log.topicPartition);
    const other = isFuture ? this.#table.futures.get(log.topicPartition) : this.#table.logs.get(key);
    const kept = other === undefined ? log : this.#keepOne(log, other);
    if (isFuture) this.#table.futures.add(kept);
    else this.#table.logs.set(key, kept);
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
    this.#context.logger.warn(
      `${key} lies in ${other.logDir} and in ${log.logDir}, as after a move that was cut short: ${kept.directory} is kept`,
    );
    // The shorter one is for people to look at: nothing but a hand makes one that isn't the beginning of the other.
    void this.#removal.retire(spare, further === undefined ? DELETE_DIR_SUFFIX : STRAY_DIR_SUFFIX);
    return kept;
  }

  get progress(): LoadProgress {
    return this.#progress;
  }

  #setProgress(change: Partial<LoadProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#options.onProgress?.(this.#progress);
  }
}
