/** A file written in the background while its folder changes its name, as at the end of a move to another log dir. */
import { expect, test, vi } from 'vitest';
import type { Disk } from '../../runtime/disk.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { BackgroundFile } from './background-file.ts';

/** A disk whose folders are synced when told: the thread pool has other work before. */
function busyDisk() {
  const memory = new MemoryDisk({ nowMs: () => 0 });
  memory.makeDirectory('/logs/t-0.future');
  const waiting: (() => void)[] = [];
  const synced: string[] = [];
  const disk: Disk = Object.assign(Object.create(memory) as Disk, {
    open: memory.open.bind(memory),
    rename: memory.rename.bind(memory),
    syncDirectoryAsync: async (directory: string) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (!memory.exists(directory)) throw Object.assign(new Error(`ENOENT: ${directory}`), { code: 'ENOENT' });
      synced.push(directory);
    },
  });
  return { memory, disk, waiting, synced };
}

test('is on the device although its folder was renamed before the thread pool came to sync it', async () => {
  const { memory, disk, waiting, synced } = busyDisk();
  const onError = vi.fn<(error: unknown) => void>();
  const file = new BackgroundFile(disk, '/logs/t-0.future/epochs', () => '0\n', onError);
  file.schedule();
  await expect.poll(() => waiting.length).toBe(1);
  memory.rename('/logs/t-0.future', '/logs/t-0');
  file.moved('/logs/t-0/epochs');
  waiting.shift()?.();
  await expect.poll(() => waiting.length).toBe(1);
  waiting.shift()?.();
  await file.settled();
  expect(onError).not.toHaveBeenCalled();
  expect(synced).toEqual(['/logs/t-0']);
  expect(memory.readFile('/logs/t-0/epochs').toString()).toBe('0\n');
});

test('has failed when its folder is gone and nobody has moved it', async () => {
  const { memory, disk, waiting } = busyDisk();
  const onError = vi.fn<(error: unknown) => void>();
  const file = new BackgroundFile(disk, '/logs/t-0.future/epochs', () => '0\n', onError);
  file.schedule();
  await expect.poll(() => waiting.length).toBe(1);
  memory.rename('/logs/t-0.future', '/logs/elsewhere');
  waiting.shift()?.();
  await file.settled();
  expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'ENOENT' }));
});
