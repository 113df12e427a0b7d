/**
 * Moves replicas between their states (see `states.ts`).
 *
 * | to                        | what happens                                                                                |
 * |---------------------------|---------------------------------------------------------------------------------------------|
 * | NewReplica                | LeaderAndIsr ("new") to the replica when the partition has a leader                          |
 * | OnlineReplica             | LeaderAndIsr to the replica, unless it was New                                               |
 * | OfflineReplica            | StopReplica; out of the ISR in ZooKeeper (the last member stays); LeaderAndIsr to the others  |
 * | ReplicaDeletionStarted    | StopReplica with deletion                                                                    |
 * | ReplicaDeletionSuccessful,| nothing but memory                                                                           |
 * | ReplicaDeletionIneligible |                                                                                              |
 * | NonExistentReplica        | out of the assignment in memory                                                              |
 *
 * A replica that goes offline and led its partition leaves it without a leader (-1): electing comes before this.
 * Source: kafka.controller.ZkReplicaStateMachine.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { newLeaderAndIsr, NO_LEADER, type LeaderAndIsr } from '../zk/leader-and-isr.ts';
import { removeReplica } from '../zk/replica-assignment.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerContext, ControllerPartition, PartitionAndReplica } from './controller-context.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import { VALID_PREVIOUS_REPLICA_STATES, type ReplicaState } from './states.ts';

/** Removals from the ISR lost to a concurrent write are repeated so often. */
const MAX_ISR_ATTEMPTS = 100;

export interface ReplicaStateMachineOptions {
  readonly context: ControllerContext;
  readonly zk: KafkaZkClient;
  readonly batch: ControllerBrokerRequestBatch;
  readonly stateChangeLogger: StateChangeLogger;
  readonly logger: Logger;
}

export class ReplicaStateMachine {
  readonly #options: ReplicaStateMachineOptions;

  constructor(options: ReplicaStateMachineOptions) {
    this.#options = options;
  }

  /** Takes each replica's state from who is alive, and tells every live broker of its replicas, and of all that there is. */
  async startup(): Promise<void> {
    const { context } = this.#options;
    const online: PartitionAndReplica[] = [];
    const offline: PartitionAndReplica[] = [];
    for (const replica of context.replicasOf(context.allPartitions())) {
      const isOnline = context.isReplicaOnline(replica.replica, replica.partition);
      // Ineligible is the right start for the dead: deletion is tried again when their broker returns.
      replica.partition.replicaStates.set(replica.replica, isOnline ? 'OnlineReplica' : 'ReplicaDeletionIneligible');
      (isOnline ? online : offline).push(replica);
    }
    await this.handleStateChanges(online, 'OnlineReplica', { isFull: true });
    await this.handleStateChanges(offline, 'OfflineReplica');
  }

  /** @param isFull UpdateMetadata names every partition, and says so: brokers forget the rest. */
  async handleStateChanges(replicas: readonly PartitionAndReplica[], target: ReplicaState, { isFull = false } = {}): Promise<void> {
    if (replicas.length === 0 && !isFull) return;
    const { batch, context, logger } = this.#options;
    batch.newBatch();
    if (isFull) batch.addFullUpdateMetadata(context.liveOrShuttingDownBrokerIds);
    try {
      for (const [brokerId, ofBroker] of groupByBroker(replicas)) {
        const valid = ofBroker.filter((partition) => this.#isValidTransition(partition, brokerId, target));
        await this.#doHandleStateChanges(brokerId, valid, target);
      }
    } catch (error) {
      if (error instanceof ControllerMovedError) {
        batch.clear();
        throw error;
      }
      logger.error({ err: error }, `moving ${replicas.length} replicas to ${target} failed`);
    }
    // Also after a failure: what was added is in ZooKeeper, and brokers that miss it would never hear of it again.
    batch.sendRequestsToBrokers(context.epoch);
  }

  async #doHandleStateChanges(brokerId: number, partitions: readonly ControllerPartition[], target: ReplicaState): Promise<void> {
    switch (target) {
      case 'NewReplica':
        for (const partition of partitions) this.#toNewReplica(partition, brokerId);
        return;
      case 'OnlineReplica':
        for (const partition of partitions) this.#toOnlineReplica(partition, brokerId);
        return;
      case 'OfflineReplica':
        return this.#toOfflineReplica(brokerId, partitions);
      case 'ReplicaDeletionStarted':
        for (const partition of partitions) {
          partition.replicaStates.set(brokerId, target);
          this.#options.batch.addStopReplica([brokerId], partition, true);
        }
        return;
      case 'ReplicaDeletionSuccessful':
      case 'ReplicaDeletionIneligible':
        for (const partition of partitions) partition.replicaStates.set(brokerId, target);
        return;
      case 'NonExistentReplica':
        for (const partition of partitions) {
          partition.assignment = removeReplica(partition.assignment, brokerId);
          partition.replicaStates.delete(brokerId);
        }
    }
  }

  #toNewReplica(partition: ControllerPartition, brokerId: number): void {
    if (partition.leadership?.leaderAndIsr.leader === brokerId) {
      this.#logFailure(partition, brokerId, 'NewReplica', 'it is the leader of its partition already');
      return;
    }
    if (partition.leadership !== undefined) this.#options.batch.addLeaderAndIsr([brokerId], partition, partition.assignment, true);
    partition.replicaStates.set(brokerId, 'NewReplica');
  }

  #toOnlineReplica(partition: ControllerPartition, brokerId: number): void {
    if (partition.replicaState(brokerId) === 'NewReplica') {
      const { assignment } = partition;
      if (!assignment.replicas.includes(brokerId)) {
        this.#options.logger.error(
          `replica ${brokerId} of ${partition.name} is not part of its assignment [${assignment.replicas.join(',')}]: adding it`,
        );
        partition.assignment = { ...assignment, replicas: [...assignment.replicas, brokerId] };
      }
    } else if (partition.leadership !== undefined) {
      this.#options.batch.addLeaderAndIsr([brokerId], partition, partition.assignment, false);
    }
    partition.replicaStates.set(brokerId, 'OnlineReplica');
  }

  async #toOfflineReplica(brokerId: number, partitions: readonly ControllerPartition[]): Promise<void> {
    const { context, batch } = this.#options;
    for (const partition of partitions) batch.addStopReplica([brokerId], partition, false);
    const withLeadership = partitions.filter(({ leadership }) => leadership !== undefined);
    for (const partition of await this.#removeFromIsr(brokerId, withLeadership)) {
      if (!context.isTopicQueuedUpForDeletion(partition.topic)) {
        const others = partition.assignment.replicas.filter((replica) => replica !== brokerId);
        batch.addLeaderAndIsr(others, partition, partition.assignment, false);
      }
      partition.replicaStates.set(brokerId, 'OfflineReplica');
    }
    for (const partition of partitions) {
      if (partition.leadership !== undefined) continue;
      batch.addUpdateMetadata(context.liveOrShuttingDownBrokerIds, [partition]);
      partition.replicaStates.set(brokerId, 'OfflineReplica');
    }
  }

  /** Takes the replica out of the ISR of `partitions`; returns those whose state is now settled in memory and ZooKeeper. */
  async #removeFromIsr(brokerId: number, partitions: readonly ControllerPartition[]): Promise<ControllerPartition[]> {
    const settled: ControllerPartition[] = [];
    let remaining = partitions;
    for (let attempt = 0; remaining.length > 0; attempt++) {
      if (attempt === MAX_ISR_ATTEMPTS) {
        for (const partition of remaining)
          this.#logFailure(partition, brokerId, 'OfflineReplica', `its state was changed by others ${attempt} times`);
        break;
      }
      remaining = await this.#tryRemoveFromIsr(brokerId, remaining, settled);
    }
    return settled;
  }

  async #tryRemoveFromIsr(
    brokerId: number,
    partitions: readonly ControllerPartition[],
    settled: ControllerPartition[],
  ): Promise<readonly ControllerPartition[]> {
    const { context, zk } = this.#options;
    const before = new Map<ControllerPartition, LeaderAndIsr>();
    const changes = new Map<ControllerPartition, LeaderAndIsr>();
    for (const [partition, current] of await this.#readStates(brokerId, partitions)) {
      if (!current.isr.includes(brokerId)) {
        this.#settle(partition, current, settled);
        continue;
      }
      // The last member stays: it is the only one that surely has all that was acknowledged.
      const isr = current.isr.length === 1 ? current.isr : current.isr.filter((replica) => replica !== brokerId);
      before.set(partition, current);
      changes.set(partition, newLeaderAndIsr(current, current.leader === brokerId ? NO_LEADER : current.leader, isr));
    }
    const { finished, retry } = await zk.topics.updateLeaderAndIsr(changes, context.epoch, context.epochZkVersion);
    for (const [partition, outcome] of finished) {
      if (outcome instanceof Error) {
        this.#logFailure(partition, brokerId, 'OfflineReplica', outcome.message);
        continue;
      }
      this.#settle(partition, outcome, settled);
      this.#recordIsrChange(partition, before.get(partition), outcome, brokerId);
    }
    return retry;
  }

  #settle(partition: ControllerPartition, leaderAndIsr: LeaderAndIsr, settled: ControllerPartition[]): void {
    partition.leadership = { leaderAndIsr, controllerEpoch: this.#options.context.epoch };
    settled.push(partition);
  }

  async #readStates(brokerId: number, partitions: readonly ControllerPartition[]): Promise<Map<ControllerPartition, LeaderAndIsr>> {
    const { context, zk } = this.#options;
    const current = new Map<ControllerPartition, LeaderAndIsr>();
    for (const [partition, read] of await zk.topics.getPartitionStates(partitions)) {
      if (read instanceof Error) this.#logFailure(partition, brokerId, 'OfflineReplica', read.message);
      else if (read === undefined) {
        if (!context.isTopicQueuedUpForDeletion(partition.topic)) {
          this.#logFailure(
            partition,
            brokerId,
            'OfflineReplica',
            new StateChangeFailedError('its partition has no state in ZooKeeper').message,
          );
        }
      } else if (read.controllerEpoch > context.epoch) {
        this.#logFailure(
          partition,
          brokerId,
          'OfflineReplica',
          `its partition's state was written by the controller of epoch ${read.controllerEpoch}`,
        );
      } else current.set(partition, read.leaderAndIsr);
    }
    return current;
  }

  #isValidTransition(partition: ControllerPartition, brokerId: number, target: ReplicaState): boolean {
    const state = partition.replicaState(brokerId);
    const from = VALID_PREVIOUS_REPLICA_STATES[target];
    if (from.includes(state)) return true;
    this.#logFailure(partition, brokerId, target, `it should be in ${from.join(' or ')}`);
    return false;
  }

  #recordIsrChange(partition: ControllerPartition, before: LeaderAndIsr | undefined, now: LeaderAndIsr, brokerId: number): void {
    this.#options.stateChangeLogger.record({
      kind: 'isr-changed',
      topic: partition.topic,
      partition: partition.partition,
      leader: now.leader,
      leaderEpoch: now.leaderEpoch,
      isr: now.isr,
      previousIsr: before?.isr ?? [],
      reason: this.#whyOffline(partition, brokerId),
    });
  }

  #whyOffline({ assignment }: ControllerPartition, brokerId: number): string {
    const { context } = this.#options;
    if (context.shuttingDownBrokerIds.has(brokerId)) return `broker ${brokerId} is shutting down`;
    if (!context.isLiveBroker(brokerId)) return `broker ${brokerId} is gone`;
    const isRemoved = assignment.removingReplicas.includes(brokerId) || !assignment.replicas.includes(brokerId);
    return isRemoved ? `the reassignment takes its replica away from broker ${brokerId}` : `its log dir on broker ${brokerId} is offline`;
  }

  #logFailure(partition: ControllerPartition, brokerId: number, target: ReplicaState, why: string): void {
    this.#options.stateChangeLogger.log.error(
      `replica ${brokerId} of ${partition.name} could not go from ${partition.replicaState(brokerId)} to ${target}: ${why}`,
    );
  }
}

function groupByBroker(replicas: readonly PartitionAndReplica[]): Map<number, ControllerPartition[]> {
  const byBroker = new Map<number, ControllerPartition[]>();
  for (const { partition, replica } of replicas) {
    const list = byBroker.get(replica);
    if (list === undefined) byBroker.set(replica, [partition]);
    else list.push(partition);
  }
  return byBroker;
}
