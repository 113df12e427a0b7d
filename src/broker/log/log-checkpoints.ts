/**
 * The checkpoint files of the log dirs: up to where each log is on the device, and where it starts, when that is inside its first segment.
 *
 * A log that leaves its dir is taken out of them at once, and one made under its name writes nothing until that is on the device: a crash
 * must not let recovery believe of the new log what was true of the old. Kafka writes the files in the caller's turn; here deletions that come
 * together share one write. Source: Kafka's LogManager.asyncDelete, checkpointRecoveryOffsetsInDir, checkpointLogStartOffsetsInDir.
 */
import type { OffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { LogDir } from './log-dir.ts';
import type { UnifiedLog } from './unified-log.ts';

export interface LogCheckpointsOptions {
  readonly dirs: () => Iterable<LogDir>;
  /** With those that are being filled there to take another's place. */
  readonly logsIn: (directory: string) => readonly UnifiedLog[];
  /** Resolves when the cleaner has taken out what it was told to; undefined when there is no cleaner. */
  readonly cleanerSettled: (directory: string) => Promise<void> | undefined;
  readonly onFailure: (directory: string, message: string, error: unknown) => void;
}

export class LogCheckpoints {
  readonly #options: LogCheckpointsOptions;
  /** By dir and log: what is being taken out of the files. */
  readonly #forgetting = new Map<LogDir, Map<string, Promise<void>>>();

  constructor(options: LogCheckpointsOptions) {
    this.#options = options;
  }

  async writeRecoveryPoints(): Promise<void> {
    for (const dir of this.#options.dirs()) await this.#guarded(dir, () => this.#writeRecoveryPoints(dir));
  }

  /** Both files of one log dir. */
  async writeIn(directory: string): Promise<void> {
    for (const dir of this.#options.dirs()) if (dir.path === directory) await this.#guarded(dir, () => this.#writeRecoveryPoints(dir));
  }

  async writeLogStartOffsets(): Promise<void> {
    for (const dir of this.#options.dirs()) await this.#guarded(dir, () => this.#writeLogStartOffsets(dir));
  }

  /** Set while the file may say that `log` starts lower than it does: resolves when it doesn't, or `dir` has failed. */
  startWritten(dir: LogDir, { topicPartition, checkpointedLogStartOffset }: UnifiedLog): Promise<void> | undefined {
    const written = dir.logStartOffsets.written.get(topicPartitionKey(topicPartition)) ?? 0;
    if (written >= checkpointedLogStartOffset) return undefined;
    return this.#guarded(dir, () => this.#writeLogStartOffsets(dir));
  }

  /** These logs aren't in `dir` any more. Resolves when no file of it names them, or it has failed. */
  forget(dir: LogDir, topicPartitionKeys: Iterable<string>): Promise<void> {
    const keys = [...topicPartitionKeys];
    const pending = this.#forgetting.get(dir) ?? new Map<string, Promise<void>>();
    this.#forgetting.set(dir, pending);
    const written = Promise.all([
      this.#guarded(dir, () => this.#writeRecoveryPoints(dir)),
      this.#guarded(dir, () => this.#writeCleanerOffsets(dir)),
    ]).then(() => {
      for (const key of keys) if (pending.get(key) === written) pending.delete(key);
    });
    for (const key of keys) pending.set(key, written);
    return written;
  }

  /** Set while the files of `dir` may name a log that has gone: resolves when they don't. */
  forgotten(dir: LogDir, topicPartitionKey: string): Promise<void> | undefined {
    return this.#forgetting.get(dir)?.get(topicPartitionKey);
  }

  /** At the end, when the logs of `dir` are closed, holding the event loop: nothing is written after it. Throws the disk's errors. */
  writeNow(dir: LogDir): void {
    dir.logStartOffsets.writeNow(this.logStartOffsetsOf(dir));
    dir.recoveryPoints.writeNow(this.recoveryPointsOf(dir));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    for (const dir of this.#options.dirs()) {
      await dir.recoveryPoints.settled();
      await dir.logStartOffsets.settled();
      await dir.cleanerOffsets.settled();
    }
  }

  /**
   * Up to where each log is on the device, or its start, as in Kafka: nothing below needs to be checked. Not before the start is on the
   * device itself: else records that were let go could be back after a crash, and would be trusted.
   */
  recoveryPointsOf(dir: LogDir): OffsetCheckpoint[] {
    return this.#options.logsIn(dir.path).map((log) => {
      const { topicPartition, flushedOffset, checkpointedLogStartOffset, hasSyncedNames, hasSyncedFolder } = log;
      // A recovery point says that the folder is there, too.
      if (!hasSyncedFolder) return { topicPartition, offset: flushedOffset };
      const writtenStart = dir.logStartOffsets.written.get(topicPartitionKey(topicPartition)) ?? 0;
      const durableStart = Math.max(writtenStart, hasSyncedNames ? firstOffsetIn(log) : 0);
      return { topicPartition, offset: Math.max(flushedOffset, Math.min(checkpointedLogStartOffset, durableStart)) };
    });
  }

  /** Of logs whose start lies inside their first segment; of others the file names tell, once they are on the device. */
  logStartOffsetsOf(dir: LogDir): OffsetCheckpoint[] {
    return this.#options.logsIn(dir.path).flatMap((log) => {
      const { topicPartition, checkpointedLogStartOffset: offset, hasSyncedNames } = log;
      return offset > (hasSyncedNames ? firstOffsetIn(log) : 0) ? [{ topicPartition, offset }] : [];
    });
  }

  async #writeRecoveryPoints(dir: LogDir): Promise<void> {
    await this.#writeLogStartOffsets(dir);
    await dir.recoveryPoints.write(() => this.recoveryPointsOf(dir));
  }

  #writeLogStartOffsets(dir: LogDir): Promise<void> {
    return dir.logStartOffsets.write(() => this.logStartOffsetsOf(dir));
  }

  async #writeCleanerOffsets(dir: LogDir): Promise<void> {
    const byCleaner = this.#options.cleanerSettled(dir.path);
    if (byCleaner !== undefined) {
      await byCleaner;
      return;
    }
    // Those of a cleaner that is switched off now: what it did is true of the logs that are left.
    const kept = (): readonly OffsetCheckpoint[] => {
      const present = new Set(this.#options.logsIn(dir.path).map((log) => topicPartitionKey(log.topicPartition)));
      return dir.cleanerOffsets.readEntries().filter(({ topicPartition }) => present.has(topicPartitionKey(topicPartition)));
    };
    if (kept().length < dir.cleanerOffsets.readEntries().length) await dir.cleanerOffsets.write(kept);
  }

  async #guarded(dir: LogDir, write: () => Promise<void>): Promise<void> {
    if (dir.isOffline) return;
    try {
      await write();
    } catch (error) {
      this.#options.onFailure(dir.path, `Writing a checkpoint in ${dir.path} failed: ${String(error)}`, error);
    }
  }
}

function firstOffsetIn(log: UnifiedLog): number {
  return log.segments[0]?.baseOffset ?? 0;
}
