/**
 * The checks and book-keeping of an append: what a leader or a follower is given is validated, gets its offsets, is taken into the
 * producer state and the leader epochs, and goes to the queue that writes it. All of it at once, in the caller's turn.
 * Source: Kafka's UnifiedLog.append.
 */
import {
  baseOffsetAt,
  lastOffsetAt,
  lastOffsetDeltaAt,
  leaderEpochAt,
  maxTimestampAt,
  producerIdAt,
  sizeAt,
  wholeBatchesBytes,
} from '../../log-format/batch-fields.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { NO_PRODUCER_ID, NO_TIMESTAMP } from '../../protocol/records/record-batch.ts';
import type { AppendConfig } from './append-config.ts';
import type { AppendPlanner } from './append-planner.ts';
import type { AppendQueue } from './append-queue.ts';
import { readEarlierBatches } from './earlier-batches.ts';
import { checkFollowerBatches } from './follower-batches.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import { appendError } from './log-errors.ts';
import type { LogAppendError } from './log-errors.ts';
import type { LogSegments } from './log-segments.ts';
import type { AppendOptions, LeaderAppendOptions, LogAppendInfo, LogAppendResult } from './log-types.ts';
import type { LogOffsets } from './log-offsets.ts';
import { assignOffsets, validateLeaderBatch } from './log-validator.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';
import { plainBatchTimestamp } from './plain-batch.ts';
import { firstOffsetOf } from './producer-state-entry.ts';
import type { BatchMetadata } from './producer-state-entry.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { TurnClock } from './turn-clock.ts';
import type { PlannedRoll } from './write-run.ts';

const NO_BYTES = Buffer.alloc(0);
const NONE_ABORTED: readonly AbortedTxn[] = [];

export interface LogAppenderParts {
  readonly config: AppendConfig;
  readonly offsets: LogOffsets;
  /** The empty log begins anew at `offset`, its log start offset unchanged. */
  readonly startBelow: (offset: number) => void;
  readonly queue: AppendQueue;
  readonly planner: AppendPlanner;
  readonly producers: ProducerStateManager;
  readonly snapshots: ProducerSnapshots;
  readonly epochs: LeaderEpochFileCache;
  readonly segments: LogSegments;
  readonly turnClock: TurnClock;
}

export class LogAppender {
  /** What appends go by from here on. */
  config: AppendConfig;
  readonly #offsets: LogOffsets;
  readonly #startBelow: (offset: number) => void;
  readonly #queue: AppendQueue;
  readonly #planner: AppendPlanner;
  readonly #producers: ProducerStateManager;
  readonly #snapshots: ProducerSnapshots;
  readonly #epochs: LeaderEpochFileCache;
  readonly #segments: LogSegments;
  readonly #turnClock: TurnClock;

  constructor(parts: LogAppenderParts) {
    this.config = parts.config;
    this.#offsets = parts.offsets;
    this.#startBelow = parts.startBelow;
    this.#queue = parts.queue;
    this.#planner = parts.planner;
    this.#producers = parts.producers;
    this.#snapshots = parts.snapshots;
    this.#epochs = parts.epochs;
    this.#segments = parts.segments;
    this.#turnClock = parts.turnClock;
  }

  /**
   * Appends one batch as the partition's leader. Its bytes may be changed in place and are written as they are: they must stay
   * untouched from here on.
   *
   * Errors: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP,
   * INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR,
   * REQUEST_TIMED_OUT when the disk is so slow that too much waits.
   */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions): LogAppendResult {
    const origin = options.origin ?? 'client';
    const { config } = this;
    const nowMs = this.#turnClock.wallMs();
    let batch = records;
    let maxTimestamp = origin === 'client' && options.validated === undefined ? plainBatchTimestamp(records, config, nowMs) : NaN;
    if (Number.isNaN(maxTimestamp)) {
      const validated = options.validated ?? validateLeaderBatch(records, { config, origin, nowMs });
      if (!validated.ok) return validated;
      ({ batch, maxTimestamp } = validated);
    }
    if (batch.length > config.segmentBytes) {
      return appendError(
        ErrorCode.RECORD_LIST_TOO_LARGE,
        `A record batch of ${batch.length} bytes exceeds segment.bytes ${config.segmentBytes}`,
      );
    }
    const hasProducerId = producerIdAt(batch, 0) !== NO_PRODUCER_ID;
    if (hasProducerId) {
      const duplicate = origin === 'client' ? this.#producers.findDuplicate(batch, 0) : undefined;
      if (duplicate !== undefined) return this.#answerDuplicate(duplicate, options.onComplete);
      const error = this.#producers.checkAppend(batch, 0, origin);
      if (error !== undefined) return this.#answerForgotten(batch, error, options);
    }
    return this.#appendOne(batch, maxTimestamp, config, hasProducerId, options);
  }

  /** What can't follow may be in front of what is known of its producer. */
  #answerForgotten(batch: Buffer, error: LogAppendError, { origin = 'client', onComplete }: LeaderAppendOptions): LogAppendResult {
    if (origin !== 'client' || error.errorCode !== ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) return error;
    const duplicate = this.#producers.recallDuplicate(batch, 0, (entry) => readEarlierBatches(this.#segments, entry));
    return duplicate === undefined ? error : this.#answerDuplicate(duplicate, onComplete);
  }

  /** Behind what waits: the first one may not be written yet. */
  #answerDuplicate(duplicate: BatchMetadata, onComplete: AppendOptions['onComplete']): LogAppendInfo {
    this.#waitForWhatIsQueued(onComplete);
    return this.#duplicateInfo(duplicate);
  }

  /** The one batch of a leader's append, of which most is known: as `#append`, without reading it again. */
  #appendOne(
    batch: Buffer,
    maxTimestamp: number,
    config: AppendConfig,
    hasProducerId: boolean,
    { leaderEpoch, onComplete }: LeaderAppendOptions,
  ): LogAppendInfo {
    const planner = this.#planner;
    const sizeBytes = batch.length;
    const firstOffset = planner.appendEndOffset;
    const lastOffset = firstOffset + lastOffsetDeltaAt(batch, 0);
    assignOffsets(batch, firstOffset, leaderEpoch);
    let roll: PlannedRoll | undefined;
    if (planner.shouldRoll(sizeBytes, lastOffset, maxTimestamp, config)) {
      roll = this.planRoll(firstOffset);
      planner.rollAt(firstOffset, maxTimestamp, config);
    }
    planner.add(sizeBytes, lastOffset);
    if (leaderEpoch >= 0) this.#epochs.assign(leaderEpoch, firstOffset);
    const abortedTxns = hasProducerId ? this.#updateProducers(batch, 0, NONE_ABORTED) : NONE_ABORTED;
    this.#producers.updateMapEndOffset(lastOffset + 1);
    this.#queue.add(batch, firstOffset, lastOffset, roll, abortedTxns, onComplete);
    return {
      ok: true,
      firstOffset,
      lastOffset,
      logAppendTimeMs: config.messageTimestampType === 'LogAppendTime' ? maxTimestamp : NO_TIMESTAMP,
      isDuplicate: false,
    };
  }

  /**
   * Appends batches fetched from the leader, with the offsets and epochs they have; one cut short at the end is left out.
   * Offsets begin at or above the log's end, or, in an empty log, in a batch that holds its start.
   *
   * Errors: CORRUPT_MESSAGE, INVALID_RECORD (offsets out of order), KAFKA_STORAGE_ERROR, REQUEST_TIMED_OUT.
   */
  appendAsFollower(records: Buffer, options: AppendOptions = {}): LogAppendResult {
    this.#maybeStartBelow(records);
    const checked = checkFollowerBatches(records, this.#planner.appendEndOffset);
    if (!checked.ok) return checked;
    if (checked.validBytes === 0) {
      this.#waitForWhatIsQueued(options.onComplete);
      return this.#emptyAppendInfo();
    }
    const batches = checked.validBytes === records.length ? records : records.subarray(0, checked.validBytes);
    return this.#append(batches, options.onComplete);
  }

  /** An empty log whose start lies inside the leader's first batch (DeleteRecords) begins with that batch. */
  #maybeStartBelow(records: Buffer): void {
    const end = this.#planner.appendEndOffset;
    if (wholeBatchesBytes(records) === 0 || baseOffsetAt(records, 0) >= end || lastOffsetAt(records, 0) < end) return;
    if (this.#offsets.logStartOffset === end && this.#queue.isIdle) this.#startBelow(baseOffsetAt(records, 0));
  }

  /** Queues whole, checked batches; takes them into the producer state and the epoch cache. */
  #append(batches: Buffer, onComplete: AppendOptions['onComplete']): LogAppendInfo {
    const { config } = this;
    const firstOffset = baseOffsetAt(batches, 0);
    let lastOffset = firstOffset;
    let maxTimestamp = NO_TIMESTAMP;
    let begin = 0;
    let roll: PlannedRoll | undefined;
    let aborted: readonly AbortedTxn[] = NONE_ABORTED;
    for (let at = 0; at < batches.length;) {
      const sizeBytes = sizeAt(batches, at);
      const baseOffset = baseOffsetAt(batches, at);
      const batchEnd = baseOffset + lastOffsetDeltaAt(batches, at);
      const timestamp = maxTimestampAt(batches, at);
      if (this.#planner.shouldRoll(sizeBytes, batchEnd, timestamp, config)) {
        if (at > begin) {
          const records = batches.subarray(begin, at);
          this.#queue.add(records, baseOffsetAt(records, 0), lastOffset, roll, aborted, undefined);
        }
        begin = at;
        aborted = NONE_ABORTED;
        roll = this.planRoll(baseOffset);
        this.#planner.rollAt(baseOffset, timestamp, config);
      }
      this.#planner.add(sizeBytes, batchEnd);
      const leaderEpoch = leaderEpochAt(batches, at);
      if (leaderEpoch >= 0) this.#epochs.assign(leaderEpoch, baseOffset);
      if (producerIdAt(batches, at) !== NO_PRODUCER_ID) aborted = this.#updateProducers(batches, at, aborted);
      this.#producers.updateMapEndOffset(batchEnd + 1);
      lastOffset = batchEnd;
      if (timestamp > maxTimestamp) maxTimestamp = timestamp;
      at += sizeBytes;
    }
    const records = begin === 0 ? batches : batches.subarray(begin);
    const first = begin === 0 ? firstOffset : baseOffsetAt(records, 0);
    this.#queue.add(records, first, lastOffset, roll, aborted, onComplete);
    return {
      ok: true,
      firstOffset,
      lastOffset,
      logAppendTimeMs: config.messageTimestampType === 'LogAppendTime' ? maxTimestamp : NO_TIMESTAMP,
      isDuplicate: false,
    };
  }

  /** Returns the aborted transactions, with the one that the batch ends if it does. */
  #updateProducers(batches: Buffer, at: number, aborted: readonly AbortedTxn[]): readonly AbortedTxn[] {
    const completed = this.#producers.update(batches, at);
    if (completed === undefined) return aborted;
    const all = completed.isAborted ? [...aborted, this.#producers.abortedTxn(completed)] : aborted;
    this.#producers.completeTxn(completed);
    return all;
  }

  /** A new segment begins with the next batch: the producer state of this moment is its snapshot. */
  planRoll(baseOffset: number): PlannedRoll {
    this.#producers.updateMapEndOffset(baseOffset);
    const isNew = baseOffset > (this.#snapshots.latestOffset ?? this.#offsets.logStartOffset);
    return { baseOffset, snapshot: isNew ? this.#producers.encodeSnapshot() : undefined };
  }

  #duplicateInfo(duplicate: BatchMetadata): LogAppendInfo {
    return {
      ok: true,
      firstOffset: firstOffsetOf(duplicate),
      lastOffset: duplicate.lastOffset,
      logAppendTimeMs: this.config.messageTimestampType === 'LogAppendTime' ? duplicate.timestamp : NO_TIMESTAMP,
      isDuplicate: true,
    };
  }

  #emptyAppendInfo(): LogAppendInfo {
    const logEndOffset = this.#planner.appendEndOffset;
    return {
      ok: true,
      firstOffset: logEndOffset,
      lastOffset: logEndOffset - 1,
      logAppendTimeMs: NO_TIMESTAMP,
      isDuplicate: false,
    };
  }

  #waitForWhatIsQueued(onComplete: AppendOptions['onComplete']): void {
    this.#queue.add(NO_BYTES, -1, -1, undefined, NONE_ABORTED, onComplete);
  }
}
