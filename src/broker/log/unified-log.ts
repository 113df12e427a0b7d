/**
 * The log of one replica: what is appended, read, flushed, cut back and deleted, with the offsets that replication and clients go by.
 *
 *   logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset <= appendEndOffset        recoveryPoint <= logEndOffset
 *
 * An append is checked at once and gets its offsets at once (`appendEndOffset`); its bytes are written at the end of the turn, and then
 * `logEndOffset` moves, listeners hear of it and the append is answered. Nothing can be read before it is written.
 * Any error of the disk takes the whole folder offline; from then on every call is refused with KAFKA_STORAGE_ERROR.
 * Differs from Kafka: grouped writes (above), fsync never in the caller's way, epochs and topic id written in the background.
 * Source: Kafka's UnifiedLog.
 */
import type { FlushReason, FlushSummary } from '../../introspection/answers/log-flush.ts';
import type { LeavingSegment, SegmentDeletion } from '../../introspection/answers/log-retention.ts';
import { encodeEpochCheckpoint } from '../../log-format/checkpoint.ts';
import { LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA } from '../../log-format/file-names.ts';
import { encodePartitionMetadata } from '../../log-format/partition-metadata.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { LogConfig } from '../config/log-config.ts';
import { appendConfigOf } from './append-config.ts';
import type { AppendConfig } from './append-config.ts';
import { AppendPlanner } from './append-planner.ts';
import { AppendQueue, MAX_QUEUED_BYTES } from './append-queue.ts';
import { BackgroundFile, syncFile } from './background-file.ts';
import { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { OffsetAndEpoch } from './leader-epoch-file-cache.ts';
import type { LocalLog } from './local-log.ts';
import { LogAppender } from './log-appender.ts';
import type { LogContext } from './log-context.ts';
import { appendError, InconsistentTopicIdError } from './log-errors.ts';
import type { LogAppendError, LogStorageError } from './log-errors.ts';
import { LogCutter } from './log-cutter.ts';
import { LogFlusher } from './log-flusher.ts';
import { isDiskError, LogGuard } from './log-guard.ts';
import { LogOffsets } from './log-offsets.ts';
import { LogReader } from './log-reader.ts';
import { isOffsetOnly, offsetOnly } from './log-offset-metadata.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { LogSegment } from './log-segment.ts';
import type { AppendOptions, FetchDataInfo, LeaderAppendOptions, LogAppendResult, ReadOptions } from './log-types.ts';
import { takeSnapshot } from './producer-state-rebuild.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';
import type { ProducerStateEntry } from './producer-state-entry.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

export type * from './log-types.ts';

export interface LogListener {
  /** Records were written and can be fetched by followers. */
  onLogEndOffsetMoved?(log: UnifiedLog): void;
  onHighWatermarkUpdated?(log: UnifiedLog): void;
  onLogStartOffsetMoved?(log: UnifiedLog): void;
}

export interface UnifiedLogParts {
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  readonly local: LocalLog;
  readonly producerState: ProducerStateManager;
  readonly snapshots: ProducerSnapshots;
  readonly epochEntries: readonly { readonly epoch: number; readonly startOffset: number }[];
  /** Whether the entries are those of the file. */
  readonly epochsDirty: boolean;
  readonly topicId: string | undefined;
  readonly logStartOffset: number;
  readonly recoveryPoint: number;
  /** Segments whose indexes were built anew. */
  readonly rebuilt: readonly LogSegment[];
}

/**
 * Elections come in rows, for every partition of a broker: a start would sync hundreds of files just when clients wait for it. Recovery
 * finds added epochs in the batches above the recovery point, and that one waits for the file.
 */
const EPOCH_FILE_DELAY_MS = 1000;

/** Deletions that are remembered for the console, and segments that one names. */
const KEPT_DELETIONS = 20;
const MAX_NAMED_SEGMENTS = 20;

export class UnifiedLog {
  readonly topicPartition: TopicPartition;
  /** The log end offset when it was opened: what a recovery had left. */
  readonly openedLogEndOffset: number;
  readonly #context: LogContext;
  readonly #local: LocalLog;
  readonly #producers: ProducerStateManager;
  readonly #snapshots: ProducerSnapshots;
  readonly #epochs: LeaderEpochFileCache;
  readonly #epochFile: BackgroundFile;
  readonly #metadataFile: BackgroundFile;
  readonly #queue: AppendQueue;
  readonly #planner: AppendPlanner;
  readonly #appender: LogAppender;
  readonly #flusher: LogFlusher;
  readonly #cutter: LogCutter;
  readonly #reader: LogReader;
  readonly #guard: LogGuard;
  readonly #offsets: LogOffsets;
  readonly #listeners = new Set<LogListener>();
  readonly #deletions: SegmentDeletion[] = [];
  #config: LogConfig;
  #topicId: string | undefined;
  #announcedEndOffset: number;
  /** Cuts that were asked for and aren't done. */
  #cuts = 0;
  /** Groups that are written and wait for flush.messages before they are answered. */
  #heldGroups = 0;

  /** Made by `loadLog`, which reads or makes the folder. */
  constructor(context: LogContext, parts: UnifiedLogParts) {
    this.#context = context;
    this.topicPartition = parts.topicPartition;
    this.openedLogEndOffset = parts.local.logEndOffset;
    this.#config = parts.config;
    this.#local = parts.local;
    this.#producers = parts.producerState;
    this.#snapshots = parts.snapshots;
    this.#topicId = parts.topicId;
    this.#offsets = new LogOffsets(parts.local, parts.producerState, parts.logStartOffset);
    this.#guard = new LogGuard(
      context,
      () => parts.local.directory,
      (failure) => this.#onStop(failure),
    );
    this.#announcedEndOffset = parts.local.logEndOffset;
    const onError = (error: unknown): void => void this.#guard.failed(error);
    const { directory } = parts.local;
    this.#epochFile = new BackgroundFile(
      context.disk,
      `${directory}/${LEADER_EPOCH_CHECKPOINT}`,
      () => encodeEpochCheckpoint(this.#epochs.entries),
      onError,
      { scheduler: context.scheduler, delayMs: EPOCH_FILE_DELAY_MS },
    );
    this.#epochs = new LeaderEpochFileCache(parts.epochEntries, (change) => this.#epochFile.schedule({ mayWait: change === 'added' }));
    this.#metadataFile = new BackgroundFile(
      context.disk,
      `${directory}/${PARTITION_METADATA}`,
      () => encodePartitionMetadata(this.#topicId ?? ''),
      onError,
    );
    this.#planner = new AppendPlanner(this.#local);
    this.#queue = new AppendQueue(context, this.#local, {
      roll: ({ baseOffset, snapshot }) => this.#cutter.rollTo(baseOffset, snapshot),
      groupWritten: () => this.#groupWritten(),
      failed: (error) => this.#guard.failed(error),
    });
    this.#appender = new LogAppender({
      config: appendConfigOf(parts.config),
      offsets: this.#offsets,
      startBelow: (offset) => this.#guard.run(() => this.#cutter.startAt(offset, this.#offsets.logStartOffset)),
      queue: this.#queue,
      planner: this.#planner,
      producers: this.#producers,
      snapshots: this.#snapshots,
      epochs: this.#epochs,
      segments: parts.local.segments,
      turnClock: context.turnClock,
    });
    this.#flusher = new LogFlusher({
      context,
      log: parts.local,
      snapshots: parts.snapshots,
      files: [this.#metadataFile, this.#epochFile],
      recoveryPoint: parts.recoveryPoint,
      onError,
    });
    this.#cutter = this.#newCutter();
    this.#reader = new LogReader({
      local: parts.local,
      offsets: this.#offsets,
      epochs: this.#epochs,
      guard: this.#guard,
      logger: context.logger,
      name: this.#name,
    });
    if (parts.epochsDirty) this.#epochFile.schedule({ mayWait: true });
    // An older index must not come back under what is appended from now on.
    if (parts.rebuilt.length > 0) this.#queue.holdFirstWrite(() => this.#guard.runAsync(() => syncIndexes(parts.rebuilt)));
  }

  #newCutter(): LogCutter {
    return new LogCutter({
      context: this.#context,
      guard: this.#guard,
      local: this.#local,
      offsets: this.#offsets,
      producers: this.#producers,
      snapshots: this.#snapshots,
      epochs: this.#epochs,
      queue: this.#queue,
      planner: this.#planner,
      appender: this.#appender,
      flusher: this.#flusher,
      config: () => this.#config,
      onRecoveryPointLowered: () => this.#context.onRecoveryPointLowered(this),
      beforeSegmentsGo: () => this.#context.beforeSegmentsGo(this),
      pauseCleaning: () => this.#context.pauseCleaning(this),
      onCut: () => {
        this.#announcedEndOffset = this.logEndOffset;
      },
      onLogStartOffsetMoved: () => {
        for (const listener of this.#listeners) listener.onLogStartOffsetMoved?.(this);
      },
      onRoll: ({ baseOffset, sizeBytes }, nextOffset, reason) =>
        this.#context.onEvent({ kind: 'segment-rolled', ...this.topicPartition, baseOffset, sizeBytes, nextOffset, reason }),
    });
  }

  // ---- What it is

  /** The partition's folder. */
  get directory(): string {
    return this.#local.directory;
  }
  /** The log dir that it is in. */
  get logDir(): string {
    return this.#guard.logDir;
  }
  get config(): LogConfig {
    return this.#config;
  }
  /** Of the configuration what appends go by. */
  get appendConfig(): AppendConfig {
    return this.#appender.config;
  }
  get topicId(): string | undefined {
    return this.#topicId;
  }
  get isOffline(): boolean {
    return this.#guard.failure !== undefined;
  }

  updateConfig(config: LogConfig): void {
    this.#config = config;
    this.#appender.config = appendConfigOf(config);
  }

  /** Gives a log without one its topic id. @throws InconsistentTopicIdError when it has another. */
  assignTopicId(topicId: string): void {
    if (this.#topicId === topicId) return;
    if (this.#topicId !== undefined) {
      throw new InconsistentTopicIdError(`${this.#name} in ${this.directory} has topic id ${this.#topicId}, not ${topicId}`);
    }
    this.#topicId = topicId;
    this.#metadataFile.schedule();
  }

  /** Returns a function that ends it. */
  addListener(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // ---- Offsets

  get logStartOffset(): number {
    return this.#offsets.logStartOffset;
  }
  get logEndOffset(): number {
    return this.#local.logEndOffset;
  }
  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.#local.logEndOffsetMetadata;
  }
  /** The offset that the next append gets: above the log end offset while appends wait to be written. */
  get appendEndOffset(): number {
    return this.#planner.appendEndOffset;
  }
  get highWatermark(): number {
    return this.#offsets.highWatermark;
  }
  /** From here on the log is checked after a crash: what is below is on the device, or not part of the log any more. */
  get recoveryPoint(): number {
    return Math.max(this.#flusher.recoveryPoint, this.checkpointedLogStartOffset);
  }
  /** All below it is on the device. */
  get flushedOffset(): number {
    return this.#flusher.recoveryPoint;
  }
  /** The log start offset; while the log is about to be cut below it, where it is cut. */
  get checkpointedLogStartOffset(): number {
    return Math.min(this.#offsets.logStartOffset, this.#flusher.heldAt);
  }
  get hasSyncedFolder(): boolean {
    return this.#flusher.hasSyncedFolder;
  }
  /** Whether the names in its folder are on the device: what was deleted stays away. */
  get hasSyncedNames(): boolean {
    return this.#local.hasSyncedNames;
  }

  /** Below it every transaction is decided and every record is committed. */
  get lastStableOffset(): number {
    return this.#offsets.lastStableOffset;
  }

  /** Sets the high watermark, kept between log start and log end offset; returns what it is then. */
  updateHighWatermark(offset: number): number {
    if (this.#offsets.updateHighWatermark(offset)) for (const listener of this.#listeners) listener.onHighWatermarkUpdated?.(this);
    return this.#offsets.highWatermark;
  }

  /** Where `offset` lies: segment and position, for counting bytes between two. -1s when it is outside of the log. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    if (offset < this.#offsets.logStartOffset || offset > this.logEndOffset || this.#guard.failure !== undefined) return offsetOnly(offset);
    return this.#guard.run(() => this.#local.offsetMetadata(offset)) ?? offsetOnly(offset);
  }

  /** Bytes of the batches from the one with `from` to before the one with `upTo`; 0 when `upTo` isn't above. Counts whole segments between. */
  bytesBetween(from: number, upTo: number): number {
    if (upTo <= from) return 0;
    const start = this.offsetMetadata(from);
    const end = this.offsetMetadata(upTo);
    if (isOffsetOnly(start) || isOffsetOnly(end)) return 0;
    if (start.segmentBaseOffset === end.segmentBaseOffset) return end.relativePositionInSegment - start.relativePositionInSegment;
    let bytes = end.relativePositionInSegment - start.relativePositionInSegment;
    for (const segment of this.#local.segments.between(start.segmentBaseOffset, end.segmentBaseOffset)) bytes += segment.sizeBytes;
    return bytes;
  }

  // ---- Leader epochs

  get latestEpoch(): number | undefined {
    return this.#epochs.latestEpoch;
  }

  get epochEntries(): readonly { readonly epoch: number; readonly startOffset: number }[] {
    return this.#epochs.entries;
  }

  /** Notes that `leaderEpoch` begins at `startOffset`, or behind what still waits to be written. */
  maybeAssignEpochStartOffset(leaderEpoch: number, startOffset: number): void {
    this.#epochs.assign(leaderEpoch, Math.max(startOffset, this.appendEndOffset));
  }

  /** The largest epoch at or below `leaderEpoch` and where it ends; undefined when nothing is known of it. */
  endOffsetForEpoch(leaderEpoch: number): OffsetAndEpoch | undefined {
    return this.#epochs.endOffsetFor(leaderEpoch, this.logEndOffset);
  }

  epochForOffset(offset: number): number | undefined {
    return this.#epochs.epochForOffset(offset);
  }

  // ---- Appending

  /**
   * Appends one batch as the partition's leader. Its bytes may be changed in place and are written as they are: they must stay
   * untouched from here on.
   *
   * Errors: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP,
   * INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR,
   * REQUEST_TIMED_OUT when the disk is so slow that too much waits.
   */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions): LogAppendResult {
    try {
      return this.#refusal() ?? this.#appender.appendAsLeader(records, options);
    } catch (error) {
      return this.#failedAppend(error);
    }
  }

  /**
   * Appends batches fetched from the leader, with the offsets and epochs they have; one cut short at the end is left out.
   * Offsets begin at or above the log's end, or, in an empty log, in a batch that holds its start.
   *
   * Errors: CORRUPT_MESSAGE, INVALID_RECORD (offsets out of order), KAFKA_STORAGE_ERROR, REQUEST_TIMED_OUT.
   */
  appendAsFollower(records: Buffer, options: AppendOptions = {}): LogAppendResult {
    try {
      return this.#refusal() ?? this.#appender.appendAsFollower(records, options);
    } catch (error) {
      return this.#failedAppend(error);
    }
  }

  /** The first append after a start reads when its segment began. */
  #failedAppend(error: unknown): LogAppendError {
    if (!isDiskError(error)) throw error;
    const { errorCode, message } = this.#guard.failed(error);
    return appendError(errorCode, message);
  }

  #refusal(): LogAppendError | undefined {
    if (this.#guard.failure !== undefined) return appendError(this.#guard.failure.errorCode, this.#guard.failure.message);
    if (this.#queue.queuedBytes < MAX_QUEUED_BYTES) return undefined;
    return appendError(ErrorCode.REQUEST_TIMED_OUT, `${this.#queue.queuedBytes} bytes wait to be written to ${this.#name}`);
  }

  #groupWritten(): Promise<void> | undefined {
    if (this.#queue.isIdle) this.#planner.reset();
    if (this.logEndOffset === this.#announcedEndOffset) return undefined;
    this.#announcedEndOffset = this.logEndOffset;
    for (const listener of this.#listeners) listener.onLogEndOffsetMoved?.(this);
    return this.unflushedMessages >= this.#config.flushMessages ? this.#flushGroup() : undefined;
  }

  #flushGroup(): Promise<void> {
    const flushed = this.#flusher.flush(this.logEndOffset, 'flush.messages');
    this.#heldGroups++;
    // Registered before the queue's own: nothing runs between this and the answers. A flush never rejects.
    void flushed.finally(() => this.#heldGroups--);
    return flushed;
  }

  /** Nothing waits to be written, answered or cut. */
  get isQuiet(): boolean {
    return this.#guard.failure === undefined && this.#queue.isIdle && this.#cuts === 0 && this.#heldGroups === 0;
  }
  get isFlushing(): boolean {
    return this.#flusher.isFlushing;
  }

  /** Nothing is written before `ready`, which never rejects, resolves. Only for a log that nothing was appended to. */
  holdFirstWrite(ready: Promise<void>): void {
    this.#queue.hold(ready);
  }

  /** Resolves when no append waits to be written. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  // ---- Reading

  /** Whole batches from the one that holds `startOffset`. Errors: OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE (the file is damaged), KAFKA_STORAGE_ERROR. */
  read(startOffset: number, options: ReadOptions): FetchDataInfo {
    return this.#reader.read(startOffset, options);
  }

  /** The first record at or after `timestamp`, or an end of the log: -1 latest, -2 earliest, -3 the record with the largest timestamp. */
  fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | undefined {
    return this.#reader.fetchOffsetByTimestamp(timestamp);
  }

  // ---- Size and producers

  get sizeBytes(): number {
    return this.#local.segments.sizeBytes;
  }
  get numberOfSegments(): number {
    return this.#local.segments.count;
  }
  /** Ascending. For the cleaner, the console and tests; not to be kept over a wait. */
  get segments(): readonly LogSegment[] {
    return this.#local.segments.all;
  }
  get unflushedMessages(): number {
    return this.logEndOffset - this.recoveryPoint;
  }
  get unflushedBytes(): number {
    if (this.#guard.failure !== undefined) return 0;
    return this.#guard.run(() => this.#local.unsyncedBytes(this.flushedOffset, this.logEndOffset)) ?? 0;
  }
  /** Wall-clock time of the last flush. */
  get lastFlushMs(): number {
    return this.#flusher.lastFlushMs;
  }
  /** What its flushes have cost. */
  get flushSummary(): FlushSummary {
    return this.#flusher.summary(this.#context.clock.wallMs());
  }
  get activeProducers(): ReadonlyMap<number, ProducerStateEntry> {
    return this.#producers.producers;
  }

  hasLateTransaction(nowMs: number, maxTransactionTimeoutMs: number): boolean {
    return this.#producers.hasLateTransaction(nowMs, maxTransactionTimeoutMs);
  }

  removeExpiredProducers(nowMs: number): void {
    this.#producers.removeExpiredProducers(nowMs, this.#context.producerIdExpirationMs());
  }

  // ---- Flushing

  /** Resolves when all that is written now is on the device, or the log has failed. */
  flush(reason: FlushReason = 'request'): Promise<void> {
    return this.#guard.failure === undefined ? this.#flusher.flush(this.logEndOffset, reason) : Promise.resolve();
  }

  /** Index entries that wait in memory go to their files. */
  persistIndexes(): void {
    if (this.#guard.failure === undefined) this.#guard.run(() => this.#local.activeSegment.indexes.persist());
  }

  // ---- Cutting back and deleting

  /**
   * Removes the records at and above `offset`, with a batch that holds it, after what waits to be written: at once, unless an
   * asynchronous write is under way or the recovery point must go back first. Who is to append meanwhile, such as a follower that
   * may become the leader, gives `isWanted`: it is asked after a wait, and when it says no, nothing is removed.
   * True when something was removed. @throws LogStorageError
   */
  truncateTo(offset: number, isWanted: () => boolean = always): Promise<boolean> {
    return this.#cutting(this.#cutter.truncateTo(offset, isWanted));
  }

  /**
   * Removes everything; the log begins anew at `offset`, its log start offset at `logStartOffset`. `isWanted` as above.
   * @throws LogStorageError
   */
  truncateFullyAndStartAt(offset: number, logStartOffset = offset, isWanted: () => boolean = always): Promise<void> {
    return this.#cutting(this.#cutter.truncateFullyAndStartAt(offset, logStartOffset, isWanted));
  }

  async #cutting<T>(cut: Promise<T>): Promise<T> {
    this.#cuts++;
    try {
      return await cut;
    } finally {
      this.#cuts--;
    }
  }

  /**
   * Moves the log start offset up to `offset`: records below are gone for readers at once, their segments later.
   * True when it moved. @throws OffsetOutOfRangeError above the high watermark.
   */
  maybeIncrementLogStartOffset(offset: number): boolean {
    return this.#cutter.maybeIncrementLogStartOffset(offset);
  }

  /** DeleteRecords: the new log start offset. @throws OffsetOutOfRangeError above the high watermark. */
  deleteRecordsTo(offset: number): number {
    this.#cutter.maybeIncrementLogStartOffset(offset);
    return this.logStartOffset;
  }

  /** Set while segments that were let go wait to leave the log. Never rejects. */
  get segmentsGoing(): Promise<void> | undefined {
    return this.#cutter.segmentsGoing;
  }

  /** Deletes the segments that retention and the log start offset let go, when the checkpoint says where the log starts; returns how many. */
  deleteOldSegments(): number {
    return this.#cutter.deleteOldSegments((segments, reason) => {
      const { topic, partition } = this.topicPartition;
      const baseOffsets = segments.map((segment) => segment.baseOffset);
      const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
      this.#deletions.push({
        atMs: this.#context.clock.wallMs(),
        baseOffsets: baseOffsets.slice(0, MAX_NAMED_SEGMENTS),
        sizeBytes,
        reason,
      });
      if (this.#deletions.length > KEPT_DELETIONS) this.#deletions.shift();
      const { logStartOffset } = this;
      this.#context.onEvent({ kind: 'segments-deleted', topic, partition, segments: segments.length, sizeBytes, logStartOffset, reason });
      this.#context.logger.info({ topic, partition, baseOffsets }, `Deleting ${segments.length} segments of ${this.#name} for ${reason}`);
    });
  }

  /** The latest of them, newest last. */
  get deletions(): readonly SegmentDeletion[] {
    return this.#deletions;
  }
  get leavingSegments(): readonly LeavingSegment[] {
    return this.#local.leavingSegments;
  }

  /** Begins a new segment at the log's end, after what waits to be written. @throws LogStorageError */
  roll(): Promise<void> {
    return this.#cutter.roll();
  }

  // ---- For the cleaner

  collectAbortedTransactions(startOffset: number, endOffset: number): readonly AbortedTxn[] {
    return this.#guard.run(() => this.#local.collectAbortedTransactions(startOffset, endOffset)) ?? [];
  }

  /**
   * Puts the cleaned segment of the first one's base offset in the place of `old`. Nothing may cut or delete these segments meanwhile.
   * @throws LogStorageError when the log ends before it is done, or the disk fails.
   */
  async replaceSegments(old: readonly LogSegment[]): Promise<void> {
    const check = (): void => {
      if (this.#guard.failure !== undefined) throw this.#guard.failure;
    };
    check();
    await this.#guard.runAsyncOrThrow(() => this.#local.replaceSegments(old, this.#config, check));
    for (const segment of old.slice(1)) this.#guard.run(() => this.#snapshots.remove(segment.baseOffset));
  }

  // ---- Its end

  /** Writes and syncs everything, leaves a producer snapshot and closes the files. After it the log is refused. */
  async close(): Promise<void> {
    await this.#queue.settled();
    if (this.#guard.failure === undefined) {
      this.#guard.run(() => this.#local.activeSegment.onBecomeInactive());
      await this.#flusher.flush(this.logEndOffset, 'close');
    }
    await this.#flusher.settled();
    await this.#epochFile.settled();
    await this.#metadataFile.settled();
    if (this.#guard.failure !== undefined) return;
    await this.#guard.runAsync(() => this.#closeFiles());
    this.#guard.stop(`The log of ${this.#name} is closed`);
  }

  async #closeFiles(): Promise<void> {
    const taken = takeSnapshot(this.#producers, this.#snapshots, this.logStartOffset);
    this.#local.close();
    // Without producers nothing is lost with it.
    if (taken === undefined || this.#producers.producers.size === 0) return;
    await syncFile(this.#context.disk, taken);
    await this.#context.disk.syncDirectoryAsync(this.directory);
  }

  /** The folder was renamed and the log goes on in it; only while nothing is being flushed. */
  movedTo(directory: string): void {
    this.#local.moved(directory);
    this.#snapshots.moved(directory);
    this.#epochFile.moved(`${directory}/${LEADER_EPOCH_CHECKPOINT}`);
    this.#metadataFile.moved(`${directory}/${PARTITION_METADATA}`);
  }

  /** The folder was renamed for deletion: nothing is written any more. Appends that wait fail. */
  async abandon(directory: string): Promise<void> {
    this.#guard.stop(`The log of ${this.#name} is deleted`);
    this.#local.moved(directory);
    this.#snapshots.moved(directory);
    this.#local.abandon();
    await this.#queue.settled();
    await this.#flusher.settled();
  }

  /** Its log dir is offline. */
  goOffline(message: string): void {
    this.#guard.stop(message);
    this.#local.abandon();
  }

  #onStop(failure: LogStorageError): void {
    this.#flusher.stop();
    this.#epochFile.close();
    this.#metadataFile.close();
    this.#queue.fail(failure);
  }

  get #name(): string {
    return topicPartitionKey(this.topicPartition);
  }
}

function always(): boolean {
  return true;
}

async function syncIndexes(segments: readonly LogSegment[]): Promise<void> {
  for (const segment of segments) await segment.indexes.sync();
}
