/**
 * Moves partitions to other replicas: asked for by AlterPartitionReassignments or in /admin/reassign_partitions, kept as
 * adding_replicas and removing_replicas in /brokers/topics/T, and so taken up again by whoever is controller next.
 *
 * | phase | what happens                                                                                                 |
 * |-------|--------------------------------------------------------------------------------------------------------------|
 * | U     | replicas that the new assignment lacks lose leadership and leave the ISR; it is written; they are deleted      |
 * | A     | leader epoch + 1 for all replicas, the added ones start; then wait until every target replica is in the ISR    |
 * | B     | the leader moves into the target; removed replicas leave the ISR, are stopped and deleted; the final assignment is written |
 *
 * Every step can be done again: after a failover the phase follows from the assignment and the ISR alone.
 *
 * Differs from Apache Kafka: partitions that move together are written together; an assignment without any member of the ISR is
 * refused, as KRaft does, since what only that ISR has would be deleted; what stands in /admin/reassign_partitions is checked as
 * requests are (but for live brokers), and removed when it can't be read. Source: KafkaController.onPartitionReassignment, KIP-455.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { topicPartitionKey, type TopicPartition } from '../../protocol/topic-partition.ts';
import { NO_LEADER } from '../zk/leader-and-isr.ts';
import {
  EMPTY_REPLICA_ASSIGNMENT,
  isBeingReassigned,
  originReplicas,
  reassignTo,
  replicaAssignmentOf,
  sameAssignment,
  targetReplicas,
  type ReplicaAssignment,
} from '../zk/replica-assignment.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerPartition, PartitionAndReplica } from './controller-context.ts';
import { sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';
import { incrementLeaderEpochs } from './leader-epochs.ts';

/** `replicas`: the target, preferred leader first; null gives up what is under way. */
export interface RequestedReassignment extends TopicPartition {
  readonly replicas: readonly number[] | null;
}

export interface ReassignmentResult extends TopicPartition {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface OngoingReassignment extends TopicPartition {
  readonly assignment: ReplicaAssignment;
}

export interface ReassignmentWatch {
  /** Arms the watch on /admin/reassign_partitions; resolves whether it is there. */
  watchPartitionReassignment(): Promise<boolean>;
}

type Assignments = Map<ControllerPartition, ReplicaAssignment>;
type Outcome = Pick<ReassignmentResult, 'errorCode' | 'errorMessage'>;

const DONE: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null };
const UNKNOWN_PARTITION: Outcome = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: 'The partition does not exist.' };
const NOT_IN_PROGRESS: Outcome = { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null };

export class PartitionReassignments {
  readonly #parts: ControllerParts;
  readonly #watch: ReassignmentWatch;
  readonly #lookAtZNodeLater: () => void;
  /** Going back to where they came from: told already. */
  readonly #givenUp = new WeakSet<ControllerPartition>();

  /** `lookAtZNodeLater` brings `processZNode` about, in an event of its own. */
  constructor(parts: ControllerParts, watch: ReassignmentWatch, lookAtZNodeLater: () => void) {
    this.#parts = parts;
    this.#watch = watch;
    this.#lookAtZNodeLater = lookAtZNodeLater;
  }

  /**
   * Starts, changes or gives up reassignments. Error codes per partition: UNKNOWN_TOPIC_OR_PARTITION (also while its topic is being
   * deleted), INVALID_REPLICA_ASSIGNMENT, NO_REASSIGNMENT_IN_PROGRESS, UNKNOWN_SERVER_ERROR. The last entry of a partition counts.
   */
  async alter(requested: Iterable<RequestedReassignment>): Promise<ReassignmentResult[]> {
    const { context } = this.#parts;
    const results = new Map<string, ReassignmentResult>();
    const accepted: Assignments = new Map();
    for (const request of lastOfEach(requested)) {
      const next = this.#assignmentFor(request, context.liveBrokerIds);
      const partition = context.partition(request.topic, request.partition);
      if ('errorCode' in next) results.set(topicPartitionKey(request), resultOf(request, next));
      else if (partition === undefined) results.set(topicPartitionKey(request), resultOf(request, UNKNOWN_PARTITION));
      else accepted.set(partition, next);
    }
    // The newest request counts, whichever way it came.
    const keys = new Set(Array.from(accepted.keys(), ({ name }) => name));
    await this.#removeFromZNode((reassignment) => keys.has(topicPartitionKey(reassignment)));
    const failures = await this.#reassign(accepted);
    for (const partition of accepted.keys()) results.set(partition.name, resultOf(partition, failures.get(partition) ?? DONE));
    return [...results.values()];
  }

  /** Those under way; `asked` restricts them. */
  list(asked?: readonly TopicPartition[]): OngoingReassignment[] {
    const { context } = this.#parts;
    const partitions =
      asked === undefined
        ? [...context.partitionsBeingReassigned]
        : asked.map(({ topic, partition }) => context.partition(topic, partition));
    return partitions
      .filter((partition) => partition !== undefined)
      .filter(({ assignment }) => isBeingReassigned(assignment))
      .map(({ topic, partition, assignment }) => ({ topic, partition, assignment }));
  }

  /** At failover: what is asked for in ZooKeeper, then all that was under way. */
  async resumeAll(): Promise<void> {
    const started = await this.processZNode();
    await this.#resume((partition) => !started.has(partition));
  }

  /** Brokers have (re)started: reassignments to them go on. */
  async resumeOnBrokers(brokerIds: readonly number[]): Promise<void> {
    await this.#resume(({ assignment }) => targetReplicas(assignment).some((replica) => brokerIds.includes(replica)));
  }

  /** ISRs have changed: finishes those whose target replicas are all in sync. */
  async completeWhatIsInSync(): Promise<void> {
    // By what is in memory, to read few; what is in ZooKeeper decides.
    await this.#resume(({ assignment, leadership }) => isComplete(assignment, leadership?.leaderAndIsr.isr ?? []));
  }

  /** Starts what /admin/reassign_partitions asks for and takes out of it what can't be done. Returns the partitions started. */
  async processZNode(): Promise<ReadonlySet<ControllerPartition>> {
    const { zk, context, logger } = this.#parts;
    if (!(await this.#watch.watchPartitionReassignment())) return new Set();
    const accepted: Assignments = new Map();
    const refused = new Map<string, Outcome>();
    for (const request of lastOfEach((await zk.controller.findReassignments()) ?? [])) {
      const next = this.#assignmentFor(request);
      const partition = context.partition(request.topic, request.partition);
      if ('errorCode' in next) refused.set(topicPartitionKey(request), next);
      else if (partition === undefined) refused.set(topicPartitionKey(request), UNKNOWN_PARTITION);
      else accepted.set(partition, next);
    }
    for (const [{ name }, failure] of await this.#reassign(accepted)) refused.set(name, failure);
    for (const [name, { errorCode, errorMessage }] of refused) {
      logger.warn(`forgetting the reassignment of ${name} in /admin/reassign_partitions (code ${errorCode}): ${errorMessage ?? ''}`);
    }
    // Also when nothing was refused: a node that is empty or can't be read would stay for ever.
    if (refused.size > 0 || accepted.size === 0)
      await this.#removeFromZNode((reassignment) => refused.has(topicPartitionKey(reassignment)));
    return new Set([...accepted.keys()].filter(({ name }) => !refused.has(name)));
  }

  /** The assignment that a request leads to, or why it can't be. `liveBrokerIds`: added replicas must be among them. */
  #assignmentFor({ topic, partition, replicas }: RequestedReassignment, liveBrokerIds?: readonly number[]): ReplicaAssignment | Outcome {
    const known = this.#parts.context.partition(topic, partition);
    const current = known?.assignment ?? EMPTY_REPLICA_ASSIGNMENT;
    if (replicas === null) {
      if (!isBeingReassigned(current)) return NOT_IN_PROGRESS;
    } else {
      const problem = problemOf(replicas, current, liveBrokerIds);
      if (problem !== undefined) return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: problem };
    }
    const next = reassignTo(current, replicas ?? originReplicas(current));
    const isr = known?.leadership?.leaderAndIsr.isr ?? [];
    if (isr.length > 0 && !isr.some((replica) => next.replicas.includes(replica))) {
      const errorMessage = `The ISR [${isr.join(',')}] of ${topic}-${partition} has no member in [${next.replicas.join(',')}]: its leader would have to be elected unclean.`;
      return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage };
    }
    return next;
  }

  async #resume(matches: (partition: ControllerPartition) => boolean): Promise<void> {
    const { context, logger } = this.#parts;
    const partitions = [...context.partitionsBeingReassigned].filter((partition) => matches(partition));
    if (partitions.length === 0) return;
    const failures = await this.#onPartitionReassignment(new Map(partitions.map((partition) => [partition, partition.assignment])));
    for (const [{ name }, { errorMessage }] of failures) logger.error(`the reassignment of ${name} could not go on: ${errorMessage ?? ''}`);
  }

  /** Those that failed, with the reason. */
  async #reassign(assignments: Assignments): Promise<Map<ControllerPartition, Outcome>> {
    const failures = new Map<ControllerPartition, Outcome>();
    const toStart: Assignments = new Map();
    for (const [partition, assignment] of assignments) {
      if (this.#parts.topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic)) failures.set(partition, UNKNOWN_PARTITION);
      else toStart.set(partition, assignment);
    }
    for (const [partition, failure] of await this.#onPartitionReassignment(toStart)) failures.set(partition, failure);
    return failures;
  }

  async #onPartitionReassignment(assignments: Assignments): Promise<Map<ControllerPartition, Outcome>> {
    const failures = new Map<ControllerPartition, Outcome>();
    if (assignments.size === 0) return failures;
    const { logger } = this.#parts;
    let current: ControllerPartition[] = [];
    try {
      current = await this.#updateAssignments(assignments, failures);
      const complete = new Set(await this.#completeOf(current));
      const waiting = current.filter((partition) => !complete.has(partition));
      if (waiting.length > 0) await this.#startAddedReplicas(waiting);
      if (complete.size > 0) await this.#complete([...complete], failures);
    } catch (error) {
      if (error instanceof ControllerMovedError) throw error;
      logger.error({ err: error }, `reassigning ${assignments.size} partitions failed`);
      for (const partition of assignments.keys()) if (!failures.has(partition)) failures.set(partition, unexpected(error));
    }
    return failures;
  }

  /** Phase U; returns the partitions that are under way with what was asked. */
  async #updateAssignments(assignments: Assignments, failures: Map<ControllerPartition, Outcome>): Promise<ControllerPartition[]> {
    const { context } = this.#parts;
    const before: Assignments = new Map();
    const unneeded: PartitionAndReplica[] = [];
    for (const [partition, next] of assignments) {
      const { assignment } = partition;
      if (sameAssignment(assignment, next)) continue;
      before.set(partition, assignment);
      for (const replica of assignment.replicas) if (!next.replicas.includes(replica)) unneeded.push({ partition, replica });
      partition.assignment = next;
    }
    // Before the assignment is written: the next controller would not know of a member of the ISR that is no replica any more.
    await this.#leaveIsr(unneeded);
    const changed: Assignments = new Map(Array.from(before.keys(), (partition) => [partition, partition.assignment]));
    await this.#writeAssignments(changed, failures);
    for (const [partition, assignment] of before) {
      if (failures.has(partition)) partition.assignment = assignment;
      else this.#recordStart(partition, assignment);
    }
    const isUndone = ({ partition }: PartitionAndReplica): boolean => failures.has(partition);
    await this.#parts.replicaStateMachine.handleStateChanges(unneeded.filter(isUndone), 'OnlineReplica');
    await this.#deleteReplicas(unneeded.filter((replica) => !isUndone(replica)));
    const current = [...assignments.keys()].filter((partition) => !failures.has(partition));
    for (const partition of current) context.partitionsBeingReassigned.add(partition);
    return current;
  }

  /** Those whose target replicas are all in the ISR, by ZooKeeper. */
  async #completeOf(partitions: readonly ControllerPartition[]): Promise<ControllerPartition[]> {
    const complete = partitions.filter(({ assignment }) => !isBeingReassigned(assignment));
    const moving = partitions.filter(({ assignment }) => isBeingReassigned(assignment));
    for (const [partition, state] of await this.#parts.zk.topics.getPartitionStates(moving)) {
      if (state === undefined || state instanceof Error) continue;
      if (isComplete(partition.assignment, state.leaderAndIsr.isr)) complete.push(partition);
    }
    return complete;
  }

  /** Phase A. Replicas that are added hear of it as new ones, once; those that know the partition by the next epoch. */
  async #startAddedReplicas(partitions: readonly ControllerPartition[]): Promise<void> {
    await this.#sendNextEpoch(partitions, (partition, replica) => partition.replicaState(replica) !== 'NonExistentReplica');
    const added = partitions.flatMap((partition) =>
      partition.assignment.addingReplicas
        .filter((replica) => partition.replicaState(replica) === 'NonExistentReplica')
        .map((replica) => ({ partition, replica })),
    );
    await this.#parts.replicaStateMachine.handleStateChanges(added, 'NewReplica');
  }

  /** Phase B. */
  async #complete(partitions: readonly ControllerPartition[], failures: Map<ControllerPartition, Outcome>): Promise<void> {
    const { context, replicaStateMachine } = this.#parts;
    const added = partitions.flatMap((partition) => partition.assignment.addingReplicas.map((replica) => ({ partition, replica })));
    await replicaStateMachine.handleStateChanges(added, 'OnlineReplica');
    const removed = partitions.flatMap((partition) => partition.assignment.removingReplicas.map((replica) => ({ partition, replica })));
    for (const partition of partitions) partition.assignment = replicaAssignmentOf(targetReplicas(partition.assignment));
    await this.#moveLeaders(partitions);
    await this.#leaveIsr(removed);
    await this.#deleteReplicas(removed);
    await this.#writeAssignments(new Map(partitions.map((partition) => [partition, partition.assignment])), failures);
    const finished = partitions.filter((partition) => !failures.has(partition));
    const names = new Set(finished.map(({ name }) => name));
    await this.#removeFromZNode(({ topic, partition, replicas }) => {
      const assignment = context.partition(topic, partition)?.assignment;
      return names.has(topicPartitionKey({ topic, partition })) && assignment !== undefined && sameReplicas(assignment.replicas, replicas);
    });
    for (const partition of finished) {
      context.partitionsBeingReassigned.delete(partition);
      this.#recordEnd(partition);
    }
    // ISRs and replicas are others than those that the election told of.
    sendUpdateMetadata(this.#parts, context.liveOrShuttingDownBrokerIds, finished);
  }

  /** A leader that is no target replica, or dead, is replaced; any other goes on under the next epoch with the final replicas. */
  async #moveLeaders(partitions: readonly ControllerPartition[]): Promise<void> {
    const { context, partitionStateMachine } = this.#parts;
    const stays = (partition: ControllerPartition): boolean => {
      const leader = partition.leadership?.leaderAndIsr.leader ?? NO_LEADER;
      return partition.assignment.replicas.includes(leader) && context.isReplicaOnline(leader, partition);
    };
    const toElect = partitions.filter((partition) => !stays(partition));
    await partitionStateMachine.handleStateChanges(toElect, 'OnlinePartition', { kind: 'reassign' });
    await this.#sendNextEpoch(partitions.filter(stays), () => true);
  }

  async #sendNextEpoch(
    partitions: readonly ControllerPartition[],
    isTold: (partition: ControllerPartition, replica: number) => boolean,
  ): Promise<void> {
    if (partitions.length === 0) return;
    const { batch, context } = this.#parts;
    const moved = await incrementLeaderEpochs(this.#parts, partitions);
    batch.newBatch();
    for (const partition of moved) {
      const recipients = partition.assignment.replicas.filter((replica) => isTold(partition, replica));
      batch.addLeaderAndIsr(recipients, partition, partition.assignment, false);
    }
    batch.sendRequestsToBrokers(context.epoch);
  }

  /** Stopped, and out of the ISR; what they lead goes to another replica first. */
  async #leaveIsr(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const { partitionStateMachine, replicaStateMachine } = this.#parts;
    const leaderOf = ({ leadership }: ControllerPartition): number => leadership?.leaderAndIsr.leader ?? NO_LEADER;
    const led = replicas.filter(({ partition, replica }) => leaderOf(partition) === replica).map(({ partition }) => partition);
    await partitionStateMachine.handleStateChanges(led, 'OnlinePartition', { kind: 'reassign' });
    await replicaStateMachine.handleStateChanges(replicas, 'OfflineReplica');
    // Nobody could be elected: whoever of the ISR starts next is.
    const leaderless = led.filter((partition) => leaderOf(partition) === NO_LEADER);
    await partitionStateMachine.handleStateChanges(leaderless, 'OfflinePartition');
  }

  /** Deleted and forgotten; nobody waits for the answer, as in Kafka. A broker that can't be told now is told when it is back. */
  async #deleteReplicas(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const { removedReplicas } = this.#parts.context;
    for (const { partition, replica } of replicas) {
      const ofBroker = removedReplicas.get(replica);
      if (ofBroker === undefined) removedReplicas.set(replica, new Set([partition]));
      else ofBroker.add(partition);
    }
    for (const state of ['ReplicaDeletionStarted', 'ReplicaDeletionSuccessful', 'NonExistentReplica'] as const) {
      await this.#parts.replicaStateMachine.handleStateChanges(replicas, state);
    }
  }

  async #writeAssignments(assignments: Assignments, failures: Map<ControllerPartition, Outcome>): Promise<void> {
    const { zk, context } = this.#parts;
    const byTopic = Map.groupBy(assignments.keys(), ({ topic }) => topic);
    const failed = await zk.topics.updateAssignments(
      byTopic.keys(),
      (topic, { topicId, partitions }) => {
        const changed = new Map(partitions);
        for (const partition of byTopic.get(topic) ?? [])
          changed.set(partition.partition, assignments.get(partition) ?? partition.assignment);
        return { topicId, partitions: changed };
      },
      context.epochZkVersion,
    );
    for (const [topic, error] of failed) for (const partition of byTopic.get(topic) ?? []) failures.set(partition, unexpected(error));
  }

  async #removeFromZNode(
    shouldRemove: (reassignment: TopicPartition & { readonly replicas: readonly number[] }) => boolean,
  ): Promise<void> {
    const { zk, context } = this.#parts;
    const existing = await zk.controller.findReassignments();
    if (existing === undefined) return;
    const rest = existing.filter((reassignment) => !shouldRemove(reassignment));
    if (rest.length > 0 && rest.length === existing.length) return;
    await zk.controller.setReassignments(rest, context.epochZkVersion);
    // Whoever asks next makes the node anew: the watch must be there.
    if (rest.length === 0) this.#lookAtZNodeLater();
  }

  #recordStart(partition: ControllerPartition, before: ReplicaAssignment): void {
    const { assignment, topic, partition: index } = partition;
    const { addingReplicas, removingReplicas } = assignment;
    const fields = { topic, partition: index, replicas: targetReplicas(assignment), addingReplicas, removingReplicas };
    if (isBeingReassigned(before) && !isBeingReassigned(assignment)) {
      const reason = `its move to [${targetReplicas(before).join(',')}] was given up`;
      this.#givenUp.add(partition);
      this.#parts.stateChangeLogger.record({ kind: 'reassignment-cancelled', ...fields, reason });
    } else {
      const was = isBeingReassigned(before) ? `instead of the move to [${targetReplicas(before).join(',')}]` : 'asked for';
      const reason = `${was}; it was on [${originReplicas(before).join(', ')}]`;
      this.#parts.stateChangeLogger.record({ kind: 'reassignment-started', ...fields, reason });
    }
  }

  #recordEnd(finished: ControllerPartition): void {
    if (this.#givenUp.delete(finished)) return;
    const { topic, partition, assignment, leadership } = finished;
    const reason = `its replicas are [${assignment.replicas.join(',')}], in sync [${leadership?.leaderAndIsr.isr.join(',') ?? ''}]`;
    this.#parts.stateChangeLogger.record({ kind: 'reassignment-completed', topic, partition, replicas: assignment.replicas, reason });
  }
}

function isComplete(assignment: ReplicaAssignment, isr: readonly number[]): boolean {
  return !isBeingReassigned(assignment) || targetReplicas(assignment).every((replica) => isr.includes(replica));
}

function problemOf(replicas: readonly number[], current: ReplicaAssignment, liveBrokerIds?: readonly number[]): string | undefined {
  const list = replicas.join(',');
  if (replicas.length === 0) return 'Empty replica list specified in partition reassignment.';
  if (new Set(replicas).size !== replicas.length) return `Duplicate replica ids in partition reassignment replica list: ${list}`;
  if (replicas.some((replica) => replica < 0)) return `Invalid broker id in replica list: ${list}`;
  if (liveBrokerIds === undefined) return undefined;
  const { addingReplicas } = reassignTo(current, replicas);
  if (addingReplicas.every((replica) => liveBrokerIds.includes(replica))) return undefined;
  return `Replica assignment has brokers that are not alive. Replica list: ${addingReplicas.join(',')}, live broker list: ${liveBrokerIds.join(',')}`;
}

function lastOfEach<R extends TopicPartition>(requests: Iterable<R>): Iterable<R> {
  return new Map(Array.from(requests, (request) => [topicPartitionKey(request), request])).values();
}

function sameReplicas(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((replica, index) => replica === b[index]);
}

function resultOf({ topic, partition }: TopicPartition, outcome: Outcome): ReassignmentResult {
  return { topic, partition, ...outcome };
}

function unexpected(error: unknown): Outcome {
  return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: error instanceof Error ? error.message : String(error) };
}
