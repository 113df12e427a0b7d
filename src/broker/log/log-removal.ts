/** Folders of logs that aren't wanted any more: renamed at once, removed after `file.delete.delay.ms`, or left, marked as stray. */
import { DELETE_DIR_SUFFIX, markedDirName, STRAY_DIR_SUFFIX } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { LogContext } from './log-context.ts';
import type { LogDir } from './log-dir.ts';
import type { LogTable } from './log-table.ts';
import type { UnifiedLog } from './unified-log.ts';

export type RemovedDirSuffix = typeof DELETE_DIR_SUFFIX | typeof STRAY_DIR_SUFFIX;

export interface LogRemovalParts {
  readonly context: LogContext;
  readonly table: LogTable;
  /** Runs a task later, unless the end has come by then. */
  readonly after: (delayMs: number, task: () => void) => void;
}

export class LogRemoval {
  readonly #parts: LogRemovalParts;

  constructor(parts: LogRemovalParts) {
    this.#parts = parts;
  }

  /** Renames the folder of a log that isn't one of ours any more. Resolves when nothing writes to it. */
  async retire(log: UnifiedLog, suffix: RemovedDirSuffix): Promise<void> {
    const { context, table } = this.#parts;
    const { topicPartition } = log;
    const key = topicPartitionKey(topicPartition);
    const dir = table.dirs.get(log.logDir);
    if (dir === undefined || dir.isOffline) return;
    const target = `${dir.path}/${markedDirName(topicPartition, context.random.bytes(16).toString('hex'), suffix)}`;
    await table.guarded(dir, () => {
      context.disk.rename(log.directory, target);
      if (suffix === STRAY_DIR_SUFFIX) context.logger.warn(`Log of ${key} is renamed to ${target}: it is not the topic's of this name`);
      else {
        context.logger.info(`Log of ${key} is renamed to ${target} and will be removed in ${log.config.fileDeleteDelayMs} ms`);
        this.removeLater(dir, target, log.config.fileDeleteDelayMs);
      }
      return log.abandon(target);
    });
  }

  removeLater(dir: LogDir, path: string, delayMs: number): void {
    const { context, table, after } = this.#parts;
    after(delayMs, () => {
      if (dir.isOffline) return;
      context.disk.removeTreeAsync(path).catch((error: unknown) => table.fail(dir.path, `Removing ${path} failed`, error));
    });
  }
}
