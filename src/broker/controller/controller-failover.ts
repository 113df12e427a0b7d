/**
 * What a newly elected controller does before it is ready: forget notifications (it reads everything anyway), read brokers,
 * topics and partition states, start the state machines.
 *
 * A broker that registered after the last change of a partition in whose ISR it is has been away since, and perhaps lost what it had not synced; no
 * controller saw it, since the last one is gone too. As long as somebody of that ISR was there all the time it counts as dead while the state machines
 * start, so that another leads, and as just started afterwards. Kafka's new controller takes it for one that never left.
 *
 * Brokers hear UpdateMetadata first: they must know who is alive before they take the LeaderAndIsr requests of the state machines.
 * Source: KafkaController.onControllerFailover, initializeControllerContext.
 */
import { isBeingReassigned } from '../zk/replica-assignment.ts';
import { nodeOf, sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';
import type { BrokerAndEpoch } from '../zk/broker-info.ts';
import type { TopicChangeProcessor } from './topic-change-processor.ts';

/** The office's watches are registered before; the reads here arm them. Returns the brokers that were away unseen, left out until they are dealt with. */
export async function readClusterAndStart(parts: ControllerParts, topicChanges: TopicChangeProcessor): Promise<BrokerAndEpoch[]> {
  const { zk, context, partitionStateMachine, replicaStateMachine, topicDeletionManager } = parts;
  await zk.controller.enableFeatureVersioning();
  const [logDirEvents, isrChanges] = await Promise.all([zk.controller.getLogDirEvents(), zk.controller.getIsrChangeNotifications()]);
  await zk.controller.deleteLogDirEvents(logDirEvents, context.epochZkVersion);
  await zk.controller.deleteIsrChangeNotifications(isrChanges, context.epochZkVersion);
  await initializeControllerContext(parts, topicChanges);
  const deletions = new Set(await zk.controller.getTopicDeletions());
  await topicDeletionManager.init(deletions, topicsIneligibleForDeletion(parts));
  context.endReassignmentsOf(context.topicsToBeDeleted);
  const awayUnseen = brokersAwayUnseen(parts);
  context.removeLiveBrokers(awayUnseen.map(({ broker }) => broker.id));
  sendUpdateMetadata(parts, context.liveOrShuttingDownBrokerIds, []);
  await replicaStateMachine.startup();
  await partitionStateMachine.startup();
  return awayUnseen;
}

/** Those in the ISR of a partition whose last change is older than their registration, where another of that ISR is registered for longer. */
function brokersAwayUnseen({ context }: ControllerParts): BrokerAndEpoch[] {
  const found = new Set<number>();
  for (const { leadership } of context.allPartitions()) {
    const mzxid = leadership?.mzxid;
    if (leadership === undefined || mzxid === undefined) continue;
    const epochs = leadership.leaderAndIsr.isr.map((id) => ({ id, epoch: context.brokerEpoch(id) ?? -1 }));
    if (!epochs.some(({ epoch }) => epoch >= 0 && epoch < mzxid)) continue;
    for (const { id, epoch } of epochs) if (epoch > mzxid) found.add(id);
  }
  return [...found].flatMap((id) => {
    const broker = context.liveOrShuttingDownBroker(id);
    const brokerEpoch = context.brokerEpoch(id);
    return broker === undefined || brokerEpoch === undefined ? [] : [{ broker, brokerEpoch }];
  });
}

async function initializeControllerContext(parts: ControllerParts, topicChanges: TopicChangeProcessor): Promise<void> {
  const { zk, context, channelManager, watches, config, logger } = parts;
  context.setLiveBrokers(await zk.brokers.getAllWithEpochs());
  const partitions = await topicChanges.loadTopics(await zk.topics.getAllTopics());
  for (const partition of partitions) if (isBeingReassigned(partition.assignment)) context.partitionsBeingReassigned.add(partition);
  await watches.watchBrokerModifications(context.liveOrShuttingDownBrokerIds);
  for (const [partition, state] of await zk.topics.getPartitionStates(partitions)) {
    if (state instanceof Error) {
      partition.isUnreadable = true;
      logger.error({ err: state }, `the state of ${partition.name} cannot be read`);
    } else partition.leadership = state;
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
  }
  return topics;
}
