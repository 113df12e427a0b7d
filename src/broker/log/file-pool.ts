/**
 * Open file handles, shared: a file is opened when it is first used and may be closed again when others are used more,
 * so that thousands of segments need few handles. A handle in use by an asynchronous call is pinned and stays.
 */
import type { Disk, DiskFile, OpenMode } from '../../runtime/disk.ts';

export class FilePool {
  readonly #disk: Disk;
  readonly #maxOpen: number;
  /** In order of last use. */
  readonly #open = new Set<PooledFile>();

  /** @param maxOpen handles kept open at a time, pinned ones aside. */
  constructor(disk: Disk, maxOpen: number) {
    this.#disk = disk;
    this.#maxOpen = maxOpen;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** A file that exists or is made at its first use. */
  file(path: string): PooledFile {
    return new PooledFile(this, path);
  }

  /** For PooledFile. */
  openFile(file: PooledFile, mode: OpenMode): DiskFile {
    const handle = this.#disk.open(file.path, mode);
    this.#open.add(file);
    if (this.#open.size > this.#maxOpen) this.#closeOldest(file);
    return handle;
  }

  /** For PooledFile. */
  used(file: PooledFile): void {
    // Below half of the limit nothing is about to be closed and the order doesn't matter.
    if (this.#open.size * 2 < this.#maxOpen) return;
    this.#open.delete(file);
    this.#open.add(file);
  }

  /** For PooledFile. */
  closed(file: PooledFile): void {
    this.#open.delete(file);
  }

  #closeOldest(except: PooledFile): void {
    for (const file of this.#open) {
      if (this.#open.size <= this.#maxOpen) return;
      if (file !== except && !file.isPinned) file.close();
    }
  }
}

export class PooledFile {
  readonly #pool: FilePool;
  #path: string;
  #handle: DiskFile | undefined;
  #pins = 0;
  #closeWhenUnpinned = false;

  constructor(pool: FilePool, path: string) {
    this.#pool = pool;
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** The handle, for a synchronous call: it may be closed by the next use of another file. */
  handle(): DiskFile {
    if (this.#handle === undefined) this.#handle = this.#pool.openFile(this, 'create');
    else this.#pool.used(this);
    return this.#handle;
  }

  /** The handle, kept open while `use` runs. */
  async pinned<T>(use: (handle: DiskFile) => Promise<T>): Promise<T> {
    const handle = this.handle();
    this.#pins++;
    try {
      return await use(handle);
    } finally {
      this.#pins--;
      if (this.#pins === 0 && this.#closeWhenUnpinned) this.close();
    }
  }

  /** The file has been renamed, or its folder. An open handle stays good. */
  moved(path: string): void {
    this.#path = path;
  }

  close(): void {
    if (this.#pins > 0) {
      this.#closeWhenUnpinned = true;
      return;
    }
    this.#closeWhenUnpinned = false;
    this.#handle?.close();
    this.#handle = undefined;
    this.#pool.closed(this);
  }
}
