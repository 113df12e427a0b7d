/** What a client knows of a cluster at one moment, and how it is made from a Metadata response. Source: Cluster, MetadataSnapshot. */
import type { MetadataResponse, MetadataResponseTopic } from '../protocol/generated/metadata.ts';
import { ErrorCode } from '../protocol/errors.ts';

export interface BrokerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionMetadata {
  readonly topic: string;
  readonly partition: number;
  /** LEADER_NOT_AVAILABLE and the like; 0 when all is well. */
  readonly errorCode: number;
  /** -1 when there is none. */
  readonly leaderId: number;
  /** -1 when the broker doesn't tell (before Metadata version 7). */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export interface TopicMetadata {
  readonly name: string;
  /** ZERO_UUID when the broker doesn't tell (before Metadata version 10). */
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly errorCode: number;
  /** Ordered by partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterSnapshot {
  readonly clusterId: string | null;
  /** -1 when unknown. In KRaft mode any broker, which then forwards. */
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, BrokerNode>;
  /** The topics that were asked for, not all that there are. */
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  /** Runtime clock, monotonic. */
  readonly updatedAtMs: number;
}

export function brokersOf(response: MetadataResponse): Map<number, BrokerNode> {
  return new Map(response.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }]));
}

export function topicOf(topic: MetadataResponseTopic, name: string): TopicMetadata {
  const partitions = topic.partitions.map((partition) => ({
    topic: name,
    partition: partition.partitionIndex,
    errorCode: partition.errorCode,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes,
    isr: partition.isrNodes,
    offlineReplicas: partition.offlineReplicas,
  }));
  partitions.sort((a, b) => a.partition - b.partition);
  return { name, topicId: topic.topicId, isInternal: topic.isInternal, errorCode: topic.errorCode, partitions };
}

/** Whether all partitions have a leader that is among `brokers`, so that nothing is gained by asking again. */
export function isComplete(topic: TopicMetadata, brokers: ReadonlyMap<number, BrokerNode>): boolean {
  return topic.errorCode === ErrorCode.NONE && topic.partitions.every(({ leaderId }) => brokers.has(leaderId));
}
