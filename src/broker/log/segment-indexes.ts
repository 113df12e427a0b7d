/**
 * The indexes of one segment, in memory while used and in their files. New entries go to the files in groups: when a good
 * number waits, when the log is flushed, rolled or closed, and at the sweep of LogManager, never one by one with the appends.
 * Indexes of segments that are not in use are given back (IndexCache) and read again when asked.
 * A file that can't be read as an index at all is reported by `checkFiles` at start; the segment is then recovered.
 */
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndex } from '../../log-format/offset-index.ts';
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from '../../log-format/file-names.ts';
import type { SegmentFileSuffix } from '../../log-format/file-names.ts';
import { TIME_INDEX_ENTRY_BYTES, TimeIndex } from '../../log-format/time-index.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { decodeTxnIndex, encodeAbortedTxn } from '../../log-format/txn-index.ts';
import { writeFully } from '../../runtime/disk.ts';
import { syncFile } from './background-file.ts';
import type { IndexBuilder } from './index-builder.ts';
import type { IndexHolder } from './index-cache.ts';
import type { LogContext } from './log-context.ts';

/** Entries that may wait for their file. */
const MAX_WAITING_ENTRIES = 256;

interface Loaded {
  readonly offset: OffsetIndex;
  readonly time: TimeIndex;
}

export class SegmentIndexes implements IndexHolder {
  readonly #context: LogContext;
  readonly #baseOffset: number;
  readonly #pathOf: (suffix: SegmentFileSuffix) => string;
  readonly #rebuild: () => IndexBuilder;
  readonly #maxEntries: number;
  #loaded: Loaded | undefined;
  /** Entries that the files have. */
  #offsetEntriesInFile = 0;
  #timeEntriesInFile = 0;
  /** Changes of the files, and how many of them are on the device: two flushes may be under way at a time. */
  #changes = 1;
  #syncedChanges = 0;
  #txns: AbortedTxn[] | undefined;
  #txnChanges = 0;
  #syncedTxnChanges = 0;

  /** @param rebuild makes both indexes from the log file. */
  constructor(
    context: LogContext,
    options: {
      readonly baseOffset: number;
      readonly maxIndexBytes: number;
      readonly pathOf: (suffix: SegmentFileSuffix) => string;
      readonly rebuild: () => IndexBuilder;
    },
  ) {
    const { baseOffset, maxIndexBytes, pathOf, rebuild } = options;
    this.#context = context;
    this.#rebuild = rebuild;
    this.#baseOffset = baseOffset;
    this.#pathOf = pathOf;
    // The time index keeps its last slot for the entry made when the segment is closed.
    this.#maxEntries = Math.min(
      Math.floor(maxIndexBytes / OFFSET_INDEX_ENTRY_BYTES),
      Math.floor(maxIndexBytes / TIME_INDEX_ENTRY_BYTES) - 1,
    );
  }

  get offsetIndex(): OffsetIndex {
    return this.#use().offset;
  }

  /** When it is in memory. */
  get loadedOffsetIndex(): OffsetIndex | undefined {
    return this.#loaded?.offset;
  }

  get timeIndex(): TimeIndex {
    return this.#use().time;
  }

  /** Whether a further entry would exceed `segment.index.bytes`. */
  get isFull(): boolean {
    // Asked for every batch: not counted as a use.
    const { offset, time } = this.#loaded ?? this.#use();
    return offset.count >= this.#maxEntries || time.count >= this.#maxEntries;
  }

  /** The aborted transactions of the segment, by their marker's offset. */
  get abortedTxns(): readonly AbortedTxn[] {
    return (this.#txns ??= this.#readTxns());
  }

  /** The batch at `position` ends with `offset`; up to it `largestTimestamp` is the largest, first reached at `offsetOfLargest`. */
  append(offset: number, position: number, largestTimestamp: number, offsetOfLargest: number): void {
    const loaded = this.#use();
    loaded.offset.append(offset, position);
    if (largestTimestamp >= 0) loaded.time.maybeAppend(largestTimestamp, offsetOfLargest);
    this.#changes++;
    if (loaded.offset.count - this.#offsetEntriesInFile >= MAX_WAITING_ENTRIES) this.persist();
  }

  appendAbortedTxn(txn: AbortedTxn): void {
    const known = this.abortedTxns;
    const path = this.#pathOf(TXN_INDEX_SUFFIX);
    const file = this.#context.disk.open(path, 'create');
    try {
      writeFully(file, [encodeAbortedTxn(txn)], file.sizeBytes());
    } finally {
      file.close();
    }
    this.#txns = [...known, txn];
    this.#txnChanges++;
  }

  /** Makes empty index files, as a new segment has them. */
  createEmpty(): void {
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
      this.#context.disk.open(this.#pathOf(suffix), 'truncate').close();
    this.#setLoaded({ offset: new OffsetIndex(this.#baseOffset), time: new TimeIndex(this.#baseOffset) }, 0, 0);
    this.#txns = [];
  }

  /**
   * Takes what recovery made from the log file. The files get it if they don't have it: after a kill most do, and to empty and write a
   * file costs a journal's commit on some file systems.
   */
  recovered(built: IndexBuilder, abortedTxns: readonly AbortedTxn[]): void {
    const { offsetIndex: offset, timeIndex: time } = built;
    this.#loaded = undefined;
    this.#writeIfDifferent(this.#pathOf(OFFSET_INDEX_SUFFIX), offset.bytes);
    this.#writeIfDifferent(this.#pathOf(TIME_INDEX_SUFFIX), time.bytes);
    const txnPath = this.#pathOf(TXN_INDEX_SUFFIX);
    if (abortedTxns.length > 0 || this.#context.disk.exists(txnPath))
      this.#writeIfDifferent(txnPath, Buffer.concat(abortedTxns.map(encodeAbortedTxn)));
    this.#setLoaded({ offset, time }, offset.count, time.count);
    this.#txns = [...abortedTxns];
    this.#changes++;
    this.#txnChanges++;
    // They count against the bound of what is kept in memory.
    this.#use();
  }

  #writeIfDifferent(path: string, bytes: Buffer): void {
    const { disk } = this.#context;
    const sizeBytes = disk.stat(path)?.sizeBytes;
    if (sizeBytes === bytes.length && (sizeBytes === 0 || disk.readFile(path).equals(bytes))) return;
    const file = disk.open(path, 'create');
    try {
      writeFully(file, [bytes], 0);
      if (sizeBytes !== undefined && sizeBytes > bytes.length) file.truncate(bytes.length);
    } finally {
      file.close();
    }
  }

  /** Reads all three; throws LogFormatError when one is damaged, ENOENT when the offset index is missing. */
  checkFiles(): void {
    if (this.#loaded === undefined) this.#loadFiles();
    void this.abortedTxns;
  }

  truncateTo(offset: number): void {
    const loaded = this.#use();
    loaded.offset.truncateTo(offset);
    loaded.time.truncateTo(offset);
    this.#writeAnew(loaded);
    const kept = this.abortedTxns.filter((txn) => txn.lastOffset < offset);
    if (kept.length === this.abortedTxns.length) return;
    this.#txns = kept;
    this.#context.disk.writeFile(this.#pathOf(TXN_INDEX_SUFFIX), Buffer.concat(kept.map(encodeAbortedTxn)));
    this.#txnChanges++;
  }

  /** Writes the entries that the files lack. */
  persist(): void {
    const loaded = this.#loaded;
    if (loaded === undefined) return;
    this.#persistOne(OFFSET_INDEX_SUFFIX, loaded.offset.bytes, this.#offsetEntriesInFile * OFFSET_INDEX_ENTRY_BYTES);
    this.#persistOne(TIME_INDEX_SUFFIX, loaded.time.bytes, this.#timeEntriesInFile * TIME_INDEX_ENTRY_BYTES);
    this.#offsetEntriesInFile = loaded.offset.count;
    this.#timeEntriesInFile = loaded.time.count;
  }

  #persistOne(suffix: SegmentFileSuffix, bytes: Buffer, from: number): void {
    if (bytes.length <= from) return;
    const file = this.#context.disk.open(this.#pathOf(suffix), 'create');
    try {
      writeFully(file, [bytes.subarray(from)], from);
    } finally {
      file.close();
    }
    this.#changes++;
  }

  #writeAnew(loaded: Loaded): void {
    for (const [suffix, bytes] of [
      [OFFSET_INDEX_SUFFIX, loaded.offset.bytes],
      [TIME_INDEX_SUFFIX, loaded.time.bytes],
    ] as const) {
      this.#context.disk.writeFile(this.#pathOf(suffix), bytes);
    }
    this.#offsetEntriesInFile = loaded.offset.count;
    this.#timeEntriesInFile = loaded.time.count;
    this.#changes++;
  }

  /** fsync of the files that have changed, on the thread pool; how many. */
  async sync(): Promise<number> {
    let fsyncs = 0;
    const changes = this.#changes;
    const txnChanges = this.#txnChanges;
    if (this.#syncedChanges < changes) {
      await syncFile(this.#context.disk, this.#pathOf(OFFSET_INDEX_SUFFIX));
      await syncFile(this.#context.disk, this.#pathOf(TIME_INDEX_SUFFIX));
      fsyncs += 2;
      this.#syncedChanges = Math.max(this.#syncedChanges, changes);
    }
    if (this.#syncedTxnChanges < txnChanges) {
      await syncFile(this.#context.disk, this.#pathOf(TXN_INDEX_SUFFIX));
      fsyncs++;
      this.#syncedTxnChanges = Math.max(this.#syncedTxnChanges, txnChanges);
    }
    return fsyncs;
  }

  markSynced(): void {
    this.#syncedChanges = this.#changes;
    this.#syncedTxnChanges = this.#txnChanges;
  }

  unloadIndexes(): boolean {
    try {
      this.persist();
    } catch {
      return false;
    }
    this.#loaded = undefined;
    return true;
  }

  close(): void {
    this.#loaded = undefined;
    this.#txns = undefined;
    this.#context.indexes.forget(this);
  }

  #use(): Loaded {
    const loaded = (this.#loaded ??= this.#load());
    this.#context.indexes.used(this, loaded.offset.capacityBytes + loaded.time.capacityBytes);
    return loaded;
  }

  /** The files' entries; of a file that has been damaged since the start they are made again from the log. */
  #load(): Loaded {
    try {
      return this.#loadFiles();
    } catch (error) {
      if (!isMissingOrCorrupt(error)) throw error;
      return this.buildAgain(error instanceof Error ? error.message : String(error));
    }
  }

  /** Makes offset and time index anew from the log file: what is in memory or in the files is damaged. */
  buildAgain(reason: string): Loaded {
    this.#context.logger.warn(`Building the indexes of ${this.#pathOf(OFFSET_INDEX_SUFFIX)} again from the log: ${reason}`);
    const built = this.#rebuild();
    const loaded = { offset: built.offsetIndex, time: built.timeIndex };
    this.#setLoaded(loaded, 0, 0);
    this.#writeAnew(loaded);
    return loaded;
  }

  #loadFiles(): Loaded {
    const offsetBytes = this.#context.disk.readFile(this.#pathOf(OFFSET_INDEX_SUFFIX));
    const timePath = this.#pathOf(TIME_INDEX_SUFFIX);
    const timeBytes = this.#context.disk.exists(timePath) ? this.#context.disk.readFile(timePath) : Buffer.alloc(0);
    const loaded = { offset: OffsetIndex.fromFile(this.#baseOffset, offsetBytes), time: TimeIndex.fromFile(this.#baseOffset, timeBytes) };
    this.#setLoaded(loaded, loaded.offset.count, loaded.time.count);
    // Kafka's preallocated files end in zeros, which would stand between our entries and the next.
    if (loaded.offset.bytes.length < offsetBytes.length || loaded.time.bytes.length < timeBytes.length) this.#writeAnew(loaded);
    return loaded;
  }

  #setLoaded(loaded: Loaded, offsetEntries: number, timeEntries: number): void {
    this.#loaded = loaded;
    this.#offsetEntriesInFile = offsetEntries;
    this.#timeEntriesInFile = timeEntries;
  }

  #readTxns(): AbortedTxn[] {
    const path = this.#pathOf(TXN_INDEX_SUFFIX);
    return this.#context.disk.exists(path) ? decodeTxnIndex(this.#context.disk.readFile(path)) : [];
  }
}

/** An index file that isn't there or can't be one: it is made again from the log. */
export function isMissingOrCorrupt(error: unknown): boolean {
  return error instanceof LogFormatError || (error instanceof Error && 'code' in error && error.code === 'ENOENT');
}
