/**
 * OffsetFetch (9), versions 1-9: a group's committed offsets; all of them where topics is null (2+). -1 where nothing is committed.
 * 7+ requireStable: UNSTABLE_OFFSET_COMMIT while a transaction holds an offset (KIP-447). 8+ several groups at once (KIP-709).
 * 9's member fields are for KIP-848 groups, which this broker has none of.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetFetchRequest } from '../../../protocol/generated/offset-fetch.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { GroupMetadata } from '../../coordinator/group-metadata.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface OffsetFetchDeps {
  readonly coordinator: GroupCoordinator;
}

const FIRST_GROUPS_VERSION = 8;

interface Topic {
  readonly name: string;
  readonly partitionIndexes: readonly number[];
}

interface FetchedPartition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

interface FetchedGroup {
  readonly errorCode: number;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly FetchedPartition[] }[];
}

export function createOffsetFetchHandler({ coordinator }: OffsetFetchDeps): ApiHandler<OffsetFetchRequest> {
  return (request) => {
    const { body, header } = request;
    if (header.apiVersion >= FIRST_GROUPS_VERSION) {
      const groups = body.groups.map(({ groupId, topics }) => ({
        groupId,
        ...fetchGroup(coordinator, groupId, topics, body.requireStable),
      }));
      request.respond({ throttleTimeMs: 0, groups });
      return;
    }
    const fetched = fetchGroup(coordinator, body.groupId, body.topics, body.requireStable);
    // Version 1 has no place for an error of the group: each partition carries it.
    const topics =
      fetched.errorCode === ErrorCode.NONE || header.apiVersion >= 2 ? fetched.topics : failedTopics(body.topics ?? [], fetched.errorCode);
    request.respond({ throttleTimeMs: 0, errorCode: fetched.errorCode, topics });
  };
}

function fetchGroup(coordinator: GroupCoordinator, groupId: string, topics: readonly Topic[] | null, requireStable: boolean): FetchedGroup {
  const errorCode = coordinator.fetchStatus(groupId);
  if (errorCode !== ErrorCode.NONE) return { errorCode, topics: [] };
  const group = coordinator.groups.get(groupId);
  const asked = topics ?? allTopics(group);
  return {
    errorCode: ErrorCode.NONE,
    topics: asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => fetchOne(group, name, partition, requireStable)),
    })),
  };
}

function fetchOne(group: GroupMetadata | undefined, topic: string, partitionIndex: number, requireStable: boolean): FetchedPartition {
  const none = { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: ErrorCode.NONE };
  if (group === undefined || group.is('Dead')) return none;
  if (requireStable && group.offsets.isPending(topic, partitionIndex)) return { ...none, errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT };
  const value = group.offsets.get(topic, partitionIndex);
  return value === undefined
    ? none
    : { ...none, committedOffset: value.offset, committedLeaderEpoch: value.leaderEpoch, metadata: value.metadata };
}

function allTopics(group: GroupMetadata | undefined): Topic[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of group?.offsets.entries() ?? []) {
    const list = byTopic.get(topic);
    if (list === undefined) byTopic.set(topic, [partition]);
    else list.push(partition);
  }
  return Array.from(byTopic, ([name, partitionIndexes]) => ({ name, partitionIndexes }));
}

function failedTopics(topics: readonly Topic[], errorCode: number): FetchedGroup['topics'] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }));
}
