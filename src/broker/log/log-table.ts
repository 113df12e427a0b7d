/**
 * Which logs there are and in which log dir each lies. A dir whose disk fails goes offline here, with its logs; the others go on.
 */
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Disk } from '../../runtime/disk.ts';
import { FutureLogs } from './future-logs.ts';
import type { LogDir } from './log-dir.ts';
import { LogStorageError } from './log-errors.ts';
import type { LogDirDescription } from './log-manager-options.ts';
import type { UnifiedLog } from './unified-log.ts';

export interface LogTableOptions {
  /** A dir is offline; its logs are not yet. */
  readonly onDirFailing: (directory: string, message: string, error: unknown) => void;
  /** Its logs are offline, too. */
  readonly onDirFailed: (directory: string, message: string) => void;
}

export class LogTable {
  readonly dirs = new Map<string, LogDir>();
  readonly logs = new Map<string, UnifiedLog>();
  readonly futures = new FutureLogs();
  readonly #options: LogTableOptions;

  constructor(options: LogTableOptions) {
    this.#options = options;
  }

  get(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.logs.get(topicPartitionKey(topicPartition));
  }

  get liveLogDirs(): string[] {
    return [...this.dirs.values()].filter((dir) => !dir.isOffline).map((dir) => dir.path);
  }

  /** With the fewest logs. @throws LogStorageError when none is online. */
  leastUsedDir(): LogDir {
    let best: LogDir | undefined;
    let bestCount = Infinity;
    for (const dir of this.dirs.values()) {
      if (dir.isOffline) continue;
      const count = this.#countIn(dir.path);
      if (count < bestCount) [best, bestCount] = [dir, count];
    }
    if (best === undefined) throw new LogStorageError('', 'No log dir is online');
    return best;
  }

  #countIn(directory: string): number {
    if (this.dirs.size === 1) return this.logs.size;
    let count = this.futures.in(directory).length;
    for (const log of this.logs.values()) if (log.logDir === directory) count++;
    return count;
  }

  logsIn(directory: string): UnifiedLog[] {
    // With one folder, as nearly always, nothing is looked at.
    if (this.dirs.size === 1) return [...this.logs.values()];
    return [...this.logs.values()].filter((log) => log.logDir === directory);
  }

  /** With those that are on their way there. A partition has at most one of both in a folder, so checkpoints can name it. */
  allLogsIn(directory: string): UnifiedLog[] {
    return [...this.logsIn(directory), ...this.futures.in(directory)];
  }

  describe(disk: Disk): LogDirDescription[] {
    return Array.from(this.dirs.values(), (dir) => {
      const { path, isOffline } = dir;
      const space = isOffline ? undefined : this.guarded(dir, () => spaceOf(disk, path));
      return {
        path,
        isOffline,
        logs: isOffline ? [] : this.logsIn(path),
        futureLogs: isOffline ? [] : this.futures.in(path),
        totalBytes: space?.totalBytes ?? -1,
        usableBytes: space?.usableBytes ?? -1,
      };
    });
  }

  /** The broker epoch of the last clean shutdown, -1 when a folder wasn't left in order (KIP-966). */
  get previousBrokerEpoch(): number {
    const epochs = new Set(Array.from(this.dirs.values(), (dir) => dir.previousBrokerEpoch));
    const [first] = epochs;
    return epochs.size === 1 && first !== undefined ? first : -1;
  }

  async unlockAll(): Promise<void> {
    for (const dir of this.dirs.values()) await dir.unlock();
  }

  /** Takes a dir offline, with its logs. */
  fail(directory: string, message: string, error: unknown): void {
    const dir = this.dirs.get(directory);
    if (dir === undefined || dir.isOffline) return;
    dir.goOffline(message);
    this.#options.onDirFailing(directory, message, error);
    for (const [key, log] of this.logs) {
      if (log.logDir !== directory) continue;
      log.goOffline(message);
      this.logs.delete(key);
    }
    for (const log of this.futures.in(directory)) {
      log.goOffline(message);
      this.futures.delete(log.topicPartition);
    }
    this.#options.onDirFailed(directory, message);
  }

  /** What `action` returns; undefined when the disk fails it, which takes the folder offline. */
  guarded<T>(dir: LogDir, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.fail(dir.path, String(error), error);
      return undefined;
    }
  }
}

function spaceOf(disk: Disk, path: string): { totalBytes: number; usableBytes: number } {
  return { totalBytes: disk.totalBytes(path), usableBytes: disk.freeBytes(path) };
}
