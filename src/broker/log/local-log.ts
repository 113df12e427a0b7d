/**
 * The segments of one log on disk: rolling, truncating and deleting them, and reading. It knows offsets and bytes; what they mean to
 * producers, epochs and replicas is UnifiedLog's matter.
 *
 * There is always at least one segment. Files to be deleted are renamed to `.deleted` at once, the log file first (an index alone is
 * thrown away at start, a log file alone would be recovered), and removed after `file.delete.delay.ms`. Source: Kafka's LocalLog.
 */
import type { LeavingSegment } from '../../introspection/answers/log-retention.ts';
import { lastOffsetAt, sizeAt, wholeBatchesBytes } from '../../log-format/batch-fields.ts';
import { DELETED_SUFFIX, LOG_SUFFIX, segmentFileName } from '../../log-format/file-names.ts';
import { RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import type { LogConfig } from '../config/log-config.ts';
import { swapSegmentFiles } from './cleaner/swap-segment-files.ts';
import type { LogContext } from './log-context.ts';
import { DamagedLogError } from './log-errors.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import { LogSegment, SEGMENT_SUFFIXES } from './log-segment.ts';
import { LogSegments } from './log-segments.ts';
import { syncedBytesOf } from './synced-bytes.ts';
import { TailCache } from './tail-cache.ts';
import type { WritePiece } from './write-run.ts';
import { WriteSlabs } from './write-slabs.ts';

/** The runtime's timers go no further. */
const MAX_DELAY_MS = 0x7fff_ffff;
const METADATA_CACHE_SIZE = 8;
const REMOVE_AGAIN_MS = 1000;

export interface RecordsRead {
  readonly metadata: LogOffsetMetadata;
  /** Whole batches, in order; their bytes are contiguous. */
  readonly records: readonly Buffer[];
  readonly sizeBytes: number;
  /** The first batch is larger than was asked for, and none is returned. */
  readonly firstEntryIncomplete: boolean;
}

export class LocalLog {
  readonly segments: LogSegments;
  readonly tail: TailCache;
  readonly slabs: WriteSlabs;
  readonly #context: LogContext;
  #directory: string;
  /** The log end offset: all below is written. */
  #logEndOffset: number;
  /** Changes of names in the folder, and how many of them are on the device. */
  /** Segments that were cut to their size when they got no more appends, and perhaps not synced since. */
  readonly #unsyncedLengths: Set<LogSegment>;
  #nameChanges: number;
  #syncedNameChanges = 0;
  readonly #metadataCache: LogOffsetMetadata[] = [];
  readonly #leaving = new Set<LeavingSegment>();
  /** Segments are being replaced by a cleaned one. */
  #isSwapping = false;
  /** Files of deleted segments that are being removed. */
  #removing: Promise<void> = Promise.resolve();

  constructor(
    context: LogContext,
    directory: string,
    options: { segments: LogSegments; logEndOffset: number; directoryDirty: boolean; unsyncedLengths: Iterable<LogSegment> },
  ) {
    this.#context = context;
    this.#directory = directory;
    this.segments = options.segments;
    this.#logEndOffset = options.logEndOffset;
    this.#nameChanges = options.directoryDirty ? 1 : 0;
    this.#unsyncedLengths = new Set(options.unsyncedLengths);
    this.slabs = new WriteSlabs(context.tailBuffers);
    this.tail = new TailCache(context.tail, this.slabs);
  }

  get directory(): string {
    return this.#directory;
  }
  /** Segments that are deleted, and whose files wait for `file.delete.delay.ms`. */
  get leavingSegments(): readonly LeavingSegment[] {
    return Array.from(this.#leaving);
  }
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  get activeSegment(): LogSegment {
    const active = this.segments.last;
    if (active === undefined) throw new Error(`log ${this.#directory} has no segment`);
    return active;
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    const active = this.activeSegment;
    return { messageOffset: this.#logEndOffset, segmentBaseOffset: active.baseOffset, relativePositionInSegment: active.sizeBytes };
  }

  /** Takes batches into account that have been written at the end of the active segment. */
  appended(piece: WritePiece, nowMs: number): void {
    const active = this.activeSegment;
    const position = active.sizeBytes;
    active.appended(piece.buffer, piece.start, piece.end, nowMs);
    this.#logEndOffset = piece.lastOffset + 1;
    this.tail.add(position, piece, nowMs);
  }

  /** Closes the active segment and begins one at `baseOffset`, which is at or above the log end offset. */
  roll(baseOffset: number, config: LogConfig): LogSegment {
    const active = this.activeSegment;
    if (active.baseOffset === baseOffset && active.sizeBytes === 0) return active;
    if (baseOffset < this.#logEndOffset || baseOffset <= active.baseOffset) {
      throw new Error(
        `can't roll ${this.#directory} at ${baseOffset}: its end is ${this.#logEndOffset}, its active segment begins at ${active.baseOffset}`,
      );
    }
    if (active.onBecomeInactive()) this.#unsyncedLengths.add(active);
    active.closeHandles();
    // The first segment's name must outlast a crash before there is a second: a log without its begin looks like one whose begin was
    // deleted. Later rolls find it done by a flush.
    if (this.#syncedNameChanges === 0 && this.#nameChanges > 0) {
      this.#context.disk.syncDirectory(this.#directory);
      this.#syncedNameChanges = this.#nameChanges;
    }
    const segment = LogSegment.create(this.#context, this.#directory, baseOffset, config);
    this.segments.add(segment);
    this.tail.clear();
    this.#nameChanges++;
    return segment;
  }

  /**
   * Reads whole batches from the one that holds `startOffset`, which is in the log, up to those below `endOffset`.
   */
  read(startOffset: number, options: { maxBytes: number; endOffset: number; minOneMessage: boolean }): RecordsRead {
    const { maxBytes, endOffset, minOneMessage } = options;
    if (startOffset >= endOffset) return this.#nothing(startOffset);
    const end = this.offsetMetadata(endOffset);
    let segment = this.segments.floor(startOffset);
    while (segment !== undefined && segment.baseOffset <= end.segmentBaseOffset) {
      const endPosition = segment.baseOffset === end.segmentBaseOffset ? end.relativePositionInSegment : segment.sizeBytes;
      const read =
        this.#readTail(segment, startOffset, endPosition, options) ??
        this.#readFile(segment, startOffset, endPosition, { maxBytes, minOneMessage });
      if (read !== undefined) return read;
      // Compaction may have removed all from here to the segment's end.
      segment = this.segments.higher(segment.baseOffset);
    }
    return this.#nothing(startOffset);
  }

  #readTail(
    segment: LogSegment,
    startOffset: number,
    endPosition: number,
    options: { maxBytes: number; minOneMessage: boolean },
  ): RecordsRead | undefined {
    if (segment !== this.segments.last) return undefined;
    const from = this.tail.find(startOffset);
    if (from === undefined) return undefined;
    this.#context.stats.tailReads.add();
    const metadata = { messageOffset: startOffset, segmentBaseOffset: segment.baseOffset, relativePositionInSegment: from.position };
    return { metadata, ...this.tail.slice(from, endPosition, options.maxBytes, options.minOneMessage) };
  }

  #readFile(
    segment: LogSegment,
    startOffset: number,
    endPosition: number,
    options: { maxBytes: number; minOneMessage: boolean },
  ): RecordsRead | undefined {
    const onward = this.#readOnward(segment, startOffset, endPosition, options.maxBytes);
    if (onward !== undefined) return onward;
    const batch = segment.findBatch(startOffset);
    if (batch === undefined) {
      const damage = segment.damageBefore(startOffset);
      if (damage !== undefined) throw new DamagedLogError(damage);
      return undefined;
    }
    const metadata = { messageOffset: startOffset, segmentBaseOffset: segment.baseOffset, relativePositionInSegment: batch.position };
    if (batch.position >= endPosition) return { metadata, records: [], sizeBytes: 0, firstEntryIncomplete: false };
    let length = Math.min(options.maxBytes, endPosition - batch.position);
    if (length < batch.sizeBytes) {
      if (!options.minOneMessage) return { metadata, records: [], sizeBytes: 0, firstEntryIncomplete: true };
      length = batch.sizeBytes;
    } else if (batch.position + length < endPosition) {
      length = Math.max(batch.sizeBytes, segment.lengthOfWholeBatches(batch.position, length));
    }
    return this.#readBatches(segment, metadata, length);
  }

  /** A reader that goes on where its last read ended needs no look-up; undefined when this isn't one, or not a batch fits. */
  #readOnward(segment: LogSegment, startOffset: number, endPosition: number, maxBytes: number): RecordsRead | undefined {
    const metadata = this.#metadataCache.find(
      ({ messageOffset, segmentBaseOffset }) => messageOffset === startOffset && segmentBaseOffset === segment.baseOffset,
    );
    if (metadata === undefined || metadata.relativePositionInSegment >= endPosition) return undefined;
    const position = metadata.relativePositionInSegment;
    const length = Math.min(maxBytes, endPosition - position);
    if (length < RECORD_BATCH_OVERHEAD) return undefined;
    const isCutShort = position + length < endPosition;
    const read = this.#readBatches(segment, metadata, isCutShort ? segment.lengthOfWholeBatches(position, length) : length);
    return read.sizeBytes === 0 ? undefined : read;
  }

  #readBatches(segment: LogSegment, metadata: LogOffsetMetadata, length: number): RecordsRead {
    this.#context.stats.fileReads.add();
    const { readBuffers, clock } = this.#context;
    const position = metadata.relativePositionInSegment;
    const buffer = readBuffers.take(length, clock.wallMs());
    const bytes = buffer.subarray(0, segment.readAt(buffer, 0, length, position));
    const sizeBytes = wholeBatchesBytes(bytes);
    if (sizeBytes === 0) return { metadata, records: [], sizeBytes, firstEntryIncomplete: false };
    const records = [bytes.subarray(0, sizeBytes)];
    const endPosition = position + sizeBytes;
    // At a segment's end the next offset lies in another one.
    if (endPosition < segment.sizeBytes) {
      this.#remember({
        messageOffset: lastOffsetIn(records) + 1,
        segmentBaseOffset: segment.baseOffset,
        relativePositionInSegment: endPosition,
      });
    }
    return { metadata, records, sizeBytes, firstEntryIncomplete: false };
  }

  #nothing(startOffset: number): RecordsRead {
    return { metadata: this.offsetMetadata(startOffset), records: [], sizeBytes: 0, firstEntryIncomplete: false };
  }

  /** Where the batch that holds `offset` begins; the log's end for the log end offset. `offset` is between the log's ends. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    if (offset >= this.#logEndOffset) return this.logEndOffsetMetadata;
    const cached = this.#metadataCache.find((metadata) => metadata.messageOffset === offset);
    if (cached !== undefined) return cached;
    const metadata = this.#findOffset(offset);
    this.#remember(metadata);
    return metadata;
  }

  #remember(metadata: LogOffsetMetadata): void {
    if (this.#metadataCache.length === METADATA_CACHE_SIZE) this.#metadataCache.shift();
    this.#metadataCache.push(metadata);
  }

  #findOffset(offset: number): LogOffsetMetadata {
    let segment = this.segments.floor(offset) ?? this.segments.first;
    while (segment !== undefined) {
      const position =
        (segment === this.segments.last ? this.tail.find(offset)?.position : undefined) ?? segment.findBatch(offset)?.position;
      if (position !== undefined)
        return { messageOffset: offset, segmentBaseOffset: segment.baseOffset, relativePositionInSegment: position };
      segment = this.segments.higher(segment.baseOffset);
    }
    return { ...this.logEndOffsetMetadata, messageOffset: offset };
  }

  /** The aborted transactions that overlap with offsets from `startOffset` to `endOffset` (exclusive). */
  collectAbortedTransactions(startOffset: number, endOffset: number): AbortedTxn[] {
    const found: AbortedTxn[] = [];
    let segment = this.segments.floor(startOffset) ?? this.segments.first;
    while (segment !== undefined) {
      for (const txn of segment.indexes.abortedTxns) {
        if (txn.lastOffset >= startOffset && txn.firstOffset < endOffset) found.push(txn);
        // Nothing that lies below was open when this one was decided: later entries can't concern it.
        if (txn.lastStableOffset >= endOffset) return found;
      }
      segment = this.segments.higher(segment.baseOffset);
    }
    return found;
  }

  /**
   * Cuts back to `offset`, which is at or above the first segment's base, or to the begin of the batch that holds it.
   * Returns the segments that went.
   */
  truncateTo(offset: number, config: LogConfig): LogSegment[] {
    const gone = this.segments.all.filter((segment) => segment.baseOffset > offset);
    this.removeSegments(gone, config);
    this.#reset(this.activeSegment.truncateTo(offset));
    return gone;
  }

  /** Removes everything; the log begins anew at `offset`. */
  truncateFullyAndStartAt(offset: number, config: LogConfig): LogSegment[] {
    const gone = [...this.segments.all];
    // A segment of the same base would have its names taken by the new one: its files go first.
    for (const segment of gone) if (segment.baseOffset === offset) this.#removeNow(segment);
    this.removeSegments(
      gone.filter((segment) => segment.baseOffset !== offset),
      config,
    );
    this.segments.add(LogSegment.create(this.#context, this.#directory, offset, config));
    this.#reset(offset);
    return gone;
  }

  #reset(logEndOffset: number): void {
    this.#logEndOffset = logEndOffset;
    this.tail.clear();
    this.#metadataCache.length = 0;
    this.#nameChanges++;
  }

  /** Takes segments out of the log; their files are renamed now and removed later. */
  removeSegments(segments: readonly LogSegment[], config: LogConfig): void {
    if (segments.length === 0) return;
    for (const segment of segments) {
      this.segments.remove(segment);
      this.#markDeleted(segment);
    }
    this.#metadataCache.length = 0;
    this.#nameChanges++;
    this.#removeLater(segments, config);
  }

  /**
   * Puts the cleaner's finished segment (`*.cleaned`, synced) in the place of the segments that it was made of. Reads go on from the old ones
   * until the new one has its names. No truncation or deletion of these segments may go on meanwhile.
   *
   * @param check throws when the log has ended; called after each wait.
   */
  async replaceSegments(old: readonly LogSegment[], config: LogConfig, check: () => void): Promise<LogSegment> {
    const { disk } = this.#context;
    const baseOffset = old[0]?.baseOffset ?? 0;
    this.#isSwapping = true;
    try {
      await this.#removing;
      await swapSegmentFiles({ disk, directory: this.#directory, baseOffset, old, check });
    } finally {
      this.#isSwapping = false;
    }
    const replacement = new LogSegment(this.#context, this.#directory, {
      baseOffset,
      sizeBytes: disk.stat(`${this.#directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.sizeBytes ?? 0,
      modifiedMs: old.at(-1)?.lastModifiedMs ?? 0,
      config,
    });
    replacement.markSynced();
    for (const segment of old) {
      this.segments.remove(segment);
      segment.abandon();
    }
    this.segments.add(replacement);
    this.#metadataCache.length = 0;
    this.#removeLater(old, config);
    return replacement;
  }

  #removeLater(segments: readonly LogSegment[], config: LogConfig): void {
    const delayMs = Math.min(config.fileDeleteDelayMs, MAX_DELAY_MS);
    const removedAtMs = this.#context.clock.wallMs() + delayMs;
    for (const { baseOffset, sizeBytes } of segments) this.#leaving.add({ baseOffset, sizeBytes, removedAtMs });
    this.#context.scheduler.after(delayMs, () => this.#removeMarked(segments));
  }

  #markDeleted(segment: LogSegment): void {
    segment.abandon();
    const { disk } = this.#context;
    for (const path of segment.paths()) if (disk.exists(path)) disk.rename(path, path + DELETED_SUFFIX);
    segment.moved(this.#directory, DELETED_SUFFIX);
  }

  #removeMarked(segments: readonly LogSegment[]): void {
    const { onFailure, scheduler } = this.#context;
    // Files with the same names answer reads at this moment.
    if (this.#isSwapping) {
      scheduler.after(REMOVE_AGAIN_MS, () => this.#removeMarked(segments));
      return;
    }
    this.#removing = this.#removing
      .then(() => this.#removeFiles(segments))
      .catch((error: unknown) => onFailure(this.#parent, `Removing deleted segments of ${this.#directory} failed`, error));
  }

  /** On the thread pool: the file system may take its time to free a gigabyte. */
  async #removeFiles(segments: readonly LogSegment[]): Promise<void> {
    const { disk } = this.#context;
    for (const { baseOffset } of segments) {
      for (const suffix of SEGMENT_SUFFIXES) {
        const path = `${this.#directory}/${segmentFileName(baseOffset, suffix)}${DELETED_SUFFIX}`;
        if (disk.exists(path)) await disk.removeTreeAsync(path);
      }
      for (const one of this.#leaving) if (one.baseOffset === baseOffset) this.#leaving.delete(one);
    }
  }

  #removeNow(segment: LogSegment): void {
    this.segments.remove(segment);
    segment.abandon();
    for (const path of segment.paths()) if (this.#context.disk.exists(path)) this.#context.disk.remove(path);
  }

  get #parent(): string {
    return this.#directory.slice(0, this.#directory.lastIndexOf('/'));
  }

  /** Bytes of the segments from `recoveryPoint` up to `offset` that no fsync has confirmed. */
  unsyncedBytes(recoveryPoint: number, offset: number): number {
    let bytes = 0;
    for (const segment of this.segments.between(recoveryPoint, offset)) {
      bytes += segment.sizeBytes - syncedBytesOf(segment, recoveryPoint, this.segments.higher(segment.baseOffset)?.baseOffset);
    }
    return bytes;
  }

  /** fsync of what was written below `offset` and isn't on the device since `recoveryPoint`, on the thread pool; how many there were. */
  async flush(recoveryPoint: number, offset: number): Promise<number> {
    let fsyncs = 0;
    // Their records may be on the device already, with zeros behind them.
    const cut = [...this.#unsyncedLengths].filter((segment) => this.segments.all.includes(segment));
    for (const segment of new Set([...cut, ...this.segments.between(recoveryPoint, offset)])) fsyncs += await segment.flush();
    for (const segment of cut) this.#unsyncedLengths.delete(segment);
    return fsyncs + (await this.#syncNames());
  }

  get hasSyncedNames(): boolean {
    return this.#syncedNameChanges >= this.#nameChanges;
  }

  async #syncNames(): Promise<number> {
    const changes = this.#nameChanges;
    if (this.#syncedNameChanges >= changes) return 0;
    await this.#context.disk.syncDirectoryAsync(this.#directory);
    this.#syncedNameChanges = Math.max(this.#syncedNameChanges, changes);
    return 1;
  }

  /** fsync of the active segment and of the folder's names, on the thread pool. */
  async syncActive(): Promise<void> {
    await this.activeSegment.flush();
    await this.#syncNames();
  }

  moved(directory: string): void {
    this.#directory = directory;
    for (const segment of this.segments.all) segment.moved(directory);
  }

  /** Writes what is left to write and closes the files. */
  close(): void {
    for (const segment of this.segments.all) segment.close();
    this.tail.clear();
  }

  /** Closes the files without writing. */
  abandon(): void {
    for (const segment of this.segments.all) segment.abandon();
    this.tail.clear();
  }
}

/** The last offset in whole batches; -1 when there is none. */
export function lastOffsetIn(records: readonly Buffer[]): number {
  const last = records.at(-1);
  if (last === undefined) return -1;
  let at = 0;
  for (let next = at + sizeAt(last, at); next < last.length; next += sizeAt(last, next)) at = next;
  return lastOffsetAt(last, at);
}
