/**
 * A machine's disk as one process sees it. Calls cost virtual time: a synchronous one holds the process's event loop, an asynchronous one
 * ends later, and not at all for a process that died meanwhile (of what it was told to sync nobody knows whether it was).
 */
import type { DirectoryEntry, Disk, DiskFile, FileStat, OpenMode } from '../../../src/runtime/disk.ts';
import type { MemoryDisk, MemoryFile } from '../../../src/runtime/testing/memory-disk.ts';
import { EventKind } from './event-queue.ts';
import type { SimProcess } from './sim-process.ts';

const CALL_MS = 0.004;
const BYTES_PER_MS = 1_000_000;
const SYNC_MS = 0.6;
const LONGEST_WRITE_MS = 80;

/** A process that is dead calls nothing: its code doesn't run. One that was halted may still be in the middle of something. */
class DeadProcessError extends Error {
  readonly code = 'EIO';
}

class Costs {
  readonly process: SimProcess;

  constructor(process: SimProcess) {
    this.process = process;
  }

  spend(bytes = 0): void {
    if (!this.process.isAlive) throw new DeadProcessError('the process is dead');
    this.process.spend(CALL_MS + bytes / BYTES_PER_MS);
  }

  get syncMs(): number {
    return SYNC_MS * this.process.machine.syncSlowness;
  }

  /** On a slow disk some writes, too, take far longer than the copy into the page cache (writeback throttles whoever writes). */
  writeMs(bytes: number): number {
    const { syncSlowness } = this.process.machine;
    const isHeldUp = syncSlowness > 1 && this.process.writeRandom.int(3) === 0;
    return bytes / BYTES_PER_MS + (isHeldUp ? Math.min(LONGEST_WRITE_MS, SYNC_MS * syncSlowness) : 0);
  }

  spendWrite(bytes: number): void {
    this.spend();
    this.process.spend(this.writeMs(bytes));
  }

  spendSync(): void {
    this.spend();
    this.process.spend(this.syncMs);
  }

  /** `finish` is called and its value delivered when the call has taken its time. */
  later<T>(durationMs: number, finish: () => T): Promise<T> {
    const { process } = this;
    if (!process.isAlive) return Promise.reject(new DeadProcessError('the process is dead'));
    return new Promise<T>((resolve, reject) => {
      process.schedule(process.localMs + CALL_MS + durationMs, EventKind.disk, () => {
        try {
          resolve(finish());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}

export class SimDisk implements Disk {
  readonly #disk: MemoryDisk;
  readonly #costs: Costs;

  constructor(process: SimProcess, disk: MemoryDisk) {
    this.#disk = disk;
    this.#costs = new Costs(process);
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.#costs.spend();
    return new SimFile(this.#disk.open(path, mode), this.#costs);
  }
  readFile(path: string): Buffer {
    this.#costs.spend();
    return this.#disk.readFile(path);
  }
  readFileAsync(path: string): Promise<Buffer> {
    return this.#costs.later(0, () => this.#disk.readFile(path));
  }
  writeFile(path: string, content: Uint8Array | string): void {
    this.#costs.spend(content.length);
    this.#disk.writeFile(path, content);
  }
  exists(path: string): boolean {
    this.#costs.spend();
    return this.#disk.exists(path);
  }
  stat(path: string): FileStat | undefined {
    this.#costs.spend();
    return this.#disk.stat(path);
  }
  list(directory: string): DirectoryEntry[] {
    this.#costs.spend();
    return this.#disk.list(directory);
  }
  makeDirectory(path: string): void {
    this.#costs.spend();
    this.#disk.makeDirectory(path);
  }
  rename(from: string, to: string): void {
    this.#costs.spend();
    this.#disk.rename(from, to);
  }
  remove(path: string): void {
    this.#costs.spend();
    this.#disk.remove(path);
  }
  removeTree(path: string): void {
    this.#costs.spend();
    this.#disk.removeTree(path);
  }
  removeTreeAsync(path: string): Promise<void> {
    return this.#costs.later(0.1, () => this.#disk.removeTree(path));
  }
  syncDirectory(directory: string): void {
    this.#costs.spendSync();
    this.#disk.syncDirectory(directory);
  }
  syncDirectoryAsync(directory: string): Promise<void> {
    return this.#costs.later(this.#costs.syncMs, () => this.#disk.syncDirectory(directory));
  }
  freeBytes(): number {
    this.#costs.spend();
    return this.#disk.freeBytes();
  }
  totalBytes(): number {
    return this.#disk.totalBytes();
  }
  setMode(): void {
    this.#costs.spend();
  }
}

class SimFile implements DiskFile {
  readonly #file: MemoryFile;
  readonly #costs: Costs;

  constructor(file: MemoryFile, costs: Costs) {
    this.#file = file;
    this.#costs = costs;
  }

  get path(): string {
    return this.#file.path;
  }
  read(target: Uint8Array, targetOffset: number, length: number, position: number): number {
    this.#costs.spend(length);
    return this.#file.read(target, targetOffset, length, position);
  }
  readAsync(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number> {
    return this.#costs.later(length / BYTES_PER_MS, () => this.#file.read(target, targetOffset, length, position));
  }
  write(source: Uint8Array, sourceOffset: number, length: number, position: number): number {
    this.#costs.spendWrite(length);
    return this.#file.write(source, sourceOffset, length, position);
  }
  writeGathered(chunks: readonly Uint8Array[], position: number): number {
    this.#costs.spendWrite(bytesOf(chunks));
    return this.#file.writeGathered(chunks, position);
  }
  writeGatheredAsync(chunks: readonly Uint8Array[], position: number): Promise<number> {
    return this.#costs.later(this.#costs.writeMs(bytesOf(chunks)), () => this.#file.writeGathered(chunks, position));
  }
  sync(): void {
    this.#costs.spendSync();
    this.#file.sync();
  }
  syncAsync(): Promise<void> {
    return this.#costs.later(this.#costs.syncMs, this.#file.beginSync());
  }
  truncate(sizeBytes: number): void {
    this.#costs.spend();
    this.#file.truncate(sizeBytes);
  }
  sizeBytes(): number {
    this.#costs.spend();
    return this.#file.sizeBytes();
  }
  close(): void {
    this.#file.close();
  }
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return total;
}
