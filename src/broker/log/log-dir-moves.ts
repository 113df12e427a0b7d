/** Moves of a log to another log dir: the log that is filled there, and how it takes the present one's place (future-logs.ts). */
import { DELETE_DIR_SUFFIX, FUTURE_DIR_SUFFIX, logDirName, markedDirName } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { LogCleaner } from './cleaner/log-cleaner.ts';
import { isReadyToReplace, takeOver } from './future-logs.ts';
import type { LogContext } from './log-context.ts';
import type { LogDir } from './log-dir.ts';
import { LogStorageError } from './log-errors.ts';
import { createLog } from './create-log.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import type { LogRemoval } from './log-removal.ts';
import type { LogTable } from './log-table.ts';
import type { UnifiedLog } from './unified-log.ts';

export interface LogDirMovesParts {
  readonly context: LogContext;
  readonly table: LogTable;
  readonly removal: LogRemoval;
  readonly topicConfig: LogManagerOptions['topicConfig'];
  readonly cleaner: () => LogCleaner | undefined;
  /** Nothing is written to a new log while the dir's checkpoints may name an older one. */
  readonly holdUntilForgotten: (log: UnifiedLog, dir: LogDir) => void;
  /** A log has left a dir: its checkpoints must not name it any more. */
  readonly forget: (dir: LogDir | undefined, topicPartitionKey: string) => Promise<void>;
}

export class LogDirMoves {
  readonly #parts: LogDirMovesParts;

  constructor(parts: LogDirMovesParts) {
    this.#parts = parts;
  }

  /** @throws LogStorageError when the folder can't be made. */
  create(topicPartition: TopicPartition, directory: string): UnifiedLog {
    const { context, table, topicConfig, holdUntilForgotten } = this.#parts;
    const name = markedDirName(topicPartition, context.random.bytes(16).toString('hex'), FUTURE_DIR_SUFFIX);
    try {
      const log = createLog(context, {
        topicPartition,
        directory: `${directory}/${name}`,
        config: topicConfig(topicPartition.topic),
        topicId: table.get(topicPartition)?.topicId,
      });
      const dir = table.dirs.get(directory);
      if (dir !== undefined) holdUntilForgotten(log, dir);
      table.futures.add(log);
      return log;
    } catch (error) {
      const message = `Making ${directory}/${name} failed: ${String(error)}`;
      table.fail(directory, message, error);
      throw new LogStorageError(directory, message, error);
    }
  }

  /** The move is given up: the folder is renamed at once and removed later. */
  async delete(topicPartition: TopicPartition): Promise<void> {
    const { table, removal, forget } = this.#parts;
    const log = table.futures.get(topicPartition);
    if (log === undefined) return;
    table.futures.delete(topicPartition);
    await Promise.all([removal.retire(log, DELETE_DIR_SUFFIX), forget(table.dirs.get(log.logDir), topicPartitionKey(topicPartition))]);
  }

  /**
   * The future log takes the place of the partition's, at once, when it holds everything and nothing is under way in either: the log that
   * is the partition's then; undefined when it isn't so, or a disk failed. The old log is refused from then on, its folder removed later.
   */
  replaceCurrent(topicPartition: TopicPartition): UnifiedLog | undefined {
    const { context, table, removal, forget } = this.#parts;
    const current = table.get(topicPartition);
    const future = table.futures.get(topicPartition);
    const dir = table.dirs.get(future?.logDir ?? '');
    if (current === undefined || future === undefined || dir === undefined || !isReadyToReplace(current, future)) return undefined;
    takeOver(current, future);
    const target = `${dir.path}/${logDirName(topicPartition)}`;
    const isDone = table.guarded(dir, () => {
      context.disk.rename(future.directory, target);
      future.movedTo(target);
      // Before the old one goes: a crash must find at least one of the two under this name.
      context.disk.syncDirectory(dir.path);
      return true;
    });
    if (isDone === undefined) return undefined;
    table.futures.delete(topicPartition);
    table.logs.set(topicPartitionKey(topicPartition), future);
    this.#parts.cleaner()?.manager.alterCheckpointDir(current, future);
    context.logger.info(`${topicPartitionKey(topicPartition)} has moved from ${current.logDir} to ${future.logDir}`);
    void removal.retire(current, DELETE_DIR_SUFFIX);
    void forget(table.dirs.get(current.logDir), topicPartitionKey(topicPartition));
    return future;
  }
}
