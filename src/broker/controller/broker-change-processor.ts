/**
 * Brokers that come, go, come back or change: from what is registered to leaders, ISRs and who has to be told.
 *
 * Compared are ids **and epochs**: a broker that left and returned between two looks has the same id and another epoch, and is
 * treated as failed and started (KAFKA-1120, KIP-380). Source: KafkaController.processBrokerChange, onBrokerStartup, onBrokerFailure.
 */
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import type { LeaderAndIsrResponse } from '../../protocol/generated/leader-and-isr.ts';
import { NO_LEADER } from '../zk/leader-and-isr.ts';
import { sameEndpointsAndFeatures, type BrokerAndEpoch } from '../zk/broker-info.ts';
import type { ControllerPartition, PartitionAndReplica } from './controller-context.ts';
import { nodeOf, sendFullUpdateMetadata, sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';
import type { PartitionReassignments } from './partition-reassignments.ts';

export class BrokerChangeProcessor {
  readonly #parts: ControllerParts;
  readonly #reassignments: Pick<PartitionReassignments, 'resumeOnBrokers'>;

  constructor(parts: ControllerParts, reassignments: Pick<PartitionReassignments, 'resumeOnBrokers'>) {
    this.#parts = parts;
    this.#reassignments = reassignments;
  }

  /** Reads who is registered and deals with the difference: new, bounced, dead. */
  async processBrokerChange(): Promise<void> {
    const { zk, context, logger } = this.#parts;
    const current = await zk.brokers.getAllWithEpochs();
    const currentIds = new Set(current.map(({ broker }) => broker.id));
    const started = current.filter(({ broker }) => context.brokerEpoch(broker.id) === undefined);
    const bounced = current.filter(({ broker, brokerEpoch }) => {
      const known = context.brokerEpoch(broker.id);
      return known !== undefined && brokerEpoch > known;
    });
    const dead = context.liveOrShuttingDownBrokerIds.filter((brokerId) => !currentIds.has(brokerId));
    logger.info(
      `brokers: new [${idsOf(started).join(',')}], bounced [${idsOf(bounced).join(',')}], gone [${dead.join(',')}], all [${[...currentIds].join(',')}]`,
    );
    this.#updateChannels(started, bounced, dead);
    if (started.length > 0) await this.#processStarted(started);
    if (bounced.length > 0) await this.#processBounced(bounced);
    if (dead.length > 0) await this.#processDead(dead);
  }

  /** As if the broker had left and returned: it is told everything anew. Its channel overflowed. */
  async resendEverything(brokerId: number): Promise<void> {
    const { context } = this.#parts;
    const broker = context.liveOrShuttingDownBroker(brokerId);
    const brokerEpoch = context.brokerEpoch(brokerId);
    if (broker === undefined || brokerEpoch === undefined) return;
    const again = [{ broker, brokerEpoch }];
    this.#updateChannels([], again, []);
    await this.#processBounced(again);
  }

  /** New endpoints or features under the same epoch: everyone is told. */
  async processBrokerModification(brokerId: number): Promise<void> {
    const { zk, context, stateChangeLogger } = this.#parts;
    const registered = await zk.brokers.get(brokerId);
    const known = context.liveOrShuttingDownBroker(brokerId);
    if (registered === undefined || known === undefined || sameEndpointsAndFeatures(registered.broker, known)) return;
    context.updateBrokerMetadata(registered.broker);
    const brokerEpoch = context.brokerEpoch(brokerId) ?? registered.brokerEpoch;
    stateChangeLogger.record({ kind: 'broker-updated', brokerId, brokerEpoch, reason: 'its registration has other endpoints or features' });
    sendUpdateMetadata(this.#parts, context.liveOrShuttingDownBrokerIds, []);
  }

  /** Brokers that told of a failed log dir: LeaderAndIsr makes them say which replicas are affected. */
  async processLogDirFailure(brokerIds: readonly number[]): Promise<void> {
    const { context, replicaStateMachine, logger } = this.#parts;
    logger.info(`a log directory failed on the brokers ${brokerIds.join(',')}`);
    await replicaStateMachine.handleStateChanges(context.replicasOnBrokers(brokerIds), 'OnlineReplica');
  }

  /** Replicas that a broker could not bring up (their log dir failed) go offline. */
  async processLeaderAndIsrResponse(response: LeaderAndIsrResponse, brokerId: number, brokerEpoch: number): Promise<void> {
    const { context, stateChangeLogger } = this.#parts;
    // The broker was started again since: what its log dirs are now, it says in its answer to what it was told then.
    if (context.brokerEpoch(brokerId) !== brokerEpoch) return;
    if (response.errorCode !== ErrorCode.NONE) {
      stateChangeLogger.log.error(`broker ${brokerId} answered LeaderAndIsr with ${errorByCode(response.errorCode).name}`);
      return;
    }
    const offline = context.replicasOnOfflineDirs.get(brokerId) ?? new Set<ControllerPartition>();
    const newlyOffline: PartitionAndReplica[] = [];
    for (const topic of response.topics) {
      const name = context.topicName(topic.topicId);
      for (const { partitionIndex, errorCode } of topic.partitionErrors) {
        const partition = name === undefined ? undefined : context.partition(name, partitionIndex);
        if (partition === undefined) continue;
        if (errorCode === ErrorCode.NONE) offline.delete(partition);
        else if (errorCode === ErrorCode.KAFKA_STORAGE_ERROR && !offline.has(partition)) {
          // Moved away since it was told.
          if (!partition.assignment.replicas.includes(brokerId)) continue;
          offline.add(partition);
          newlyOffline.push({ partition, replica: brokerId });
        }
      }
    }
    if (offline.size > 0) context.replicasOnOfflineDirs.set(brokerId, offline);
    else context.replicasOnOfflineDirs.delete(brokerId);
    if (newlyOffline.length > 0) {
      stateChangeLogger.log.info(`${newlyOffline.length} replicas on broker ${brokerId} are on a failed log directory`);
      await this.#onReplicasBecomeOffline(newlyOffline);
    }
  }

  #updateChannels(started: readonly BrokerAndEpoch[], bounced: readonly BrokerAndEpoch[], dead: readonly number[]): void {
    const { channelManager } = this.#parts;
    for (const { broker } of bounced) channelManager.removeBroker(broker.id);
    for (const brokerId of dead) channelManager.removeBroker(brokerId);
    for (const broker of [...started, ...bounced]) this.#openChannel(broker);
  }

  #openChannel({ broker }: BrokerAndEpoch): void {
    const { channelManager, config, logger } = this.#parts;
    const node = nodeOf(broker, config.interBrokerListenerName);
    if (node === undefined)
      logger.error(`broker ${broker.id} has no listener ${config.interBrokerListenerName}: it cannot be told anything`);
    else channelManager.addBroker(node);
  }

  async #processStarted(started: readonly BrokerAndEpoch[]): Promise<void> {
    const { context, stateChangeLogger } = this.#parts;
    context.addLiveBrokers(started);
    for (const { broker, brokerEpoch } of started) {
      stateChangeLogger.record({ kind: 'broker-started', brokerId: broker.id, brokerEpoch, reason: 'it registered in ZooKeeper' });
    }
    await this.#onBrokerStartup(idsOf(started));
  }

  async #processBounced(bounced: readonly BrokerAndEpoch[]): Promise<void> {
    const { context, stateChangeLogger } = this.#parts;
    for (const { broker, brokerEpoch } of bounced) {
      const previousBrokerEpoch = context.brokerEpoch(broker.id) ?? -1;
      const reason = 'it registered again before its absence was noticed';
      stateChangeLogger.record({ kind: 'broker-bounced', brokerId: broker.id, brokerEpoch, previousBrokerEpoch, reason });
    }
    context.removeLiveBrokers(idsOf(bounced));
    await this.#onBrokerFailure(idsOf(bounced));
    context.addLiveBrokers(bounced);
    await this.#onBrokerStartup(idsOf(bounced));
  }

  /** Brokers that were away while there was no controller to see it: the partitions have been settled without them. */
  async processAwayUnseen(brokers: readonly BrokerAndEpoch[]): Promise<void> {
    if (brokers.length === 0) return;
    const { context, stateChangeLogger } = this.#parts;
    context.addLiveBrokers(brokers);
    const reason = 'it registered again while there was no controller: what it led is led by others now';
    for (const { broker, brokerEpoch } of brokers)
      stateChangeLogger.record({ kind: 'broker-bounced', brokerId: broker.id, brokerEpoch, previousBrokerEpoch: -1, reason });
    await this.#onBrokerStartup(idsOf(brokers));
  }

  async #processDead(dead: readonly number[]): Promise<void> {
    const { context, stateChangeLogger } = this.#parts;
    for (const brokerId of dead) {
      const brokerEpoch = context.brokerEpoch(brokerId) ?? -1;
      const reason = context.shuttingDownBrokerIds.has(brokerId)
        ? 'its controlled shutdown ended'
        : 'its registration in ZooKeeper is gone';
      stateChangeLogger.record({ kind: 'broker-failed', brokerId, brokerEpoch, reason });
    }
    context.removeLiveBrokers(dead);
    await this.#onBrokerFailure(dead);
  }

  /** The new broker learns of every partition; its replicas go online; partitions without a leader may have one now. */
  async #onBrokerStartup(brokerIds: readonly number[]): Promise<void> {
    const { context, replicaStateMachine, partitionStateMachine, topicDeletionManager, watches } = this.#parts;
    for (const brokerId of brokerIds) context.replicasOnOfflineDirs.delete(brokerId);
    const others = context.liveOrShuttingDownBrokerIds.filter((brokerId) => !brokerIds.includes(brokerId));
    sendUpdateMetadata(this.#parts, others, []);
    sendFullUpdateMetadata(this.#parts, brokerIds);
    const replicas = context.replicasOnBrokers(brokerIds);
    await replicaStateMachine.handleStateChanges(replicas, 'OnlineReplica');
    await partitionStateMachine.triggerOnlinePartitionStateChange();
    this.#deleteRemovedReplicas(brokerIds);
    await this.#reassignments.resumeOnBrokers(brokerIds);
    const waiting = replicas.filter(({ partition }) => topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic));
    await topicDeletionManager.resumeDeletionForTopics(new Set(waiting.map(({ partition }) => partition.topic)));
    await watches.watchBrokerModifications(brokerIds);
  }

  /**
   * What a reassignment took from these brokers while they couldn't be told. Only where others lead, so that the last copy of anything stays; kept in this controller's
   * memory only. In Kafka, StopReplica is sent once.
   */
  #deleteRemovedReplicas(brokerIds: readonly number[]): void {
    const { context, batch } = this.#parts;
    batch.newBatch();
    for (const brokerId of brokerIds) {
      const removed = context.removedReplicas.get(brokerId);
      for (const partition of removed ?? []) {
        if (partition.assignment.replicas.includes(brokerId)) removed?.delete(partition);
        else if (context.isLiveBroker(partition.leadership?.leaderAndIsr.leader ?? NO_LEADER))
          batch.addStopReplica([brokerId], partition, true);
      }
    }
    batch.sendRequestsToBrokers(context.epoch);
  }

  async #onBrokerFailure(brokerIds: readonly number[]): Promise<void> {
    const { context, watches } = this.#parts;
    for (const brokerId of brokerIds) {
      context.replicasOnOfflineDirs.delete(brokerId);
      context.shuttingDownBrokerIds.delete(brokerId);
    }
    await this.#onReplicasBecomeOffline(context.replicasOnBrokers(brokerIds));
    watches.unwatchBrokerModifications(brokerIds);
  }

  /** New leaders where the leader went, then the replicas out of the ISRs; deletions that need them are halted. */
  async #onReplicasBecomeOffline(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const { context, partitionStateMachine, replicaStateMachine, topicDeletionManager } = this.#parts;
    const deleting = replicas.filter(({ partition }) => topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic));
    const others = replicas.filter(({ partition }) => !topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic));
    await partitionStateMachine.handleStateChanges(context.partitionsWithOfflineLeader(), 'OfflinePartition');
    const elections = await partitionStateMachine.triggerOnlinePartitionStateChange();
    await replicaStateMachine.handleStateChanges(others, 'OfflineReplica');
    await topicDeletionManager.failReplicaDeletion(deleting);
    // Where neither election nor ISR change told the brokers, they still have to learn who is gone.
    if (others.length === 0 && [...elections.values()].every((outcome) => outcome instanceof Error)) {
      sendUpdateMetadata(this.#parts, context.liveOrShuttingDownBrokerIds, []);
    }
  }
}

function idsOf(brokers: readonly BrokerAndEpoch[]): number[] {
  return brokers.map(({ broker }) => broker.id);
}
