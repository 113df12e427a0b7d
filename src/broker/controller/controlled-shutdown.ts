/**
 * A broker announces its end: the partitions it leads get another leader from the ISR, and its followers stop.
 * What it still leads afterwards is told back; the broker asks again or leaves. Source: KafkaController.doControlledShutdown.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { ControllerParts } from './controller-parts.ts';

/** Broker epoch in requests of brokers that don't know theirs (v0-1). */
export const UNKNOWN_BROKER_EPOCH = -1;

/**
 * Moves leadership away from `brokerId`; resolves with the partitions (of more than one replica) that it still leads.
 * Rejects with KafkaError BROKER_NOT_AVAILABLE (not registered) or STALE_BROKER_EPOCH.
 */
export async function doControlledShutdown(parts: ControllerParts, brokerId: number, brokerEpoch: number): Promise<TopicPartition[]> {
  const { context, batch, partitionStateMachine, replicaStateMachine, topicDeletionManager, stateChangeLogger } = parts;
  const knownEpoch = context.brokerEpoch(brokerId);
  if (knownEpoch === undefined) throw new KafkaError(ErrorCode.BROKER_NOT_AVAILABLE, `broker ${brokerId} is not registered`);
  if (brokerEpoch !== UNKNOWN_BROKER_EPOCH && brokerEpoch < knownEpoch) {
    throw new KafkaError(
      ErrorCode.STALE_BROKER_EPOCH,
      `broker ${brokerId} asks with the epoch ${brokerEpoch}, its current one is ${knownEpoch}`,
    );
  }
  if (!context.shuttingDownBrokerIds.has(brokerId)) {
    context.shuttingDownBrokerIds.add(brokerId);
    stateChangeLogger.record({
      kind: 'broker-shutting-down',
      brokerId,
      brokerEpoch: knownEpoch,
      reason: 'it asked for a controlled shutdown',
    });
  }
  const partitions = context
    .partitionsOnBroker(brokerId)
    .filter(
      ({ assignment, leadership, topic }) =>
        assignment.replicas.length > 1 && leadership !== undefined && !topicDeletionManager.isTopicQueuedUpForDeletion(topic),
    );
  const led = partitions.filter(({ leadership }) => leadership?.leaderAndIsr.leader === brokerId);
  const followed = partitions.filter(({ leadership }) => leadership?.leaderAndIsr.leader !== brokerId);
  await partitionStateMachine.handleStateChanges(led, 'OnlinePartition', { kind: 'controlled-shutdown' });
  // Stopped first, so that the follower's fetches don't bring it back into the ISR it is about to leave.
  batch.newBatch();
  for (const partition of followed) batch.addStopReplica([brokerId], partition, false);
  batch.sendRequestsToBrokers(context.epoch);
  await replicaStateMachine.handleStateChanges(
    followed.map((partition) => ({ partition, replica: brokerId })),
    'OfflineReplica',
  );
  return context.partitionLeadersOnBroker(brokerId).map(({ topic, partition }) => ({ topic, partition }));
}
