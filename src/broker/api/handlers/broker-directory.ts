/** What the data-path handlers ask of the metadata cache. */
import type { TopicPartition } from '../../../protocol/topic-partition.ts';

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface BrokerDirectory {
  /** Whether the controller has told of this partition. */
  partitionExists(topicPartition: TopicPartition): boolean;
  /**
   * What a client is told of a partition that doesn't exist as far as this broker knows: UNKNOWN_TOPIC_OR_PARTITION; NOT_LEADER_OR_FOLLOWER
   * as long as the controller has told it of none. Kafka's starting broker says the former, and librdkafka gives records up for it.
   */
  readonly absentPartitionError: number;
  topicNameOf(topicId: string): string | undefined;
  topicIdOf(topic: string): string | undefined;
  leaderOf(topicPartition: TopicPartition): { readonly leaderId: number; readonly leaderEpoch: number } | undefined;
  /** Where these brokers listen under `listenerName`; those that are gone are left out. */
  endpointsOf(brokerIds: Iterable<number>, listenerName: string): NodeEndpoint[];
}
