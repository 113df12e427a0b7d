/**
 * What the controller knows of the cluster: brokers with their epochs, topics, assignments, leaders, states of partitions and
 * replicas, deletions and reassignments under way. Filled from ZooKeeper when coming to office, emptied when leaving it.
 *
 * One object per partition, which the state machines pass around: within one term of office, a partition is its object.
 * Only the event being processed touches it. Source: kafka.controller.ControllerContext.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { BrokerAndEpoch, BrokerInfo } from '../zk/broker-info.ts';
import { EPOCH_DURING_DELETE, NO_EPOCH, type LeaderIsrAndControllerEpoch } from '../zk/leader-and-isr.ts';
import { EMPTY_REPLICA_ASSIGNMENT, isBeingReassigned, type ReplicaAssignment } from '../zk/replica-assignment.ts';
import type { PartitionState, ReplicaState } from './states.ts';

export class ControllerPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  assignment: ReplicaAssignment = EMPTY_REPLICA_ASSIGNMENT;
  /** undefined until the state znode is made. */
  leadership: LeaderIsrAndControllerEpoch | undefined = undefined;
  /** Its state znode is there and can't be read: nothing follows from that it has no `leadership`. */
  isUnreadable = false;
  state: PartitionState = 'NonExistentPartition';
  /** By broker id; a replica that is missing is NonExistentReplica. */
  readonly replicaStates = new Map<number, ReplicaState>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** `topic-partition`, as Kafka prints it. */
  get name(): string {
    return `${this.topic}-${this.partition}`;
  }

  replicaState(replica: number): ReplicaState {
    return this.replicaStates.get(replica) ?? 'NonExistentReplica';
  }
}

export interface PartitionAndReplica {
  readonly partition: ControllerPartition;
  /** Broker id. */
  readonly replica: number;
}

/** Figures of the controller's metrics. */
export interface ControllerCounts {
  readonly offlinePartitions: number;
  readonly preferredReplicaImbalance: number;
  readonly globalTopics: number;
  readonly globalPartitions: number;
  readonly topicsToDelete: number;
  readonly replicasToDelete: number;
  readonly ineligibleTopicsToDelete: number;
  readonly ineligibleReplicasToDelete: number;
  readonly activeBrokers: number;
}

export class ControllerContext {
  epoch = 0;
  epochZkVersion = 0;
  readonly shuttingDownBrokerIds = new Set<number>();
  readonly #liveBrokers = new Map<number, BrokerAndEpoch>();

  readonly #topics = new Map<string, Map<number, ControllerPartition>>();
  readonly #topicIds = new Map<string, string>();
  readonly #topicNames = new Map<string, string>();

  /** Partitions on failed log dirs, by broker. */
  readonly replicasOnOfflineDirs = new Map<number, Set<ControllerPartition>>();
  readonly partitionsBeingReassigned = new Set<ControllerPartition>();
  /** By broker: replicas that a reassignment took away, until the broker has said that it deleted them. */
  readonly removedReplicas = new Map<number, Set<ControllerPartition>>();

  readonly topicsToBeDeleted = new Set<string>();
  readonly topicsWithDeletionStarted = new Set<string>();
  /** Those of them that can't be deleted now, with the reason. */
  readonly topicsIneligibleForDeletion = new Map<string, string>();

  // Brokers

  setLiveBrokers(brokers: Iterable<BrokerAndEpoch>): void {
    this.#liveBrokers.clear();
    this.addLiveBrokers(brokers);
  }

  addLiveBrokers(brokers: Iterable<BrokerAndEpoch>): void {
    for (const broker of brokers) this.#liveBrokers.set(broker.broker.id, broker);
  }

  removeLiveBrokers(brokerIds: Iterable<number>): void {
    for (const brokerId of brokerIds) this.#liveBrokers.delete(brokerId);
  }

  /** New endpoints or features of a live broker; its epoch stays. */
  updateBrokerMetadata(broker: BrokerInfo): void {
    const live = this.#liveBrokers.get(broker.id);
    if (live !== undefined) this.#liveBrokers.set(broker.id, { broker, brokerEpoch: live.brokerEpoch });
  }

  get liveOrShuttingDownBrokers(): readonly BrokerInfo[] {
    return Array.from(this.#liveBrokers.values(), ({ broker }) => broker);
  }

  get liveOrShuttingDownBrokerIds(): number[] {
    return [...this.#liveBrokers.keys()];
  }

  get liveBrokerIds(): number[] {
    return this.liveOrShuttingDownBrokerIds.filter((brokerId) => !this.shuttingDownBrokerIds.has(brokerId));
  }

  liveOrShuttingDownBroker(brokerId: number): BrokerInfo | undefined {
    return this.#liveBrokers.get(brokerId)?.broker;
  }

  /** undefined when the broker is not registered. */
  brokerEpoch(brokerId: number): number | undefined {
    return this.#liveBrokers.get(brokerId)?.brokerEpoch;
  }

  isLiveBroker(brokerId: number): boolean {
    return this.#liveBrokers.has(brokerId) && !this.shuttingDownBrokerIds.has(brokerId);
  }

  isReplicaOnline(brokerId: number, partition: ControllerPartition, includeShuttingDownBrokers = false): boolean {
    const brokerOnline = includeShuttingDownBrokers ? this.#liveBrokers.has(brokerId) : this.isLiveBroker(brokerId);
    return brokerOnline && this.replicasOnOfflineDirs.get(brokerId)?.has(partition) !== true;
  }

  // Topics and partitions

  get allTopics(): ReadonlySet<string> {
    return new Set(this.#topics.keys());
  }

  hasTopic(topic: string): boolean {
    return this.#topics.has(topic);
  }

  addTopic(topic: string, topicId: string | undefined): void {
    if (!this.#topics.has(topic)) this.#topics.set(topic, new Map());
    if (topicId === undefined) return;
    const existing = this.#topicIds.get(topic);
    if (existing !== undefined && existing !== topicId) {
      throw new Error(`topic ${topic} has the id ${existing}: it cannot become ${topicId}`);
    }
    this.#topicIds.set(topic, topicId);
    this.#topicNames.set(topicId, topic);
  }

  removeTopic(topic: string): void {
    this.topicsToBeDeleted.delete(topic);
    this.topicsWithDeletionStarted.delete(topic);
    this.topicsIneligibleForDeletion.delete(topic);
    const topicId = this.#topicIds.get(topic);
    if (topicId !== undefined) this.#topicNames.delete(topicId);
    this.#topicIds.delete(topic);
    for (const partition of this.partitionsForTopic(topic)) {
      this.partitionsBeingReassigned.delete(partition);
      for (const offline of this.replicasOnOfflineDirs.values()) offline.delete(partition);
      for (const removed of this.removedReplicas.values()) removed.delete(partition);
    }
    this.#topics.delete(topic);
  }

  topicId(topic: string): string | undefined {
    return this.#topicIds.get(topic);
  }

  topicName(topicId: string): string | undefined {
    return this.#topicNames.get(topicId);
  }

  partition(topic: string, partition: number): ControllerPartition | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  /** The partition's object, made when new; the topic must be known. */
  getOrCreatePartition(topic: string, partition: number): ControllerPartition {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw new Error(`topic ${topic} is not known to the controller`);
    let found = partitions.get(partition);
    if (found === undefined) {
      found = new ControllerPartition(topic, partition);
      partitions.set(partition, found);
    }
    return found;
  }

  *allPartitions(): Generator<ControllerPartition> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }

  partitionsForTopic(topic: string): ControllerPartition[] {
    return [...(this.#topics.get(topic)?.values() ?? [])];
  }

  partitionsOnBroker(brokerId: number): ControllerPartition[] {
    return [...this.allPartitions()].filter((partition) => partition.assignment.replicas.includes(brokerId));
  }

  partitionsInStates(...states: readonly PartitionState[]): ControllerPartition[] {
    return [...this.allPartitions()].filter((partition) => states.includes(partition.state));
  }

  partitionsWithLeaders(): ControllerPartition[] {
    return [...this.allPartitions()].filter(
      (partition) => partition.leadership !== undefined && !this.isTopicQueuedUpForDeletion(partition.topic),
    );
  }

  partitionsWithOfflineLeader(): ControllerPartition[] {
    return this.partitionsWithLeaders().filter(
      (partition) => partition.leadership !== undefined && !this.isReplicaOnline(partition.leadership.leaderAndIsr.leader, partition),
    );
  }

  /** Partitions of more than one replica that the broker leads. */
  partitionLeadersOnBroker(brokerId: number): ControllerPartition[] {
    return this.partitionsWithLeaders().filter(
      (partition) => partition.leadership?.leaderAndIsr.leader === brokerId && partition.assignment.replicas.length > 1,
    );
  }

  /** The leader epoch that StopReplica carries. */
  leaderEpochForStop(partition: ControllerPartition): number {
    if (this.isTopicQueuedUpForDeletion(partition.topic)) return EPOCH_DURING_DELETE;
    return partition.leadership?.leaderAndIsr.leaderEpoch ?? NO_EPOCH;
  }

  // Replicas

  replicasOf(partitions: Iterable<ControllerPartition>): PartitionAndReplica[] {
    const replicas: PartitionAndReplica[] = [];
    for (const partition of partitions) for (const replica of partition.assignment.replicas) replicas.push({ partition, replica });
    return replicas;
  }

  replicasForTopic(topic: string): PartitionAndReplica[] {
    return this.replicasOf(this.partitionsForTopic(topic));
  }

  replicasOnBrokers(brokerIds: readonly number[]): PartitionAndReplica[] {
    return this.replicasOf(this.allPartitions()).filter(({ replica }) => brokerIds.includes(replica));
  }

  replicasInState(topic: string, state: ReplicaState): PartitionAndReplica[] {
    return this.replicasForTopic(topic).filter(({ partition, replica }) => partition.replicaState(replica) === state);
  }

  areAllReplicasInState(topic: string, state: ReplicaState): boolean {
    return this.replicasForTopic(topic).every(({ partition, replica }) => partition.replicaState(replica) === state);
  }

  isAnyReplicaInState(topic: string, state: ReplicaState): boolean {
    return this.replicasForTopic(topic).some(({ partition, replica }) => partition.replicaState(replica) === state);
  }

  // Deletion

  /** The topics go as they are; true when partitions of them were being reassigned. */
  endReassignmentsOf(topics: ReadonlySet<string>): boolean {
    const ended = [...this.partitionsBeingReassigned].filter(({ topic }) => topics.has(topic));
    for (const partition of ended) this.partitionsBeingReassigned.delete(partition);
    return ended.length > 0;
  }

  isTopicQueuedUpForDeletion(topic: string): boolean {
    return this.topicsToBeDeleted.has(topic);
  }

  isTopicDeletionInProgress(topic: string): boolean {
    return this.topicsWithDeletionStarted.has(topic);
  }

  counts(): ControllerCounts {
    let offlinePartitions = 0;
    let preferredReplicaImbalance = 0;
    let globalPartitions = 0;
    let replicasToDelete = 0;
    let ineligibleReplicasToDelete = 0;
    for (const partition of this.allPartitions()) {
      if (partition.leadership !== undefined) globalPartitions++;
      if (this.isTopicQueuedUpForDeletion(partition.topic)) {
        for (const replica of partition.assignment.replicas) {
          const state = partition.replicaState(replica);
          if (state !== 'ReplicaDeletionSuccessful') replicasToDelete++;
          if (state === 'ReplicaDeletionIneligible') ineligibleReplicasToDelete++;
        }
        continue;
      }
      if (partition.state === 'OfflinePartition') offlinePartitions++;
      if (!hasPreferredLeader(partition)) preferredReplicaImbalance++;
    }
    return {
      offlinePartitions,
      preferredReplicaImbalance,
      globalTopics: this.#topics.size,
      globalPartitions,
      topicsToDelete: this.topicsToBeDeleted.size,
      replicasToDelete,
      ineligibleTopicsToDelete: this.topicsIneligibleForDeletion.size,
      ineligibleReplicasToDelete,
      activeBrokers: this.#liveBrokers.size,
    };
  }

  reset(): void {
    this.epoch = 0;
    this.epochZkVersion = 0;
    this.shuttingDownBrokerIds.clear();
    this.#liveBrokers.clear();
    this.#topics.clear();
    this.#topicIds.clear();
    this.#topicNames.clear();
    this.replicasOnOfflineDirs.clear();
    this.partitionsBeingReassigned.clear();
    this.removedReplicas.clear();
    this.topicsToBeDeleted.clear();
    this.topicsWithDeletionStarted.clear();
    this.topicsIneligibleForDeletion.clear();
  }
}

function hasPreferredLeader({ assignment, leadership }: ControllerPartition): boolean {
  const preferred = assignment.replicas[0];
  if (preferred === undefined || leadership === undefined) return true;
  if (isBeingReassigned(assignment) && assignment.addingReplicas.includes(preferred)) {
    return !leadership.leaderAndIsr.isr.includes(preferred);
  }
  return leadership.leaderAndIsr.leader === preferred;
}
