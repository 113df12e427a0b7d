/**
 * What a newly elected controller does before it is ready: forget notifications (it reads everything anyway), read brokers,
 * topics and partition states, start the state machines.
 *
 * Brokers hear UpdateMetadata first: they must know who is alive before they take the LeaderAndIsr requests of the state machines.
 * Source: KafkaController.onControllerFailover, initializeControllerContext.
 */
import { isBeingReassigned } from '../zk/replica-assignment.ts';
import { nodeOf, sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';
import type { TopicChangeProcessor } from './topic-change-processor.ts';

/** The office's watches are registered before; the reads here arm them. */
export async function readClusterAndStart(parts: ControllerParts, topicChanges: TopicChangeProcessor): Promise<void> {
  const { zk, context, partitionStateMachine, replicaStateMachine, topicDeletionManager } = parts;
  await zk.controller.enableFeatureVersioning();
  const [logDirEvents, isrChanges] = await Promise.all([zk.controller.getLogDirEvents(), zk.controller.getIsrChangeNotifications()]);
  await zk.controller.deleteLogDirEvents(logDirEvents, context.epochZkVersion);
  await zk.controller.deleteIsrChangeNotifications(isrChanges, context.epochZkVersion);
  await initializeControllerContext(parts, topicChanges);
  const deletions = new Set(await zk.controller.getTopicDeletions());
  await topicDeletionManager.init(deletions, topicsIneligibleForDeletion(parts));
  sendUpdateMetadata(parts, context.liveOrShuttingDownBrokerIds, []);
  await replicaStateMachine.startup();
  await partitionStateMachine.startup();
}

async function initializeControllerContext(parts: ControllerParts, topicChanges: TopicChangeProcessor): Promise<void> {
  const { zk, context, channelManager, watches, config, logger } = parts;
  context.setLiveBrokers(await zk.brokers.getAllWithEpochs());
  const partitions = await topicChanges.loadTopics(await zk.topics.getAllTopics());
  for (const partition of partitions) if (isBeingReassigned(partition.assignment)) context.partitionsBeingReassigned.add(partition);
  await watches.watchBrokerModifications(context.liveOrShuttingDownBrokerIds);
  for (const [partition, state] of await zk.topics.getPartitionStates(partitions)) {
    if (state instanceof Error) logger.error({ err: state }, `the state of ${partition.name} cannot be read`);
    else partition.leadership = state;
  }
  for (const broker of context.liveOrShuttingDownBrokers) {
    const node = nodeOf(broker, config.interBrokerListenerName);
    if (node !== undefined) channelManager.addBroker(node);
    else logger.error(`broker ${broker.id} has no listener ${config.interBrokerListenerName}: it cannot be told anything`);
  }
}

function topicsIneligibleForDeletion({ context }: ControllerParts): Map<string, string> {
  const topics = new Map<string, string>();
  for (const partition of context.allPartitions()) {
    const offline = partition.assignment.replicas.find((replica) => !context.isReplicaOnline(replica, partition));
    if (offline !== undefined) topics.set(partition.topic, `replicas on ${offline} are offline`);
    else if (context.partitionsBeingReassigned.has(partition)) topics.set(partition.topic, 'a partition of it is being reassigned');
  }
  return topics;
}
