/**
 * Every partition that this broker hosts, and what acts on them together: LeaderAndIsr and StopReplica, produce and fetch
 * with their purgatories, ISR shrinking, high watermark checkpoints.
 *
 * Invariants: a controller request with an older controller epoch, or meant for an earlier life of this broker, changes
 * nothing; a partition's fetcher runs exactly while it follows; a produce with acks=all is answered only by the high
 * watermark, a failure, or its time-out. Source: Kafka's `ReplicaManager`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { LeaderAndIsrLiveLeader, LeaderAndIsrPartitionState, LeaderAndIsrRequest } from '../../protocol/generated/leader-and-isr.ts';
import type { UpdateMetadataRequest } from '../../protocol/generated/update-metadata.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Counter } from '../../runtime/metrics.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { ControlRequestType } from '../control-request-type.ts';
import { InconsistentTopicIdError, LogStorageError } from '../log/log-errors.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { DelayedOperationPurgatory } from '../purgatory/delayed-operation-purgatory.ts';
import type { AlterPartitionManager } from './alter-partition-manager.ts';
import type { DelayedDeleteRecords } from './delayed-delete-records.ts';
import { DelayedFetch } from './delayed-fetch.ts';
import type { DelayedProduce } from './delayed-produce.ts';
import type { FetchParams, FetchPartitionRequest } from './fetch-types.ts';
import { HighWatermarkCheckpoint } from './high-watermark-checkpoint.ts';
import type { HighWatermark } from './high-watermark-checkpoint.ts';
import { readFromLogs } from './log-reader.ts';
import type { ReadOutcome } from './log-reader.ts';
import type { LeadershipDoubt } from './leadership-doubt.ts';
import { Partition } from './partition.ts';
import type { IsrChange } from './partition.ts';
import { standingOf } from './replica-standing.ts';
import type { ToldPartition } from './replica-standing.ts';
import type { ReplicaAlterLogDirs } from './replica-alter-log-dirs.ts';
import type { ReplicaFetcherManager } from './replica-fetcher-manager.ts';
import type { ReplicaQuota } from './replication-quota-manager.ts';

export interface ReplicaManagerConfig {
  readonly brokerId: number;
  readonly replicaLagTimeMaxMs: number;
  readonly highWatermarkCheckpointIntervalMs: number;
}

export interface ReplicaManagerOptions {
  readonly config: ReplicaManagerConfig;
  readonly runtime: Runtime;
  readonly logManager: Pick<
    LogManager,
    'getOrCreateLog' | 'getLog' | 'asyncDelete' | 'setAsideStray' | 'liveLogDirs' | 'handleLogDirFailure'
  >;
  readonly alterPartitionManager: Pick<AlterPartitionManager, 'submit' | 'close'>;
  /** Moves of logs between log dirs. */
  readonly alterLogDirs: Pick<ReplicaAlterLogDirs, 'resume' | 'cancel' | 'close'>;
  readonly fetcherManager: Pick<ReplicaFetcherManager, 'add' | 'remove' | 'close'>;
  readonly producePurgatory: DelayedOperationPurgatory<DelayedProduce>;
  readonly fetchPurgatory: DelayedOperationPurgatory<DelayedFetch>;
  readonly deleteRecordsPurgatory: DelayedOperationPurgatory<DelayedDeleteRecords>;
  /** The throttle of what followers are sent. */
  readonly leaderQuota: ReplicaQuota;
  readonly isBrokerAlive: (brokerId: number) => boolean;
  readonly leadershipDoubt: LeadershipDoubt;
  readonly brokerEpoch: () => number;
  readonly onIsrChange: (topicPartition: TopicPartition, change: IsrChange) => void;
}

/** What became of a LeaderAndIsr request; the handler puts it into the form of its version. */
export interface LeaderAndIsrOutcome {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly topicName: string;
    readonly topicId: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
  }[];
}

export interface LeadershipChanges {
  /** Not those that led before: another epoch of theirs (a replica left the ISR) changes nothing for a coordinator. */
  readonly leaders: readonly Partition[];
  readonly followers: readonly Partition[];
}

export class ReplicaManager {
  readonly #options: ReplicaManagerOptions;
  readonly #logger: Logger;
  readonly #stateChangeLogger: Logger;
  readonly #partitions = new Map<string, Partition>();
  readonly #highWatermarks: HighWatermarkCheckpoint;
  readonly #timers: Cancellable[] = [];
  readonly #replicationBytesOut: Counter;
  readonly #reassignmentBytesOut: Counter;
  readonly #isrExpands: Counter;
  readonly #isrShrinks: Counter;
  readonly #failedIsrUpdates: Counter;
  #controllerEpoch = 0;
  /** Since the start: it tells which of the logs here are partitions. */
  #hasHeardController = false;
  #shutDown = false;

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
    const { logger, disk } = options.runtime;
    this.#logger = logger.child({ component: 'ReplicaManager' });
    this.#stateChangeLogger = logger.child({ component: 'state.change.logger' });
    this.#highWatermarks = new HighWatermarkCheckpoint({ disk, logger: this.#logger });
    const { metrics } = options.runtime;
    this.#replicationBytesOut = metrics.counter('ReplicationBytesOutPerSec', { type: 'BrokerTopicMetrics' });
    this.#isrExpands = metrics.counter('IsrExpandsPerSec');
    this.#isrShrinks = metrics.counter('IsrShrinksPerSec');
    this.#failedIsrUpdates = metrics.counter('FailedIsrUpdatesPerSec');
    metrics.gauge('OfflineReplicaCount', () => this.#count((partition) => partition.isOffline));
    this.#reassignmentBytesOut = metrics.counter('ReassignmentBytesOutPerSec', { type: 'BrokerTopicMetrics' });
    metrics.gauge('PartitionCount', () => this.#partitions.size);
    metrics.gauge('LeaderCount', () => this.#count((partition) => partition.isLeader));
    metrics.gauge('UnderReplicatedPartitions', () => this.#count((partition) => partition.isUnderReplicated));
    metrics.gauge('AtMinIsrPartitionCount', () => this.#count((partition) => partition.isAtMinIsr));
    metrics.gauge('ReassigningPartitions', () => this.#count((partition) => partition.isLeader && partition.isReassigning));
    metrics.gauge('UnderMinIsrPartitionCount', () => this.#count((partition) => partition.isUnderMinIsr));
  }

  /** Reads the high watermarks; call once, after the log manager is up. */
  startup(): void {
    const { config, runtime, logManager, leadershipDoubt } = this.#options;
    leadershipDoubt.startup();
    this.#highWatermarks.load(logManager.liveLogDirs);
    this.#timers.push(
      runtime.scheduler.every(Math.max(1, Math.floor(config.replicaLagTimeMaxMs / 2)), () => this.#maybeShrinkIsrs()),
      runtime.scheduler.every(config.highWatermarkCheckpointIntervalMs, () => this.checkpointHighWatermarks()),
    );
  }

  async shutdown(): Promise<void> {
    if (this.#shutDown) return;
    this.#shutDown = true;
    for (const timer of this.#timers) timer.cancel();
    this.#options.leadershipDoubt.close();
    this.#options.alterPartitionManager.close();
    this.#options.alterLogDirs.close();
    await this.#options.fetcherManager.close();
    this.checkpointHighWatermarks();
  }

  /** Brokers are not alive any more: high watermarks may have waited for them to join an ISR. */
  onBrokersGone(): void {
    for (const partition of this.#partitions.values()) partition.reconsiderHighWatermark();
  }

  /** The newest controller epoch that any request brought: UpdateMetadata shares it. */
  get controllerEpoch(): number {
    return this.#controllerEpoch;
  }
  set controllerEpoch(epoch: number) {
    this.#controllerEpoch = Math.max(this.#controllerEpoch, epoch);
  }

  /** The partition hosted here; undefined when there is none. */
  partition(topicPartition: TopicPartition): Partition | undefined {
    return this.#partitions.get(topicPartitionKey(topicPartition));
  }

  partitions(): readonly Partition[] {
    return [...this.#partitions.values()];
  }

  /** The partition, or the code for a client whose topic id doesn't match or whose partition lives elsewhere. */
  partitionOrError(topicPartition: TopicPartition, topicId: string = ZERO_UUID): Partition | number {
    const partition = this.partition(topicPartition);
    if (partition === undefined) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    if (topicId !== ZERO_UUID && partition.topicId !== undefined && partition.topicId !== topicId) return ErrorCode.INCONSISTENT_TOPIC_ID;
    return partition;
  }

  /** What may be waiting for progress of `topicPartition` is tried. */
  completeDelayed(key: string): void {
    this.#options.producePurgatory.checkAndComplete(key);
    this.#options.fetchPurgatory.checkAndComplete(key);
    this.#options.deleteRecordsPurgatory.checkAndComplete(key);
  }

  completeDelayedFetches(key: string): void {
    this.#options.fetchPurgatory.checkAndComplete(key);
  }

  get producePurgatory(): DelayedOperationPurgatory<DelayedProduce> {
    return this.#options.producePurgatory;
  }

  get deleteRecordsPurgatory(): DelayedOperationPurgatory<DelayedDeleteRecords> {
    return this.#options.deleteRecordsPurgatory;
  }

  /**
   * Handles LeaderAndIsr. `onLeadershipChange` hears of what changed before the response is made, so that coordinators
   * are told in order. Codes: STALE_CONTROLLER_EPOCH, STALE_BROKER_EPOCH for all; per partition as Kafka's.
   */
  becomeLeaderOrFollower(request: LeaderAndIsrRequest, onLeadershipChange: (changes: LeadershipChanges) => void): LeaderAndIsrOutcome {
    if (request.brokerEpoch !== -1 && request.brokerEpoch < this.#options.brokerEpoch()) {
      this.#stateChangeLogger.warn(
        `Ignoring LeaderAndIsr from controller ${request.controllerId}: it is meant for broker epoch ${request.brokerEpoch}, this is ${this.#options.brokerEpoch()}`,
      );
      return { errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] };
    }
    if (request.controllerEpoch < this.#controllerEpoch) {
      this.#stateChangeLogger.warn(
        `Ignoring LeaderAndIsr from controller ${request.controllerId}: its epoch ${request.controllerEpoch} is older than ${this.#controllerEpoch}`,
      );
      return { errorCode: ErrorCode.STALE_CONTROLLER_EPOCH, topics: [] };
    }
    this.#controllerEpoch = request.controllerEpoch;
    this.#hasHeardController = true;
    const changes = { leaders: [] as Partition[], followers: [] as Partition[] };
    const toFollow: FollowTask[] = [];
    const topics = request.topicStates.map((topic) => ({
      topicName: topic.topicName,
      topicId: topic.topicId,
      partitions: topic.partitionStates.map((state) => {
        const topicPartition = { topic: topic.topicName, partition: state.partitionIndex };
        const errorCode = this.#applyState({
          topicPartition,
          state,
          topicId: topic.topicId === ZERO_UUID ? undefined : topic.topicId,
          changes,
          toFollow,
        });
        return { partitionIndex: state.partitionIndex, errorCode };
      }),
    }));
    this.#options.leadershipDoubt.onLeaderAndIsr(request.brokerEpoch);
    this.#startFetchers(toFollow, request.liveLeaders);
    onLeadershipChange(changes);
    return { errorCode: ErrorCode.NONE, topics };
  }

  /**
   * What UpdateMetadata says beyond LeaderAndIsr: partitions that this broker doesn't lead any more, or has no replica of (`replica-standing.ts`). What
   * waits for them is answered NOT_LEADER_OR_FOLLOWER; logs stay. Call it once the metadata cache knows. Returns those that led or followed until now.
   */
  standDownBy({ type, topicStates }: Pick<UpdateMetadataRequest, 'type' | 'topicStates'>): readonly TopicPartition[] {
    const stoodDown: TopicPartition[] = [];
    const unnamed = type === ControlRequestType.FULL ? new Set(this.#partitions.keys()) : undefined;
    for (const { topicName, topicId, partitionStates } of topicStates) {
      for (const state of partitionStates) {
        const key = topicPartitionKey({ topic: topicName, partition: state.partitionIndex });
        unnamed?.delete(key);
        const partition = this.#partitions.get(key);
        if (partition !== undefined && this.#standDown(partition, { topicId, state })) stoodDown.push(partition.topicPartition);
      }
    }
    for (const key of unnamed ?? []) {
      const partition = this.#partitions.get(key);
      if (partition !== undefined && this.#standDown(partition, undefined)) stoodDown.push(partition.topicPartition);
    }
    return stoodDown;
  }

  #standDown(partition: Partition, told: ToldPartition | undefined): boolean {
    const standing = standingOf(partition, told, this.#options.config.brokerId);
    if (standing === undefined || !partition.standDown(standing)) return false;
    const key = topicPartitionKey(partition.topicPartition);
    this.#options.fetcherManager.remove([key]);
    this.completeDelayed(key);
    return true;
  }

  /**
   * Handles StopReplica for one controller request: stops following or leading, and deletes the log where told.
   * Returns a code per partition: NONE, FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR where its log dir has failed.
   */
  stopReplicas(
    request: { controllerId: number; controllerEpoch: number; brokerEpoch: number },
    states: readonly { topicPartition: TopicPartition; leaderEpoch: number; deletePartition: boolean }[],
    onStopped: (partitions: readonly { topicPartition: TopicPartition; leaderEpoch: number | undefined; deleted: boolean }[]) => void,
  ): { errorCode: number; partitionErrors: { topicName: string; partitionIndex: number; errorCode: number }[] } {
    if (request.brokerEpoch !== -1 && request.brokerEpoch < this.#options.brokerEpoch())
      return { errorCode: ErrorCode.STALE_BROKER_EPOCH, partitionErrors: [] };
    if (request.controllerEpoch < this.#controllerEpoch) return { errorCode: ErrorCode.STALE_CONTROLLER_EPOCH, partitionErrors: [] };
    this.#controllerEpoch = request.controllerEpoch;
    const stopped: { topicPartition: TopicPartition; leaderEpoch: number | undefined; deleted: boolean }[] = [];
    const partitionErrors = states.map(({ topicPartition, leaderEpoch, deletePartition }) => {
      const partition = this.partition(topicPartition);
      // -1: a request without epochs; -2: the topic is being deleted.
      const fenced = partition !== undefined && leaderEpoch >= 0 && leaderEpoch < partition.leaderEpoch;
      if (fenced || partition?.isOffline === true) {
        const errorCode = fenced ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.KAFKA_STORAGE_ERROR;
        return { topicName: topicPartition.topic, partitionIndex: topicPartition.partition, errorCode };
      }
      this.#stopReplica(topicPartition, deletePartition);
      stopped.push({ topicPartition, leaderEpoch: leaderEpoch >= 0 ? leaderEpoch : undefined, deleted: deletePartition });
      return { topicName: topicPartition.topic, partitionIndex: topicPartition.partition, errorCode: ErrorCode.NONE };
    });
    onStopped(stopped);
    return { errorCode: ErrorCode.NONE, partitionErrors };
  }

  /**
   * Answers a fetch, at once or later: at once when it may not wait, asks for nothing, has its min bytes, or found an error
   * or a divergence. A follower's progress is noted before that, so that its own fetch can move the high watermark it is told.
   */
  fetch(params: FetchParams, requests: readonly FetchPartitionRequest[], onOutcomes: (outcomes: readonly FetchOutcome[]) => void): void {
    const respond = (outcomes: readonly FetchOutcome[]): void => {
      if (params.replicaId >= 0) this.#recordReplicationBytes(params.replicaId, outcomes);
      onOutcomes(outcomes);
    };
    const first = this.#readAndNoteProgress(params, requests);
    let bytes = 0;
    let dueNow = params.maxWaitMs <= 0 || requests.length === 0;
    for (const { result } of first) {
      bytes += result.sizeBytes;
      if (result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== undefined) dueNow = true;
    }
    if (dueNow || bytes >= params.minBytes) {
      respond(first);
      return;
    }
    const operation = new DelayedFetch({
      params,
      partitions: requests,
      partitionOf: (request) => this.partition(request.topicPartition),
      isHeldBack: (partition) => this.#isHeldBack(params, partition),
      complete: () => respond(readFromLogs(params, requests, this.#lookup, (partition) => this.#isHeldBack(params, partition))),
    });
    this.#options.fetchPurgatory.tryCompleteElseWatch(
      operation,
      requests.map((request) => topicPartitionKey(request.topicPartition)),
    );
  }

  /** Writes every folder's high watermarks; a folder that fails goes offline through the log manager. */
  checkpointHighWatermarks(): void {
    // What the files say of logs that are no partitions yet is known to nobody else.
    if (!this.#hasHeardController) return;
    const byDirectory = new Map<string, HighWatermark[]>();
    for (const partition of this.#partitions.values()) {
      const log = partition.log;
      if (log === undefined) continue;
      const entry = { topicPartition: partition.topicPartition, offset: log.highWatermark };
      const list = byDirectory.get(log.logDir);
      if (list === undefined) byDirectory.set(log.logDir, [entry]);
      else list.push(entry);
    }
    for (const directory of this.#options.logManager.liveLogDirs) {
      try {
        this.#highWatermarks.write(directory, byDirectory.get(directory) ?? []);
      } catch (error) {
        this.#options.logManager.handleLogDirFailure(directory, error);
      }
    }
  }

  /** The folder failed: its partitions lead and follow no more. Returns which. */
  onLogDirFailure(directory: string): readonly TopicPartition[] {
    const offline: TopicPartition[] = [];
    for (const [key, partition] of this.#partitions) {
      if (partition.log?.logDir !== directory) continue;
      this.#options.fetcherManager.remove([key]);
      partition.markOffline();
      this.completeDelayed(key);
      offline.push(partition.topicPartition);
    }
    return offline;
  }

  /** A throttled replica that is not in sync, while the throttle's rate is exceeded: those in sync go on, else the ISR would shrink. */
  #isHeldBack({ replicaId }: FetchParams, partition: Partition): boolean {
    const { leaderQuota } = this.#options;
    return (
      replicaId >= 0 && leaderQuota.isThrottled(partition.topicPartition) && !partition.isr.has(replicaId) && leaderQuota.isQuotaExceeded
    );
  }

  #recordReplicationBytes(replicaId: number, outcomes: readonly FetchOutcome[]): void {
    const { leaderQuota } = this.#options;
    let bytes = 0;
    let reassignmentBytes = 0;
    let throttledBytes = 0;
    for (const { partition, result } of outcomes) {
      if (partition === undefined || result.sizeBytes === 0) continue;
      bytes += result.sizeBytes;
      if (partition.addingReplicas.includes(replicaId)) reassignmentBytes += result.sizeBytes;
      if (leaderQuota.isThrottled(partition.topicPartition)) throttledBytes += result.sizeBytes;
    }
    if (bytes > 0) this.#replicationBytesOut.add(bytes);
    if (reassignmentBytes > 0) this.#reassignmentBytesOut.add(reassignmentBytes);
    leaderQuota.record(throttledBytes);
  }

  readonly #lookup = (request: FetchPartitionRequest): Partition | number => this.partitionOrError(request.topicPartition, request.topicId);

  #readAndNoteProgress(params: FetchParams, requests: readonly FetchPartitionRequest[]): FetchOutcome[] {
    const outcomes = readFromLogs(params, requests, this.#lookup, (partition) => this.#isHeldBack(params, partition));
    if (params.replicaId < 0) return outcomes;
    const fetchedAtMs = this.#options.runtime.clock.monotonicMs();
    return outcomes.map((outcome) => {
      const { request, partition, result } = outcome;
      if (partition === undefined || result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== undefined) return outcome;
      const known = partition.updateFollowerFetchState(params.replicaId, {
        followerLogEndOffset: request.fetchOffset,
        followerLogStartOffset: request.logStartOffset,
        leaderLogEndOffset: result.leaderLogEndOffset,
        fetchedAtMs,
        brokerEpoch: params.replicaEpoch,
      });
      if (!known) return { ...outcome, result: { ...result, errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH, records: null, sizeBytes: 0 } };
      const highWatermark = partition.log?.highWatermark ?? result.highWatermark;
      return highWatermark === result.highWatermark ? outcome : { ...outcome, result: { ...result, highWatermark } };
    });
  }

  #applyState(task: ApplyTask): number {
    const { topicPartition, state, topicId, changes, toFollow } = task;
    const { brokerId } = this.#options.config;
    const key = topicPartitionKey(topicPartition);
    let existing = this.#partitions.get(key);
    if (existing !== undefined) {
      if (existing.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
      if (existing.log !== undefined && existing.topicId !== undefined && topicId !== undefined && existing.topicId !== topicId) {
        if (!existing.isStray) return ErrorCode.INCONSISTENT_TOPIC_ID;
        this.#partitions.delete(key);
        existing.delete();
        existing = undefined;
      } else if (existing.log !== undefined && state.leaderEpoch < existing.nextLeaderEpoch) {
        this.#stateChangeLogger.info(
          `Ignoring LeaderAndIsr for ${key}: its leader epoch ${state.leaderEpoch} is not newer than ${existing.nextLeaderEpoch - 1}`,
        );
        return ErrorCode.STALE_CONTROLLER_EPOCH;
      }
    }
    if (!state.replicas.includes(brokerId)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (existing === undefined) this.#setAsideStray(topicPartition, topicId);
    const partition = existing ?? this.#createPartition(topicPartition);
    try {
      if (state.leader === brokerId) {
        this.#options.fetcherManager.remove([key]);
        if (partition.makeLeader(state, topicId)) changes.leaders.push(partition);
      } else {
        this.#options.fetcherManager.remove([key]);
        if (partition.makeFollower(state, topicId)) changes.followers.push(partition);
        if (state.leader >= 0) toFollow.push({ partition, leader: state.leader });
      }
      this.#partitions.set(key, partition);
      this.#options.alterLogDirs.resume(partition);
      this.completeDelayed(key);
      return ErrorCode.NONE;
    } catch (error) {
      this.#stateChangeLogger.error({ err: error }, `${key} could not change state`);
      if (error instanceof InconsistentTopicIdError) return error.errorCode;
      // Clients are told so too, until the controller has found another leader.
      if (error instanceof LogStorageError) {
        partition.markOffline();
        this.#partitions.set(key, partition);
      }
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
  }

  /**
   * A log that nobody was told of since the start, and whose topic id is another: the topic was deleted and made again while this
   * broker was away, or held a stray of it. None of its records may show in the new topic, nor may it keep the replica from coming up.
   */
  #setAsideStray(topicPartition: TopicPartition, topicId: string | undefined): void {
    const { logManager } = this.#options;
    const found = logManager.getLog(topicPartition)?.topicId;
    if (found === undefined || topicId === undefined || found === topicId) return;
    this.#stateChangeLogger.warn(
      `${topicPartitionKey(topicPartition)} has a log of the topic ${found}; the topic is ${topicId} now: setting it aside`,
    );
    this.#options.alterLogDirs.cancel(topicPartition);
    void logManager.setAsideStray(topicPartition);
  }

  #createPartition(topicPartition: TopicPartition): Partition {
    const { config, runtime, logManager, alterPartitionManager, isBrokerAlive, leadershipDoubt, onIsrChange } = this.#options;
    const key = topicPartitionKey(topicPartition);
    return new Partition({
      topicPartition,
      localBrokerId: config.brokerId,
      replicaLagTimeMaxMs: () => config.replicaLagTimeMaxMs,
      clock: runtime.clock,
      logger: this.#logger,
      stateChangeLogger: this.#stateChangeLogger,
      logManager,
      alterPartitionManager,
      isBrokerAlive,
      leadershipDoubt,
      checkpointedHighWatermark: () => this.#highWatermarks.get(topicPartition),
      onProgress: () => this.completeDelayed(key),
      onIsrChange: (change) => {
        (change.kind === 'expand' ? this.#isrExpands : this.#isrShrinks).add();
        onIsrChange(topicPartition, change);
      },
      onIsrChangeRefused: () => this.#failedIsrUpdates.add(),
    });
  }

  #startFetchers(tasks: readonly FollowTask[], liveLeaders: readonly LeaderAndIsrLiveLeader[]): void {
    const endpoints = new Map(
      liveLeaders.map((leader) => [leader.brokerId, { id: leader.brokerId, host: leader.hostName, port: leader.port }]),
    );
    for (const { partition, leader } of tasks) {
      const endpoint = endpoints.get(leader);
      if (endpoint === undefined || this.#shutDown) {
        this.#stateChangeLogger.warn(
          `${topicPartitionKey(partition.topicPartition)} cannot follow broker ${leader}: the controller did not say where it is`,
        );
        continue;
      }
      this.#options.fetcherManager.add(partition, endpoint);
    }
  }

  #stopReplica(topicPartition: TopicPartition, deletePartition: boolean): void {
    const key = topicPartitionKey(topicPartition);
    this.#options.fetcherManager.remove([key]);
    const partition = this.#partitions.get(key);
    if (deletePartition) {
      this.#partitions.delete(key);
      partition?.delete();
      this.#options.alterLogDirs.cancel(topicPartition);
      if (this.#options.logManager.getLog(topicPartition) !== undefined) void this.#options.logManager.asyncDelete(topicPartition);
      this.#stateChangeLogger.info(`Deleted the replica of ${key}`);
    }
    this.completeDelayed(key);
  }

  #maybeShrinkIsrs(): void {
    for (const partition of this.#partitions.values()) {
      partition.maybeShrinkIsr();
      partition.reconsiderHighWatermark();
    }
  }

  #count(matches: (partition: Partition) => boolean): number {
    let count = 0;
    for (const partition of this.#partitions.values()) if (matches(partition)) count++;
    return count;
  }
}

export type FetchOutcome = ReadOutcome;

interface FollowTask {
  readonly partition: Partition;
  readonly leader: number;
}

interface ApplyTask {
  readonly topicPartition: TopicPartition;
  readonly state: LeaderAndIsrPartitionState;
  readonly topicId: string | undefined;
  readonly changes: { readonly leaders: Partition[]; readonly followers: Partition[] };
  readonly toFollow: FollowTask[];
}
