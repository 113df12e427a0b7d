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
import { baseOffsetAt, lastOffsetAt, leaderEpochAt, maxTimestampAt, producerIdAt, recordCountAt, sizeAt, wholeBatchesBytes } from '../../log-format/batch-fields.ts';
import { encodeEpochCheckpoint } from '../../log-format/checkpoint.ts';
import { LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA } from '../../log-format/file-names.ts';
import { encodePartitionMetadata } from '../../log-format/partition-metadata.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { NO_PRODUCER_ID, NO_TIMESTAMP } from '../../protocol/records/record-batch.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { LogConfig } from '../config/log-config.ts';
import { AppendPlanner } from './append-planner.ts';
import { AppendQueue, MAX_QUEUED_BYTES } from './append-queue.ts';
import type { AppendTarget, PendingAppend, PlannedRoll } from './append-queue.ts';
import { BackgroundFile } from './background-file.ts';
import { fetchOffsetByTimestamp } from './fetch-offset-by-timestamp.ts';
import { checkFollowerBatches } from './follower-batches.ts';
import { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { OffsetAndEpoch } from './leader-epoch-file-cache.ts';
import { lastOffsetIn } from './local-log.ts';
import type { LocalLog } from './local-log.ts';
import type { LogContext } from './log-context.ts';
import { appendError, InconsistentTopicIdError, LogStorageError, OffsetOutOfRangeError } from './log-errors.ts';
import type { LogAppendError } from './log-errors.ts';
import { LogFlusher } from './log-flusher.ts';
import { isOffsetOnly, offsetOnly } from './log-offset-metadata.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import { deletableByRetention, segmentsBelow } from './log-retention.ts';
import type { RetentionView } from './log-retention.ts';
import type { LogSegment } from './log-segment.ts';
import { assignOffsets, validateLeaderBatch } from './log-validator.ts';
import type { LeaderAppendOrigin } from './log-validator.ts';
import { rebuildProducerState, takeSnapshot } from './producer-state-rebuild.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';
import { firstOffsetOf } from './producer-state-entry.ts';
import type { ProducerStateEntry } from './producer-state-entry.ts';
import type { CompletedTxn, ProducerStateManager } from './producer-state-manager.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

/** An append that was accepted; `onComplete` tells when it is written. */
export interface LogAppendInfo {
  readonly ok: true;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** -1 with CreateTime. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly lastLeaderEpoch: number;
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** The producer sent it before; offsets are those of the first time and nothing is written. */
  readonly isDuplicate: boolean;
}

export type LogAppendResult = LogAppendInfo | LogAppendError;

export interface AppendOptions {
  /** Called once, after this turn at the earliest: without error when the bytes are in the page cache. Not called for a refused append. */
  readonly onComplete?: (error?: LogStorageError) => void;
}

export interface LeaderAppendOptions extends AppendOptions {
  readonly leaderEpoch: number;
  readonly origin?: LeaderAppendOrigin;
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Exclusive: the high watermark, the last stable offset, or the log end offset. */
  readonly maxOffset: number;
  /** The first batch is returned whatever its size. */
  readonly minOneMessage?: boolean;
  /** For read_committed. */
  readonly includeAbortedTransactions?: boolean;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The answer to a read. With an error there are no records. */
export interface FetchDataInfo {
  /** NONE, OFFSET_OUT_OF_RANGE or KAFKA_STORAGE_ERROR. */
  readonly errorCode: number;
  readonly errorMessage: string | undefined;
  readonly fetchOffsetMetadata: LogOffsetMetadata;
  /** Whole batches in order, contiguous: views that stay valid. Not to be changed. */
  readonly records: readonly Buffer[];
  readonly sizeBytes: number;
  /** There is a batch at the fetch offset, but larger than `maxBytes`. */
  readonly firstEntryIncomplete: boolean;
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
}

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
}

export class UnifiedLog {
  readonly topicPartition: TopicPartition;
  readonly #context: LogContext;
  readonly #local: LocalLog;
  readonly #producers: ProducerStateManager;
  readonly #snapshots: ProducerSnapshots;
  readonly #epochs: LeaderEpochFileCache;
  readonly #epochFile: BackgroundFile;
  readonly #metadataFile: BackgroundFile;
  readonly #queue: AppendQueue;
  readonly #planner: AppendPlanner;
  readonly #flusher: LogFlusher;
  readonly #listeners = new Set<LogListener>();
  #config: LogConfig;
  #topicId: string | undefined;
  #logStartOffset: number;
  #highWatermark: number;
  #announcedEndOffset: number;
  #failure: LogStorageError | undefined;

  /** Made by `loadLog`, which reads or makes the folder. */
  constructor(context: LogContext, parts: UnifiedLogParts) {
    this.#context = context;
    this.topicPartition = parts.topicPartition;
    this.#config = parts.config;
    this.#local = parts.local;
    this.#producers = parts.producerState;
    this.#snapshots = parts.snapshots;
    this.#topicId = parts.topicId;
    this.#logStartOffset = parts.logStartOffset;
    this.#highWatermark = parts.logStartOffset;
    this.#announcedEndOffset = parts.local.logEndOffset;
    const onError = (error: unknown): void => void this.#failed(error);
    const { directory } = parts.local;
    this.#epochFile = new BackgroundFile(context.disk, `${directory}/${LEADER_EPOCH_CHECKPOINT}`, () => encodeEpochCheckpoint(this.#epochs.entries), onError);
    this.#epochs = new LeaderEpochFileCache(parts.epochEntries, () => this.#epochFile.schedule());
    this.#metadataFile = new BackgroundFile(context.disk, `${directory}/${PARTITION_METADATA}`, () => encodePartitionMetadata(this.#topicId ?? ''), onError);
    this.#planner = new AppendPlanner(context, this.#local);
    this.#queue = new AppendQueue(context, this.#appendTarget());
    this.#flusher = new LogFlusher({
      context,
      log: parts.local,
      snapshots: parts.snapshots,
      files: [this.#metadataFile, this.#epochFile],
      recoveryPoint: parts.recoveryPoint,
      onError,
    });
    if (parts.epochsDirty) this.#epochFile.schedule();
  }

  // ---- What it is

  /** The partition's folder. */
  get directory(): string {
    return this.#local.directory;
  }
  /** The log dir that it is in. */
  get logDir(): string {
    return parentOf(this.#local.directory);
  }
  get config(): LogConfig {
    return this.#config;
  }
  get topicId(): string | undefined {
    return this.#topicId;
  }
  get isOffline(): boolean {
    return this.#failure !== undefined;
  }

  updateConfig(config: LogConfig): void {
    this.#config = config;
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
    return this.#logStartOffset;
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
    return this.#highWatermark;
  }
  get recoveryPoint(): number {
    return this.#flusher.recoveryPoint;
  }

  /** Below it every transaction is decided and every record is committed. */
  get lastStableOffset(): number {
    const firstUnstable = this.#producers.firstUnstableOffset;
    return firstUnstable === undefined || firstUnstable >= this.#highWatermark ? this.#highWatermark : Math.max(firstUnstable, this.#logStartOffset);
  }

  /** Sets the high watermark, kept between log start and log end offset; returns what it is then. */
  updateHighWatermark(offset: number): number {
    const highWatermark = Math.min(Math.max(offset, this.#logStartOffset), this.logEndOffset);
    if (highWatermark === this.#highWatermark) return highWatermark;
    this.#highWatermark = highWatermark;
    this.#producers.onHighWatermarkUpdated(highWatermark);
    for (const listener of this.#listeners) listener.onHighWatermarkUpdated?.(this);
    return highWatermark;
  }

  /** Where `offset` lies: segment and position, for counting bytes between two. -1s when it is outside of the log. */
  offsetMetadata(offset: number): LogOffsetMetadata {
    if (offset < this.#logStartOffset || offset > this.logEndOffset || this.#failure !== undefined) return offsetOnly(offset);
    return this.#guarded(() => this.#local.offsetMetadata(offset)) ?? offsetOnly(offset);
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
    const refused = this.#refusal();
    if (refused !== undefined) return refused;
    const origin = options.origin ?? 'client';
    const config = this.#config;
    const nowMs = this.#context.clock.wallMs();
    const validated = validateLeaderBatch(records, { config, origin, nowMs });
    if (!validated.ok) return validated;
    const { batch, recordCount, maxTimestamp } = validated;
    if (batch.length > config.segmentBytes) {
      return appendError(ErrorCode.RECORD_LIST_TOO_LARGE, `A record batch of ${batch.length} bytes exceeds segment.bytes ${config.segmentBytes}`);
    }
    const hasProducerId = producerIdAt(batch, 0) !== NO_PRODUCER_ID;
    if (hasProducerId) {
      const duplicate = origin === 'client' ? this.#producers.findDuplicate(batch, 0) : undefined;
      if (duplicate !== undefined) {
        // Answered behind what waits: the first one may not be written yet.
        this.#enqueue({ records: NO_BYTES, firstOffset: -1, lastOffset: -1, roll: undefined, abortedTxns: [], onComplete: options.onComplete });
        return this.#appendInfo(batch, { firstOffset: firstOffsetOf(duplicate), lastOffset: duplicate.lastOffset, maxTimestamp: duplicate.timestamp, recordCount, isDuplicate: true });
      }
      const error = this.#producers.checkAppend(batch, 0, origin);
      if (error !== undefined) return error;
    }
    const firstOffset = this.#planner.appendEndOffset;
    assignOffsets(batch, firstOffset, options.leaderEpoch);
    this.#append(batch, options.onComplete);
    return this.#appendInfo(batch, { firstOffset, lastOffset: lastOffsetAt(batch, 0), maxTimestamp, recordCount, isDuplicate: false });
  }

  /**
   * Appends batches fetched from the leader, with the offsets and epochs they have; one cut short at the end is left out.
   * Offsets begin at or above the log's end, or, in an empty log, in a batch that holds its start.
   *
   * Errors: CORRUPT_MESSAGE, INVALID_RECORD (offsets out of order), KAFKA_STORAGE_ERROR, REQUEST_TIMED_OUT.
   */
  appendAsFollower(records: Buffer, options: AppendOptions = {}): LogAppendResult {
    const refused = this.#refusal();
    if (refused !== undefined) return refused;
    this.#maybeStartBelow(records);
    const checked = checkFollowerBatches(records, this.#planner.appendEndOffset);
    if (!checked.ok) return checked;
    if (checked.validBytes === 0) {
      this.#enqueue({ records: NO_BYTES, firstOffset: -1, lastOffset: -1, roll: undefined, abortedTxns: [], onComplete: options.onComplete });
      return this.#emptyAppendInfo();
    }
    const batches = checked.validBytes === records.length ? records : records.subarray(0, checked.validBytes);
    return this.#append(batches, options.onComplete);
  }

  /** An empty log whose start lies inside the leader's first batch (DeleteRecords) begins with that batch. */
  #maybeStartBelow(records: Buffer): void {
    const end = this.#planner.appendEndOffset;
    if (wholeBatchesBytes(records) === 0 || baseOffsetAt(records, 0) >= end || lastOffsetAt(records, 0) < end) return;
    if (this.#logStartOffset !== end || !this.#queue.isIdle) return;
    this.#guarded(() => {
      this.#startAt(baseOffsetAt(records, 0), this.#logStartOffset);
    });
  }

  /** Queues whole, checked batches; takes them into the producer state and the epoch cache. */
  #append(batches: Buffer, onComplete: AppendOptions['onComplete']): LogAppendInfo {
    const firstOffset = baseOffsetAt(batches, 0);
    let lastOffset = firstOffset;
    let maxTimestamp = NO_TIMESTAMP;
    let recordCount = 0;
    let lastLeaderEpoch = -1;
    let begin = 0;
    let roll: PlannedRoll | undefined;
    let aborted: AbortedTxn[] = [];
    for (let at = 0; at < batches.length; ) {
      const sizeBytes = sizeAt(batches, at);
      const baseOffset = baseOffsetAt(batches, at);
      const planned = { sizeBytes, lastOffset: lastOffsetAt(batches, at), maxTimestamp: maxTimestampAt(batches, at) };
      const rolls = this.#planner.shouldRoll(planned, this.#config);
      if (rolls) {
        if (at > begin) {
          this.#enqueue({ records: batches.subarray(begin, at), firstOffset: baseOffsetAt(batches, begin), lastOffset, roll, abortedTxns: aborted, onComplete: undefined });
        }
        begin = at;
        aborted = [];
        roll = this.#planRoll(baseOffset);
      }
      this.#planner.add(planned, rolls ? baseOffset : undefined);
      lastLeaderEpoch = leaderEpochAt(batches, at);
      if (lastLeaderEpoch >= 0) this.#epochs.assign(lastLeaderEpoch, baseOffset);
      this.#updateProducers(batches, at, aborted);
      lastOffset = planned.lastOffset;
      if (planned.maxTimestamp > maxTimestamp) maxTimestamp = planned.maxTimestamp;
      recordCount += recordCountAt(batches, at);
      at += sizeBytes;
    }
    const rest = begin === 0 ? batches : batches.subarray(begin);
    this.#enqueue({ records: rest, firstOffset: baseOffsetAt(rest, 0), lastOffset, roll, abortedTxns: aborted, onComplete });
    return {
      ok: true,
      firstOffset,
      lastOffset,
      maxTimestamp,
      logAppendTimeMs: NO_TIMESTAMP,
      logStartOffset: this.#logStartOffset,
      lastLeaderEpoch,
      recordCount,
      sizeBytes: batches.length,
      isDuplicate: false,
    };
  }

  #enqueue(append: PendingAppend): void {
    this.#queue.add(append);
  }

  #updateProducers(batches: Buffer, at: number, aborted: AbortedTxn[]): void {
    const lastOffset = lastOffsetAt(batches, at);
    if (producerIdAt(batches, at) !== NO_PRODUCER_ID) {
      const completed: CompletedTxn | undefined = this.#producers.update(batches, at);
      if (completed !== undefined) {
        if (completed.isAborted) aborted.push(this.#producers.abortedTxn(completed));
        this.#producers.completeTxn(completed);
      }
    }
    this.#producers.updateMapEndOffset(lastOffset + 1);
  }

  /** A new segment begins with the next batch: the producer state of this moment is its snapshot. */
  #planRoll(baseOffset: number): PlannedRoll {
    this.#producers.updateMapEndOffset(baseOffset);
    const isNew = baseOffset > (this.#snapshots.latestOffset ?? this.#logStartOffset);
    return { baseOffset, snapshot: isNew ? this.#producers.encodeSnapshot() : undefined };
  }

  #appendTarget(): AppendTarget {
    const local = this.#local;
    return {
      get activeSegment() {
        return local.activeSegment;
      },
      roll: ({ baseOffset, snapshot }) => this.#roll(baseOffset, snapshot),
      written: ({ records, firstOffset, lastOffset, abortedTxns }, nowMs) => {
        if (records.length === 0) return;
        local.appended(records, firstOffset, lastOffset, nowMs);
        for (const txn of abortedTxns) local.activeSegment.appendAbortedTxn(txn);
      },
      groupWritten: () => this.#groupWritten(),
      failed: (error) => this.#failed(error),
    };
  }

  #roll(baseOffset: number, snapshot: Buffer | undefined): LogSegment {
    const segment = this.#local.roll(Math.max(baseOffset, this.logEndOffset), this.#config);
    if (snapshot !== undefined) this.#snapshots.write(baseOffset, snapshot);
    // What is closed goes to the device in the background, so that recovery never has much to scan.
    this.#flushInBackground();
    return segment;
  }

  #flushInBackground(): void {
    const offset = this.#local.activeSegment.baseOffset;
    if (offset > this.recoveryPoint) void this.#flusher.flush(offset);
  }

  #groupWritten(): Promise<void> | undefined {
    if (this.#queue.isIdle) this.#planner.reset();
    if (this.logEndOffset === this.#announcedEndOffset) return undefined;
    this.#announcedEndOffset = this.logEndOffset;
    for (const listener of this.#listeners) listener.onLogEndOffsetMoved?.(this);
    return this.unflushedMessages >= this.#config.flushMessages ? this.#flusher.flush(this.logEndOffset) : undefined;
  }

  #appendInfo(batch: Buffer, info: Pick<LogAppendInfo, 'firstOffset' | 'lastOffset' | 'maxTimestamp' | 'recordCount' | 'isDuplicate'>): LogAppendInfo {
    return {
      ok: true,
      ...info,
      logAppendTimeMs: this.#config.messageTimestampType === 'LogAppendTime' ? info.maxTimestamp : NO_TIMESTAMP,
      logStartOffset: this.#logStartOffset,
      lastLeaderEpoch: leaderEpochAt(batch, 0),
      sizeBytes: batch.length,
    };
  }

  #emptyAppendInfo(): LogAppendInfo {
    const { logStartOffset, logEndOffset } = this;
    return {
      ok: true,
      firstOffset: logEndOffset,
      lastOffset: logEndOffset - 1,
      maxTimestamp: NO_TIMESTAMP,
      logAppendTimeMs: NO_TIMESTAMP,
      logStartOffset,
      lastLeaderEpoch: -1,
      recordCount: 0,
      sizeBytes: 0,
      isDuplicate: false,
    };
  }

  /** Resolves when no append waits to be written. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  // ---- Reading

  /** Whole batches from the one that holds `startOffset`. Errors: OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR. */
  read(startOffset: number, options: ReadOptions): FetchDataInfo {
    if (this.#failure !== undefined) return readError(startOffset, this.#failure.errorCode, this.#failure.message);
    if (startOffset < this.#logStartOffset || startOffset > this.logEndOffset) {
      return readError(
        startOffset,
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `Offset ${startOffset} of ${this.#name} is not in the log, which has ${this.#logStartOffset} to ${this.logEndOffset}`,
      );
    }
    const endOffset = Math.min(options.maxOffset, this.logEndOffset);
    const read = this.#guarded(() => this.#read(startOffset, endOffset, options));
    return read ?? readError(startOffset, ErrorCode.KAFKA_STORAGE_ERROR, `Reading ${this.#name} failed`);
  }

  #read(startOffset: number, endOffset: number, options: ReadOptions): FetchDataInfo {
    const { maxBytes, minOneMessage = false } = options;
    const { metadata, records, sizeBytes, firstEntryIncomplete } = this.#local.read(startOffset, { maxBytes, endOffset, minOneMessage });
    let abortedTransactions: readonly AbortedTransaction[] | undefined;
    if (options.includeAbortedTransactions === true) {
      abortedTransactions = records.length === 0 ? [] : this.#local.collectAbortedTransactions(startOffset, lastOffsetIn(records) + 1);
    }
    return { errorCode: ErrorCode.NONE, errorMessage: undefined, fetchOffsetMetadata: metadata, records, sizeBytes, firstEntryIncomplete, abortedTransactions };
  }

  /** The first record at or after `timestamp`, or an end of the log: -1 latest, -2 earliest, -3 the record with the largest timestamp. */
  fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | undefined {
    return this.#guarded(() =>
      fetchOffsetByTimestamp(
        { segments: this.#local.segments.all, logStartOffset: this.#logStartOffset, logEndOffset: this.logEndOffset, epochs: this.#epochs },
        timestamp,
      ),
    );
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
    let bytes = 0;
    for (const segment of this.#local.segments.between(this.recoveryPoint, this.logEndOffset)) bytes += segment.unsyncedBytes;
    return bytes;
  }
  /** Wall-clock time of the last flush. */
  get lastFlushMs(): number {
    return this.#flusher.lastFlushMs;
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
  flush(): Promise<void> {
    return this.#failure === undefined ? this.#flusher.flush(this.logEndOffset) : Promise.resolve();
  }

  /** Index entries that wait in memory go to their files. */
  persistIndexes(): void {
    if (this.#failure === undefined) this.#guarded(() => this.#local.activeSegment.indexes.persist());
  }

  // ---- Cutting back and deleting

  /**
   * Removes the records at and above `offset`, and a batch that holds it, after what waits to be written: at once, but for an asynchronous write that is under way.
   * The caller appends nothing meanwhile. True when something was removed. @throws LogStorageError
   */
  async truncateTo(offset: number): Promise<boolean> {
    if (!this.#isSettled()) await this.#settledOrThrow();
    if (offset < this.recoveryPoint) {
      const end = this.#guardedOrThrow(() => this.#local.segments.floor(offset)?.endAfterTruncation(offset) ?? offset);
      await this.#lowerRecoveryPoint(end);
    }
    return this.#guardedOrThrow(() => this.#truncateTo(offset));
  }

  #truncateTo(offset: number): boolean {
    const first = this.#local.segments.first;
    if (offset >= this.logEndOffset) {
      // The epoch of a leadership that wrote nothing may still be there.
      this.#epochs.truncateFromEnd(this.logEndOffset);
      return false;
    }
    if (first !== undefined && first.baseOffset > offset) {
      this.#startAt(offset, offset);
      return true;
    }
    const gone = this.#local.truncateTo(offset, this.#config);
    for (const segment of gone) this.#snapshots.remove(segment.baseOffset);
    const end = this.logEndOffset;
    this.#epochs.truncateFromEnd(end);
    this.#logStartOffset = Math.min(end, this.#logStartOffset);
    this.#afterTruncation(end);
    return true;
  }

  /** Removes everything; the log begins anew at `offset`, its log start offset at `logStartOffset`. @throws LogStorageError */
  async truncateFullyAndStartAt(offset: number, logStartOffset = offset): Promise<void> {
    if (!this.#isSettled()) await this.#settledOrThrow();
    if (this.recoveryPoint > 0) await this.#lowerRecoveryPoint(0);
    this.#guardedOrThrow(() => this.#startAt(offset, logStartOffset));
  }

  /** The checkpoint must not vouch for records that will be written in the place of those removed. */
  async #lowerRecoveryPoint(offset: number): Promise<void> {
    this.#flusher.truncatedTo(offset);
    await this.#context.onRecoveryPointLowered(this);
    await this.#settledOrThrow();
  }

  #startAt(offset: number, logStartOffset: number): void {
    this.#local.truncateFullyAndStartAt(offset, this.#config);
    this.#epochs.clear();
    this.#snapshots.removeWhere(() => true);
    this.#producers.reset(offset);
    this.#logStartOffset = logStartOffset;
    this.#afterTruncation(offset);
    this.#highWatermark = Math.max(this.#logStartOffset, offset);
  }

  #afterTruncation(offset: number): void {
    this.#flusher.truncatedTo(offset);
    this.#planner.reset();
    this.#announcedEndOffset = offset;
    // What was removed must not come back between what is written after it: that waits until the cut is on the device.
    this.#queue.hold(this.#syncCut());
    rebuildProducerState({
      state: this.#producers,
      snapshots: this.#snapshots,
      segments: this.#local.segments,
      logStartOffset: this.#logStartOffset,
      endOffset: offset,
      nowMs: this.#context.clock.wallMs(),
      producerIdExpirationMs: this.#context.producerIdExpirationMs(),
    });
    if (this.#highWatermark > offset) this.updateHighWatermark(offset);
  }

  async #syncCut(): Promise<void> {
    try {
      await this.#local.syncActive();
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Moves the log start offset up to `offset`: records below are gone for readers at once, their segments later.
   * True when it moved. @throws OffsetOutOfRangeError above the high watermark.
   */
  maybeIncrementLogStartOffset(offset: number): boolean {
    if (offset > this.#highWatermark) {
      throw new OffsetOutOfRangeError(`The log start offset of ${this.#name} can't be ${offset}: the high watermark is ${this.#highWatermark}`);
    }
    if (offset <= this.#logStartOffset) return false;
    this.#logStartOffset = offset;
    this.#epochs.truncateFromStart(offset);
    this.#producers.onLogStartOffsetIncremented(offset);
    for (const listener of this.#listeners) listener.onLogStartOffsetMoved?.(this);
    return true;
  }

  /** DeleteRecords: the new log start offset. @throws OffsetOutOfRangeError above the high watermark. */
  deleteRecordsTo(offset: number): number {
    this.maybeIncrementLogStartOffset(offset);
    return this.#logStartOffset;
  }

  /** Deletes the segments that retention and the log start offset let go; returns how many. */
  deleteOldSegments(): number {
    if (this.#failure !== undefined) return 0;
    const deleted = this.#guarded(() => {
      let count = this.#deleteSegments(segmentsBelow(this.#retentionView()), `log start offset ${this.#logStartOffset}`);
      for (const { segments, reason } of deletableByRetention(this.#retentionView(), this.#config, this.#context.clock.wallMs())) {
        count += this.#deleteSegments(
          segments.filter((segment) => this.#local.segments.has(segment.baseOffset)),
          reason,
        );
      }
      return count;
    });
    return deleted ?? 0;
  }

  #retentionView(): RetentionView {
    return {
      segments: this.#local.segments.all,
      logStartOffset: this.#logStartOffset,
      highWatermark: this.#highWatermark,
      logEndOffset: this.logEndOffset,
    };
  }

  #deleteSegments(deletable: readonly LogSegment[], reason: string): number {
    let segments = deletable;
    if (segments.at(-1) === this.#local.segments.last && segments.length > 0) {
      // The active one goes only while nothing waits for it; there is always one.
      if (this.#queue.isIdle) this.#roll(this.logEndOffset, this.#planRoll(this.logEndOffset).snapshot);
      else segments = segments.slice(0, -1);
      this.#planner.reset();
    }
    const last = segments.at(-1);
    if (last === undefined) return 0;
    const next = this.#local.segments.higher(last.baseOffset);
    if (next !== undefined) this.maybeIncrementLogStartOffset(Math.min(next.baseOffset, this.#highWatermark));
    this.#context.logger.info(
      { topic: this.topicPartition.topic, partition: this.topicPartition.partition, baseOffsets: segments.map((segment) => segment.baseOffset) },
      `Deleting ${segments.length} segments of ${this.#name} for ${reason}`,
    );
    this.#local.removeSegments(segments, this.#config);
    for (const segment of segments) this.#snapshots.remove(segment.baseOffset);
    return segments.length;
  }

  /** Begins a new segment at the log's end, after what waits to be written. @throws LogStorageError */
  async roll(): Promise<void> {
    await this.#settledOrThrow();
    this.#guardedOrThrow(() => {
      const { snapshot } = this.#planRoll(this.logEndOffset);
      this.#roll(this.logEndOffset, snapshot);
      this.#planner.reset();
    });
  }

  // ---- Its end

  /** Writes and syncs everything, leaves a producer snapshot and closes the files. After it the log is refused. */
  async close(): Promise<void> {
    await this.#queue.settled();
    if (this.#failure === undefined) {
      this.#guarded(() => this.#local.activeSegment.onBecomeInactive());
      await this.#flusher.flush(this.logEndOffset);
    }
    await this.#flusher.settled();
    await this.#epochFile.settled();
    await this.#metadataFile.settled();
    if (this.#failure !== undefined) return;
    this.#guarded(() => {
      takeSnapshot(this.#producers, this.#snapshots, this.#logStartOffset);
      this.#local.close();
    });
    this.#stop(new LogStorageError(this.logDir, `The log of ${this.#name} is closed`));
  }

  /** The folder was renamed for deletion: nothing is written any more. Appends that wait fail. */
  async abandon(directory: string): Promise<void> {
    this.#epochFile.close();
    this.#metadataFile.close();
    this.#stop(new LogStorageError(this.logDir, `The log of ${this.#name} is deleted`));
    this.#local.moved(directory);
    this.#snapshots.moved(directory);
    this.#local.abandon();
    await this.#queue.settled();
    await this.#flusher.settled();
  }

  /** Its log dir is offline. */
  goOffline(message: string): void {
    if (this.#failure !== undefined) return;
    this.#stop(new LogStorageError(this.logDir, message));
    this.#local.abandon();
  }

  #stop(failure: LogStorageError): void {
    this.#failure ??= failure;
    this.#flusher.stop();
    this.#epochFile.close();
    this.#metadataFile.close();
    this.#queue.fail(this.#failure);
  }

  #failed(cause: unknown): LogStorageError {
    if (this.#failure !== undefined) return this.#failure;
    const message = `Input or output on ${this.directory} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    const failure = new LogStorageError(this.logDir, message, cause);
    this.#stop(failure);
    this.#context.onFailure(this.logDir, message, cause);
    return failure;
  }

  #refusal(): LogAppendError | undefined {
    if (this.#failure !== undefined) return appendError(this.#failure.errorCode, this.#failure.message);
    if (this.#queue.queuedBytes < MAX_QUEUED_BYTES) return undefined;
    return appendError(ErrorCode.REQUEST_TIMED_OUT, `${this.#queue.queuedBytes} bytes wait to be written to ${this.#name}`);
  }

  /** Writes what waits, if it can be done now; whether nothing waits then and the log is in order. */
  #isSettled(): boolean {
    this.#queue.drain();
    return this.#queue.isIdle && this.#failure === undefined;
  }

  async #settledOrThrow(): Promise<void> {
    await this.#queue.settled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What `action` returns; undefined when the disk fails it, which takes the folder offline. */
  #guarded<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.#failed(error);
      return undefined;
    }
  }

  #guardedOrThrow<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      throw this.#failed(error);
    }
  }

  get #name(): string {
    return topicPartitionKey(this.topicPartition);
  }
}

const NO_BYTES = Buffer.alloc(0);

function readError(startOffset: number, errorCode: number, errorMessage: string): FetchDataInfo {
  return { errorCode, errorMessage, fetchOffsetMetadata: offsetOnly(startOffset), records: [], sizeBytes: 0, firstEntryIncomplete: false, abortedTransactions: undefined };
}

/** An error of the runtime's Disk, as against a broken invariant of ours. */
function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}

function parentOf(directory: string): string {
  return directory.slice(0, directory.lastIndexOf('/'));
}
