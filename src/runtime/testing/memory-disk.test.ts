import { expect, test } from 'vitest';
import { writeFileAtomically } from '../disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededRandom } from './seeded-random.ts';

test('a crash that loses all keeps what was synced, of contents and of names', async () => {
  const disk = new MemoryDisk();
  disk.makeDirectory('/d');
  disk.syncDirectory('/');
  const file = disk.open('/d/a', 'create');
  file.writeGathered([Buffer.from('synced')], 0);
  await file.syncAsync();
  disk.syncDirectory('/d');
  file.writeGathered([Buffer.from(' not')], 6);
  disk.writeFile('/d/b', 'never synced');
  disk.rename('/d/a', '/d/c');
  disk.crash(new SeededRandom(1), 'lose');
  expect(disk.list('/d')).toEqual([{ name: 'a', isDirectory: false }]);
  expect(disk.readFile('/d/a').toString()).toBe('synced');
  expect(() => file.read(Buffer.alloc(1), 0, 1, 0)).toThrow(/EBADF/);
});

test('a crash that tears leaves only bytes and names that were there at some time', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new MemoryDisk();
    disk.makeDirectory('/d');
    disk.syncDirectory('/');
    writeFileAtomically(disk, '/d/a', 'old');
    writeFileAtomically(disk, '/d/a', 'new');
    disk.writeFile('/d/t', 'x'.repeat(2000));
    disk.crash(new SeededRandom(seed), 'tear');
    expect(disk.readFile('/d/a').toString()).toBe('new');
    const torn = disk.exists('/d/t') ? disk.readFile('/d/t') : undefined;
    seen.add(torn === undefined ? 'absent' : torn.length === 2000 ? (torn.includes(0) ? 'holes' : 'whole') : 'short');
  }
  expect([...seen].toSorted()).toEqual(['absent', 'holes', 'short', 'whole']);
});

test('a full disk writes what fits and says how much that was', () => {
  const disk = new MemoryDisk({ capacityBytes: 10 });
  disk.makeDirectory('/d');
  const file = disk.open('/d/a', 'create');
  expect([file.writeGathered([Buffer.from('123456'), Buffer.from('789abc')], 0), file.sizeBytes()]).toEqual([10, 10]);
  expect(file.writeGathered([Buffer.from('xy')], 0)).toBe(2);
  expect(() => disk.writeFile('/d/b', 'x')).toThrow(/ENOSPC/);
});

test('fails at the call it is told to, until healed', () => {
  const disk = new MemoryDisk();
  disk.makeDirectory('/d');
  disk.failAfter(2);
  disk.list('/d');
  expect(() => disk.list('/d')).toThrow(/EIO/);
  disk.heal();
  expect(disk.list('/d')).toEqual([]);
});

test('the fsync of a folder covers what was made in it before it was renamed, whether the new name is synced or not', () => {
  for (const syncsName of [true, false]) {
    const disk = new MemoryDisk();
    disk.makeDirectory('/old');
    disk.syncDirectory('/');
    disk.writeFile('/old/before', '');
    disk.rename('/old', '/new');
    if (syncsName) disk.syncDirectory('/');
    disk.writeFile('/new/after', '');
    disk.syncDirectory('/new');
    disk.crash(new SeededRandom(1), 'lose');
    const folder = syncsName ? '/new' : '/old';
    expect(disk.list('/').map(({ name }) => `/${name}`)).toEqual([folder]);
    expect(
      disk
        .list(folder)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['after', 'before']);
  }
});

test('what is synced in a folder stays with it when an earlier one of its name was renamed', () => {
  const disk = new MemoryDisk();
  disk.makeDirectory('/a');
  disk.writeFile('/a/first', '');
  disk.syncDirectory('/a');
  disk.syncDirectory('/');
  disk.rename('/a', '/b');
  disk.makeDirectory('/a');
  disk.writeFile('/a/second', '');
  disk.syncDirectory('/a');
  disk.syncDirectory('/');
  disk.crash(new SeededRandom(1), 'lose');
  expect(disk.list('/a').map(({ name }) => name)).toEqual(['second']);
  expect(disk.list('/b').map(({ name }) => name)).toEqual(['first']);
});
