/**
 * Elections that nobody's death asks for: preferred replicas (by timer, by znode, by request) and unclean ones by request.
 * Source: KafkaController.processReplicaLeaderElection, checkAndTriggerAutoLeaderRebalance.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { NO_LEADER } from '../zk/leader-and-isr.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerPartition } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';
import type { ElectionOutcomes } from './partition-state-machine.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';

export type ElectionType = 'preferred' | 'unclean';

export interface ReplicaElectionResult {
  readonly topicPartition: TopicPartition;
  readonly errorCode: number;
  readonly message?: string;
  /** The new leader when there was no error. */
  readonly leader?: number;
}

export class ReplicaElections {
  readonly #parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  /**
   * Elects where it is needed and allowed. Error codes per partition: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE,
   * ELIGIBLE_LEADERS_NOT_AVAILABLE, INVALID_TOPIC_EXCEPTION (being deleted), UNKNOWN_TOPIC_OR_PARTITION.
   */
  async electLeaders(
    topicPartitions: readonly TopicPartition[],
    type: ElectionType,
    trigger: 'admin' | 'znode',
  ): Promise<ReplicaElectionResult[]> {
    const { context, topicDeletionManager } = this.#parts;
    const results: ReplicaElectionResult[] = [];
    const electable: ControllerPartition[] = [];
    for (const topicPartition of topicPartitions) {
      const partition = context.partition(topicPartition.topic, topicPartition.partition);
      if (partition === undefined) {
        results.push({ topicPartition, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: 'The partition does not exist.' });
      } else if (topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic)) {
        results.push({ topicPartition, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, message: 'The topic is being deleted' });
      } else if (this.#isElectionNeeded(partition, type)) electable.push(partition);
      else results.push({ topicPartition, errorCode: ErrorCode.ELECTION_NOT_NEEDED });
    }
    // Unclean elections are for people who asked: a znode that someone left is not enough.
    const strategy =
      type === 'preferred' ? ({ kind: 'preferred' } as const) : ({ kind: 'offline', allowUnclean: trigger === 'admin' } as const);
    const outcomes = await this.#parts.partitionStateMachine.handleStateChanges(electable, 'OnlinePartition', strategy);
    for (const [partition, outcome] of outcomes) results.push(resultOf(partition, outcome, type));
    return results;
  }

  #isElectionNeeded(partition: ControllerPartition, type: ElectionType): boolean {
    const leader = partition.leadership?.leaderAndIsr.leader ?? NO_LEADER;
    if (type === 'preferred') return leader !== partition.assignment.replicas[0];
    return leader === NO_LEADER || !this.#parts.context.isLiveBroker(leader);
  }

  /** Elections asked for in /admin/preferred_replica_election; the znode goes when they are done. */
  async processPreferredReplicaElectionZNode(): Promise<void> {
    const { zk, context, logger } = this.#parts;
    const requested = await zk.controller.getPreferredReplicaElection();
    try {
      const results = await this.electLeaders(requested, 'preferred', 'znode');
      for (const { topicPartition, errorCode, message } of results) {
        if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.ELECTION_NOT_NEEDED) continue;
        logger.warn(`no preferred leader for ${topicPartition.topic}-${topicPartition.partition}: ${message ?? 'it cannot be elected'}`);
      }
    } finally {
      await zk.controller.deletePreferredReplicaElection(context.epochZkVersion);
    }
  }

  /** For each broker that leads too few of the partitions it is preferred for, elections of those it could lead. */
  async rebalanceLeaders(): Promise<void> {
    const { context, config, partitionStateMachine, topicDeletionManager, logger } = this.#parts;
    const byPreferred = new Map<number, ControllerPartition[]>();
    for (const partition of context.allPartitions()) {
      const preferred = partition.assignment.replicas[0];
      if (preferred === undefined || topicDeletionManager.isTopicQueuedUpForDeletion(partition.topic)) continue;
      const list = byPreferred.get(preferred);
      if (list === undefined) byPreferred.set(preferred, [partition]);
      else list.push(partition);
    }
    for (const [brokerId, partitions] of byPreferred) {
      const elsewhere = partitions.filter(({ leadership }) => leadership !== undefined && leadership.leaderAndIsr.leader !== brokerId);
      if (elsewhere.length / partitions.length <= config.leaderImbalancePerBrokerPercentage / 100) continue;
      const candidates = elsewhere.filter(
        (partition) => context.isReplicaOnline(brokerId, partition) && partition.leadership?.leaderAndIsr.isr.includes(brokerId) === true,
      );
      if (candidates.length === 0) continue;
      logger.info(
        `broker ${brokerId} leads ${partitions.length - elsewhere.length} of its ${partitions.length} partitions: electing it for ${candidates.length}`,
      );
      const outcomes = await partitionStateMachine.handleStateChanges(candidates, 'OnlinePartition', { kind: 'preferred' });
      throwIfMoved(outcomes);
    }
  }
}

function throwIfMoved(outcomes: ElectionOutcomes): void {
  for (const outcome of outcomes.values()) if (outcome instanceof ControllerMovedError) throw outcome;
}

function resultOf(partition: ControllerPartition, outcome: { readonly leader: number } | Error, type: ElectionType): ReplicaElectionResult {
  const topicPartition = { topic: partition.topic, partition: partition.partition };
  if (!(outcome instanceof Error)) return { topicPartition, errorCode: ErrorCode.NONE, leader: outcome.leader };
  const unavailable = type === 'preferred' ? ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE;
  const errorCode = outcome instanceof StateChangeFailedError ? unavailable : ErrorCode.UNKNOWN_SERVER_ERROR;
  return { topicPartition, errorCode, message: outcome.message };
}
