/**
 * Files and folders. Synchronous calls are for small, bounded work on the event loop (a grouped append, an
 * index look-up that hits the page cache); the asynchronous ones for fsync, large writes and start-up.
 * Errors are Node's: an `Error` with `code` (ENOENT, EEXIST, ENOSPC, EIO, …), `syscall` and `path`.
 */
export type OpenMode =
  /** Existing file, read only. */
  | 'read'
  /** Existing file, read and write. */
  | 'read-write'
  /** Read and write, created when missing, kept when there. */
  | 'create'
  /** Read and write, refused with EEXIST when there. */
  | 'create-new'
  /** Read and write, emptied when there. */
  | 'truncate';

export interface FileStat {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly isDirectory: boolean;
  /** The number of the file on its file system, where there is one: what /proc/locks calls it by. */
  readonly inode?: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

export interface DiskFile {
  readonly path: string;
  /** Reads up to `length` bytes at `position` into `target` at `targetOffset`; returns the bytes read, 0 at the end. */
  read(target: Uint8Array, targetOffset: number, length: number, position: number): number;
  readAsync(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number>;
  /** Writes `length` bytes of `source` from `sourceOffset` on at `position`; returns the bytes written, which may be fewer (ENOSPC). */
  write(source: Uint8Array, sourceOffset: number, length: number, position: number): number;
  /** Writes `chunks` one after another from `position`; returns the bytes written, which may be fewer (ENOSPC). */
  writeGathered(chunks: readonly Uint8Array[], position: number): number;
  writeGatheredAsync(chunks: readonly Uint8Array[], position: number): Promise<number>;
  /** fsync: data and metadata are on the device when it returns. */
  sync(): void;
  syncAsync(): Promise<void>;
  truncate(sizeBytes: number): void;
  sizeBytes(): number;
  /** Closes the file; a second call does nothing. */
  close(): void;
}

export interface Disk {
  open(path: string, mode: OpenMode): DiskFile;
  readFile(path: string): Buffer;
  readFileAsync(path: string): Promise<Buffer>;
  /** Writes a whole file in place (no atomicity): see `writeFileAtomically` for that. */
  writeFile(path: string, content: Uint8Array | string): void;
  exists(path: string): boolean;
  /** The stat of `path`, or undefined when nothing is there. */
  stat(path: string): FileStat | undefined;
  list(directory: string): DirectoryEntry[];
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  removeTree(path: string): void;
  removeTreeAsync(path: string): Promise<void>;
  /** Makes renames and creations inside `directory` durable. */
  syncDirectory(directory: string): void;
  /** The same on the thread pool. */
  syncDirectoryAsync(directory: string): Promise<void>;
  /** Bytes free for an unprivileged user on the file system of `path`. */
  freeBytes(path: string): number;
  /** Size of the file system of `path`. */
  totalBytes(path: string): number;
  setMode(path: string, mode: number): void;
}

/** Replaces `path` by `content` so that after a crash either the old or the new file is there, whole and synced. */
export function writeFileAtomically(disk: Disk, path: string, content: Uint8Array | string): void {
  const temporary = `${path}.tmp`;
  const file = disk.open(temporary, 'truncate');
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    writeFully(file, [bytes], 0);
    file.sync();
  } finally {
    file.close();
  }
  disk.rename(temporary, path);
  disk.syncDirectory(parentOf(path));
}

/** Makes a folder, and those above it that are missing, so that a crash doesn't take their names back. */
export function makeDirectoryDurably(disk: Disk, path: string): void {
  if (disk.exists(path)) return;
  const parent = parentOf(path);
  if (parent !== path && parent !== '.') makeDirectoryDurably(disk, parent);
  disk.makeDirectory(path);
  disk.syncDirectory(parent);
}

/** Writes all of `chunks` at `position` or throws ENOSPC after a short write. */
export function writeFully(file: DiskFile, chunks: readonly Uint8Array[], position: number): void {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  if (total === 0) return;
  const written = file.writeGathered(chunks, position);
  if (written !== total) throw shortWriteError(file.path, written, total);
}

/** The error for a write that the file system cut short: Linux reports a full disk that way. */
export function shortWriteError(path: string, written: number, total: number): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`ENOSPC: wrote ${written} of ${total} bytes to ${path}: no space left on the device`);
  error.code = 'ENOSPC';
  error.syscall = 'write';
  error.path = path;
  return error;
}

function parentOf(path: string): string {
  const slash = path.replaceAll('\\', '/').lastIndexOf('/');
  return slash <= 0 ? path.slice(0, slash + 1) || '.' : path.slice(0, slash);
}
