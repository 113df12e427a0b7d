/**
 * What this broker knows of the cluster by the controller's UpdateMetadata: live brokers with their listeners, topics with ids,
 * partitions with leaders and ISRs, the controller. Clients are told from here, so it may lag behind the truth.
 *
 * The state is an immutable snapshot that each UpdateMetadata replaces: maps that change are copied, partition states are the
 * request's own objects. A reader that needs several answers that fit together takes `snapshot` once.
 * Source: kafka.server.metadata.ZkMetadataCache.
 */
import type { UpdateMetadataPartitionState, UpdateMetadataRequest } from '../../protocol/generated/update-metadata.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { ControlRequestType } from '../control-request-type.ts';
import { LEADER_DURING_DELETE } from '../zk/leader-and-isr.ts';
import type { BrokerMetadata } from './assign-replicas.ts';

export type MetadataPartitionState = UpdateMetadataPartitionState;

export interface AliveBroker {
  readonly id: number;
  readonly rack: string | null;
  /** By listener name, upper case. */
  readonly endpoints: ReadonlyMap<string, { readonly host: string; readonly port: number; readonly securityProtocol: number }>;
}

/** A broker's address on one listener. */
export interface BrokerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface MetadataSnapshot {
  readonly partitionStates: ReadonlyMap<string, ReadonlyMap<number, MetadataPartitionState>>;
  readonly topicIds: ReadonlyMap<string, string>;
  readonly topicNames: ReadonlyMap<string, string>;
  /** undefined until the first UpdateMetadata, and where the controller has no id. */
  readonly controllerId: number | undefined;
  readonly aliveBrokers: ReadonlyMap<number, AliveBroker>;
}

type Topics = Pick<MetadataSnapshot, 'partitionStates' | 'topicIds' | 'topicNames'>;

export interface MetadataChange {
  /** Topics whose partitions were set or removed. */
  readonly topics: ReadonlySet<string>;
  readonly deletedPartitions: readonly TopicPartition[];
  /** Were alive before, and are not now. */
  readonly goneBrokers: readonly number[];
  readonly snapshot: MetadataSnapshot;
}

const EMPTY: MetadataSnapshot = {
  partitionStates: new Map(),
  topicIds: new Map(),
  topicNames: new Map(),
  controllerId: undefined,
  aliveBrokers: new Map(),
};

/** Partitions that are remembered as deleted: their logs are gone from the brokers some seconds later. */
const MAX_DELETED = 100_000;

export class MetadataCache {
  readonly #listeners = new Set<(change: MetadataChange) => void>();
  readonly #deleted = new Set<string>();
  #snapshot: MetadataSnapshot = EMPTY;

  get snapshot(): MetadataSnapshot {
    return this.#snapshot;
  }

  /** Calls `listener` after each update, once the new snapshot is in place; returns how to stop that. */
  onChange(listener: (change: MetadataChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes over what the controller says: brokers and controller are replaced, partitions of the request set, those with the
   * leader -2 (being deleted) removed, and so are those that a full request leaves out. Whether the controller may still speak is the caller's to check.
   */
  updateMetadata(request: UpdateMetadataRequest): MetadataChange {
    const topics = new Set<string>();
    const deletedPartitions: TopicPartition[] = [];
    const base = request.type === ControlRequestType.FULL ? this.#withoutUnnamed(request, topics, deletedPartitions) : this.#snapshot;
    const next = request.topicStates.length === 0 ? base : this.#applyTopicStates(base, request, topics, deletedPartitions);
    const aliveBrokers = aliveBrokersOf(request);
    const goneBrokers = [...this.#snapshot.aliveBrokers.keys()].filter((id) => !aliveBrokers.has(id));
    this.#snapshot = {
      partitionStates: next.partitionStates,
      topicIds: next.topicIds,
      topicNames: next.topicNames,
      controllerId: request.controllerId < 0 ? undefined : request.controllerId,
      aliveBrokers,
    };
    const change: MetadataChange = { topics, deletedPartitions, goneBrokers, snapshot: this.#snapshot };
    for (const listener of this.#listeners) listener(change);
    return change;
  }

  /** A broker that was cut off while a topic was deleted may never have been told. What a full request names replaces the rest. */
  #withoutUnnamed(request: UpdateMetadataRequest, changed: Set<string>, deleted: TopicPartition[]): Topics {
    const named = new Map(
      request.topicStates.map(({ topicName, partitionStates }) => [
        topicName,
        new Set(partitionStates.map(({ partitionIndex }) => partitionIndex)),
      ]),
    );
    for (const [topic, partitions] of this.#snapshot.partitionStates) {
      for (const partition of partitions.keys()) {
        if (named.get(topic)?.has(partition) === true) continue;
        changed.add(topic);
        deleted.push({ topic, partition });
        this.#noteDeleted(topic, partition);
      }
    }
    return EMPTY;
  }

  #applyTopicStates(base: Topics, request: UpdateMetadataRequest, changed: Set<string>, deleted: TopicPartition[]): Topics {
    const partitionStates = new Map(base.partitionStates);
    const topicIds = new Map(base.topicIds);
    const topicNames = new Map(base.topicNames);
    for (const { topicName, topicId, partitionStates: states } of request.topicStates) {
      const partitions = new Map(partitionStates.get(topicName));
      for (const state of states) {
        if (state.leader === LEADER_DURING_DELETE) {
          partitions.delete(state.partitionIndex);
          deleted.push({ topic: topicName, partition: state.partitionIndex });
          this.#noteDeleted(topicName, state.partitionIndex);
        } else {
          partitions.set(state.partitionIndex, state);
          this.#deleted.delete(topicPartitionKey({ topic: topicName, partition: state.partitionIndex }));
        }
      }
      changed.add(topicName);
      const knownId = topicIds.get(topicName);
      if (knownId !== undefined && (partitions.size === 0 || (topicId !== ZERO_UUID && topicId !== knownId))) {
        topicIds.delete(topicName);
        topicNames.delete(knownId);
      }
      if (partitions.size === 0) {
        partitionStates.delete(topicName);
        continue;
      }
      partitionStates.set(topicName, partitions);
      if (topicId === ZERO_UUID) continue;
      topicIds.set(topicName, topicId);
      topicNames.set(topicId, topicName);
    }
    return { partitionStates, topicIds, topicNames };
  }

  #noteDeleted(topic: string, partition: number): void {
    this.#deleted.add(topicPartitionKey({ topic, partition }));
    if (this.#deleted.size <= MAX_DELETED) return;
    const [oldest] = this.#deleted;
    if (oldest !== undefined) this.#deleted.delete(oldest);
  }

  /** The controller has said that the partition is being deleted, and nothing of it since. Kept for the last `MAX_DELETED`. */
  wasDeleted(topicPartition: TopicPartition): boolean {
    return this.#deleted.has(topicPartitionKey(topicPartition));
  }

  // Topics

  topicExists(topic: string): boolean {
    return this.#snapshot.partitionStates.has(topic);
  }

  partitionExists({ topic, partition }: TopicPartition): boolean {
    return this.#snapshot.partitionStates.get(topic)?.has(partition) === true;
  }

  getAllTopics(): string[] {
    return [...this.#snapshot.partitionStates.keys()];
  }

  /** How many partitions the topic has; undefined when it is not known. */
  numPartitions(topic: string): number | undefined {
    return this.#snapshot.partitionStates.get(topic)?.size;
  }

  /** The topic's partitions by number; none when it is not known. */
  partitionsOf(topic: string): ReadonlyMap<number, MetadataPartitionState> {
    return this.#snapshot.partitionStates.get(topic) ?? new Map();
  }

  getPartitionInfo({ topic, partition }: TopicPartition): MetadataPartitionState | undefined {
    return this.#snapshot.partitionStates.get(topic)?.get(partition);
  }

  topicIdOf(topic: string): string | undefined {
    return this.#snapshot.topicIds.get(topic);
  }

  topicNameOf(topicId: string): string | undefined {
    return this.#snapshot.topicNames.get(topicId);
  }

  leaderOf(topicPartition: TopicPartition): { readonly leaderId: number; readonly leaderEpoch: number } | undefined {
    const info = this.getPartitionInfo(topicPartition);
    return info === undefined ? undefined : { leaderId: info.leader, leaderEpoch: info.leaderEpoch };
  }

  /** Where the partition's leader listens; undefined when there is no leader or it is gone. */
  getPartitionLeaderEndpoint(topicPartition: TopicPartition, listenerName: string): BrokerNode | undefined {
    const info = this.getPartitionInfo(topicPartition);
    return info === undefined ? undefined : this.getAliveBrokerNode(info.leader, listenerName);
  }

  // Brokers

  getControllerId(): number | undefined {
    return this.#snapshot.controllerId;
  }

  hasAliveBroker(brokerId: number): boolean {
    return this.#snapshot.aliveBrokers.has(brokerId);
  }

  /** By id. */
  getAliveBrokers(): BrokerMetadata[] {
    const brokers = Array.from(this.#snapshot.aliveBrokers.values(), ({ id, rack }) => ({ id, rack: rack ?? undefined }));
    return brokers.toSorted((a, b) => a.id - b.id);
  }

  getAliveBrokerNode(brokerId: number, listenerName: string): BrokerNode | undefined {
    return nodeOnListener(this.#snapshot.aliveBrokers.get(brokerId), listenerName);
  }

  /** Every broker that has the listener, by id. */
  getAliveBrokerNodes(listenerName: string): BrokerNode[] {
    const nodes: BrokerNode[] = [];
    for (const broker of this.#snapshot.aliveBrokers.values()) {
      const node = nodeOnListener(broker, listenerName);
      if (node !== undefined) nodes.push(node);
    }
    return nodes.toSorted((a, b) => a.id - b.id);
  }

  /** As the data-path handlers ask (`BrokerDirectory`). */
  get absentPartitionError(): number {
    return this.#snapshot.partitionStates.size === 0 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  }

  endpointsOf(brokerIds: Iterable<number>, listenerName: string): { nodeId: number; host: string; port: number; rack: string | null }[] {
    const endpoints: { nodeId: number; host: string; port: number; rack: string | null }[] = [];
    for (const brokerId of brokerIds) {
      const node = this.getAliveBrokerNode(brokerId, listenerName);
      if (node !== undefined) endpoints.push({ nodeId: node.id, host: node.host, port: node.port, rack: node.rack });
    }
    return endpoints;
  }
}

export function nodeOnListener(broker: AliveBroker | undefined, listenerName: string): BrokerNode | undefined {
  const endpoint = broker?.endpoints.get(listenerName);
  return broker === undefined || endpoint === undefined
    ? undefined
    : { id: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack };
}

function aliveBrokersOf(request: UpdateMetadataRequest): Map<number, AliveBroker> {
  const brokers = new Map<number, AliveBroker>();
  for (const { id, rack, endpoints } of request.liveBrokers) {
    const byListener = new Map(
      endpoints.map(({ listener, host, port, securityProtocol }) => [listener.toUpperCase(), { host, port, securityProtocol }]),
    );
    brokers.set(id, { id, rack, endpoints: byListener });
  }
  return brokers;
}
