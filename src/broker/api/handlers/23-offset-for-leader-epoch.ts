/**
 * OffsetForLeaderEpoch (23), versions 0-4: where the leader's history of an epoch ends; (-1, -1) when it knows none at or below.
 * The leader's own epoch is checked first (FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH). Source: KIP-101, KIP-320.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetForLeaderEpochRequest } from '../../../protocol/generated/offset-for-leader-epoch.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface OffsetForLeaderEpochDeps {
  readonly replicaManager: ReplicaManager;
  readonly directory: BrokerDirectory;
}

export function createOffsetForLeaderEpochHandler({
  replicaManager,
  directory,
}: OffsetForLeaderEpochDeps): ApiHandler<OffsetForLeaderEpochRequest> {
  return (request) => {
    const topics = request.body.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const topicPartition = { topic, partition };
        const hosted = replicaManager.partition(topicPartition);
        if (hosted === undefined) {
          const errorCode = directory.partitionExists(topicPartition) ? ErrorCode.NOT_LEADER_OR_FOLLOWER : directory.absentPartitionError;
          return { partition, errorCode, leaderEpoch: -1, endOffset: -1 };
        }
        return { partition, ...hosted.endOffsetForLeaderEpoch(currentLeaderEpoch, leaderEpoch) };
      }),
    }));
    request.respond({ throttleTimeMs: 0, topics });
  };
}
