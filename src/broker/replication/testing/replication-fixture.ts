/** A broker's partitions on logs in memory, with time that moves when told, and what they ask of the controller and of fetchers. */
import type { LeaderAndIsrPartitionState } from '../../../protocol/generated/leader-and-isr.ts';
import { iterateBatches } from '../../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../../protocol/records/record-reader.ts';
import { topicPartitionKey } from '../../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import { InPlaceOffload } from '../../../runtime/offload.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import type { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import { LogConfig } from '../../config/log-config.ts';
import { createLog } from '../../log/create-log.ts';
import { LOG_DIR, logFixture } from '../../log/testing/log-fixture.ts';
import type { LogFixture } from '../../log/testing/log-fixture.ts';
import type { UnifiedLog } from '../../log/unified-log.ts';
import { DelayedOperationPurgatory } from '../../purgatory/delayed-operation-purgatory.ts';
import { Timer } from '../../purgatory/timer.ts';
import type { AlterPartitionItem } from '../alter-partition-manager.ts';
import type { FetchParams, FetchPartitionRequest } from '../fetch-types.ts';
import type { FetchState } from '../replica.ts';
import { LeadershipDoubt } from '../leadership-doubt.ts';
import { Partition } from '../partition.ts';
import type { IsrChange } from '../partition.ts';
import type { BrokerEndpoint } from '../replica-fetcher.ts';
import { RecordAppender } from '../record-appender.ts';
import type { AppendResult } from '../record-appender.ts';
import { ReplicaManager } from '../replica-manager.ts';
import { ReplicationQuotaManager } from '../replication-quota-manager.ts';
import type { FetchOutcome, LeaderAndIsrOutcome } from '../replica-manager.ts';

export { batchOf } from '../../log/testing/log-fixture.ts';

export const BROKER = 1;
export const TOPIC = 'orders';
export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
export const TP: TopicPartition = { topic: TOPIC, partition: 0 };
export const LAG_MS = 30_000;

/** Logs by topic and partition, and no more of a log manager. */
export class FakeLogManager {
  readonly liveLogDirs = [LOG_DIR];
  readonly deleted: string[] = [];
  readonly setAside: string[] = [];
  readonly failures: string[] = [];
  readonly #fixture: LogFixture;
  readonly #overrides: Record<string, string>;
  readonly #logs = new Map<string, UnifiedLog>();

  constructor(fixture: LogFixture, overrides: Record<string, string>) {
    this.#fixture = fixture;
    this.#overrides = overrides;
  }

  getLog(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#logs.get(topicPartitionKey(topicPartition));
  }

  getOrCreateLog(topicPartition: TopicPartition, options: { topicId?: string | undefined } = {}): UnifiedLog {
    const key = topicPartitionKey(topicPartition);
    const log =
      this.#logs.get(key) ??
      createLog(this.#fixture.context, {
        topicPartition,
        // Not the folder of one that was set aside.
        directory: `${LOG_DIR}/${key}${'x'.repeat(this.setAside.length)}`,
        config: LogConfig.fromDefaults(this.#overrides),
        topicId: options.topicId,
      });
    this.#logs.set(key, log);
    return log;
  }

  asyncDelete(topicPartition: TopicPartition): Promise<void> {
    this.deleted.push(topicPartitionKey(topicPartition));
    this.#logs.delete(topicPartitionKey(topicPartition));
    return Promise.resolve();
  }

  setAsideStray(topicPartition: TopicPartition): Promise<void> {
    this.setAside.push(topicPartitionKey(topicPartition));
    this.#logs.delete(topicPartitionKey(topicPartition));
    return Promise.resolve();
  }

  handleLogDirFailure(directory: string): void {
    this.failures.push(directory);
  }
}

/** Takes one change at a time, as the real one; the test answers it. */
export class FakeAlterPartitionManager {
  readonly submitted: AlterPartitionItem[] = [];

  submit(item: AlterPartitionItem): boolean {
    this.submitted.push(item);
    return true;
  }

  close(): void {}

  get last(): AlterPartitionItem {
    const item = this.submitted.at(-1);
    if (item === undefined) throw new Error('nothing was asked of the controller');
    return item;
  }

  /** The controller agrees to the last change. */
  accept(): void {
    const { last } = this;
    const isr = last.newIsr.map(({ brokerId }) => brokerId);
    last.onResult({ errorCode: 0, leaderId: BROKER, leaderEpoch: last.leaderEpoch, isr, partitionEpoch: last.partitionEpoch + 1 });
  }
}

export interface FixtureOptions {
  readonly time?: ManualTime;
  /** Of the topic. */
  readonly config?: Record<string, string>;
}

export interface PartitionFixture {
  readonly time: ManualTime;
  readonly disk: MemoryDisk;
  readonly partition: Partition;
  readonly controller: FakeAlterPartitionManager;
  readonly alive: Set<number>;
  readonly doubt: { mayBeDeposed: boolean };
  readonly isrChanges: IsrChange[];
  /** How often something was said to be possibly complete. */
  readonly progress: () => number;
  readonly log: () => UnifiedLog;
}

export function partitionFixture(options: FixtureOptions = {}): PartitionFixture {
  const time = options.time ?? new ManualTime();
  const fixture = logFixture({ time });
  const logManager = new FakeLogManager(fixture, options.config ?? {});
  const controller = new FakeAlterPartitionManager();
  const alive = new Set([1, 2, 3, 4]);
  const isrChanges: IsrChange[] = [];
  const doubt = { mayBeDeposed: false };
  let progress = 0;
  const partition = new Partition({
    topicPartition: TP,
    localBrokerId: BROKER,
    replicaLagTimeMaxMs: () => LAG_MS,
    clock: time,
    logger: silentLogger,
    stateChangeLogger: silentLogger,
    logManager,
    alterPartitionManager: controller,
    isBrokerAlive: (id) => alive.has(id),
    leadershipDoubt: doubt,
    checkpointedHighWatermark: () => undefined,
    onProgress: () => void progress++,
    onIsrChange: (change) => isrChanges.push(change),
    onIsrChangeRefused: () => {},
  });
  const log = (): UnifiedLog => {
    if (partition.log === undefined) throw new Error('the partition has no log');
    return partition.log;
  };
  return { time, disk: fixture.disk, partition, controller, alive, doubt, isrChanges, progress: () => progress, log };
}

export function stateOf(state: Partial<LeaderAndIsrPartitionState> = {}): LeaderAndIsrPartitionState {
  const leaderEpoch = state.leaderEpoch ?? 1;
  return {
    topicName: '',
    partitionIndex: 0,
    controllerEpoch: 1,
    leader: BROKER,
    leaderEpoch,
    isr: [1, 2, 3],
    partitionEpoch: leaderEpoch,
    replicas: [1, 2, 3],
    addingReplicas: [],
    removingReplicas: [],
    isNew: false,
    leaderRecoveryState: 0,
    ...state,
  };
}

/** Appends one batch of `values` as leader and writes it. */
export function appendTo({ partition, time }: Pick<PartitionFixture, 'partition' | 'time'>, batch: Buffer, requiredAcks = 1): void {
  const result = partition.appendRecordsToLeader(batch, { origin: 'client', requiredAcks, onWritten: () => {} });
  if (!result.ok) throw new Error(result.message);
  time.runTurnEnd();
}

/** Broker `replicaId` fetches from `offset`. */
export function followerFetches(
  { partition, time }: Pick<PartitionFixture, 'partition' | 'time'>,
  replicaId: number,
  offset: number,
  more: Partial<FetchState> = {},
): boolean {
  return partition.updateFollowerFetchState(replicaId, {
    followerLogEndOffset: offset,
    followerLogStartOffset: 0,
    leaderLogEndOffset: partition.log?.logEndOffset ?? 0,
    fetchedAtMs: time.monotonicMs(),
    brokerEpoch: 100 + replicaId,
    ...more,
  });
}

export interface ReplicaManagerFixture {
  readonly time: ManualTime;
  readonly disk: MemoryDisk;
  readonly runtime: Runtime;
  readonly manager: ReplicaManager;
  readonly appender: RecordAppender;
  readonly logManager: FakeLogManager;
  readonly controller: FakeAlterPartitionManager;
  readonly zooKeeper: { isConnected: boolean };
  readonly doubt: LeadershipDoubt;
  readonly followed: Map<string, BrokerEndpoint>;
  readonly leaderQuota: ReplicationQuotaManager;
  /** Leaders and followers that coordinators were told of, by partition key. */
  readonly told: { leaders: string[]; followers: string[] };
  /** Handles a LeaderAndIsr request with one state of partition 0. */
  lead(
    state?: Partial<LeaderAndIsrPartitionState>,
    request?: { controllerEpoch?: number; brokerEpoch?: number; topicId?: string },
  ): LeaderAndIsrOutcome;
  /** The same of partition 0 of another topic. */
  leadTopic(topic: string, topicId: string, state?: Partial<LeaderAndIsrPartitionState>): LeaderAndIsrOutcome;
  partition(): Partition;
  append(batch: Buffer, options?: { acks?: number; timeoutMs?: number }): { results: readonly AppendResult[] | undefined };
  fetch(params?: Partial<FetchParams>, request?: Partial<FetchPartitionRequest>): { outcomes: readonly FetchOutcome[] | undefined };
}

export const BROKER_EPOCH = 50;

export function replicaManagerFixture(options: FixtureOptions & { readonly disk?: MemoryDisk } = {}): ReplicaManagerFixture {
  const time = options.time ?? new ManualTime();
  const logs = logFixture({ time, ...(options.disk === undefined ? {} : { disk: options.disk }) });
  const logManager = new FakeLogManager(logs, options.config ?? {});
  const controller = new FakeAlterPartitionManager();
  const followed = new Map<string, BrokerEndpoint>();
  const told = { leaders: [] as string[], followers: [] as string[] };
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const runtime: Runtime = {
    clock: time,
    scheduler: time,
    disk: logs.context.disk,
    random: new SeededRandom(1),
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    halt: { halt: unused },
    net: { listen: unused, connect: unused },
    offload: new InPlaceOffload(logs.context.disk),
  };
  const zooKeeper = { isConnected: true };
  const doubt = new LeadershipDoubt({
    runtime,
    sessionTimeoutMs: 6_000,
    isConnectedToZooKeeper: () => zooKeeper.isConnected,
    askZooKeeper: () => Promise.resolve(),
    brokerEpoch: () => BROKER_EPOCH,
  });
  const leaderQuota = new ReplicationQuotaManager({ clock: time, windowCount: 11, windowSizeMs: 1000 });
  const timer = new Timer(runtime);
  const manager = new ReplicaManager({
    alterLogDirs: { resume: () => {}, cancel: () => {}, close: () => {} },
    config: { brokerId: BROKER, replicaLagTimeMaxMs: LAG_MS, highWatermarkCheckpointIntervalMs: 5_000 },
    runtime,
    logManager,
    alterPartitionManager: controller,
    fetcherManager: {
      add: (partition, leader) => void followed.set(topicPartitionKey(partition.topicPartition), leader),
      remove: (keys) => keys.forEach((key) => followed.delete(key)),
      close: () => Promise.resolve(),
    },
    producePurgatory: new DelayedOperationPurgatory({ name: 'Produce', timer, clock: time }),
    fetchPurgatory: new DelayedOperationPurgatory({ name: 'Fetch', timer, clock: time }),
    deleteRecordsPurgatory: new DelayedOperationPurgatory({ name: 'DeleteRecords', timer, clock: time }),
    leaderQuota,
    isBrokerAlive: () => true,
    leadershipDoubt: doubt,
    brokerEpoch: () => BROKER_EPOCH,
    onIsrChange: () => {},
  });
  manager.startup();
  const appender = new RecordAppender({ replicaManager: manager, logger: silentLogger, runtime });
  const keyOf = ({ topicPartition }: Partition): string => topicPartitionKey(topicPartition);
  const lead = (
    { topic, topicId }: { topic: string; topicId: string },
    state: Partial<LeaderAndIsrPartitionState>,
    { controllerEpoch = 1, brokerEpoch = BROKER_EPOCH }: { controllerEpoch?: number; brokerEpoch?: number } = {},
  ): LeaderAndIsrOutcome =>
    manager.becomeLeaderOrFollower(
      {
        controllerId: 2,
        isKRaftController: false,
        controllerEpoch,
        brokerEpoch,
        type: 0,
        ungroupedPartitionStates: [],
        topicStates: [{ topicName: topic, topicId, partitionStates: [stateOf(state)] }],
        liveLeaders: [{ brokerId: 2, hostName: 'two', port: 9093 }],
      },
      ({ leaders, followers }) => {
        told.leaders.push(...leaders.map(keyOf));
        told.followers.push(...followers.map(keyOf));
      },
    );
  return {
    time,
    disk: logs.disk,
    runtime,
    manager,
    appender,
    logManager,
    controller,
    zooKeeper,
    doubt,
    followed,
    leaderQuota,
    told,
    lead: (state = {}, { topicId = TOPIC_ID, ...request } = {}) => lead({ topic: TOPIC, topicId }, state, request),
    leadTopic: (topic, topicId, state = {}) => lead({ topic, topicId }, state),
    partition: () => {
      const partition = manager.partition(TP);
      if (partition === undefined) throw new Error('the partition is not hosted');
      return partition;
    },
    append: (batch, { acks = -1, timeoutMs = 1_000 } = {}) => {
      const answer: { results: readonly AppendResult[] | undefined } = { results: undefined };
      appender.append({
        entries: [{ topicPartition: TP, records: batch }],
        requiredAcks: acks,
        timeoutMs,
        origin: 'client',
        respond: (results) => (answer.results = results),
      });
      time.runTurnEnd();
      return answer;
    },
    fetch: (params = {}, request = {}) => {
      const answer: { outcomes: readonly FetchOutcome[] | undefined } = { outcomes: undefined };
      manager.fetch(fetchParams(params), [fetchRequest(request)], (outcomes) => (answer.outcomes = outcomes));
      return answer;
    },
  };
}

export function fetchParams(params: Partial<FetchParams> = {}): FetchParams {
  const { replicaId = -1 } = params;
  return {
    replicaId,
    replicaEpoch: -1,
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolation: replicaId >= 0 ? 'log-end' : 'high-watermark',
    ...params,
  };
}

export function fetchRequest(request: Partial<FetchPartitionRequest> = {}): FetchPartitionRequest {
  return {
    topicPartition: TP,
    topicId: TOPIC_ID,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: 0,
    maxBytes: 1 << 20,
    ...request,
  };
}

/** The values in what was fetched. */
export function valuesOf(records: readonly Buffer[] | null | undefined): string[] {
  return (records ?? []).flatMap((bytes) =>
    Array.from(iterateBatches(bytes)).flatMap((batch) => Array.from(iterateRecords(batch, 1 << 20), ({ value }) => String(value))),
  );
}
