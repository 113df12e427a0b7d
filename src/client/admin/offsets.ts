/**
 * Offsets: a log's ends, an offset by time, and what groups have committed. One request per leader or coordinator.
 * Source: ListOffsetsHandler, ListConsumerGroupOffsetsHandler, DeleteConsumerGroupOffsetsHandler; KIP-709, KIP-734.
 */
import type { KafkaError } from '../../protocol/errors.ts';
import { ListOffsets } from '../../protocol/generated/list-offsets.ts';
import { OffsetDelete } from '../../protocol/generated/offset-delete.ts';
import { OffsetFetch } from '../../protocol/generated/offset-fetch.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { groupByTopic } from './group-by-topic.ts';
import { errorOf, runKeyed, runSingle } from './keyed-call.ts';
import type { AdminContext, CallOptions, KeyResult, KeyResults } from './keyed-call.ts';
import { groupCoordinator, partitionLeader } from './lookups.ts';
import { believeUnknownTopic } from './topics.ts';
import type { Node } from '../network-client.ts';

/** Instead of a timestamp in ms: the log's end, its start, the record with the largest timestamp. */
export const OffsetSpec = { LATEST: -1, EARLIEST: -2, MAX_TIMESTAMP: -3 } as const;

export interface OffsetQuery extends TopicPartition {
  /** An `OffsetSpec`, or a time in ms: the first offset whose timestamp is that or later. */
  readonly timestamp: number;
}

export interface ListedOffset extends TopicPartition {
  /** -1 when there is no record that late. */
  readonly offset: number;
  /** -1 where the question was not about time. */
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export const IsolationLevel = { READ_UNCOMMITTED: 0, READ_COMMITTED: 1 } as const;
export type IsolationLevel = (typeof IsolationLevel)[keyof typeof IsolationLevel];

export interface ListOffsetsOptions extends CallOptions {
  /** With READ_COMMITTED the latest offset is the last stable one. */
  readonly isolationLevel?: IsolationLevel;
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  /** -1 when the committer didn't say. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** What a group has committed, by `topicPartitionKey`. A partition without a commit is not in it. */
export type GroupOffsets = ReadonlyMap<string, KeyResult<CommittedOffset>>;

const CONSUMER_REPLICA_ID = -1;
const FIRST_WITH_MAX_TIMESTAMP = 7;
const FIRST_WITH_SEVERAL_GROUPS = 8;
const FIRST_WITH_ALL_PARTITIONS = 2;

/** Results by `topicPartitionKey`. One question per partition: of several, the last is asked. */
export function listOffsets(
  context: AdminContext,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions = {},
): Promise<KeyResults<ListedOffset>> {
  const byKey = new Map(queries.map((query) => [topicPartitionKey(query), query]));
  const minVersion = queries.some(({ timestamp }) => timestamp === OffsetSpec.MAX_TIMESTAMP) ? FIRST_WITH_MAX_TIMESTAMP : 1;
  return runKeyed<ListedOffset>(
    context,
    {
      name: 'listOffsets',
      lookup: partitionLeader(context, byKey),
      async request(node, keys, { timeoutMs }) {
        const topics = groupByTopic(keys.flatMap((key) => byKey.get(key) ?? [])).map(([name, own]) => ({
          name,
          partitions: own.map(({ partition, timestamp }) => ({ partitionIndex: partition, timestamp })),
        }));
        const isolationLevel = options.isolationLevel ?? IsolationLevel.READ_UNCOMMITTED;
        const body = (version: number) => ({ replicaId: CONSUMER_REPLICA_ID, topics, ...(version >= 2 ? { isolationLevel } : {}) });
        const response = await context.client.send(node, ListOffsets, body, { minVersion, timeoutMs });
        const results: KeyResults<ListedOffset> = new Map();
        for (const { name: topic, partitions } of response.topics) {
          for (const { partitionIndex: partition, errorCode, offset, timestamp, leaderEpoch } of partitions) {
            results.set(
              topicPartitionKey({ topic, partition }),
              errorOf(errorCode) ?? { topic, partition, offset, timestamp, leaderEpoch },
            );
          }
        }
        return results;
      },
      isFinal: believeUnknownTopic,
    },
    byKey.keys(),
    options,
  );
}

/** Committed offsets of many groups; `partitions` null for all that a group has committed. Results by group id. */
export function listGroupOffsets(
  context: AdminContext,
  groups: ReadonlyMap<string, readonly TopicPartition[] | null>,
  options?: CallOptions,
): Promise<KeyResults<GroupOffsets>> {
  return runKeyed<GroupOffsets>(
    context,
    {
      name: 'listGroupOffsets',
      lookup: groupCoordinator(context),
      async request(node, keys, { timeoutMs }) {
        const versions = await context.client.versionsOf(node, { timeoutMs });
        if ((versions.get(OffsetFetch.key)?.maxVersion ?? 0) >= FIRST_WITH_SEVERAL_GROUPS)
          return fetchSeveral(context, node, keys, groups, timeoutMs);
        const each = keys.map(async (key) => [key, await fetchOne(context, node, key, groups.get(key) ?? null, timeoutMs)] as const);
        return new Map(await Promise.all(each));
      },
    },
    groups.keys(),
    options,
  );
}

/** Forgets what a group has committed for `partitions`; refused (GROUP_SUBSCRIBED_TO_TOPIC) while it reads them. Results by `topicPartitionKey`. */
export function deleteGroupOffsets(
  context: AdminContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  options?: CallOptions,
): Promise<ReadonlyMap<string, KafkaError | undefined>> {
  return runSingle<ReadonlyMap<string, KafkaError | undefined>>(
    context,
    {
      name: 'deleteGroupOffsets',
      lookup: groupCoordinator(context),
      async request(node, _keys, { timeoutMs }) {
        const topics = groupByTopic(partitions).map(([name, own]) => ({
          name,
          partitions: own.map(({ partition }) => ({ partitionIndex: partition })),
        }));
        const response = await context.client.send(node, OffsetDelete, { groupId, topics }, { timeoutMs });
        const results = new Map<string, KafkaError | undefined>();
        for (const { name: topic, partitions: own } of response.topics) {
          for (const { partitionIndex: partition, errorCode } of own)
            results.set(topicPartitionKey({ topic, partition }), errorOf(errorCode));
        }
        return new Map([[groupId, errorOf(response.errorCode) ?? results]]);
      },
    },
    groupId,
    options,
  );
}

async function fetchSeveral(
  context: AdminContext,
  node: Node,
  keys: readonly string[],
  groups: ReadonlyMap<string, readonly TopicPartition[] | null>,
  timeoutMs: number,
): Promise<KeyResults<GroupOffsets>> {
  const body = { groups: keys.map((groupId) => ({ groupId, topics: topicsOf(groups.get(groupId) ?? null) })) };
  const response = await context.client.send(node, OffsetFetch, body, { minVersion: FIRST_WITH_SEVERAL_GROUPS, timeoutMs });
  return new Map(response.groups.map(({ groupId, errorCode, topics }) => [groupId, errorOf(errorCode) ?? offsetsOf(topics)]));
}

async function fetchOne(
  context: AdminContext,
  node: Node,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  timeoutMs: number,
): Promise<KeyResult<GroupOffsets>> {
  const options = { minVersion: FIRST_WITH_ALL_PARTITIONS, maxVersion: FIRST_WITH_SEVERAL_GROUPS - 1, timeoutMs };
  const { errorCode, topics } = await context.client.send(node, OffsetFetch, { groupId, topics: topicsOf(partitions) }, options);
  return errorOf(errorCode) ?? offsetsOf(topics);
}

function topicsOf(partitions: readonly TopicPartition[] | null): { name: string; partitionIndexes: number[] }[] | null {
  if (partitions === null) return null;
  return groupByTopic(partitions).map(([name, own]) => ({ name, partitionIndexes: own.map(({ partition }) => partition) }));
}

interface FetchedTopic {
  readonly name: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedLeaderEpoch: number;
    readonly metadata: string | null;
    readonly errorCode: number;
  }[];
}

function offsetsOf(topics: readonly FetchedTopic[]): GroupOffsets {
  const offsets = new Map<string, KeyResult<CommittedOffset>>();
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
      const error = errorOf(errorCode);
      const key = topicPartitionKey({ topic, partition });
      if (error !== undefined) offsets.set(key, error);
      else if (committedOffset >= 0)
        offsets.set(key, { topic, partition, offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata });
    }
  }
  return offsets;
}
