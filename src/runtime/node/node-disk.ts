/** Disk on `node:fs`. A gathered write that stops short is returned as such: the caller decides what a full disk means. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { AtMost } from '../at-most.ts';
import type { Disk, DiskFile, OpenMode } from '../disk.ts';

const FLAGS: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  'read-write': fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  'create-new': fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
  truncate: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
};

/** IOV_MAX on Linux and macOS: a longer gather list is refused by the kernel. */
const MAX_GATHER = 1024;

const readAsync = promisify(fs.read);
const writevAsync = promisify(fs.writev);
const fsyncAsync = promisify(fs.fsync);

const POOL_THREADS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4;
/**
 * One thread of Node's pool is kept free of fsync. A topic of some hundred partitions asks for thousands of them, which take a slow disk
 * minutes; look-ups of names for new connections (also of `localhost`) and reads wait in the same line.
 */
const syncs = new AtMost(Math.max(1, POOL_THREADS - 1));

class NodeDiskFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  #closed = false;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#fd = fs.openSync(path, FLAGS[mode], 0o644);
  }

  read(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    return fs.readSync(this.#fd, target, targetOffset, length, position);
  }

  async readAsync(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    const { bytesRead } = await readAsync(this.#fd, target, targetOffset, length, position);
    return bytesRead;
  }

  write(source: Uint8Array, sourceOffset: number, length: number, position: number): number {
    return fs.writeSync(this.#fd, source, sourceOffset, length, position);
  }

  writeGathered(chunks: readonly Uint8Array[], position: number): number {
    const [first] = chunks;
    if (chunks.length === 1 && first !== undefined) return this.write(first, 0, first.byteLength, position);
    let written = 0;
    for (let from = 0; from < chunks.length; from += MAX_GATHER) {
      const part = chunks.slice(from, from + MAX_GATHER);
      const count = fs.writevSync(this.#fd, part, position + written);
      written += count;
      if (count < bytesOf(part)) break;
    }
    return written;
  }

  async writeGatheredAsync(chunks: readonly Uint8Array[], position: number): Promise<number> {
    let written = 0;
    for (let from = 0; from < chunks.length; from += MAX_GATHER) {
      const part = chunks.slice(from, from + MAX_GATHER);
      const { bytesWritten } = await writevAsync(this.#fd, part, position + written);
      written += bytesWritten;
      if (bytesWritten < bytesOf(part)) break;
    }
    return written;
  }

  sync(): void {
    fs.fsyncSync(this.#fd);
  }

  syncAsync(): Promise<void> {
    return syncs.run(() => fsyncAsync(this.#fd));
  }

  truncate(sizeBytes: number): void {
    fs.ftruncateSync(this.#fd, sizeBytes);
  }

  sizeBytes(): number {
    return fs.fstatSync(this.#fd).size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    fs.closeSync(this.#fd);
  }
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return total;
}

export const nodeDisk: Disk = {
  open: (path, mode) => new NodeDiskFile(path, mode),
  readFile: (path) => fs.readFileSync(path),
  readFileAsync: (path) => fs.promises.readFile(path),
  writeFile: (path, content) => fs.writeFileSync(path, content),
  exists: (path) => fs.existsSync(path),
  stat(path) {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    return { sizeBytes: stat.size, mtimeMs: stat.mtimeMs, isDirectory: stat.isDirectory(), inode: stat.ino };
  },
  list: (directory) =>
    fs.readdirSync(directory, { withFileTypes: true }).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() })),
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true }),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  removeTree: (path) => fs.rmSync(path, { recursive: true, force: true }),
  removeTreeAsync: (path) => fs.promises.rm(path, { recursive: true, force: true }),
  syncDirectory(directory) {
    // Windows can't open a folder for fsync; its renames are journalled.
    if (process.platform === 'win32') return;
    const fd = fs.openSync(directory, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  async syncDirectoryAsync(directory) {
    if (process.platform === 'win32') return;
    await syncs.run(async () => {
      const handle = await fs.promises.open(directory, fs.constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  },
  freeBytes(path) {
    const stat = fs.statfsSync(path);
    return stat.bavail * stat.bsize;
  },
  totalBytes(path) {
    const stat = fs.statfsSync(path);
    return stat.blocks * stat.bsize;
  },
  setMode: (path, mode) => fs.chmodSync(path, mode),
};
