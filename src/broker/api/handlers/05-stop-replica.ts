/**
 * StopReplica (5), versions 0-4: stop leading or following, and delete the log where told. 0-2 carry one `deletePartitions`
 * for all (0 its partitions ungrouped), 3+ a leader epoch and a flag each.
 * Source: Kafka's `KafkaApis.handleStopReplicaRequest`.
 */
import type { StopReplicaRequest } from '../../../protocol/generated/stop-replica.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';

export interface StopReplicaDeps {
  readonly replicaManager: ReplicaManager;
  readonly onStopped: (
    partitions: readonly { topicPartition: TopicPartition; leaderEpoch: number | undefined; deleted: boolean }[],
  ) => void;
}

const FIRST_STATES_VERSION = 3;
const NO_EPOCH = -1;

export function createStopReplicaHandler({ replicaManager, onStopped }: StopReplicaDeps): ApiHandler<StopReplicaRequest> {
  return (request) =>
    request.respond(replicaManager.stopReplicas(request.body, statesOf(request.body, request.header.apiVersion), onStopped));
}

interface StopState {
  readonly topicPartition: TopicPartition;
  readonly leaderEpoch: number;
  readonly deletePartition: boolean;
}

function statesOf(body: StopReplicaRequest, apiVersion: number): StopState[] {
  if (apiVersion >= FIRST_STATES_VERSION) {
    return body.topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(({ partitionIndex, leaderEpoch, deletePartition }) => ({
        topicPartition: { topic: topicName, partition: partitionIndex },
        leaderEpoch,
        deletePartition,
      })),
    );
  }
  const partitions =
    apiVersion === 0
      ? body.ungroupedPartitions.map(({ topicName, partitionIndex }) => ({ topic: topicName, partition: partitionIndex }))
      : body.topics.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((partition) => ({ topic: name, partition })));
  return partitions.map((topicPartition) => ({ topicPartition, leaderEpoch: NO_EPOCH, deletePartition: body.deletePartitions }));
}
