/**
 * StopReplica (5), versions 1-4: stop leading or following, and delete the log where told. 1-2 carry one `deletePartitions`
 * for all, 3+ a leader epoch and a flag each. Source: Kafka's `KafkaApis.handleStopReplicaRequest`.
 */
import type { StopReplicaRequest } from '../../../protocol/generated/stop-replica.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';

export interface StopReplicaDeps {
  readonly replicaManager: ReplicaManager;
  readonly onStopped: (partitions: readonly { topicPartition: TopicPartition; leaderEpoch: number | undefined; deleted: boolean }[]) => void;
}

const FIRST_STATES_VERSION = 3;
const NO_EPOCH = -1;

export function createStopReplicaHandler({ replicaManager, onStopped }: StopReplicaDeps): ApiHandler<StopReplicaRequest> {
  return (request) => {
    const { body, header } = request;
    const states =
      header.apiVersion >= FIRST_STATES_VERSION
        ? body.topicStates.flatMap(({ topicName, partitionStates }) =>
            partitionStates.map(({ partitionIndex, leaderEpoch, deletePartition }) => ({
              topicPartition: { topic: topicName, partition: partitionIndex },
              leaderEpoch,
              deletePartition,
            })),
          )
        : body.topics.flatMap(({ name, partitionIndexes }) =>
            partitionIndexes.map((partition) => ({ topicPartition: { topic: name, partition }, leaderEpoch: NO_EPOCH, deletePartition: body.deletePartitions })),
          );
    request.respond(replicaManager.stopReplicas(body, states, onStopped));
  };
}
