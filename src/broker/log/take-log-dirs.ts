/** Takes the log dirs of `log.dirs` at the start: makes them, locks them, and checks that they are this broker's. */
import { makeDirectoryDurably } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import { LogDir } from './log-dir.ts';
import { LogDirLock } from './log-dir-lock.ts';
import { LogDirRefusedError } from './log-errors.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import type { LogTable } from './log-table.ts';

/** A folder that can't be used goes offline. @throws LogDirRefusedError when one is another broker's or in use; none is held then. */
export async function takeLogDirs(table: LogTable, options: LogManagerOptions, logger: Logger): Promise<void> {
  const { logDirs, brokerId } = options.config();
  const { runtime, clusterId } = options;
  for (const path of logDirs) {
    const dir = new LogDir(runtime.disk, path.replace(/(.)\/+$/, '$1'), logger);
    table.dirs.set(dir.path, dir);
    try {
      makeDirectoryDurably(runtime.disk, dir.path);
      dir.setLock(
        await LogDirLock.acquire({
          runtime,
          directory: dir.path,
          pid: options.pid,
          socketDirectory: options.socketDirectory,
        }),
      );
      dir.claim({ brokerId, clusterId, nowMs: runtime.clock.wallMs() });
    } catch (error) {
      if (error instanceof LogDirRefusedError) {
        await table.unlockAll();
        throw error;
      }
      const reason = error instanceof Error ? error.message : String(error);
      table.fail(dir.path, `${dir.path} can't be used: ${reason}`, error);
    }
  }
}
