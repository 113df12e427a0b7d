/**
 * A disk in memory on which a process waits: every tenth write holds it up for longer than a log finds usual, so that logs write asynchronously for a
 * while, and half of the asynchronous calls take up to 30 ms. What may come between is chance's, from a seed.
 */
import type { Disk, DiskFile } from '../disk.ts';
import type { Random } from '../random.ts';
import type { ManualTime } from './manual-time.ts';
import { MemoryDisk } from './memory-disk.ts';

const HELD_UP_MS = 25;
const LONGEST_MS = 30;

export class SlowDisk extends MemoryDisk {
  readonly #time: ManualTime;
  readonly #random: Random;

  constructor(time: ManualTime, random: Random) {
    super({ nowMs: () => time.wallMs() });
    this.#time = time;
    this.#random = random;
  }

  override process(): Disk {
    const disk = super.process();
    return withCalls(disk, {
      open: (path, mode) => this.#slow(disk.open(path, mode)),
      syncDirectoryAsync: (path) => this.#later(() => disk.syncDirectory(path)),
    });
  }

  #slow(file: DiskFile): DiskFile {
    return withCalls(file, {
      write: (source, sourceOffset, length, position) => this.#heldUp(() => file.write(source, sourceOffset, length, position)),
      writeGathered: (chunks, position) => this.#heldUp(() => file.writeGathered(chunks, position)),
      writeGatheredAsync: (chunks, position) => this.#later(() => file.writeGathered(chunks, position)),
      syncAsync: () => this.#later(() => file.sync()),
    });
  }

  #heldUp<T>(call: () => T): T {
    if (this.#random.int(10) === 0) this.#time.leap(HELD_UP_MS);
    return call();
  }

  #later<T>(call: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const act = (): void => {
        try {
          resolve(call());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      if (this.#random.int(2) === 0) act();
      else this.#time.after(this.#random.int(LONGEST_MS), act);
    });
  }
}

/** `target`, some of whose calls are others. */
function withCalls<T extends object>(target: T, calls: Partial<T>): T {
  return new Proxy(target, {
    get: (_, property) => {
      const own: unknown = Reflect.get(calls, property);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
