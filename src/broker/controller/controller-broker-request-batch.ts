/**
 * Collects what brokers have to be told during one state change and sends it: per broker one LeaderAndIsr (v7; Kafka: always one, here
 * several where many replicas are new), one UpdateMetadata (v8) and one StopReplica (v4), in this order. All that is added must already be in ZooKeeper.
 *
 * LeaderAndIsr goes to the replicas of a partition, UpdateMetadata to every broker. A partition told twice in one batch is
 * told once, with its last state; "new" and "delete" stick. Answers become calls of the handlers given.
 * Source: kafka.controller.AbstractControllerBrokerRequestBatch. Versions are those of inter.broker.protocol.version 3.9.
 */
import { LeaderAndIsr, type LeaderAndIsrPartitionStateInput, type LeaderAndIsrResponse } from '../../protocol/generated/leader-and-isr.ts';
import { StopReplica, type StopReplicaPartitionStateInput, type StopReplicaResponse } from '../../protocol/generated/stop-replica.ts';
import {
  UpdateMetadata,
  type UpdateMetadataBrokerInput,
  type UpdateMetadataPartitionStateInput,
  type UpdateMetadataResponse,
  type UpdateMetadataTopicStateInput,
} from '../../protocol/generated/update-metadata.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { ControlRequestType } from '../control-request-type.ts';
import { SECURITY_PROTOCOL_IDS, type BrokerInfo } from '../zk/broker-info.ts';
import { INITIAL_LEADER_EPOCH, INITIAL_PARTITION_EPOCH, LEADER_DURING_DELETE } from '../zk/leader-and-isr.ts';
import type { ReplicaAssignment } from '../zk/replica-assignment.ts';
import type { ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerContext, ControllerPartition } from './controller-context.ts';
import type { StateChangeLogger } from './state-change-logger.ts';

export const LEADER_AND_ISR_VERSION = 7;
export const UPDATE_METADATA_VERSION = 8;
export const STOP_REPLICA_VERSION = 4;

/**
 * New replicas in one LeaderAndIsr: each is a folder with files that are made on the broker's one event loop, which has heartbeats to send
 * and connections to serve in between. On a slow disk 600 at once took longer than a session.
 */
export const MAX_NEW_REPLICAS = 200;

export interface BrokerResponseHandlers {
  /** `brokerEpoch`: of the broker that was asked. */
  onLeaderAndIsrResponse(response: LeaderAndIsrResponse, brokerId: number, brokerEpoch: number): void;
  onUpdateMetadataResponse(response: UpdateMetadataResponse, brokerId: number): void;
  /** `deleted`: those that the request asked to delete. */
  onStopReplicaResponse(
    response: StopReplicaResponse,
    brokerId: number,
    brokerEpoch: number,
    deleted: ReadonlySet<ControllerPartition>,
  ): void;
}

export interface ControllerBrokerRequestBatchOptions {
  readonly controllerId: number;
  readonly context: ControllerContext;
  readonly channelManager: ControllerChannelManager;
  readonly handlers: BrokerResponseHandlers;
  readonly stateChangeLogger: StateChangeLogger;
  /** Listener on which the replicas fetch from a leader. */
  readonly interBrokerListenerName: string;
}

export class ControllerBrokerRequestBatch {
  readonly #options: ControllerBrokerRequestBatchOptions;
  readonly #leaderAndIsr = new Map<number, Map<ControllerPartition, LeaderAndIsrPartitionStateInput>>();
  readonly #stopReplica = new Map<number, Map<ControllerPartition, StopReplicaPartitionStateInput>>();
  readonly #updateMetadataBrokers = new Set<number>();
  readonly #updateMetadataPartitions = new Map<ControllerPartition, UpdateMetadataPartitionStateInput>();
  #updateMetadataType: ControlRequestType = ControlRequestType.UNKNOWN;

  constructor(options: ControllerBrokerRequestBatchOptions) {
    this.#options = options;
  }

  /** Throws when a batch before was neither sent nor cleared: state changes would be lost. */
  newBatch(): void {
    if (this.#leaderAndIsr.size > 0 || this.#stopReplica.size > 0 || this.#updateMetadataBrokers.size > 0) {
      throw new Error('the batch of requests to brokers is not empty: state changes would be lost');
    }
  }

  clear(): void {
    this.#leaderAndIsr.clear();
    this.#stopReplica.clear();
    this.#updateMetadataBrokers.clear();
    this.#updateMetadataPartitions.clear();
    this.#updateMetadataType = ControlRequestType.UNKNOWN;
  }

  /** Tells `brokerIds` of the partition's current state, and every broker's metadata cache. */
  addLeaderAndIsr(brokerIds: readonly number[], partition: ControllerPartition, assignment: ReplicaAssignment, isNew: boolean): void {
    const { leadership } = partition;
    if (leadership === undefined) return;
    const { leaderAndIsr, controllerEpoch } = leadership;
    for (const brokerId of brokerIds) {
      if (brokerId < 0) continue;
      const states = getOrCreate(this.#leaderAndIsr, brokerId);
      states.set(partition, {
        partitionIndex: partition.partition,
        controllerEpoch,
        leader: leaderAndIsr.leader,
        leaderEpoch: leaderAndIsr.leaderEpoch,
        isr: leaderAndIsr.isr,
        partitionEpoch: leaderAndIsr.partitionEpoch,
        replicas: assignment.replicas,
        addingReplicas: assignment.addingReplicas,
        removingReplicas: assignment.removingReplicas,
        isNew: isNew || states.get(partition)?.isNew === true,
        leaderRecoveryState: leaderAndIsr.leaderRecoveryState,
      });
    }
    this.addUpdateMetadata(this.#options.context.liveOrShuttingDownBrokerIds, [partition]);
  }

  addStopReplica(brokerIds: readonly number[], partition: ControllerPartition, deletePartition: boolean): void {
    const leaderEpoch = this.#options.context.leaderEpochForStop(partition);
    for (const brokerId of brokerIds) {
      if (brokerId < 0) continue;
      const states = getOrCreate(this.#stopReplica, brokerId);
      const alreadyDelete = states.get(partition)?.deletePartition === true;
      states.set(partition, { partitionIndex: partition.partition, leaderEpoch, deletePartition: deletePartition || alreadyDelete });
    }
  }

  /** With no partition: the brokers and the controller only. Partitions without a leader yet are left out. */
  addUpdateMetadata(brokerIds: readonly number[], partitions: Iterable<ControllerPartition>): void {
    for (const brokerId of brokerIds) if (brokerId >= 0) this.#updateMetadataBrokers.add(brokerId);
    for (const partition of partitions) {
      if (partition.leadership !== undefined) this.#updateMetadataPartitions.set(partition, this.#metadataOf(partition));
    }
  }

  /**
   * Every partition that has, or had, a leader. The broker takes what isn't among them for gone: it may have missed that it went. While the state
   * of one cannot be read, or a topic's assignment, which the replicas go on with, it isn't told that these are all.
   */
  addFullUpdateMetadata(brokerIds: readonly number[]): void {
    const { context } = this.#options;
    const partitions = [...context.allPartitions()];
    const isUnreadable =
      partitions.some((partition) => partition.isUnreadable) ||
      [...context.allTopics].some((topic) => context.partitionsForTopic(topic).length === 0);
    if (!isUnreadable) this.#updateMetadataType = ControlRequestType.FULL;
    this.addUpdateMetadata(brokerIds, partitions);
  }

  sendRequestsToBrokers(controllerEpoch: number): void {
    this.#sendLeaderAndIsr(controllerEpoch);
    this.#sendUpdateMetadata(controllerEpoch);
    this.#sendStopReplica(controllerEpoch);
    this.clear();
  }

  #metadataOf(partition: ControllerPartition): UpdateMetadataPartitionStateInput {
    const { context } = this.#options;
    const { leaderAndIsr, controllerEpoch } = partition.leadership!;
    const deleting = context.isTopicQueuedUpForDeletion(partition.topic);
    const { replicas } = partition.assignment;
    return {
      partitionIndex: partition.partition,
      controllerEpoch,
      leader: deleting ? LEADER_DURING_DELETE : leaderAndIsr.leader,
      leaderEpoch: deleting ? INITIAL_LEADER_EPOCH : leaderAndIsr.leaderEpoch,
      isr: leaderAndIsr.isr,
      zkVersion: deleting ? INITIAL_PARTITION_EPOCH : leaderAndIsr.partitionEpoch,
      replicas,
      offlineReplicas: replicas.filter((replica) => !context.isReplicaOnline(replica, partition)),
    };
  }

  #sendLeaderAndIsr(controllerEpoch: number): void {
    const { controllerId, context, channelManager, handlers, stateChangeLogger } = this.#options;
    for (const [brokerId, states] of this.#leaderAndIsr) {
      const brokerEpoch = context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      const becomeLeader = countOf(states.values(), ({ leader }) => leader === brokerId);
      stateChangeLogger.log.debug(
        `sending LeaderAndIsr to broker ${brokerId}: leader of ${becomeLeader}, follower of ${states.size - becomeLeader} partitions`,
      );
      for (const part of partsOf(states)) {
        const leaderIds = new Set(Array.from(part.values(), ({ leader }) => leader));
        const liveLeaders = context.liveOrShuttingDownBrokers
          .filter(({ id }) => leaderIds.has(id))
          .map((broker) => this.#liveLeaderOf(broker));
        const topicStates = Array.from(groupByTopic(part), ([topicName, partitionStates]) => ({
          topicName,
          topicId: context.topicId(topicName) ?? ZERO_UUID,
          partitionStates,
        }));
        const request = { controllerId, controllerEpoch, brokerEpoch, type: ControlRequestType.UNKNOWN, topicStates, liveLeaders };
        channelManager.sendRequest(brokerId, LeaderAndIsr, LEADER_AND_ISR_VERSION, request, (response) =>
          handlers.onLeaderAndIsrResponse(response, brokerId, brokerEpoch),
        );
      }
    }
  }

  #sendUpdateMetadata(controllerEpoch: number): void {
    if (this.#updateMetadataBrokers.size === 0) return;
    const { controllerId, context, channelManager, handlers } = this.#options;
    const topicStates: UpdateMetadataTopicStateInput[] = Array.from(
      groupByTopic(this.#updateMetadataPartitions),
      ([topicName, partitionStates]) => ({ topicName, topicId: context.topicId(topicName) ?? ZERO_UUID, partitionStates }),
    );
    const liveBrokers = context.liveOrShuttingDownBrokers.map(metadataBrokerOf);
    for (const brokerId of this.#updateMetadataBrokers) {
      const brokerEpoch = context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      const request = { controllerId, controllerEpoch, brokerEpoch, type: this.#updateMetadataType, topicStates, liveBrokers };
      channelManager.sendRequest(brokerId, UpdateMetadata, UPDATE_METADATA_VERSION, request, (response) =>
        handlers.onUpdateMetadataResponse(response, brokerId),
      );
    }
  }

  #sendStopReplica(controllerEpoch: number): void {
    const { controllerId, context, channelManager, handlers, stateChangeLogger } = this.#options;
    for (const [brokerId, states] of this.#stopReplica) {
      const brokerEpoch = context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      const deleted = new Set<ControllerPartition>();
      for (const [partition, state] of states) if (state.deletePartition === true) deleted.add(partition);
      const topicStates = Array.from(groupByTopic(states), ([topicName, partitionStates]) => ({ topicName, partitionStates }));
      stateChangeLogger.log.debug(
        `sending StopReplica to broker ${brokerId}: ${states.size} replicas, ${deleted.size} of them to be deleted`,
      );
      const request = { controllerId, controllerEpoch, brokerEpoch, topicStates };
      channelManager.sendRequest(brokerId, StopReplica, STOP_REPLICA_VERSION, request, (response) =>
        handlers.onStopReplicaResponse(response, brokerId, brokerEpoch, deleted),
      );
    }
  }

  #liveLeaderOf(broker: BrokerInfo): { brokerId: number; hostName: string; port: number } {
    const { interBrokerListenerName } = this.#options;
    const endpoint = broker.endpoints.find(({ listenerName }) => listenerName === interBrokerListenerName) ?? broker.endpoints[0];
    return { brokerId: broker.id, hostName: endpoint?.host ?? '', port: endpoint?.port ?? -1 };
  }
}

/** All replicas that are not new together, since a broker that has just started learns from them all which high watermarks are its own. */
function partsOf(
  states: ReadonlyMap<ControllerPartition, LeaderAndIsrPartitionStateInput>,
): Map<ControllerPartition, LeaderAndIsrPartitionStateInput>[] {
  const parts = [new Map<ControllerPartition, LeaderAndIsrPartitionStateInput>()];
  let isFull = false;
  let newCount = 0;
  for (const isNew of [false, true]) {
    for (const [partition, state] of states) {
      if ((state.isNew === true) !== isNew) continue;
      if (isFull) parts.push(new Map());
      parts.at(-1)?.set(partition, state);
      if (isNew) newCount++;
      isFull = isNew && newCount % MAX_NEW_REPLICAS === 0;
    }
  }
  return parts;
}

function metadataBrokerOf(broker: BrokerInfo): UpdateMetadataBrokerInput {
  return {
    id: broker.id,
    endpoints: broker.endpoints.map(({ host, port, listenerName, securityProtocol }) => ({
      host,
      port,
      listener: listenerName,
      securityProtocol: SECURITY_PROTOCOL_IDS[securityProtocol],
    })),
    rack: broker.rack ?? null,
  };
}

function getOrCreate<V>(map: Map<number, Map<ControllerPartition, V>>, brokerId: number): Map<ControllerPartition, V> {
  let found = map.get(brokerId);
  if (found === undefined) {
    found = new Map();
    map.set(brokerId, found);
  }
  return found;
}

function groupByTopic<V>(states: ReadonlyMap<ControllerPartition, V>): Map<string, V[]> {
  const byTopic = new Map<string, V[]>();
  for (const [partition, state] of states) {
    const list = byTopic.get(partition.topic);
    if (list === undefined) byTopic.set(partition.topic, [state]);
    else list.push(state);
  }
  return byTopic;
}

function countOf<V>(values: Iterable<V>, predicate: (value: V) => boolean): number {
  let count = 0;
  for (const value of values) if (predicate(value)) count++;
  return count;
}
