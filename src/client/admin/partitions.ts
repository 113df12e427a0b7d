/**
 * Who leads and who replicates: elections by request, and moves of partitions to other brokers. Results by `topicPartitionKey`.
 * The controller answers when it has begun; `listPartitionReassignments` tells how moves go. Source: KafkaAdminClient.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AlterPartitionReassignments } from '../../protocol/generated/alter-partition-reassignments.ts';
import { ElectLeaders } from '../../protocol/generated/elect-leaders.ts';
import { ListPartitionReassignments } from '../../protocol/generated/list-partition-reassignments.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { groupByTopic } from './group-by-topic.ts';
import { errorOf, runKeyed, runSingle } from './keyed-call.ts';
import type { AdminContext, CallOptions, KeyedCall, KeyResult, KeyResults } from './keyed-call.ts';
import { controller } from './lookups.ts';
import { afterBroker } from './topics.ts';

/** preferred: the first replica, if it is in sync. unclean: any live replica where none in sync is alive; records may be lost. */
export type ElectionType = 'preferred' | 'unclean';

const ELECTION_TYPE_IDS: Readonly<Record<ElectionType, number>> = { preferred: 0, unclean: 1 };
/** Version 0 knows preferred leaders only. */
const FIRST_UNCLEAN_VERSION = 1;

export interface PartitionMove extends TopicPartition {
  /** The target replicas, preferred leader first; null gives up the move that is under way. */
  readonly replicas: readonly number[] | null;
}

export interface OngoingMove extends TopicPartition {
  /** The target's first, then those that will go. */
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/**
 * Elects leaders of `partitions`. ELECTION_NOT_NEEDED is a partition's error where its leader is the right one already;
 * PREFERRED_LEADER_NOT_AVAILABLE and ELIGIBLE_LEADERS_NOT_AVAILABLE where there is nobody to elect.
 */
export function electLeaders(
  context: AdminContext,
  type: ElectionType,
  partitions: readonly TopicPartition[],
  options?: CallOptions,
): Promise<KeyResults<void>> {
  const byKey = new Map(partitions.map((partition) => [topicPartitionKey(partition), partition]));
  const call: KeyedCall<void> = {
    name: 'electLeaders',
    lookup: controller(context),
    async request(node, keys, { timeoutMs }) {
      const topicPartitions = groupByTopic(keys.flatMap((key) => byKey.get(key) ?? [])).map(([topic, own]) => ({
        topic,
        partitions: own.map(({ partition }) => partition),
      }));
      const response = await context.client.send(
        node,
        ElectLeaders,
        (version) => ({
          ...(version >= FIRST_UNCLEAN_VERSION && { electionType: ELECTION_TYPE_IDS[type] }),
          topicPartitions,
          timeoutMs,
        }),
        { minVersion: type === 'unclean' ? FIRST_UNCLEAN_VERSION : 0, timeoutMs: afterBroker(timeoutMs) },
      );
      const results: KeyResults<void> = new Map();
      for (const { topic, partitionResult } of response.replicaElectionResults) {
        for (const { partitionId: partition, errorCode, errorMessage } of partitionResult)
          results.set(topicPartitionKey({ topic, partition }), errorOf(errorCode, errorMessage));
      }
      const failure = errorOf(response.errorCode);
      if (failure !== undefined) for (const key of keys) if (!results.has(key)) results.set(key, failure);
      return results;
    },
    // The answer of a preferred replica that is not in sync: waiting for it is the caller's business.
    isFinal: isElectionRefusal,
  };
  return runKeyed(context, call, byKey.keys(), options);
}

function isElectionRefusal({ code }: KafkaError): boolean {
  return (
    code === ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE ||
    code === ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE ||
    code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  );
}

/** Begins moves, replaces those under way, or gives them up. */
export function alterPartitionReassignments(
  context: AdminContext,
  moves: readonly PartitionMove[],
  options?: CallOptions,
): Promise<KeyResults<void>> {
  const byKey = new Map(moves.map((move) => [topicPartitionKey(move), move]));
  const call: KeyedCall<void> = {
    name: 'alterPartitionReassignments',
    lookup: controller(context),
    async request(node, keys, { timeoutMs }) {
      const topics = groupByTopic(keys.flatMap((key) => byKey.get(key) ?? [])).map(([name, own]) => ({
        name,
        partitions: own.map(({ partition, replicas }) => ({
          partitionIndex: partition,
          replicas: replicas === null ? null : [...replicas],
        })),
      }));
      const body = { timeoutMs, topics };
      const response = await context.client.send(node, AlterPartitionReassignments, body, { timeoutMs: afterBroker(timeoutMs) });
      const failure = errorOf(response.errorCode, response.errorMessage);
      if (failure !== undefined) return new Map(keys.map((key) => [key, failure]));
      const results: KeyResults<void> = new Map();
      for (const { name: topic, partitions } of response.responses) {
        for (const { partitionIndex: partition, errorCode, errorMessage } of partitions)
          results.set(topicPartitionKey({ topic, partition }), errorOf(errorCode, errorMessage));
      }
      return results;
    },
    isFinal: ({ code }) => code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  };
  return runKeyed(context, call, byKey.keys(), options);
}

/** Moves that are under way, of `partitions` or all. */
export function listPartitionReassignments(
  context: AdminContext,
  partitions?: readonly TopicPartition[],
  options?: CallOptions,
): Promise<readonly OngoingMove[]> {
  const call: KeyedCall<readonly OngoingMove[]> = {
    name: 'listPartitionReassignments',
    lookup: controller(context),
    async request(node, keys, { timeoutMs }): Promise<Map<string, KeyResult<readonly OngoingMove[]>>> {
      const asked = partitions === undefined ? null : groupByTopic(partitions);
      const topics = asked?.map(([name, own]) => ({ name, partitionIndexes: own.map(({ partition }) => partition) })) ?? null;
      const response = await context.client.send(node, ListPartitionReassignments, { timeoutMs, topics }, { timeoutMs });
      const ongoing = response.topics.flatMap(({ name: topic, partitions: own }) =>
        own.map(({ partitionIndex: partition, replicas, addingReplicas, removingReplicas }) => ({
          topic,
          partition,
          replicas,
          addingReplicas,
          removingReplicas,
        })),
      );
      return new Map(keys.map((key) => [key, errorOf(response.errorCode, response.errorMessage) ?? ongoing]));
    },
  };
  return runSingle(context, call, 'all', options);
}
