import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { purgeOldFiles, startDatadirCleanup } from './datadir-cleanup.ts';

const DIRECTORY = '/zk/version-2';
const HOUR_MS = 3_600_000;
const WHOLE = Buffer.from([9, 9, 0, 0, 0, 1, 0x2f]);

/** Snapshots that are whole, unless their name ends with `!`; empty logs and others. */
function diskWith(...names: string[]): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  for (const name of names) add(disk, name);
  return disk;
}

function add(disk: MemoryDisk, name: string): void {
  const whole = name.startsWith('snapshot.') && !name.endsWith('!');
  disk.writeFile(`${DIRECTORY}/${name.replace('!', '')}`, whole ? WHOLE : WHOLE.subarray(0, 4));
}

const namesOf = (disk: MemoryDisk): string[] =>
  disk
    .list(DIRECTORY)
    .map(({ name }) => name)
    .toSorted();

describe('purging', () => {
  it('keeps the newest snapshots and every log that the oldest of them needs', () => {
    const disk = diskWith('snapshot.0', 'log.1', 'snapshot.64', 'log.65', 'snapshot.c8', 'log.c9', 'snapshot.12c', 'log.12d', 'other');
    expect(purgeOldFiles(disk, DIRECTORY, 3)).toEqual(['snapshot.0', 'log.1']);
    expect(namesOf(disk)).toEqual(['log.12d', 'log.65', 'log.c9', 'other', 'snapshot.12c', 'snapshot.64', 'snapshot.c8']);
    expect(purgeOldFiles(disk, DIRECTORY, 3)).toEqual([]);
  });

  it('keeps the log that goes on past the oldest snapshot', () => {
    // Apache ZooKeeper need not begin a file at a snapshot.
    const disk = diskWith('snapshot.a', 'log.5', 'log.1', 'snapshot.20', 'snapshot.30');
    purgeOldFiles(disk, DIRECTORY, 3);
    expect(namesOf(disk)).toEqual(['log.5', 'snapshot.20', 'snapshot.30', 'snapshot.a']);
  });

  it('counts no snapshot that is torn', () => {
    const names = ['snapshot.1', 'snapshot.2', 'log.3', 'snapshot.3', 'snapshot.4!', 'snapshot.5!', 'snapshot.6!'];
    const disk = diskWith(...names);
    expect(purgeOldFiles(disk, DIRECTORY, 3)).toEqual([]);
    expect(purgeOldFiles(diskWith(...names, 'snapshot.7'), DIRECTORY, 3)).toEqual(['snapshot.1']);
  });
});

describe('the clean-up of a data folder', () => {
  const old = ['snapshot.1', 'snapshot.2', 'snapshot.3', 'snapshot.4'];

  async function started(disk: MemoryDisk, purgeIntervalHours: number) {
    const time = new ManualTime();
    const cleanup = startDatadirCleanup(
      { disk, logger: silentLogger, scheduler: time },
      { directory: DIRECTORY, snapRetainCount: 3, purgeIntervalHours },
    );
    await time.settle();
    return { time, cleanup };
  }

  it('purges at the start and then each interval, until it is ended', async () => {
    const disk = diskWith(...old);
    const { time, cleanup } = await started(disk, 2);
    expect(namesOf(disk)).toEqual(old.slice(1));
    add(disk, 'snapshot.5');
    await time.advance(2 * HOUR_MS - 1);
    expect(namesOf(disk)).toHaveLength(4);
    await time.advance(1);
    expect(namesOf(disk)).toEqual(['snapshot.3', 'snapshot.4', 'snapshot.5']);
    cleanup.cancel();
    add(disk, 'snapshot.6');
    await time.advance(4 * HOUR_MS);
    expect(namesOf(disk)).toHaveLength(4);
  });

  it('purges nothing when the interval is 0', async () => {
    const disk = diskWith(...old);
    const { time } = await started(disk, 0);
    await time.advance(100 * HOUR_MS);
    expect(namesOf(disk)).toEqual(old);
  });

  it('tries again after a purge that failed', async () => {
    const disk = diskWith(...old);
    const remove = disk.remove.bind(disk);
    disk.remove = () => {
      throw new Error('EIO');
    };
    const { time } = await started(disk, 1);
    expect(namesOf(disk)).toEqual(old);
    disk.remove = remove;
    await time.advance(HOUR_MS);
    expect(namesOf(disk)).toEqual(old.slice(1));
  });
});
