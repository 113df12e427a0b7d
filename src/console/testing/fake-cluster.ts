/**
 * A cluster in memory behind the Admin's interface: topics with offsets, groups, logs made of real record batches. For tests of the
 * services; it counts the calls, since "one request for all" is a promise they keep.
 */
import type { AdminContext } from '../../client/admin/keyed-call.ts';
import { OffsetSpec } from '../../client/admin/offsets.ts';
import type { TopicMetadata } from '../../client/cluster-snapshot.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { batchSizeAt, readBatchHeader } from '../../protocol/records/record-batch.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { ConsoleAdmin, SessionRuntime } from '../services/cluster-session.ts';
import type { FetchOptions, FetchedBatches, RecordSource } from '../services/record-source.ts';

export interface FakePartition {
  leader: number;
  replicas: number[];
  isr: number[];
  start: number;
  end: number;
  /** Batches in offset order. */
  log: Buffer[];
  aborted: { producerId: number; firstOffset: number }[];
}

export interface FakeGroup {
  state: string;
  protocolType: string;
  members: { memberId: string; clientId: string; clientHost: string; partitions: TopicPartition[] }[];
  /** By topic-partition key; -1 for a partition without a commit. */
  committed: Map<string, { topic: string; partition: number; offset: number }>;
}

export class FakeCluster implements RecordSource {
  readonly brokers = new Map([1, 2, 3].map((id) => [id, { id, host: 'localhost', port: 9091 + id, rack: null }]));
  readonly topics = new Map<string, { topicId: string; internal: boolean; partitions: FakePartition[] }>();
  readonly groups = new Map<string, FakeGroup>();
  readonly configs = new Map<string, Map<string, string>>();
  readonly calls: string[] = [];
  controllerId = 1;
  /** As `Metadata.brokerSwitches`. */
  brokerSwitches = 0;
  unreachable = false;
  /** The controller begins creations and deletions, and answers that its time was over. */
  slow = false;
  /** Groups whose coordinator doesn't answer. */
  readonly silentGroups = new Set<string>();

  addTopic(name: string, partitions = 1, internal = false): FakePartition[] {
    const made = Array.from({ length: partitions }, (_, index): FakePartition => {
      const leader = (index % 3) + 1;
      return { leader, replicas: [1, 2, 3], isr: [1, 2, 3], start: 0, end: 0, log: [], aborted: [] };
    });
    this.topics.set(name, { topicId: `id-of-${name}`, internal, partitions: made });
    return made;
  }

  /** Appends batches that carry their own offsets. */
  append(topic: string, partition: number, ...batches: Buffer[]): void {
    const log = this.partition(topic, partition);
    for (const batch of batches) {
      log.log.push(batch);
      log.end = readBatchHeader(batch, 0).lastOffset + 1;
    }
  }

  partition(topic: string, partition: number): FakePartition {
    const found = this.topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new Error(`no ${topic}-${partition}`);
    return found;
  }

  fetch({ topic, partition }: TopicPartition, offset: number, { maxBytes }: FetchOptions): Promise<FetchedBatches> {
    this.calls.push(`fetch ${topic}-${partition} ${offset}`);
    const { log, start, aborted } = this.partition(topic, partition);
    if (offset < start) return Promise.reject(new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE));
    const chosen: Buffer[] = [];
    let bytes = 0;
    for (const batch of log) {
      if (readBatchHeader(batch, 0).lastOffset < offset) continue;
      const size = batchSizeAt(batch, 0) ?? 0;
      if (chosen.length > 0 && bytes + size > maxBytes) {
        // As a broker does: the last batch is cut where the limit is.
        chosen.push(batch.subarray(0, Math.max(0, maxBytes - bytes)));
        break;
      }
      chosen.push(batch);
      bytes += size;
    }
    return Promise.resolve({ records: Buffer.concat(chosen), abortedTransactions: aborted });
  }

  metadataOf(name: string): TopicMetadata {
    const topic = this.topics.get(name);
    if (topic === undefined) return { name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', isInternal: false, errorCode: 3, partitions: [] };
    return {
      name,
      topicId: topic.topicId,
      isInternal: topic.internal,
      errorCode: 0,
      partitions: topic.partitions.map(({ leader, replicas, isr }, partition) => ({
        topic: name,
        partition,
        errorCode: leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : 0,
        leaderId: leader,
        leaderEpoch: 0,
        replicas: [...replicas],
        isr: [...isr],
        offlineReplicas: [],
      })),
    };
  }

  /** The Admin on this cluster. */
  admin(): ConsoleAdmin {
    const answer = <T>(call: string, make: () => T): Promise<T> => {
      this.calls.push(call);
      return this.unreachable ? Promise.reject(new KafkaError(ErrorCode.NETWORK_EXCEPTION, 'nobody answers')) : Promise.resolve(make());
    };
    const topicError = (name: string): KafkaError | undefined =>
      this.topics.has(name) ? undefined : new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const admin = {
      context: {} as AdminContext,
      metadata: this.#metadata(),
      apiVersions: () =>
        answer('apiVersions', () =>
          [18, 19, 20, 35, 37, 42, 44].map((apiKey) => ({ apiKey, name: `API ${apiKey}`, minVersion: 0, maxVersion: 1 })),
        ),
      describeLogDirs: (ids: readonly number[]) =>
        answer('describeLogDirs', () => new Map(ids.map((id) => [String(id), new Map([['/data', { replicas: [] }]])]))),
      listTopics: () => answer('listTopics', () => new Map(Array.from(this.topics.keys(), (name) => [name, this.metadataOf(name)]))),
      describeTopics: (names: readonly string[]) =>
        answer('describeTopics', () => new Map(names.map((name) => [name, topicError(name) ?? this.metadataOf(name)]))),
      createTopics: (topics: readonly { name: string; numPartitions?: number }[], options?: { validateOnly?: boolean }) =>
        answer('createTopics', () => {
          const results = new Map();
          for (const { name, numPartitions = 1 } of topics) {
            if (this.topics.has(name)) results.set(name, new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS));
            else {
              if (options?.validateOnly !== true) this.addTopic(name, Math.max(1, numPartitions));
              const made = { topicId: `id-of-${name}`, numPartitions: Math.max(1, numPartitions), replicationFactor: 3 };
              results.set(name, this.slow && options?.validateOnly !== true ? new KafkaError(ErrorCode.REQUEST_TIMED_OUT) : made);
            }
          }
          return results;
        }),
      deleteTopics: (names: readonly string[]) =>
        answer(
          'deleteTopics',
          () =>
            new Map(
              names.map((name) => [name, this.topics.delete(name) ? undefined : new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)]),
            ),
        ),
      createPartitions: () => answer('createPartitions', () => new Map()),
      describeConfigs: (resources: readonly { type: number; name: string }[]) =>
        answer(
          'describeConfigs',
          () =>
            new Map(
              resources.map(({ name }) => [
                `topic:${name}`,
                [configEntry('cleanup.policy', this.configs.get(name)?.get('cleanup.policy') ?? 'delete')],
              ]),
            ),
        ),
      incrementalAlterConfigs: () => answer('incrementalAlterConfigs', () => new Map()),
      listGroups: () =>
        answer('listGroups', () => ({
          groups: Array.from(this.groups, ([groupId, { state, protocolType }]) => ({
            groupId,
            state,
            protocolType,
            type: 'classic',
            coordinatorId: 1,
          })),
          errors: new Map(),
        })),
      describeGroups: (ids: readonly string[]) =>
        answer('describeGroups', () => new Map(ids.map((groupId) => [groupId, this.#describeGroup(groupId)]))),
      deleteGroups: (ids: readonly string[]) =>
        answer(
          'deleteGroups',
          () => new Map(ids.map((id) => [id, this.groups.delete(id) ? undefined : new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND)])),
        ),
      listGroupOffsets: (groups: ReadonlyMap<string, unknown>) =>
        answer(
          'listGroupOffsets',
          () =>
            new Map(
              Array.from(groups.keys(), (groupId) => [
                groupId,
                this.silentGroups.has(groupId)
                  ? new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
                  : new Map(
                      Array.from(this.groups.get(groupId)?.committed ?? [], ([key, commit]) => [
                        key,
                        { ...commit, leaderEpoch: -1, metadata: '' },
                      ]),
                    ),
              ]),
            ),
        ),
      listOffsets: (queries: readonly { topic: string; partition: number; timestamp: number }[]) =>
        answer('listOffsets', () => new Map(queries.map((query) => [topicPartitionKey(query), this.#offset(query)]))),
      close: () => Promise.resolve(),
    };
    return admin as unknown as ConsoleAdmin;
  }

  #metadata(): unknown {
    const cluster = this as { readonly brokers: unknown; readonly controllerId: number; readonly brokerSwitches: number };
    return {
      get brokers() {
        return new Map(cluster.brokers as Map<number, unknown>);
      },
      get controllerId() {
        return cluster.controllerId;
      },
      get brokerSwitches() {
        return cluster.brokerSwitches;
      },
      snapshot: { clusterId: 'fake-cluster-id' },
    };
  }

  #describeGroup(groupId: string): unknown {
    const group = this.groups.get(groupId);
    if (group === undefined) return { groupId, state: 'Dead', protocolType: '', protocol: '', members: [] };
    const members = group.members.map(({ memberId, clientId, clientHost, partitions }) => ({
      memberId,
      groupInstanceId: null,
      clientId,
      clientHost,
      metadata: Buffer.alloc(0),
      assignment: Buffer.from(JSON.stringify(partitions)),
      subscribedTopics: partitions.map(({ topic }) => topic),
      assignedPartitions: partitions,
    }));
    return { groupId, state: group.state, protocolType: group.protocolType, protocol: members.length === 0 ? '' : 'range', members };
  }

  #offset({ topic, partition, timestamp }: { topic: string; partition: number; timestamp: number }): unknown {
    const found = this.topics.get(topic)?.partitions[partition];
    if (found === undefined) return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    if (found.leader < 0) return new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE);
    const about = { topic, partition, timestamp: -1, leaderEpoch: 0 };
    if (timestamp === OffsetSpec.LATEST) return { ...about, offset: found.end };
    if (timestamp === OffsetSpec.EARLIEST) return { ...about, offset: found.start };
    const batch = found.log.find((candidate) => readBatchHeader(candidate, 0).maxTimestamp >= timestamp);
    return { ...about, offset: batch === undefined ? -1 : readBatchHeader(batch, 0).baseOffset };
  }
}

function configEntry(name: string, value: string): unknown {
  return { name, value, source: 5, isDefault: true, isReadOnly: false, isSensitive: false, synonyms: [], type: 2, documentation: null };
}

/** A runtime on manual time, with the real disk. */
export function manualRuntime(time = new ManualTime()): SessionRuntime & { readonly time: ManualTime } {
  return { ...createNodeRuntime(silentLogger), clock: time, scheduler: time, time };
}
