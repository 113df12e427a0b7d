/**
 * A small file that is replaced whole, off the event loop's time: written to a temporary name, synced by the thread pool, renamed.
 * Changes that come while one is being written, or within its delay, are written together. `settled` writes what is left at once
 * and tells when it is on the device.
 */
import type { Disk } from '../../runtime/disk.ts';
import { writeFully } from '../../runtime/disk.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';

/** Lets more changes come before the first is written. */
export interface WriteDelay {
  readonly scheduler: Scheduler;
  readonly delayMs: number;
}

export class BackgroundFile {
  readonly #disk: Disk;
  readonly #content: () => string;
  readonly #onError: (error: unknown) => void;
  readonly #delay: WriteDelay | undefined;
  #path: string;
  #dirty = false;
  #timer: Cancellable | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param content what the file shall hold, asked when it is written.
   * @param onError the file could not be written; it is not tried again by itself.
   */
  constructor(disk: Disk, path: string, content: () => string, onError: (error: unknown) => void, delay?: WriteDelay) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
    this.#onError = onError;
    this.#delay = delay;
  }

  get isDirty(): boolean {
    return this.#dirty || this.#writing !== undefined;
  }

  moved(path: string): void {
    this.#path = path;
  }

  /** Asks for the file to be written anew. `mayWait`: only after the file's delay. */
  schedule({ mayWait = false } = {}): void {
    if (this.#closed) return;
    this.#dirty = true;
    if (!mayWait || this.#delay === undefined) this.#write();
    else this.#timer ??= this.#delay.scheduler.after(this.#delay.delayMs, () => this.#write());
  }

  /** Resolves when what was asked for up to now is on the device, or has failed. */
  async settled(): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    while (this.#writing !== undefined) await this.#writing;
  }

  /** No more writes from here on. */
  close(): void {
    this.#closed = true;
    this.#dirty = false;
    this.#cancelTimer();
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #write(): void {
    this.#cancelTimer();
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // The caller may change more in this turn: they go into one write.
    await Promise.resolve();
    try {
      while (this.#dirty) {
        this.#dirty = false;
        await writeAtomicallyInBackground(
          this.#disk,
          this.#path,
          this.#content(),
          () => this.#path,
          () => this.#closed,
        );
      }
    } catch (error) {
      this.#dirty = false;
      if (!this.#closed) this.#onError(error);
    } finally {
      this.#writing = undefined;
    }
  }
}

/** As `writeFileAtomically` of the runtime, with the fsyncs on the thread pool. `currentPath` is asked after each wait: the folder may have moved. */
export async function writeAtomicallyInBackground(
  disk: Disk,
  path: string,
  content: string,
  currentPath: () => string = () => path,
  isAbandoned: () => boolean = () => false,
): Promise<void> {
  const file = disk.open(`${path}.tmp`, 'truncate');
  try {
    writeFully(file, [Buffer.from(content, 'utf8')], 0);
    await file.syncAsync();
  } finally {
    file.close();
  }
  if (isAbandoned()) return;
  const target = currentPath();
  disk.rename(`${target}.tmp`, target);
  await syncFolderOf(disk, target, currentPath, isAbandoned);
}

/** The thread pool opens the folder some time after it was asked to: by then it may have another name. */
async function syncFolderOf(disk: Disk, path: string, currentPath: () => string, isAbandoned: () => boolean): Promise<void> {
  try {
    await disk.syncDirectoryAsync(path.slice(0, path.lastIndexOf('/')) || '/');
  } catch (error) {
    const now = currentPath();
    if (now === path || isAbandoned()) throw error;
    await syncFolderOf(disk, now, currentPath, isAbandoned);
  }
}

/** fsync of a file on the thread pool; nothing when it is gone. */
export async function syncFile(disk: Disk, path: string): Promise<void> {
  if (!disk.exists(path)) return;
  const file = disk.open(path, 'read-write');
  try {
    await file.syncAsync();
  } finally {
    file.close();
  }
}
