/** What `num.recovery.threads.per.data.dir` says: how many logs of a log dir are recovered beside each other. Dirs don't wait for each other. */
import { expect, test } from 'vitest';
import type { Disk, DiskFile } from '../../runtime/disk.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { batchOf } from './testing/log-fixture.ts';
import { DIRS, memoryLogManager, whileTimeGoesOn } from './testing/memory-log-manager.ts';

const LOGS_PER_DIR = 14;
/** Smaller ones are scanned without a wait. */
const RECORD_BYTES = 300_000;

/** Two log dirs with logs that were never flushed. */
async function killed(time: ManualTime): Promise<MemoryDisk> {
  const disk = new MemoryDisk({ nowMs: () => time.wallMs() });
  for (const directory of DIRS) disk.makeDirectory(directory);
  const manager = memoryLogManager({ disk, time, topic: {} });
  await whileTimeGoesOn(time, manager.startup());
  for (let partition = 0; partition < 2 * LOGS_PER_DIR; partition++) {
    const log = manager.getOrCreateLog({ topic: 'orders', partition }, { isNew: true });
    log.appendAsLeader(batchOf(['x'.repeat(RECORD_BYTES)]), { leaderEpoch: 0 });
    await time.settle();
    await log.settled();
  }
  expect(manager.describeLogDirs().map(({ logs }) => logs.length)).toEqual([LOGS_PER_DIR, LOGS_PER_DIR]);
  return disk;
}

/** `disk`, whose asynchronous reads take a millisecond; `most` is how many were under way at once, by log dir and over all. */
function slow(disk: Disk, time: ManualTime): { disk: Disk; most: Map<string, number> } {
  const most = new Map<string, number>();
  const now = new Map<string, number>();
  const add = (key: string, change: number): void => {
    now.set(key, (now.get(key) ?? 0) + change);
    most.set(key, Math.max(most.get(key) ?? 0, now.get(key) ?? 0));
  };
  const slowFile = (file: DiskFile, keys: readonly string[]): DiskFile =>
    new Proxy(file, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== 'readAsync') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: Parameters<DiskFile['readAsync']>) => {
          for (const key of keys) add(key, 1);
          await new Promise<void>((resolve) => void time.after(1, resolve));
          for (const key of keys) add(key, -1);
          return target.readAsync(...args);
        };
      },
    });
  const proxy = new Proxy(disk, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === 'open')
        return (...args: Parameters<Disk['open']>) =>
          slowFile(target.open(...args), ['all', ...DIRS.filter((dir) => args[0].startsWith(dir))]);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { disk: proxy, most };
}

test.each([
  [1, 8],
  [10, 10],
  [100, LOGS_PER_DIR],
])('with %i, %i logs of a dir are recovered beside each other, in each dir', async (numRecoveryThreadsPerDataDir, expected) => {
  const time = new ManualTime();
  const { disk, most } = slow((await killed(time)).process(), time);
  const manager = memoryLogManager({ disk, time, topic: {}, config: { numRecoveryThreadsPerDataDir } });
  await whileTimeGoesOn(time, manager.startup());
  expect(DIRS.map((dir) => most.get(dir))).toEqual([expected, expected]);
  expect(most.get('all')).toBe(2 * expected);
  expect(manager.progress).toMatchObject({ totalLogs: 2 * LOGS_PER_DIR, loadedLogs: 2 * LOGS_PER_DIR });
  expect(manager.progress.scannedBytes).toBeGreaterThan(2 * LOGS_PER_DIR * RECORD_BYTES);
});
