/**
 * One segment of a log: `<base offset>.log` with its offset, time and transaction index.
 *
 * The base offset is at or below the first record's, above all of the segments before, and never changes. Index entries are kept
 * in memory while the segment is in use and written to their files in groups; they are complete on disk before the segment is closed
 * or counted as flushed. After a crash the indexes of every segment above the recovery point are built again from its log file.
 * With `preallocate` a new log file has `segment.bytes` from its begin on, and is cut to its size when it gets no more, is cut or closed.
 * Differs from Kafka: index files hold their entries only (Kafka preallocates 10 MiB and maps them), one offset entry per batch.
 * Source: Kafka's LogSegment, FileRecords.
 */
import { baseOffsetAt, lastOffsetAt, maxTimestampAt, sizeAt } from '../../log-format/batch-fields.ts';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import type { ScanOptions } from '../../log-format/batch-scanner.ts';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, segmentFileName, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from '../../log-format/file-names.ts';
import type { SegmentFileSuffix } from '../../log-format/file-names.ts';
import type { TimestampOffset } from '../../log-format/time-index.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { PooledFile } from './file-pool.ts';
import { IndexBuilder } from './index-builder.ts';
import type { LogContext } from './log-context.ts';
import type { LogConfig } from '../config/log-config.ts';
import { SegmentIndexes } from './segment-indexes.ts';
import { damageBefore, findBatch, findOffsetByTimestamp, readLargestTimestamp, walkToEnd } from './segment-lookup.ts';
import type { BatchPosition } from './segment-lookup.ts';
import { MAX_RELATIVE_OFFSET } from './segment-scan.ts';
import type { ScanFindings } from './segment-scan.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

/** Twice the usual distance of index entries: where one is missing for longer, one batch lies. */
const LARGE_BATCH_BYTES = 8 * 1024;
const UNREAD = -Infinity;

/** The log file first: it is what makes a segment. */
export const SEGMENT_SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX] as const;

export class LogSegment {
  readonly baseOffset: number;
  readonly rollJitterMs: number;
  readonly indexes: SegmentIndexes;
  readonly #context: LogContext;
  readonly #file: PooledFile;
  readonly #indexInterval: number;
  #directory: string;
  #suffix = '';
  #sizeBytes: number;
  #createdMs: number;
  #lastModifiedMs: number;
  #bytesSinceLastIndexEntry = 0;
  /** The largest timestamp and the last offset of its batch; UNREAD until asked for. */
  #maxTimestamp = UNREAD;
  #offsetOfMaxTimestamp = UNREAD;
  /** The first batch's timestamp, by which the segment's age is told; undefined until known. */
  #rollingBasedTimestamp: number | undefined;
  /** Bytes known to be on the device. */
  #syncedBytes: number;
  /** The file is longer than `sizeBytes`, by zeros: `preallocate`. */
  #isPreallocated = false;

  constructor(
    context: LogContext,
    directory: string,
    options: { baseOffset: number; sizeBytes: number; modifiedMs: number; config: LogConfig },
  ) {
    const { baseOffset, sizeBytes, modifiedMs, config } = options;
    this.#context = context;
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.#sizeBytes = sizeBytes;
    this.#syncedBytes = 0;
    this.#createdMs = context.clock.wallMs();
    this.#lastModifiedMs = modifiedMs;
    this.#indexInterval = config.indexIntervalBytes;
    const jitterMs = Math.min(config.segmentJitterMs, config.segmentMs, 0xffff_ffff);
    this.rollJitterMs = jitterMs <= 0 ? 0 : context.random.int(jitterMs);
    this.#file = context.files.file(this.pathOf(LOG_SUFFIX));
    this.indexes = new SegmentIndexes(context, {
      baseOffset,
      maxIndexBytes: config.segmentIndexBytes,
      pathOf: (suffix) => this.pathOf(suffix),
      rebuild: () => this.#rebuildIndexes(),
    });
  }

  /** A new, empty segment; its files are made. */
  static create(context: LogContext, directory: string, baseOffset: number, config: LogConfig): LogSegment {
    const segment = new LogSegment(context, directory, { baseOffset, sizeBytes: 0, modifiedMs: context.clock.wallMs(), config });
    const file = context.disk.open(segment.pathOf(LOG_SUFFIX), 'truncate');
    try {
      if (config.preallocate) file.truncate(config.segmentBytes);
    } finally {
      file.close();
    }
    segment.#isPreallocated = config.preallocate;
    segment.indexes.createEmpty();
    return segment;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }
  get unsyncedBytes(): number {
    return this.#sizeBytes - this.#syncedBytes;
  }
  get indexIntervalBytes(): number {
    return this.#indexInterval;
  }
  get path(): string {
    return this.#file.path;
  }

  pathOf(suffix: SegmentFileSuffix): string {
    return `${this.#directory}/${segmentFileName(this.baseOffset, suffix)}${this.#suffix}`;
  }

  /** Of all files that the segment may have. */
  paths(): string[] {
    return SEGMENT_SUFFIXES.map((suffix) => this.pathOf(suffix));
  }

  /** The folder was renamed, or the files got `suffix`. */
  moved(directory: string, suffix = this.#suffix): void {
    this.#directory = directory;
    this.#suffix = suffix;
    this.#file.moved(this.pathOf(LOG_SUFFIX));
  }

  /** A batch with a later timestamp goes to a new segment; Infinity while no record tells how old this one is. */
  latestTimestamp(segmentMs: number): number {
    const begin = this.firstBatchTimestamp;
    return begin >= 0 ? begin + segmentMs - this.rollJitterMs : Infinity;
  }

  /** Whether any batch goes to a new segment: the index is full, or a segment without timestamps is old. */
  isDueForRoll(segmentMs: number): boolean {
    if (this.indexes.isFull) return true;
    return this.firstBatchTimestamp < 0 && this.#context.clock.wallMs() - this.#createdMs > segmentMs - this.rollJitterMs;
  }

  canConvertToRelativeOffset(offset: number): boolean {
    const relative = offset - this.baseOffset;
    return relative >= 0 && relative <= MAX_RELATIVE_OFFSET;
  }

  /** Writes a part of `buffer` at the end; the count of bytes written, which may be short. They count once `appended` is called. */
  write(buffer: Buffer, start: number, end: number): number {
    return this.#file.handle().write(buffer, start, end - start, this.#sizeBytes);
  }

  writeGathered(chunks: readonly Buffer[]): number {
    return this.#file.handle().writeGathered(chunks, this.#sizeBytes);
  }

  writeGatheredAsync(chunks: readonly Buffer[]): Promise<number> {
    const position = this.#sizeBytes;
    return this.#file.pinned((handle) => handle.writeGatheredAsync(chunks, position));
  }

  /** Cuts off what a short write left behind, or what was set aside and isn't needed. */
  cutToSize(): void {
    this.#file.handle().truncate(this.#sizeBytes);
    this.#isPreallocated = false;
  }

  /** Takes whole batches, written at the end, into size, timestamps and indexes. */
  appended(records: Buffer, start: number, end: number, nowMs: number): void {
    if (this.#sizeBytes === 0 && end > start) this.#rollingBasedTimestamp = maxTimestampAt(records, start);
    for (let at = start; at < end;) {
      const sizeBytes = sizeAt(records, at);
      const maxTimestamp = maxTimestampAt(records, at);
      // What neither has a larger timestamp nor is due for the index is only counted.
      if (maxTimestamp > this.#maxTimestamp || this.#bytesSinceLastIndexEntry > this.#indexInterval)
        this.#noteBatch(this.#sizeBytes + at - start, sizeBytes, lastOffsetAt(records, at), maxTimestamp);
      else this.#bytesSinceLastIndexEntry += sizeBytes;
      at += sizeBytes;
    }
    this.#sizeBytes += end - start;
    this.#lastModifiedMs = nowMs;
  }

  #noteBatch(position: number, sizeBytes: number, lastOffset: number, maxTimestamp: number): void {
    if (this.#maxTimestamp === UNREAD) this.#readMaxTimestamp();
    if (maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestamp;
      this.#offsetOfMaxTimestamp = lastOffset;
    }
    if (this.#bytesSinceLastIndexEntry > this.#indexInterval) {
      this.indexes.append(lastOffset, position, this.#maxTimestamp, this.#offsetOfMaxTimestamp);
      this.#bytesSinceLastIndexEntry = 0;
    }
    this.#bytesSinceLastIndexEntry += sizeBytes;
  }

  #rebuildIndexes(): IndexBuilder {
    const built = new IndexBuilder(this.baseOffset, this.#indexInterval);
    const scanner = this.scan({ bodies: false });
    for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
      const lastOffset = lastOffsetAt(batch.buffer, batch.at);
      // Damage that the recovery of a segment would cut off; what lies in front of it is found.
      if (!this.canConvertToRelativeOffset(lastOffset)) break;
      built.noteBatch(batch.position, batch.sizeBytes, lastOffset, maxTimestampAt(batch.buffer, batch.at));
    }
    built.finish();
    return built;
  }

  appendAbortedTxn(txn: AbortedTxn): void {
    this.indexes.appendAbortedTxn(txn);
  }

  /** The largest timestamp and the last offset of the batch that has it; -1 for an empty segment. */
  get maxTimestampSoFar(): TimestampOffset {
    if (this.#maxTimestamp === UNREAD) this.#readMaxTimestamp();
    return { timestamp: this.#maxTimestamp, offset: this.#offsetOfMaxTimestamp };
  }

  #readMaxTimestamp(): void {
    const { timestamp, offset } = this.#sizeBytes === 0 ? { timestamp: -1, offset: this.baseOffset } : readLargestTimestamp(this);
    this.#maxTimestamp = timestamp;
    this.#offsetOfMaxTimestamp = offset;
  }

  /** What retention by time goes by: the largest timestamp, or the file's when no record has one. */
  get largestTimestamp(): number {
    const { timestamp } = this.maxTimestampSoFar;
    return timestamp >= 0 ? timestamp : this.#lastModifiedMs;
  }

  get lastModifiedMs(): number {
    return this.#lastModifiedMs;
  }

  /** The first batch whose last offset is at least `offset`; undefined when there is none. */
  findBatch(offset: number): BatchPosition | undefined {
    return findBatch(this, offset);
  }

  /** Why `findBatch` found nothing for `offset`, if bytes that make no batch are in the way. */
  damageBefore(offset: number): string | undefined {
    return damageBefore(this, offset);
  }

  /**
   * `length`, or less: up to the begin of a large batch that would be cut short at the end, read in vain and again by the next read. With
   * batches of 64 KiB that is one byte in sixteen. Only what the index in memory knows; if that is wrong, the read is shorter than need be.
   */
  lengthOfWholeBatches(position: number, length: number): number {
    const begin = this.indexes.loadedOffsetIndex?.lastPositionAtOrBelow(position + length) ?? 0;
    return begin > position && position + length - begin > LARGE_BATCH_BYTES ? begin - position : length;
  }

  /** Up to `length` bytes at `position`, in a new buffer. */
  read(position: number, length: number): Buffer {
    const wanted = Math.max(0, Math.min(length, this.#sizeBytes - position));
    const target = Buffer.allocUnsafeSlow(wanted);
    const read = this.readAt(target, 0, wanted, position);
    return read === wanted ? target : target.subarray(0, read);
  }

  readonly readAt = (target: Buffer, targetOffset: number, length: number, position: number): number => {
    const file = this.#file.handle();
    let total = 0;
    while (total < length) {
      const read = file.read(target, targetOffset + total, length - total, position + total);
      if (read === 0) break;
      total += read;
    }
    return total;
  };

  /** Reads without holding the event loop. */
  readAsync(target: Buffer, length: number, position: number): Promise<number> {
    return this.#file.pinned((handle) => handle.readAsync(target, 0, length, position));
  }

  /** Steps over the batches from position `from`. */
  scan(options: Partial<ScanOptions> & Pick<ScanOptions, 'bodies'>): BatchScanner {
    return new BatchScanner(this.readAt, { from: 0, to: this.#sizeBytes, ...options });
  }

  /** One above the last offset, the base offset for an empty segment; and whether the file is whole batches up to its end. */
  readEnd(): { readonly nextOffset: number; readonly isWhole: boolean } {
    const { nextOffset, end } = walkToEnd(this);
    return { nextOffset, isWhole: end?.kind === 'complete' };
  }

  /** One above the last offset; the base offset for an empty segment. */
  readNextOffset(): number {
    return walkToEnd(this).nextOffset;
  }

  /** Cuts off zeros behind the last batch, if that ends where it should; whether there were any. */
  cutZeros(expectedEnd: number | undefined): boolean {
    const { nextOffset, end } = walkToEnd(this);
    if (end?.kind !== 'invalid' || !end.isZeros || (expectedEnd !== undefined && nextOffset !== expectedEnd)) return false;
    this.#setSize(end.position);
    return true;
  }

  /** The first record at or above `startingOffset` whose timestamp is at least `timestamp`. */
  findOffsetByTimestamp(timestamp: number, startingOffset: number): TimestampAndOffset | undefined {
    return findOffsetByTimestamp(this, timestamp, startingOffset);
  }

  /** Where the segment would end when cut back to `offset`: a batch that holds it goes whole. */
  endAfterTruncation(offset: number, found = this.findBatch(offset)): number {
    return found === undefined ? offset : Math.min(offset, baseOffsetAt(this.read(found.position, RECORD_BATCH_OVERHEAD), 0));
  }

  /** Cuts the segment back to the batches that lie below `offset` as a whole; returns the offset that it ends at. */
  truncateTo(offset: number): number {
    const found = this.findBatch(offset);
    const end = this.endAfterTruncation(offset, found);
    this.indexes.truncateTo(end);
    if (found !== undefined) this.#setSize(found.position);
    if (this.#sizeBytes === 0) {
      this.#createdMs = this.#context.clock.wallMs();
      this.#rollingBasedTimestamp = undefined;
    }
    this.#bytesSinceLastIndexEntry = 0;
    this.#maxTimestamp = UNREAD;
    return end;
  }

  /** Takes what the scan of the whole file found: what lies behind the good part is cut off, the indexes are those of the scan. Returns the bytes cut off. */
  recovered({ validBytes, indexes, abortedTxns }: Pick<ScanFindings, 'validBytes' | 'indexes' | 'abortedTxns'>): number {
    const removed = this.#sizeBytes - validBytes;
    if (removed > 0) this.#setSize(validBytes);
    this.#maxTimestamp = indexes.maxTimestamp;
    this.#offsetOfMaxTimestamp = indexes.offsetOfMaxTimestamp;
    this.#bytesSinceLastIndexEntry = indexes.bytesSinceLastIndexEntry;
    this.indexes.recovered(indexes, abortedTxns);
    return removed;
  }

  #setSize(sizeBytes: number): void {
    this.#file.handle().truncate(sizeBytes);
    this.#isPreallocated = false;
    this.#sizeBytes = sizeBytes;
    this.#syncedBytes = Math.min(this.#syncedBytes, sizeBytes);
    this.#lastModifiedMs = this.#context.clock.wallMs();
  }

  /** No more appends: the time index gets its last entry, the indexes are written, what was set aside is given back. Returns whether there was any. */
  onBecomeInactive(): boolean {
    this.#appendLastTimestamp();
    this.indexes.persist();
    const wasPreallocated = this.#isPreallocated;
    if (wasPreallocated) this.cutToSize();
    return wasPreallocated;
  }

  #appendLastTimestamp(): void {
    const { timestamp, offset } = this.maxTimestampSoFar;
    if (timestamp >= 0) this.indexes.timeIndex.maybeAppend(timestamp, offset);
  }

  /** fsync of the log file and of index files that have changed, on the thread pool; how many. What is appended meanwhile isn't covered. */
  async flush(): Promise<number> {
    const sizeBytes = this.#sizeBytes;
    this.indexes.persist();
    await this.#file.pinned((handle) => handle.syncAsync());
    const fsyncs = await this.indexes.sync();
    this.#syncedBytes = Math.max(this.#syncedBytes, Math.min(sizeBytes, this.#sizeBytes));
    return fsyncs + 1;
  }

  /** After a clean start everything on disk is taken to be on the device. */
  markSynced(): void {
    this.#syncedBytes = this.#sizeBytes;
    this.indexes.markSynced();
  }

  /** Closes the file handles; the segment can be used again. */
  closeHandles(): void {
    this.#file.close();
  }

  /** Writes what is left to write and closes. */
  close(): void {
    if (this.#sizeBytes > 0 && this.#maxTimestamp !== UNREAD) this.#appendLastTimestamp();
    this.indexes.persist();
    if (this.#isPreallocated) this.cutToSize();
    this.indexes.close();
    this.#file.close();
  }

  /** Closes without writing: the folder has failed or the files are about to go. */
  abandon(): void {
    this.indexes.close();
    this.#file.close();
  }

  /** The largest timestamp of the first batch, by which the age of the segment is told; -1 for an empty segment. */
  get firstBatchTimestamp(): number {
    if (this.#rollingBasedTimestamp === undefined && this.#sizeBytes > 0) {
      const first = this.scan({ bodies: false, chunkBytes: RECORD_BATCH_OVERHEAD }).next();
      if (first !== undefined) this.#rollingBasedTimestamp = maxTimestampAt(first.buffer, first.at);
    }
    return this.#rollingBasedTimestamp ?? -1;
  }
}
