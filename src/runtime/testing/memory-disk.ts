/**
 * A disk in memory that forgets what a real one may forget. What is written lies in a page cache until it is synced; `crash` takes the
 * power away: of each file's unsynced bytes any pages may be there or not and its end may be torn at any byte; names made, renamed or
 * removed since their folder was last synced may be so or not, in any order that doesn't contradict itself.
 *
 * Faults on order: a full disk (writes stop short, as on Linux), an error at the n-th call, once or for good, everywhere or below a path.
 * Paths are absolute, with '/'.
 */
import type { DirectoryEntry, Disk, DiskFile, FileStat, OpenMode } from '../disk.ts';
import type { Random } from '../random.ts';

const PAGE_BYTES = 512;
const EMPTY = Buffer.alloc(0);

interface FileNode {
  readonly kind: 'file';
  /** What reads see. */
  content: Buffer;
  sizeBytes: number;
  /** What is on the device. */
  synced: Buffer;
  /** Where it may differ from what reads see; empty when `dirtyFrom` isn't below `dirtyTo`. */
  dirtyFrom: number;
  dirtyTo: number;
  /** Counts changes, so that an fsync knows whether it covered the last one, and an old one doesn't undo a newer. */
  version: number;
  syncedVersion: number;
  mtimeMs: number;
}

interface DirectoryNode {
  readonly kind: 'directory';
}

type Node = FileNode | DirectoryNode;

type NameChange =
  | { readonly kind: 'link'; readonly path: string; readonly node: Node }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

/** What a crash leaves: only what is synced, anything of the rest, or all (the process died, not the machine). */
export type CrashMode = 'lose' | 'tear' | 'keep';

export interface DiskFault {
  readonly code: 'EIO' | 'ENOSPC' | 'EROFS' | 'EMFILE';
  /** Only calls on this path and below; what lies elsewhere works, and isn't counted. */
  readonly below?: string;
  /** How many calls fail; all from the first on when not given. */
  readonly times?: number;
  /** A write puts half of its bytes down and says so, without an error; reads, closes and removals work. */
  readonly shortWrites?: boolean;
}

/** What a full disk doesn't hinder. */
const WITHOUT_SPACE = new Set(['read', 'stat', 'fstat', 'scandir', 'unlink', 'rm', 'ftruncate', 'rename']);

export interface MemoryDiskOptions {
  /** Of the file system, in all files together. */
  readonly capacityBytes?: number;
  readonly nowMs?: () => number;
}

export class MemoryDisk implements Disk {
  readonly #nowMs: () => number;
  #capacityBytes: number;
  #names = new Map<string, Node>([['/', { kind: 'directory' }]]);
  /** What a crash leaves of the names for certain. */
  #syncedNames = new Map<string, Node>(this.#names);
  #unsyncedChanges: NameChange[] = [];
  /** Handles opened before a crash are dead after it. */
  #generation = 0;
  #calls = 0;
  #fault: (DiskFault & { countdown: number; left: number }) | undefined;

  constructor(options: MemoryDiskOptions = {}) {
    this.#capacityBytes = options.capacityBytes ?? Infinity;
    this.#nowMs = options.nowMs ?? (() => 0);
  }

  /** Calls so far, to place a fault by. */
  get calls(): number {
    return this.#calls;
  }

  /** The `count`-th call from now fails, and every one after it (or `times` in all) until `heal`. */
  failAfter(count: number, fault: DiskFault = { code: 'EIO' }): void {
    this.#fault = { ...fault, countdown: count, left: fault.times ?? Infinity };
  }

  heal(): void {
    this.#fault = undefined;
  }

  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  get usedBytes(): number {
    let used = 0;
    for (const node of this.#names.values()) if (node.kind === 'file') used += node.sizeBytes;
    return used;
  }

  /**
   * Takes the power away and gives it back. Open handles are dead.
   */
  crash(random: Random, mode: CrashMode = 'tear'): void {
    this.#generation++;
    this.heal();
    if (mode === 'keep') return;
    this.#dropNames(random, mode);
    for (const node of this.#names.values()) {
      if (node.kind !== 'file') continue;
      const content = mode === 'lose' ? Buffer.from(node.synced) : torn(node, random);
      node.content = content;
      node.sizeBytes = content.length;
      node.synced = Buffer.from(content);
      markClean(node);
    }
  }

  #dropNames(random: Random, mode: 'tear' | 'lose'): void {
    const names = new Map(this.#syncedNames);
    // A change that rests on a lost one is lost too.
    const lost = new Set<string>();
    for (const change of this.#unsyncedChanges) {
      const paths = change.kind === 'rename' ? [change.from, change.to] : [change.path];
      const restsOnLost = paths.some((path) => [...lost].some((other) => path === other || path.startsWith(`${other}/`)));
      if (mode === 'lose' || restsOnLost || random.int(2) === 0) {
        for (const path of paths) lost.add(path);
      } else apply(names, change);
    }
    for (const path of [...names.keys()].toSorted()) if (path !== '/' && !names.has(parentOf(path))) names.delete(path);
    this.#names = names;
    this.#syncedNames = new Map(names);
    this.#unsyncedChanges = [];
  }

  /** The disk as one process sees it: after the next crash every call of it fails, so that nothing of the dead process goes on. */
  process(): Disk {
    const generation = this.#generation;
    return new Proxy<Disk>(this, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (generation !== this.#generation) throw diskError('EBADF', String(property), '');
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }

  /** Another disk with the same in it, all of it on the device. */
  clone(): MemoryDisk {
    const disk = new MemoryDisk({ capacityBytes: this.#capacityBytes, nowMs: this.#nowMs });
    for (const [path, node] of this.#names) {
      if (node.kind === 'directory') {
        disk.#names.set(path, node);
        continue;
      }
      const content = Buffer.from(node.content.subarray(0, node.sizeBytes));
      const file: FileNode = { ...node, content, synced: Buffer.from(content) };
      markClean(file);
      disk.#names.set(path, file);
    }
    disk.#syncedNames = new Map(disk.#names);
    return disk;
  }

  /** Flips one bit of a file, on the device too. */
  flipBit(path: string, bit: number): void {
    const node = this.#file(path, 'flip');
    const at = Math.floor(bit / 8);
    if (at >= node.sizeBytes) return;
    node.content[at] = (node.content[at] ?? 0) ^ (1 << (bit % 8));
    node.synced = Buffer.from(node.content.subarray(0, node.sizeBytes));
    markClean(node);
  }

  // ---- Disk

  open(path: string, mode: OpenMode): MemoryFile {
    this.#call('open', path);
    let node = this.#names.get(path);
    if (node?.kind === 'directory') throw diskError('EISDIR', 'open', path);
    if (node === undefined) {
      if (mode === 'read' || mode === 'read-write') throw diskError('ENOENT', 'open', path);
      if (!this.#names.has(parentOf(path))) throw diskError('ENOENT', 'open', path);
      node = {
        kind: 'file',
        content: EMPTY,
        sizeBytes: 0,
        synced: EMPTY,
        dirtyFrom: 0,
        dirtyTo: 0,
        version: 0,
        syncedVersion: 0,
        mtimeMs: this.#nowMs(),
      };
      this.#change({ kind: 'link', path, node });
    } else if (mode === 'create-new') throw diskError('EEXIST', 'open', path);
    else if (mode === 'truncate') shrink(node, 0);
    return new MemoryFile(this, path, node, this.#generation);
  }

  readFile(path: string): Buffer {
    this.#call('read', path);
    const node = this.#file(path, 'open');
    return Buffer.from(node.content.subarray(0, node.sizeBytes));
  }

  async readFileAsync(path: string): Promise<Buffer> {
    await Promise.resolve();
    return this.readFile(path);
  }

  writeFile(path: string, content: Uint8Array | string): void {
    const file = this.open(path, 'truncate');
    const bytes = Buffer.from(content);
    if (file.writeGathered([bytes], 0) !== bytes.length) throw diskError('ENOSPC', 'write', path);
  }

  exists(path: string): boolean {
    return this.#names.has(path);
  }

  stat(path: string): FileStat | undefined {
    this.#call('stat', path);
    const node = this.#names.get(path);
    if (node === undefined) return undefined;
    return node.kind === 'file'
      ? { sizeBytes: node.sizeBytes, mtimeMs: node.mtimeMs, isDirectory: false }
      : { sizeBytes: 0, mtimeMs: 0, isDirectory: true };
  }

  list(directory: string): DirectoryEntry[] {
    this.#call('scandir', directory);
    if (this.#names.get(directory)?.kind !== 'directory') throw diskError('ENOENT', 'scandir', directory);
    const entries: DirectoryEntry[] = [];
    for (const [path, node] of this.#names) {
      if (path !== '/' && parentOf(path) === directory)
        entries.push({ name: path.slice(path.lastIndexOf('/') + 1), isDirectory: node.kind === 'directory' });
    }
    return entries;
  }

  makeDirectory(path: string): void {
    this.#call('mkdir', path);
    if (this.#names.has(path)) return;
    if (path !== '/') this.makeDirectory(parentOf(path));
    this.#change({ kind: 'link', path, node: { kind: 'directory' } });
  }

  rename(from: string, to: string): void {
    this.#call('rename', from);
    if (!this.#names.has(from)) throw diskError('ENOENT', 'rename', from);
    this.#change({ kind: 'rename', from, to });
  }

  remove(path: string): void {
    this.#call('unlink', path);
    this.#file(path, 'unlink');
    this.#change({ kind: 'unlink', path });
  }

  removeTree(path: string): void {
    this.#call('rm', path);
    for (const other of Array.from(this.#names.keys()))
      if (other === path || other.startsWith(`${path}/`)) this.#change({ kind: 'unlink', path: other });
  }

  async removeTreeAsync(path: string): Promise<void> {
    await Promise.resolve();
    this.removeTree(path);
  }

  syncDirectory(directory: string): void {
    this.#call('fsync', directory);
    if (!this.#names.has(directory)) throw diskError('ENOENT', 'open', directory);
    this.#syncReusedName(directory);
    // A folder is the same under a new name: what was changed in it before its renaming is synced with it.
    let rest: NameChange[] = [];
    for (const [index, change] of this.#unsyncedChanges.entries()) {
      const later = this.#unsyncedChanges.slice(index + 1);
      if (renamed(parentOf(change.kind === 'rename' ? change.to : change.path), later) !== directory) {
        rest.push(change);
        continue;
      }
      // On the device the folders that it lies in may still have their old names.
      apply(
        this.#syncedNames,
        withPaths(change, (path) => beforeRenames(path, rest)),
      );
      if (change.kind === 'rename') rest = rest.map((earlier) => withPaths(earlier, (path) => moved(path, change.from, change.to)));
    }
    this.#unsyncedChanges = rest;
  }

  /** Names stand for folders here: of two that had one name, one after the other, the second is synced after the first has gone elsewhere. */
  #syncReusedName(directory: string): void {
    const changes = this.#unsyncedChanges;
    const made = changes.findLastIndex((change) => change.kind === 'link' && change.path === directory);
    const isReused = changes.slice(0, Math.max(0, made)).some((change) => change.kind === 'rename' && change.from === directory);
    if (isReused) this.syncDirectory(parentOf(directory));
  }

  async syncDirectoryAsync(directory: string): Promise<void> {
    await Promise.resolve();
    this.syncDirectory(directory);
  }

  freeBytes(): number {
    return this.#capacityBytes === Infinity ? 2 ** 40 : this.#capacityBytes - this.usedBytes;
  }

  totalBytes(): number {
    return this.#capacityBytes === Infinity ? 2 ** 40 : this.#capacityBytes;
  }

  setMode(): void {}

  // ---- For MemoryFile

  /** As `call` for a write: whether it is to stop short. */
  callToWrite(path: string, generation: number): boolean {
    if (generation !== this.#generation) throw diskError('EBADF', 'write', path);
    this.#calls++;
    const fault = this.#dueFault('write', path);
    if (fault === undefined) return false;
    fault.left--;
    if (fault.shortWrites === true) return true;
    throw diskError(fault.code, 'write', path);
  }

  /** Counts a call and fails it when it is its turn. */
  call(syscall: string, path: string, generation: number): void {
    if (generation !== this.#generation) throw diskError('EBADF', syscall, path);
    this.#call(syscall, path);
  }

  write(node: FileNode, chunks: readonly Uint8Array[], position: number, isShort = false): number {
    let wanted = 0;
    for (const chunk of chunks) wanted += chunk.byteLength;
    if (isShort) wanted = Math.floor(wanted / 2);
    const growth = Math.max(0, position + wanted - node.sizeBytes);
    const allowed =
      wanted - Math.max(0, growth - Math.max(0, this.#capacityBytes === Infinity ? Infinity : this.#capacityBytes - this.usedBytes));
    if (position + allowed > node.content.length) {
      const larger = Buffer.alloc(Math.max((position + allowed) * 2, 256));
      node.content.copy(larger, 0, 0, node.sizeBytes);
      node.content = larger;
    }
    if (position > node.sizeBytes) node.content.fill(0, node.sizeBytes, position);
    markDirty(node, Math.min(position, node.sizeBytes), position + Math.max(0, allowed));
    let written = 0;
    for (const chunk of chunks) {
      const length = Math.min(chunk.byteLength, allowed - written);
      if (length <= 0) break;
      node.content.set(chunk.subarray(0, length), position + written);
      written += length;
    }
    node.sizeBytes = Math.max(node.sizeBytes, position + written);
    node.mtimeMs = this.#nowMs();
    return written;
  }

  #call(syscall: string, path: string): void {
    this.#calls++;
    const fault = this.#dueFault(syscall, path);
    if (fault === undefined) return;
    fault.left--;
    throw diskError(fault.code, syscall, path);
  }

  /** The fault, when it is this call's turn. */
  #dueFault(syscall: string, path: string): (DiskFault & { left: number }) | undefined {
    const fault = this.#fault;
    if (fault === undefined || (fault.below !== undefined && path !== fault.below && !path.startsWith(`${fault.below}/`))) return undefined;
    fault.countdown--;
    if (fault.countdown > 0 || fault.left <= 0) return undefined;
    return fault.shortWrites === true && WITHOUT_SPACE.has(syscall) ? undefined : fault;
  }

  #change(change: NameChange): void {
    apply(this.#names, change);
    this.#unsyncedChanges.push(change);
  }

  #file(path: string, syscall: string): FileNode {
    const node = this.#names.get(path);
    if (node === undefined) throw diskError('ENOENT', syscall, path);
    if (node.kind !== 'file') throw diskError('EISDIR', syscall, path);
    return node;
  }
}

export class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #node: FileNode;
  readonly #generation: number;
  #closed = false;

  constructor(disk: MemoryDisk, path: string, node: FileNode, generation: number) {
    this.#disk = disk;
    this.path = path;
    this.#node = node;
    this.#generation = generation;
  }

  read(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    this.#call('read');
    const end = Math.min(position + length, this.#node.sizeBytes);
    if (end <= position) return 0;
    target.set(this.#node.content.subarray(position, end), targetOffset);
    return end - position;
  }

  async readAsync(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    await Promise.resolve();
    return this.read(target, targetOffset, length, position);
  }

  write(source: Uint8Array, sourceOffset: number, length: number, position: number): number {
    return this.writeGathered([source.subarray(sourceOffset, sourceOffset + length)], position);
  }

  writeGathered(chunks: readonly Uint8Array[], position: number): number {
    if (this.#closed) throw diskError('EBADF', 'write', this.path);
    const isShort = this.#disk.callToWrite(this.path, this.#generation);
    return this.#disk.write(this.#node, chunks, position, isShort);
  }

  async writeGatheredAsync(chunks: readonly Uint8Array[], position: number): Promise<number> {
    await Promise.resolve();
    return this.writeGathered(chunks, position);
  }

  sync(): void {
    this.beginSync()();
  }

  async syncAsync(): Promise<void> {
    const finish = this.beginSync();
    await Promise.resolve();
    finish();
  }

  /** An fsync in two halves: what is written after the first isn't covered by it. The second may throw the disk's error. */
  beginSync(): () => void {
    const node = this.#node;
    const { sizeBytes, version } = node;
    const from = Math.min(node.dirtyFrom, sizeBytes);
    const changed = Buffer.from(node.content.subarray(from, Math.max(from, Math.min(node.dirtyTo, sizeBytes))));
    return () => {
      this.#call('fsync');
      if (node.syncedVersion > version) return;
      node.syncedVersion = version;
      if (node.synced.length !== sizeBytes) {
        const resized = Buffer.alloc(sizeBytes);
        node.synced.copy(resized, 0, 0, Math.min(node.synced.length, sizeBytes));
        node.synced = resized;
      }
      changed.copy(node.synced, from);
      if (node.version === version) markClean(node);
    };
  }

  truncate(sizeBytes: number): void {
    this.#call('ftruncate');
    const node = this.#node;
    if (sizeBytes > node.sizeBytes) this.#disk.write(node, [Buffer.alloc(sizeBytes - node.sizeBytes)], node.sizeBytes);
    else shrink(node, sizeBytes);
  }

  sizeBytes(): number {
    this.#call('fstat');
    return this.#node.sizeBytes;
  }

  close(): void {
    this.#closed = true;
  }

  #call(syscall: string): void {
    if (this.#closed) throw diskError('EBADF', syscall, this.path);
    this.#disk.call(syscall, this.path, this.#generation);
  }
}

function apply(names: Map<string, Node>, change: NameChange): void {
  if (change.kind === 'link') names.set(change.path, change.node);
  else if (change.kind === 'unlink') names.delete(change.path);
  else {
    for (const [path, node] of Array.from(names)) {
      if (path !== change.from && !path.startsWith(`${change.from}/`)) continue;
      names.delete(path);
      names.set(change.to + path.slice(change.from.length), node);
    }
  }
}

function moved(path: string, from: string, to: string): string {
  return path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
}

/** A path after some changes. */
function renamed(path: string, changes: readonly NameChange[]): string {
  return changes.reduce((now, change) => (change.kind === 'rename' ? moved(now, change.from, change.to) : now), path);
}

/** The path, of whose folders some were renamed by `changes`, as it is without them. */
function beforeRenames(path: string, changes: readonly NameChange[]): string {
  const slash = path.lastIndexOf('/');
  const folder = changes
    .toReversed()
    .reduce((now, change) => (change.kind === 'rename' ? moved(now, change.to, change.from) : now), path.slice(0, slash));
  return folder + path.slice(slash);
}

function withPaths(change: NameChange, map: (path: string) => string): NameChange {
  return change.kind === 'rename' ? { ...change, from: map(change.from), to: map(change.to) } : { ...change, path: map(change.path) };
}

function shrink(node: FileNode, sizeBytes: number): void {
  markDirty(node, sizeBytes, node.sizeBytes);
  node.sizeBytes = sizeBytes;
}

function markDirty(node: FileNode, from: number, to: number): void {
  const isClean = node.dirtyFrom >= node.dirtyTo;
  node.dirtyFrom = isClean ? from : Math.min(node.dirtyFrom, from);
  node.dirtyTo = isClean ? to : Math.max(node.dirtyTo, to);
  node.version++;
}

function markClean(node: FileNode): void {
  node.dirtyFrom = 0;
  node.dirtyTo = 0;
  node.syncedVersion = node.version;
}

/** Synced bytes with any of the unsynced pages, ending at any byte between the two sizes. */
function torn(node: FileNode, random: Random): Buffer {
  const { synced, content, sizeBytes } = node;
  const low = Math.min(synced.length, sizeBytes);
  const high = Math.max(synced.length, sizeBytes);
  const choice = random.int(4);
  const size = choice === 0 ? low : choice === 1 ? high : low + random.int(high - low + 1);
  const result = Buffer.alloc(size);
  synced.copy(result, 0, 0, Math.min(size, synced.length));
  const losesPages = random.int(2) === 0;
  for (let at = 0; at < Math.min(size, sizeBytes); at += PAGE_BYTES) {
    const end = Math.min(at + PAGE_BYTES, size, sizeBytes);
    if (!losesPages || random.int(4) !== 0) content.copy(result, at, at, end);
  }
  return result;
}

function diskError(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall} '${path}'`);
  error.code = code;
  error.syscall = syscall;
  error.path = path;
  return error;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
