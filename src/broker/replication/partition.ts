/**
 * One replica of a partition on this broker: leader or follower. As leader it appends, answers fetches, knows every
 * follower's progress, moves the high watermark, and grows and shrinks the ISR through the controller.
 *
 * Invariants: the high watermark never goes back while leader; it is at most the smallest log end offset over the
 * maximal ISR; at most one ISR change is under way; a follower joins the ISR only when its log end offset has reached
 * both the high watermark and the start of this leader's epoch (KAFKA-7128).
 * Times are monotonic, so that a clock that jumps shrinks no ISR. Source: Kafka's `Partition`, KIP-101, KIP-497, KIP-966 (part 1).
 */
import { ErrorCode, errorByCode, KafkaError } from '../../protocol/errors.ts';
import type { LeaderAndIsrPartitionState } from '../../protocol/generated/leader-and-isr.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { countText, spanText } from '../number-text.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { LeaderAppendOptions, LogAppendResult, UnifiedLog } from '../log/unified-log.ts';
import type { AlterPartitionManager, AlterPartitionResult } from './alter-partition-manager.ts';
import { committedIsr, maximalIsr, pendingExpand, pendingShrink } from './isr-state.ts';
import type { IsrState } from './isr-state.ts';
import type { LeadershipDoubt } from './leadership-doubt.ts';
import { Replica } from './replica.ts';
import type { FetchState } from './replica.ts';
import type { Standing } from './replica-standing.ts';

const NO_LEADER = -1;
/** In DeleteRecords: all that is committed. */
const HIGH_WATERMARK = -1;

export interface PartitionOptions {
  readonly topicPartition: TopicPartition;
  readonly localBrokerId: number;
  readonly replicaLagTimeMaxMs: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Leadership and ISR changes, one line each with the reason. */
  readonly stateChangeLogger: Logger;
  readonly logManager: Pick<LogManager, 'getOrCreateLog'>;
  readonly alterPartitionManager: Pick<AlterPartitionManager, 'submit'>;
  readonly isBrokerAlive: (brokerId: number) => boolean;
  readonly leadershipDoubt: Pick<LeadershipDoubt, 'mayBeDeposed'>;
  /** The high watermark in the checkpoint file, or undefined for a log it doesn't name. */
  readonly checkpointedHighWatermark: () => number | undefined;
  /** The high watermark moved, or the leadership did: what waits for it may be complete. */
  readonly onProgress: () => void;
  readonly onIsrChange: (change: IsrChange) => void;
  readonly onIsrChangeRefused: () => void;
}

export interface IsrChange {
  readonly kind: 'expand' | 'shrink';
  readonly isr: readonly number[];
  readonly previousIsr: readonly number[];
  readonly leaderEpoch: number;
  /** How far behind and since when, or what it has reached. */
  readonly reason: string;
}

/** What a reader may see. `fetchEnd` is exclusive. */
export interface OffsetSnapshot {
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
}

export class Partition {
  readonly topicPartition: TopicPartition;
  readonly #options: PartitionOptions;
  readonly #remoteReplicas = new Map<number, Replica>();
  #log: UnifiedLog | undefined;
  #topicId: string | undefined;
  #leaderId = NO_LEADER;
  #leaderEpoch = -1;
  #leaderEpochStartOffset: number | undefined;
  #leadership = 0;
  #controllerEpoch = -1;
  #partitionEpoch = -1;
  #replicas: readonly number[] = [];
  #addingReplicas: readonly number[] = [];
  #removingReplicas: readonly number[] = [];
  #isrState: IsrState = committedIsr([]);
  /** Its log dir has failed. */
  #isOffline = false;
  /** UpdateMetadata told of newer things than LeaderAndIsr, whose word is awaited: of this leader epoch, or a later one. */
  #awaitedLeaderEpoch: number | undefined;
  #isStray = false;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.topicPartition = options.topicPartition;
  }

  get log(): UnifiedLog | undefined {
    return this.#log;
  }
  get topicId(): string | undefined {
    return this.#topicId;
  }
  get leaderId(): number {
    return this.#leaderId;
  }
  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }
  get controllerEpoch(): number {
    return this.#controllerEpoch;
  }
  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }
  get replicas(): readonly number[] {
    return this.#replicas;
  }
  /** Those that a reassignment under way adds and removes; both are part of `replicas` until it is through. */
  get addingReplicas(): readonly number[] {
    return this.#addingReplicas;
  }
  get removingReplicas(): readonly number[] {
    return this.#removingReplicas;
  }
  get isReassigning(): boolean {
    return this.#addingReplicas.length > 0 || this.#removingReplicas.length > 0;
  }
  get isr(): ReadonlySet<number> {
    return this.#isrState.isr;
  }
  /** The ISR that was asked of the controller and isn't made yet. */
  get pendingIsr(): ReadonlySet<number> | undefined {
    return this.#isrState.kind === 'committed' ? undefined : this.#isrState.proposedIsr;
  }
  /** As leader: where its epoch begins. */
  get leaderEpochStartOffset(): number | undefined {
    return this.#leaderEpochStartOffset;
  }
  /** Counts the times that this broker has become the leader: what was appended in an earlier one may have been cut off since. */
  get leadership(): number {
    return this.#leadership;
  }
  get isLeader(): boolean {
    return this.#leaderId === this.#options.localBrokerId && this.#log !== undefined;
  }
  get remoteReplicas(): readonly Replica[] {
    return [...this.#remoteReplicas.values()];
  }

  get isOffline(): boolean {
    return this.#isOffline;
  }

  /** The controller's metadata has no replica of this partition on this broker. The log is left as it is. */
  get isStray(): boolean {
    return this.#isStray;
  }

  /** LeaderAndIsr below this leader epoch says nothing new. */
  get nextLeaderEpoch(): number {
    return this.#awaitedLeaderEpoch ?? this.#leaderEpoch + 1;
  }

  /** The log as leader, or the code that a client gets: it looks for the leader elsewhere. */
  leaderLogOrError(currentLeaderEpoch = -1): UnifiedLog | number {
    if (this.#isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const epochError = this.#checkLeaderEpoch(currentLeaderEpoch);
    if (epochError !== ErrorCode.NONE) return epochError;
    return this.isLeader && this.#log !== undefined ? this.#log : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  /** KIP-320: an older epoch is fenced, a newer one is not known here yet; -1 skips the check. */
  #checkLeaderEpoch(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === this.#leaderEpoch) return ErrorCode.NONE;
    return currentLeaderEpoch < this.#leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
  }

  /** Becomes leader in `state`'s epoch. True when this broker was not the leader before; throws a storage error of the log. */
  makeLeader(state: LeaderAndIsrPartitionState, topicId: string | undefined): boolean {
    if (state.partitionEpoch < this.#partitionEpoch) return false;
    const isNewLeader = !this.isLeader;
    const isNewLeaderEpoch = this.#isNewEpoch(state);
    const previousLeader = this.#leaderId;
    const log = this.#openLog(state.isNew, topicId);
    this.#hearController(state);
    this.#assign(state, state.isr);
    if (isNewLeader) this.#leadership++;

    if (isNewLeaderEpoch) {
      // The end with what still waits to be written: it was fetched under the epochs before.
      const startOffset = log.appendEndOffset;
      // Cached now and not at the first append: a follower may hold records of an epoch between (KIP-101).
      log.maybeAssignEpochStartOffset(state.leaderEpoch, startOffset);
      this.#leaderEpochStartOffset = startOffset;
      const nowMs = this.#options.clock.monotonicMs();
      for (const replica of this.#remoteReplicas.values()) {
        replica.reset({ leaderLogEndOffset: startOffset, nowMs, isNewLeader, isFollowerInSync: this.#isrState.isr.has(replica.brokerId) });
      }
      this.#options.stateChangeLogger.info(
        { topic: this.topicPartition.topic, partition: this.topicPartition.partition, leaderEpoch: state.leaderEpoch, isr: state.isr },
        `Leader of ${this.#name} from offset ${startOffset} in epoch ${state.leaderEpoch}, high watermark ${log.highWatermark}, ISR [${state.isr.join(',')}]; the leader before was ${previousLeader}`,
      );
    }
    this.#partitionEpoch = state.partitionEpoch;
    this.#leaderEpoch = state.leaderEpoch;
    this.#leaderId = this.#options.localBrokerId;
    if (this.#maybeIncrementLeaderHighWatermark(log)) this.#options.onProgress();
    if (isNewLeader && log.appendEndOffset > log.logEndOffset) void this.#onFetchedWritten(log);
    return isNewLeader;
  }

  /** What was fetched before the election is written now: with nobody else in the ISR nothing need come that would move the high watermark. */
  async #onFetchedWritten(log: UnifiedLog): Promise<void> {
    await log.settled();
    if (this.#log !== log || !this.isLeader) return;
    this.#maybeIncrementLeaderHighWatermark(log);
    this.#options.onProgress();
  }

  /** Becomes a follower in `state`'s epoch. True when the epoch is new, so that its fetcher must start over. */
  makeFollower(state: LeaderAndIsrPartitionState, topicId: string | undefined): boolean {
    if (state.partitionEpoch < this.#partitionEpoch) return false;
    const isNewLeaderEpoch = this.#isNewEpoch(state);
    const log = this.#openLog(state.isNew, topicId);
    this.#hearController(state);
    this.#leaderId = state.leader;
    this.#leaderEpoch = state.leaderEpoch;
    this.#leaderEpochStartOffset = undefined;
    this.#partitionEpoch = state.partitionEpoch;
    this.#assign(state, []);
    if (isNewLeaderEpoch) {
      this.#options.stateChangeLogger.info(
        { topic: this.topicPartition.topic, partition: this.topicPartition.partition, leaderEpoch: state.leaderEpoch },
        `Follower of ${this.#name} under leader ${state.leader} in epoch ${state.leaderEpoch}, log end offset ${log.logEndOffset}, high watermark ${log.highWatermark}`,
      );
    }
    return isNewLeaderEpoch;
  }

  /** One that it stood down in is begun anew when the controller says that it goes on. */
  #isNewEpoch({ leaderEpoch }: LeaderAndIsrPartitionState): boolean {
    return leaderEpoch > this.#leaderEpoch || this.#awaitedLeaderEpoch !== undefined;
  }

  #hearController({ controllerEpoch }: LeaderAndIsrPartitionState): void {
    this.#controllerEpoch = controllerEpoch;
    this.#awaitedLeaderEpoch = undefined;
    this.#isStray = false;
  }

  /**
   * Newer metadata than the last LeaderAndIsr says that this broker doesn't lead, or has no replica: it takes and answers nothing as leader
   * until LeaderAndIsr tells more. The log stays. True when it changed something.
   */
  standDown({ kind, leaderEpoch, reason }: Standing): boolean {
    const wasLeader = this.isLeader;
    const isNews = kind === 'stray' ? !this.#isStray : wasLeader;
    if (!isNews || this.#isOffline) return false;
    this.#isStray = kind === 'stray';
    this.#awaitedLeaderEpoch = leaderEpoch;
    this.#leaderId = NO_LEADER;
    this.#leaderEpochStartOffset = undefined;
    this.#isrState = committedIsr([]);
    this.#options.stateChangeLogger.warn(
      { topic: this.topicPartition.topic, partition: this.topicPartition.partition, leaderEpoch: this.#leaderEpoch },
      `${wasLeader ? 'Leads' : 'Follows'} ${this.#name} no more, in epoch ${this.#leaderEpoch}, by the controller's metadata: ${reason}`,
    );
    return true;
  }

  /** A replica outside of the ISR that the high watermark waited for may not join it any more. Nothing else may come to move it: producers wait for what they have sent. */
  reconsiderHighWatermark(): void {
    if (this.#log !== undefined && this.#maybeIncrementLeaderHighWatermark(this.#log)) this.#options.onProgress();
  }

  /** The log has moved to another log dir: `log` holds the same records, epochs and offsets. */
  replaceLog(log: UnifiedLog): void {
    this.#log = log;
  }

  /** The log is about to be deleted: nobody leads here any more, and what waits for it is answered so. */
  delete(): void {
    this.#forgetLog();
  }

  /** The log dir has failed; the partition answers KAFKA_STORAGE_ERROR until the broker starts anew. */
  markOffline(): void {
    this.#forgetLog();
    this.#isOffline = true;
  }

  #forgetLog(): void {
    this.#log = undefined;
    this.#leaderId = NO_LEADER;
    this.#isrState = committedIsr([]);
    this.#remoteReplicas.clear();
    this.#leaderEpochStartOffset = undefined;
  }

  /**
   * Appends as leader. Returns the log's answer; `onWritten` follows when the bytes are in the page cache, or with the error.
   * Throws KafkaError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, or NOT_ENOUGH_REPLICAS when acks=all and the ISR is too small.
   */
  appendRecordsToLeader(
    records: Buffer,
    options: {
      origin: 'client' | 'coordinator';
      requiredAcks: number;
      validated?: LeaderAppendOptions['validated'];
      onWritten: (error?: Error) => void;
    },
  ): LogAppendResult {
    const log = this.leaderLogOrError();
    if (typeof log === 'number') throw new KafkaError(log);
    const minInSyncReplicas = this.#effectiveMinIsr(log);
    const inSync = this.#isrState.isr.size;
    if (options.requiredAcks === -1 && inSync < minInSyncReplicas) {
      throw new KafkaError(
        ErrorCode.NOT_ENOUGH_REPLICAS,
        `The size of the current ISR [${[...this.#isrState.isr].join(',')}] of ${this.#name} is ${inSync}, which is less than min.insync.replicas ${minInSyncReplicas}`,
      );
    }
    const result = log.appendAsLeader(records, {
      leaderEpoch: this.#leaderEpoch,
      origin: options.origin,
      validated: options.validated,
      onComplete: (error) => {
        if (error === undefined && this.isLeader) this.#maybeIncrementLeaderHighWatermark(log);
        options.onWritten(error);
      },
    });
    // What lies between the producer's last batch here and this one may be with the leader that there is now.
    if (!result.ok && result.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && this.#options.leadershipDoubt.mayBeDeposed)
      throw new KafkaError(
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        `Batches of this producer in front of this one are not in ${this.#name}, which this broker may not lead any more`,
      );
    return result;
  }

  /**
   * Whether a produce request that waits for `requiredOffset`, appended in `leadership`, is done: NONE when the high watermark has reached it
   * with enough replicas, another code when it never will, undefined while it must wait.
   */
  checkEnoughReplicasReachOffset(requiredOffset: number, leadership: number): number | undefined {
    const log = this.leaderLogOrError();
    if (typeof log === 'number') return log;
    if (leadership !== this.#leadership) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    if (log.highWatermark < requiredOffset) return undefined;
    return maximalIsr(this.#isrState).size >= this.#effectiveMinIsr(log) ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
  }

  /**
   * Moves the log start offset up to `offset`, -1 for the high watermark; the offset that it is, and the smallest of the replicas.
   * Throws KafkaError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, POLICY_VIOLATION, OFFSET_OUT_OF_RANGE; OffsetOutOfRangeError.
   */
  deleteRecordsOnLeader(offset: number): { requiredOffset: number; lowWatermark: number } {
    const log = this.leaderLogOrError();
    if (typeof log === 'number') throw new KafkaError(log);
    if (log.config.compact && !log.config.delete) {
      throw new KafkaError(ErrorCode.POLICY_VIOLATION, `Records of ${this.#name} can't be deleted: its cleanup.policy has no delete`);
    }
    const requiredOffset = offset === HIGH_WATERMARK ? log.highWatermark : offset;
    if (requiredOffset < 0)
      throw new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE, `The offset ${offset} for partition ${this.#name} is not valid`);
    log.maybeIncrementLogStartOffset(requiredOffset);
    return { requiredOffset, lowWatermark: this.#lowWatermark(log) };
  }

  /** As leader: the smallest log start offset of the replicas whose brokers are alive. */
  lowWatermarkOrError(): { readonly ok: true; readonly offset: number } | { readonly ok: false; readonly errorCode: number } {
    const log = this.leaderLogOrError();
    return typeof log === 'number' ? { ok: false, errorCode: log } : { ok: true, offset: this.#lowWatermark(log) };
  }

  #lowWatermark(log: UnifiedLog): number {
    let lowWatermark = log.logStartOffset;
    for (const { brokerId, logStartOffset } of this.#remoteReplicas.values()) {
      if (logStartOffset < lowWatermark && this.#options.isBrokerAlive(brokerId)) lowWatermark = logStartOffset;
    }
    return lowWatermark;
  }

  /** Notes a follower's fetch; may grow the ISR and move the high watermark. False when it isn't a replica of this partition. */
  updateFollowerFetchState(replicaId: number, state: FetchState): boolean {
    const replica = this.#remoteReplicas.get(replicaId);
    const log = this.#log;
    if (replica === undefined || log === undefined || !this.isLeader) return false;
    const { logEndOffset: previousEnd, logStartOffset: previousStart } = replica;
    replica.updateFetchState(state);
    this.#maybeExpandIsr(replica, log);
    const highWatermarkMoved = previousEnd !== replica.logEndOffset && this.#maybeIncrementLeaderHighWatermark(log);
    // A DeleteRecords request may wait for the follower's start; none for a start at 0.
    if (highWatermarkMoved || replica.logStartOffset > Math.max(previousStart, 0)) this.#options.onProgress();
    return true;
  }

  /** Asks for the removal of followers that have lagged longer than `replica.lag.time.max.ms`. */
  maybeShrinkIsr(): void {
    const log = this.#log;
    if (log === undefined || !this.isLeader || this.#isrState.kind !== 'committed') return;
    const outOfSync = this.#outOfSyncReplicas(log, this.#isrState.isr);
    if (outOfSync.length === 0) return;
    const reason = outOfSync.map((brokerId) => this.#lagOf(brokerId, log)).join('; ');
    this.#submitIsrChange(pendingShrink(this.#isrState.isr, new Set(outOfSync)), 'shrink', reason);
  }

  offsets(): OffsetSnapshot | undefined {
    const log = this.#log;
    if (log === undefined) return undefined;
    const { logStartOffset, logEndOffset, highWatermark, lastStableOffset } = log;
    return { logStartOffset, logEndOffset, highWatermark, lastStableOffset };
  }

  /** KIP-320: the largest epoch at or below `leaderEpoch` that this leader knows, and where it ends. */
  endOffsetForLeaderEpoch(currentLeaderEpoch: number, leaderEpoch: number): { errorCode: number; leaderEpoch: number; endOffset: number } {
    const log = this.leaderLogOrError(currentLeaderEpoch);
    if (typeof log === 'number') return { errorCode: log, leaderEpoch: -1, endOffset: -1 };
    const found = log.endOffsetForEpoch(leaderEpoch);
    return found === undefined
      ? { errorCode: ErrorCode.NONE, leaderEpoch: -1, endOffset: -1 }
      : { errorCode: ErrorCode.NONE, leaderEpoch: found.epoch, endOffset: found.endOffset };
  }

  /** Until it has, records of this leader's epoch are not committed and the end that a consumer is told could go back (KIP-207). */
  get highWatermarkHasReachedEpochStart(): boolean {
    return this.#leaderEpochStartOffset !== undefined && this.#log !== undefined && this.#log.highWatermark >= this.#leaderEpochStartOffset;
  }

  get isUnderMinIsr(): boolean {
    return this.#log !== undefined && this.isLeader && this.#isrState.isr.size < this.#effectiveMinIsr(this.#log);
  }

  get isUnderReplicated(): boolean {
    return this.isLeader && this.#isrState.isr.size < this.#replicationFactor;
  }

  /** How many replicas it had when a reassignment began: those that are being added are not missed yet. */
  get #replicationFactor(): number {
    return this.#replicas.filter((replica) => !this.#addingReplicas.includes(replica)).length;
  }

  get isAtMinIsr(): boolean {
    return this.#log !== undefined && this.isLeader && this.#isrState.isr.size === this.#effectiveMinIsr(this.#log);
  }

  get #name(): string {
    return `${this.topicPartition.topic}-${this.topicPartition.partition}`;
  }

  #openLog(isNew: boolean, topicId: string | undefined): UnifiedLog {
    if (this.#log === undefined) {
      const log = this.#options.logManager.getOrCreateLog(this.topicPartition, { topicId, isNew });
      const checkpointed = this.#options.checkpointedHighWatermark();
      if (checkpointed !== undefined) log.updateHighWatermark(checkpointed);
      this.#log = log;
    }
    if (topicId !== undefined) this.#topicId = topicId;
    return this.#log;
  }

  #assign({ replicas, addingReplicas, removingReplicas }: LeaderAndIsrPartitionState, isr: readonly number[]): void {
    const { localBrokerId } = this.#options;
    this.#addingReplicas = addingReplicas;
    this.#removingReplicas = removingReplicas;
    for (const id of this.#remoteReplicas.keys()) if (!replicas.includes(id)) this.#remoteReplicas.delete(id);
    for (const id of replicas) if (id !== localBrokerId && !this.#remoteReplicas.has(id)) this.#remoteReplicas.set(id, new Replica(id));
    this.#replicas = replicas;
    this.#isrState = committedIsr(isr);
  }

  /** min.insync.replicas, but no more than there are replicas. */
  #effectiveMinIsr(log: UnifiedLog): number {
    return Math.min(log.config.minInsyncReplicas, Math.max(1, this.#replicas.length));
  }

  #lagOf(brokerId: number, log: UnifiedLog): string {
    const replica = this.#remoteReplicas.get(brokerId);
    if (replica === undefined) return `broker ${brokerId} is no replica`;
    const lagMs = Math.round(this.#options.clock.monotonicMs() - replica.lastCaughtUpTimeMs);
    const since = Number.isFinite(lagMs) ? `not caught up for ${spanText(lagMs)}` : 'never caught up';
    if (replica.logEndOffset < 0) return `broker ${brokerId} has not fetched from this leader, ${since}`;
    const behind = log.logEndOffset - Math.max(replica.logEndOffset, log.logStartOffset);
    return `broker ${brokerId} is ${countText(behind)} ${behind === 1 ? 'record' : 'records'} behind, ${since}`;
  }

  #outOfSyncReplicas(log: UnifiedLog, isr: ReadonlySet<number>): number[] {
    const nowMs = this.#options.clock.monotonicMs();
    const maxLagMs = this.#options.replicaLagTimeMaxMs();
    return [...isr].filter((brokerId) => {
      if (brokerId === this.#options.localBrokerId) return false;
      return this.#remoteReplicas.get(brokerId)?.isCaughtUp(log.logEndOffset, nowMs, maxLagMs) !== true;
    });
  }

  #maybeExpandIsr(replica: Replica, log: UnifiedLog): void {
    if (this.#isrState.kind !== 'committed' || this.#isrState.isr.has(replica.brokerId)) return;
    const inSync =
      replica.logEndOffset >= log.highWatermark &&
      this.#leaderEpochStartOffset !== undefined &&
      replica.logEndOffset >= this.#leaderEpochStartOffset;
    if (!inSync || !this.#options.isBrokerAlive(replica.brokerId)) return;
    this.#submitIsrChange(
      pendingExpand(this.#isrState.isr, replica.brokerId),
      'expand',
      `broker ${replica.brokerId} has caught up at offset ${countText(replica.logEndOffset)}`,
    );
  }

  /** True when it moved. A replica that is catching up and about to join is waited for too, so that it can. */
  #maybeIncrementLeaderHighWatermark(log: UnifiedLog): boolean {
    if (!this.isLeader) return false;
    const isr = maximalIsr(this.#isrState);
    // KIP-966: while the ISR is below its minimum nothing more is called committed.
    if (this.#isrState.isr.size < this.#effectiveMinIsr(log)) return false;
    const nowMs = this.#options.clock.monotonicMs();
    const maxLagMs = this.#options.replicaLagTimeMaxMs();
    let highWatermark = log.logEndOffset;
    for (const replica of this.#remoteReplicas.values()) {
      if (replica.logEndOffset >= highWatermark) continue;
      const waitsFor =
        isr.has(replica.brokerId) ||
        (replica.isCaughtUp(log.logEndOffset, nowMs, maxLagMs) && this.#options.isBrokerAlive(replica.brokerId));
      if (waitsFor) highWatermark = replica.logEndOffset;
    }
    if (highWatermark <= log.highWatermark) return false;
    log.updateHighWatermark(highWatermark);
    return true;
  }

  #submitIsrChange(next: IsrState, kind: IsrChange['kind'], reason: string): void {
    const topicId = this.#topicId;
    if (next.kind === 'committed' || topicId === undefined) return;
    const leaderEpoch = this.#leaderEpoch;
    const before = this.#isrState;
    this.#isrState = next;
    const accepted = this.#options.alterPartitionManager.submit({
      topicId,
      topicPartition: this.topicPartition,
      leaderEpoch,
      newIsr: [...next.proposedIsr].map((brokerId) => ({ brokerId, brokerEpoch: this.#remoteReplicas.get(brokerId)?.brokerEpoch ?? -1 })),
      leaderRecoveryState: 0,
      partitionEpoch: this.#partitionEpoch,
      isCurrent: () => this.#isrState === next,
      onResult: (result) => this.#onIsrChangeResult(next, { kind, reason }, result),
    });
    if (!accepted) {
      this.#isrState = before;
      return;
    }
    this.#options.logger.info(
      { topic: this.topicPartition.topic, partition: this.topicPartition.partition },
      `Asking the controller to ${kind} the ISR of ${this.#name} from [${[...before.isr].join(',')}] to [${[...next.proposedIsr].join(',')}]: ${reason}`,
    );
  }

  #onIsrChangeResult(proposed: IsrState, change: { kind: IsrChange['kind']; reason: string }, result: AlterPartitionResult): void {
    // A LeaderAndIsr request may have replaced the pending state meanwhile: its word counts.
    if (this.#isrState !== proposed) return;
    if (!('isr' in result)) {
      this.#onIsrChangeRefused(proposed, result.errorCode);
      return;
    }
    // An answer to an earlier leadership: the change stays pending, LeaderAndIsr is on its way.
    if (result.leaderEpoch !== this.#leaderEpoch || result.partitionEpoch < this.#partitionEpoch) return;
    this.#partitionEpoch = result.partitionEpoch;
    this.#isrState = committedIsr(result.isr);
    const previousIsr = [...proposed.isr];
    this.#options.stateChangeLogger.info(
      { topic: this.topicPartition.topic, partition: this.topicPartition.partition, isr: result.isr },
      `ISR of ${this.#name} is [${result.isr.join(',')}] after ${change.kind}: ${change.reason}`,
    );
    this.#options.onIsrChange({ ...change, isr: result.isr, previousIsr, leaderEpoch: this.#leaderEpoch });
    const log = this.#log;
    if (log === undefined) return;
    this.#maybeIncrementLeaderHighWatermark(log);
    // Also without a new high watermark: a produce request may now fail or pass its minimum.
    this.#options.onProgress();
  }

  /**
   * Back to what was committed only where the controller says that it has changed nothing and knows our epoch. After any other word
   * the change may have been made, by this request or an earlier try of it: it stays pending, so that the high watermark goes on
   * waiting for whoever may be in the ISR, until LeaderAndIsr tells.
   */
  #onIsrChangeRefused(proposed: IsrState, errorCode: number): void {
    this.#options.onIsrChangeRefused();
    this.#options.logger.info(`The controller refused the ISR change of ${this.#name}: ${errorByCode(errorCode).name}`);
    const wasNotMade = errorCode === ErrorCode.OPERATION_NOT_ATTEMPTED || errorCode === ErrorCode.INELIGIBLE_REPLICA;
    if (!wasNotMade) return;
    this.#isrState = committedIsr(proposed.isr);
    this.reconsiderHighWatermark();
  }
}
