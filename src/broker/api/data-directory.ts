/**
 * The metadata cache as the data path sees it: a partition that this broker leads is there although UpdateMetadata hasn't told of it yet. The controller
 * makes leaders first and tells everyone then, so that a client may learn of a new topic from one broker and write to another that only knows
 * that it leads. Kafka refuses it there, which costs acks=0 its records and librdkafka's idempotent producer its message. One that is being
 * deleted is gone from the moment that UpdateMetadata says so.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { BrokerDirectory } from './handlers/broker-directory.ts';

export function dataDirectory(cache: MetadataCache, replicaManager: Pick<ReplicaManager, 'partition'>): BrokerDirectory {
  return {
    get absentPartitionError() {
      return cache.absentPartitionError;
    },
    partitionExists: (topicPartition: TopicPartition) =>
      cache.partitionExists(topicPartition) ||
      (replicaManager.partition(topicPartition)?.isLeader === true && !cache.wasDeleted(topicPartition)),
    topicNameOf: (topicId) => cache.topicNameOf(topicId),
    topicIdOf: (topic) => cache.topicIdOf(topic),
    leaderOf: (topicPartition) => cache.leaderOf(topicPartition),
    endpointsOf: (brokerIds, listenerName) => cache.endpointsOf(brokerIds, listenerName),
  };
}
