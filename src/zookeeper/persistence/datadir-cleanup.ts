/**
 * Removes old snapshots and transaction logs, by the clock: when the server starts and then every `autopurge.purgeInterval` hours
 * (DatadirCleanupManager, PurgeTxnLog). 0 hours, which is Apache ZooKeeper's default, is never.
 *
 * The newest `autopurge.snapRetainCount` snapshots that are whole stay, and every log that the oldest of them needs. One that is torn
 * (Apache writes under the final name, and may be killed doing so) counts for nothing: a folder must open from what is left.
 */
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';
import { LOG_PREFIX, SNAPSHOT_PREFIX, listZxidFiles } from './file-names.ts';

const MS_PER_HOUR = 3_600_000;
/** The end of a seal: the string "/". */
const SNAPSHOT_END = Buffer.from([0, 0, 0, 1, 0x2f]);

export interface DatadirCleanupOptions {
  readonly directory: string;
  readonly snapRetainCount: number;
  readonly purgeIntervalHours: number;
}

/** The first purge is at the end of this turn. What fails is logged and tried again at the next. */
export function startDatadirCleanup(
  { disk, logger, scheduler }: { readonly disk: Disk; readonly logger: Logger; readonly scheduler: Scheduler },
  { directory, snapRetainCount, purgeIntervalHours }: DatadirCleanupOptions,
): Cancellable {
  let cancelled = false;
  const purge = (): void => {
    if (cancelled) return;
    try {
      const removed = purgeOldFiles(disk, directory, snapRetainCount);
      if (removed.length > 0) logger.info({ removed }, `purged ${removed.length} old snapshots and transaction logs`);
    } catch (error) {
      logger.error({ err: error }, 'old snapshots and transaction logs could not be purged');
    }
  };
  const isOn = purgeIntervalHours > 0;
  const timer = isOn ? scheduler.every(purgeIntervalHours * MS_PER_HOUR, purge) : undefined;
  if (isOn) scheduler.endOfTurn(purge);
  return {
    cancel: () => {
      cancelled = true;
      timer?.cancel();
    },
  };
}

/** Returns the names of the files that it removed. */
export function purgeOldFiles(disk: Disk, directory: string, snapRetainCount: number): string[] {
  const snapshots = listZxidFiles(disk, directory, SNAPSHOT_PREFIX);
  const oldestKept = snapshots.filter(({ path }) => isWhole(disk, path)).at(-snapRetainCount);
  if (oldestKept === undefined) return [];
  const logs = listZxidFiles(disk, directory, LOG_PREFIX);
  const firstNeeded = logs.findLastIndex((log) => log.zxid <= oldestKept.zxid + 1);
  const old = [...snapshots.filter(({ zxid }) => zxid < oldestKept.zxid), ...logs.slice(0, Math.max(0, firstNeeded))];
  for (const { path } of old) disk.remove(path);
  return old.map(({ name }) => name);
}

/** Whether it was written to its end; its checksum is not looked at. */
function isWhole(disk: Disk, path: string): boolean {
  const file = disk.open(path, 'read');
  try {
    const end = Buffer.alloc(SNAPSHOT_END.length);
    const at = file.sizeBytes() - end.length;
    return at >= 0 && file.read(end, 0, end.length, at) === end.length && end.equals(SNAPSHOT_END);
  } finally {
    file.close();
  }
}
