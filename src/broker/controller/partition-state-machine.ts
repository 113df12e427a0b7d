/**
 * Moves partitions between their states (see `states.ts`) and elects leaders on the way to OnlinePartition.
 *
 * | from                | to           | what happens                                                                     |
 * |---------------------|--------------|----------------------------------------------------------------------------------|
 * | NonExistent         | New          | nothing but memory                                                               |
 * | New                 | Online       | state znode made: first live replica leads, all live replicas are the ISR         |
 * | Online, Offline     | Online       | election by strategy, written against the version read; LeaderAndIsr to the live replicas |
 * | New, Online, Offline| Offline      | nothing but memory                                                               |
 * | Offline             | NonExistent  | nothing but memory                                                               |
 *
 * Brokers are told only what is in ZooKeeper. Every write is fenced by the controller epoch; ControllerMovedError passes
 * through and nothing is sent. Source: kafka.controller.ZkPartitionStateMachine.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import {
  describeLeaderAndIsr,
  initialLeaderAndIsr,
  NO_LEADER,
  type LeaderAndIsr,
  type LeaderIsrAndControllerEpoch,
} from '../zk/leader-and-isr.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerContext, ControllerPartition } from './controller-context.ts';
import { electLeader, type ElectionResult, type ElectionStrategy } from './election.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import { VALID_PREVIOUS_PARTITION_STATES, type PartitionState } from './states.ts';

/** The new state of a partition, or why it has none. */
export type ElectionOutcome = LeaderAndIsr | Error;
export type ElectionOutcomes = Map<ControllerPartition, ElectionOutcome>;

/** Elections lost to a concurrent write of the state are repeated so often. */
const MAX_ELECTION_ATTEMPTS = 100;

export interface PartitionStateMachineOptions {
  readonly context: ControllerContext;
  readonly zk: KafkaZkClient;
  readonly batch: ControllerBrokerRequestBatch;
  readonly stateChangeLogger: StateChangeLogger;
  readonly logger: Logger;
  /** The broker's unclean.leader.election.enable, for topics that don't set it. */
  readonly uncleanLeaderElectionEnable: () => boolean;
  readonly onUncleanElection: () => void;
}

export class PartitionStateMachine {
  readonly #options: PartitionStateMachineOptions;

  constructor(options: PartitionStateMachineOptions) {
    this.#options = options;
  }

  /** Takes each partition's state from what was read at the failover, then elects where there is no leader. */
  async startup(): Promise<void> {
    const { context } = this.#options;
    for (const partition of context.allPartitions()) {
      const leader = partition.leadership?.leaderAndIsr.leader;
      if (leader === undefined) partition.state = 'NewPartition';
      else partition.state = context.isReplicaOnline(leader, partition) ? 'OnlinePartition' : 'OfflinePartition';
    }
    await this.triggerOnlinePartitionStateChange();
  }

  /** Tries to bring every New and Offline partition online; `topic` restricts it to that topic's. */
  async triggerOnlinePartitionStateChange(topic?: string): Promise<ElectionOutcomes> {
    const { context } = this.#options;
    const partitions = context
      .partitionsInStates('OfflinePartition', 'NewPartition')
      .filter((partition) => (topic === undefined || partition.topic === topic) && !context.isTopicQueuedUpForDeletion(partition.topic));
    return this.handleStateChanges(partitions, 'OnlinePartition', { kind: 'offline', allowUnclean: false });
  }

  /**
   * Moves `partitions` to `target`, those of them that may go there; `strategy` is needed for OnlinePartition.
   * @returns the outcome of each election; partitions that were initialised or moved without one are not in it.
   */
  async handleStateChanges(
    partitions: readonly ControllerPartition[],
    target: PartitionState,
    strategy?: ElectionStrategy,
  ): Promise<ElectionOutcomes> {
    if (partitions.length === 0) return new Map();
    const { batch, context, logger } = this.#options;
    batch.newBatch();
    let outcomes: ElectionOutcomes;
    try {
      outcomes = await this.#doHandleStateChanges(partitions, target, strategy);
    } catch (error) {
      if (error instanceof ControllerMovedError) {
        batch.clear();
        throw error;
      }
      logger.error({ err: error }, `moving ${partitions.length} partitions to ${target} failed`);
      const failure = error instanceof Error ? error : new Error(String(error));
      outcomes = new Map(partitions.map((partition) => [partition, failure]));
    }
    // Also after a failure: what was added is in ZooKeeper, and brokers that miss it would never hear of it again.
    batch.sendRequestsToBrokers(context.epoch);
    return outcomes;
  }

  async #doHandleStateChanges(
    partitions: readonly ControllerPartition[],
    target: PartitionState,
    strategy: ElectionStrategy | undefined,
  ): Promise<ElectionOutcomes> {
    const valid = partitions.filter((partition) => this.#isValidTransition(partition, target));
    if (target !== 'OnlinePartition') {
      for (const partition of valid) partition.state = target;
      return new Map();
    }
    const toInitialize = valid.filter(({ state }) => state === 'NewPartition');
    const toElect = valid.filter(({ state }) => state !== 'NewPartition');
    if (toInitialize.length > 0) await this.#initializeLeaderAndIsr(toInitialize);
    if (toElect.length === 0) return new Map();
    if (strategy === undefined) throw new Error('an election needs a strategy');
    return this.#electLeaders(toElect, strategy);
  }

  #isValidTransition(partition: ControllerPartition, target: PartitionState): boolean {
    const from = VALID_PREVIOUS_PARTITION_STATES[target];
    if (from.includes(partition.state)) return true;
    this.#logFailure(partition, target, new Error(`it is in ${partition.state}, and should be in ${from.join(' or ')}`));
    return false;
  }

  /** The first leader and ISR of new partitions. Those without a live replica stay New and are tried again when a broker starts. */
  async #initializeLeaderAndIsr(partitions: readonly ControllerPartition[]): Promise<void> {
    const { context, zk, batch } = this.#options;
    const states: { partition: ControllerPartition; state: LeaderIsrAndControllerEpoch }[] = [];
    for (const partition of partitions) {
      const live = partition.assignment.replicas.filter((replica) => context.isReplicaOnline(replica, partition));
      const leader = live[0];
      if (leader === undefined) {
        const reason = `no replica of [${partition.assignment.replicas.join(', ')}] is live (live brokers: ${context.liveBrokerIds.join(', ')})`;
        this.#logFailure(partition, 'OnlinePartition', new StateChangeFailedError(reason));
      } else {
        states.push({ partition, state: { leaderAndIsr: initialLeaderAndIsr(leader, live), controllerEpoch: context.epoch } });
      }
    }
    if (states.length === 0) return;
    const failures = await zk.topics.createPartitionStates(states, context.epochZkVersion);
    for (const { partition, state } of states) {
      const failure = failures.get(partition);
      if (failure !== undefined) {
        this.#logFailure(partition, 'OnlinePartition', failure);
        continue;
      }
      partition.leadership = state;
      partition.state = 'OnlinePartition';
      batch.addLeaderAndIsr(state.leaderAndIsr.isr, partition, partition.assignment, true);
      this.#recordElection(partition, undefined, state.leaderAndIsr, 'new', false, 'first live replica of a new partition');
    }
  }

  async #electLeaders(partitions: readonly ControllerPartition[], strategy: ElectionStrategy): Promise<ElectionOutcomes> {
    const outcomes: ElectionOutcomes = new Map();
    let remaining = partitions;
    for (let attempt = 0; remaining.length > 0; attempt++) {
      if (attempt === MAX_ELECTION_ATTEMPTS) {
        const failure = new StateChangeFailedError(`its state was changed by others ${attempt} times during the election`);
        for (const partition of remaining) outcomes.set(partition, failure);
        break;
      }
      remaining = await this.#tryElectLeaders(remaining, strategy, outcomes);
    }
    for (const [partition, outcome] of outcomes) {
      if (outcome instanceof Error) this.#electionFailed(partition, strategy, outcome);
    }
    return outcomes;
  }

  /** One round; returns the partitions whose state moved between being read and being written. */
  async #tryElectLeaders(
    partitions: readonly ControllerPartition[],
    strategy: ElectionStrategy,
    outcomes: ElectionOutcomes,
  ): Promise<readonly ControllerPartition[]> {
    const { context, zk } = this.#options;
    const current = await this.#readStates(partitions, outcomes);
    const uncleanTopics = await this.#topicsThatAllowUncleanElection(current, strategy);
    const elected = new Map<ControllerPartition, ElectionResult & { readonly leaderAndIsr: LeaderAndIsr }>();
    for (const [partition, leaderAndIsr] of current) {
      const uncleanAllowed = (strategy.kind === 'offline' && strategy.allowUnclean) || uncleanTopics.has(partition.topic);
      const result = electLeader(context, strategy, partition, leaderAndIsr, uncleanAllowed);
      if (result.leaderAndIsr === undefined) outcomes.set(partition, new StateChangeFailedError(result.reason));
      else elected.set(partition, { ...result, leaderAndIsr: result.leaderAndIsr });
    }
    const changes = new Map(Array.from(elected, ([partition, { leaderAndIsr }]) => [partition, leaderAndIsr]));
    const { finished, retry } = await zk.topics.updateLeaderAndIsr(changes, context.epoch, context.epochZkVersion);
    for (const [partition, outcome] of finished) {
      outcomes.set(partition, outcome);
      const result = elected.get(partition);
      if (!(outcome instanceof Error) && result !== undefined) this.#elected(partition, result, outcome, current.get(partition), strategy);
    }
    return retry;
  }

  #elected(
    partition: ControllerPartition,
    result: ElectionResult,
    leaderAndIsr: LeaderAndIsr,
    previous: LeaderAndIsr | undefined,
    strategy: ElectionStrategy,
  ): void {
    const { context, batch } = this.#options;
    partition.leadership = { leaderAndIsr, controllerEpoch: context.epoch };
    partition.state = 'OnlinePartition';
    batch.addLeaderAndIsr(result.recipients, partition, partition.assignment, false);
    if (result.unclean) this.#options.onUncleanElection();
    this.#recordElection(partition, previous, leaderAndIsr, strategy.kind, result.unclean, result.reason);
  }

  /** Current states by ZooKeeper; what is missing, unreadable or written by a later controller goes to `outcomes`. */
  async #readStates(
    partitions: readonly ControllerPartition[],
    outcomes: ElectionOutcomes,
  ): Promise<Map<ControllerPartition, LeaderAndIsr>> {
    const { context, zk } = this.#options;
    const current = new Map<ControllerPartition, LeaderAndIsr>();
    for (const [partition, read] of await zk.topics.getPartitionStates(partitions)) {
      if (read instanceof Error) outcomes.set(partition, read);
      else if (read === undefined) outcomes.set(partition, new StateChangeFailedError('it has no state in ZooKeeper'));
      else if (read.controllerEpoch > context.epoch) {
        outcomes.set(
          partition,
          new StateChangeFailedError(
            `its state was written by the controller of epoch ${read.controllerEpoch}, later than this one's ${context.epoch}`,
          ),
        );
      } else current.set(partition, read.leaderAndIsr);
    }
    return current;
  }

  /** Of the topics that have a partition without a live in-sync replica, those whose configuration allows an unclean election. */
  async #topicsThatAllowUncleanElection(
    current: ReadonlyMap<ControllerPartition, LeaderAndIsr>,
    strategy: ElectionStrategy,
  ): Promise<ReadonlySet<string>> {
    const allowed = new Set<string>();
    if (strategy.kind !== 'offline' || strategy.allowUnclean) return allowed;
    const { context, zk, uncleanLeaderElectionEnable } = this.#options;
    const topics = new Set<string>();
    for (const [partition, { isr }] of current) {
      if (!isr.some((replica) => context.isReplicaOnline(replica, partition))) topics.add(partition.topic);
    }
    if (topics.size === 0) return allowed;
    for (const [topic, configs] of await zk.configs.getTopicConfigs([...topics])) {
      // A configuration that can't be read allows nothing.
      if (configs instanceof Error) continue;
      const value = configs['unclean.leader.election.enable'];
      if (value === undefined ? uncleanLeaderElectionEnable() : value.trim().toLowerCase() === 'true') allowed.add(topic);
    }
    return allowed;
  }

  #recordElection(
    partition: ControllerPartition,
    previous: LeaderAndIsr | undefined,
    current: LeaderAndIsr,
    strategy: 'new' | ElectionStrategy['kind'],
    unclean: boolean,
    reason: string,
  ): void {
    this.#options.stateChangeLogger.record({
      kind: 'leader-elected',
      topic: partition.topic,
      partition: partition.partition,
      leader: current.leader,
      previousLeader: previous?.leader ?? NO_LEADER,
      leaderEpoch: current.leaderEpoch,
      isr: current.isr,
      strategy,
      unclean,
      reason,
    });
  }

  #electionFailed(partition: ControllerPartition, strategy: ElectionStrategy, failure: Error): void {
    this.#logFailure(partition, 'OnlinePartition', failure);
    const { topic, partition: index } = partition;
    this.#options.stateChangeLogger.record({
      kind: 'leader-election-failed',
      topic,
      partition: index,
      strategy: strategy.kind,
      reason: failure.message,
    });
  }

  #logFailure(partition: ControllerPartition, target: PartitionState, failure: Error): void {
    const state = partition.leadership === undefined ? '' : ` (${describeLeaderAndIsr(partition.leadership.leaderAndIsr)})`;
    this.#options.stateChangeLogger.log.error(
      `partition ${partition.name}${state} could not go from ${partition.state} to ${target}: ${failure.message}`,
    );
  }
}
