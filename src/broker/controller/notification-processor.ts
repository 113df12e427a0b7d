/**
 * What other brokers leave in ZooKeeper for the controller, and what they answer to a deletion.
 * Source: KafkaController.processIsrChangeNotification, processLogDirEventNotification, processTopicDeletionStopReplicaResponseReceived.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { StopReplicaResponse } from '../../protocol/generated/stop-replica.ts';
import type { BrokerChangeProcessor } from './broker-change-processor.ts';
import type { ControllerPartition, PartitionAndReplica } from './controller-context.ts';
import { sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';

/** ISR changes that brokers without AlterPartition wrote themselves: read them and tell everyone. */
export async function processIsrChangeNotification(parts: ControllerParts): Promise<void> {
  const { zk, context } = parts;
  const names = await zk.controller.getIsrChangeNotifications();
  try {
    const changed = await zk.controller.getPartitionsOfIsrChanges(names);
    const partitions = changed
      .map(({ topic, partition }) => context.partition(topic, partition))
      .filter((partition) => partition !== undefined);
    if (partitions.length === 0) return;
    for (const [partition, state] of await zk.topics.getPartitionStates(partitions)) {
      if (state !== undefined && !(state instanceof Error)) partition.leadership = state;
    }
    sendUpdateMetadata(parts, context.liveOrShuttingDownBrokerIds, partitions);
  } finally {
    await zk.controller.deleteIsrChangeNotifications(names, context.epochZkVersion);
  }
}

/** Log directories that failed: their brokers are asked which replicas are affected. */
export async function processLogDirEvents({ zk, context }: ControllerParts, brokerChanges: BrokerChangeProcessor): Promise<void> {
  const names = await zk.controller.getLogDirEvents();
  try {
    const brokerIds = await zk.controller.getBrokersOfLogDirEvents(names);
    if (brokerIds.length > 0) await brokerChanges.processLogDirFailure(brokerIds);
  } finally {
    await zk.controller.deleteLogDirEvents(names, context.epochZkVersion);
  }
}

/** The answer to a StopReplica that asked to delete `deleted`. */
export async function processDeletionResponse(
  { context, topicDeletionManager }: ControllerParts,
  response: StopReplicaResponse,
  brokerId: number,
  brokerEpoch: number,
  deleted: ReadonlySet<ControllerPartition>,
): Promise<void> {
  // The broker was started again since, and has been asked again.
  if (context.brokerEpoch(brokerId) !== brokerEpoch) return;
  const codes = new Map<ControllerPartition, number>();
  for (const { topicName, partitionIndex, errorCode } of response.partitionErrors) {
    const partition = context.partition(topicName, partitionIndex);
    if (partition !== undefined) codes.set(partition, errorCode);
  }
  const failed: PartitionAndReplica[] = [];
  const done: PartitionAndReplica[] = [];
  for (const partition of deleted) {
    const ownCode = codes.get(partition) ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    const errorCode = response.errorCode === ErrorCode.NONE ? ownCode : response.errorCode;
    if (errorCode === ErrorCode.NONE) context.removedReplicas.get(brokerId)?.delete(partition);
    // Not of another term of office, nor of a reassignment, whose deletions nobody waits for.
    const isCurrent =
      context.partition(partition.topic, partition.partition) === partition && partition.replicaState(brokerId) !== 'NonExistentReplica';
    if (!isCurrent || !context.isTopicDeletionInProgress(partition.topic)) continue;
    (errorCode === ErrorCode.NONE ? done : failed).push({ partition, replica: brokerId });
  }
  await topicDeletionManager.failReplicaDeletion(failed);
  if (done.length > 0) await topicDeletionManager.completeReplicaDeletion(done);
}
