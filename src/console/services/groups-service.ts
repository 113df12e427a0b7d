/**
 * Consumer groups: rows from one ListGroups per broker, dear columns from DescribeGroups and OffsetFetch batched per
 * coordinator and one ListOffsets per leader for all their partitions together. No request is ever made per group.
 */
import type { GroupDescription, GroupListing } from '../../client/admin/groups.ts';
import type { KeyResult } from '../../client/admin/keyed-call.ts';
import { OffsetSpec } from '../../client/admin/offsets.ts';
import type { GroupOffsets, ListedOffset } from '../../client/admin/offsets.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Failure, ItemResult } from '../contract/failure.ts';
import type { GroupDetails, GroupGet, GroupMember, GroupOffset, GroupRow } from '../contract/groups.ts';
import type { NameFilter, Sort } from '../contract/inputs.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, orThrow, refuse, toFailure } from './failures.ts';
import { groupLag, lagOf } from './lag.ts';
import { nameMatcher, sortRows } from './list-query.ts';

const LISTING_MAX_AGE_MS = 250;
const CALL_MS = 5_000;

export interface GroupList {
  readonly rows: GroupRow[];
  readonly total: number;
  readonly asOfMs: number;
  /** Brokers whose groups are missing. */
  readonly failures: Failure[];
}

export async function listGroupRows(
  session: ClusterSession,
  query: { readonly filter: NameFilter | undefined; readonly sort: Sort },
): Promise<GroupList> {
  const matches = nameMatcher(query.filter);
  const { value, asOfMs } = await listings(session);
  const rows = value.groups.filter(({ groupId }) => matches(groupId)).map(groupRow);
  const sorted = sortRows(
    rows,
    query.sort,
    (row, by) => valueOfColumn(row, by),
    ({ groupId }) => groupId,
  );
  const failures = Array.from(value.errors, ([brokerId, error]) => toFailure(error, { api: 'ListGroups', brokerId }));
  return { rows: sorted, total: value.groups.length, asOfMs, failures };
}

export async function groupRows(session: ClusterSession, groupIds: readonly string[]): Promise<GroupRow[]> {
  const { value } = await listings(session);
  const wanted = new Set(groupIds);
  return value.groups.filter(({ groupId }) => wanted.has(groupId)).map(groupRow);
}

export async function groupDetails(session: ClusterSession, groupIds: readonly string[]): Promise<GroupDetails[]> {
  session.groupInterest.add(groupIds);
  const [described, committed] = await Promise.all([
    session.admin.describeGroups(groupIds, { timeoutMs: CALL_MS }),
    session.admin.listGroupOffsets(new Map(groupIds.map((groupId) => [groupId, null])), { timeoutMs: CALL_MS }),
  ]);
  const ends = await endOffsets(session, Array.from(committed.values()).flatMap(partitionsOf));
  return groupIds.map((groupId) => {
    const [group, offsets] = [described.get(groupId), committed.get(groupId)];
    const error = [group, offsets].find((result) => result instanceof KafkaError);
    return {
      groupId,
      state: isKnown(group) ? group.state : null,
      members: isKnown(group) ? group.members.length : null,
      topics: isKnown(group) || isKnown(offsets) ? topicsOf(group, offsets) : null,
      lag: isKnown(offsets) ? groupLag(offsets, ends) : null,
      failure:
        error === undefined ? null : toFailure(error, { api: error === group ? 'DescribeGroups' : 'OffsetFetch', timeoutMs: CALL_MS }),
    };
  });
}

export async function getGroup(session: ClusterSession, groupId: string): Promise<GroupGet> {
  session.groupInterest.add([groupId]);
  const [described, committedResults, { value }] = await Promise.all([
    session.admin.describeGroups([groupId], { timeoutMs: CALL_MS }),
    session.admin.listGroupOffsets(new Map([[groupId, null]]), { timeoutMs: CALL_MS }),
    listings(session),
  ]);
  const group = orThrow(described.get(groupId), { api: 'DescribeGroups', timeoutMs: CALL_MS });
  const listing = value.groups.find((candidate) => candidate.groupId === groupId);
  // A broker answers Dead for a group that nobody knows.
  if (group.state === 'Dead' && listing === undefined) throw refuse('notFound', `There is no group ${groupId}`, { api: 'DescribeGroups' });
  const committed = orThrow(committedResults.get(groupId), { api: 'OffsetFetch', timeoutMs: CALL_MS });
  const owners = ownersOf(group);
  const partitions = allPartitions(committed, group);
  const [starts, ends] = await Promise.all([offsetsAt(session, partitions, OffsetSpec.EARLIEST), endOffsets(session, partitions)]);
  const offsets = partitions.map((tp) => offsetRow(tp, committed, starts, ends, owners));
  return {
    group: { groupId, state: group.state, protocolType: group.protocolType, coordinatorId: listing?.coordinatorId ?? null },
    protocol: group.protocol === '' ? null : group.protocol,
    members: group.members.map(memberOf),
    offsets,
    lag: groupLag(committed, ends),
  };
}

export async function deleteGroups(session: ClusterSession, groupIds: readonly string[]): Promise<ItemResult[]> {
  const results = await session.changer.deleteGroups(groupIds);
  session.changed([{ kind: 'groups', ids: groupIds }]);
  return groupIds.map((name) => {
    const result = results.get(name);
    return { name, failure: result instanceof KafkaError ? toFailure(result, { api: 'DeleteGroups' }) : null };
  });
}

/** End offsets of partitions, one request per leader. A partition whose topic is gone has an error as its result. */
export function endOffsets(session: ClusterSession, partitions: readonly TopicPartition[]): Promise<Map<string, KeyResult<ListedOffset>>> {
  return offsetsAt(session, partitions, OffsetSpec.LATEST);
}

function offsetsAt(
  session: ClusterSession,
  partitions: readonly TopicPartition[],
  timestamp: number,
): Promise<Map<string, KeyResult<ListedOffset>>> {
  return session.admin.listOffsets(
    partitions.map(({ topic, partition }) => ({ topic, partition, timestamp })),
    { timeoutMs: CALL_MS },
  );
}

async function listings(session: ClusterSession): ReturnType<ClusterSession['groupListings']['get']> {
  try {
    return await session.groupListings.get(LISTING_MAX_AGE_MS);
  } catch (error) {
    throw new FailureError(toFailure(error, { api: 'ListGroups' }));
  }
}

function isKnown<V>(result: KeyResult<V> | undefined): result is Exclude<V, KafkaError> {
  return result !== undefined && !(result instanceof KafkaError);
}

function groupRow({ groupId, state, protocolType, coordinatorId }: GroupListing): GroupRow {
  return { groupId, state: state ?? null, protocolType, coordinatorId };
}

function partitionsOf(offsets: KeyResult<GroupOffsets> | undefined): TopicPartition[] {
  if (offsets === undefined || offsets instanceof KafkaError) return [];
  return Array.from(offsets.values()).flatMap((committed) => (committed instanceof KafkaError || committed.offset < 0 ? [] : [committed]));
}

function topicsOf(group: KeyResult<GroupDescription> | undefined, offsets: KeyResult<GroupOffsets> | undefined): string[] {
  const topics = new Set(partitionsOf(offsets).map(({ topic }) => topic));
  if (isKnown(group))
    for (const { assignedPartitions } of group.members) for (const { topic } of assignedPartitions ?? []) topics.add(topic);
  return Array.from(topics).toSorted();
}

/** Everything committed or assigned, ordered by topic and partition. */
function allPartitions(committed: GroupOffsets, group: GroupDescription): TopicPartition[] {
  const all = new Map<string, TopicPartition>();
  const assigned = group.members.flatMap(({ assignedPartitions }) => assignedPartitions ?? []);
  for (const { topic, partition } of [...partitionsOf(committed), ...assigned])
    all.set(topicPartitionKey({ topic, partition }), { topic, partition });
  return Array.from(all.values()).toSorted((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

type Owners = ReadonlyMap<string, GroupDescription['members'][number]>;

function ownersOf(group: GroupDescription): Owners {
  return new Map(
    group.members.flatMap((member) => (member.assignedPartitions ?? []).map((tp) => [topicPartitionKey(tp), member] as const)),
  );
}

function offsetRow(
  tp: TopicPartition,
  committed: GroupOffsets,
  starts: ReadonlyMap<string, KeyResult<ListedOffset>>,
  ends: ReadonlyMap<string, KeyResult<ListedOffset>>,
  owners: Owners,
): GroupOffset {
  const key = topicPartitionKey(tp);
  const [commit, start, end, owner] = [committed.get(key), starts.get(key), ends.get(key), owners.get(key)];
  const known = isKnown(commit) && commit.offset >= 0 ? commit : undefined;
  const endOffset = isKnown(end) ? end.offset : null;
  const error = [commit, end, start].find((result) => result instanceof KafkaError);
  return {
    topic: tp.topic,
    partition: tp.partition,
    committedOffset: known?.offset ?? null,
    committedLeaderEpoch: known === undefined || known.leaderEpoch < 0 ? null : known.leaderEpoch,
    metadata: known?.metadata ?? null,
    startOffset: isKnown(start) ? start.offset : null,
    endOffset,
    lag: lagOf(known?.offset ?? null, endOffset),
    memberId: owner?.memberId ?? null,
    clientId: owner?.clientId ?? null,
    host: owner?.clientHost ?? null,
    failure: error === undefined ? null : toFailure(error, { api: error === commit ? 'OffsetFetch' : 'ListOffsets', timeoutMs: CALL_MS }),
  };
}

function memberOf(member: GroupDescription['members'][number]): GroupMember {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of member.assignedPartitions ?? []) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  const assignment = Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions: partitions.toSorted((a, b) => a - b) }));
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    host: member.clientHost,
    assignment: member.assignedPartitions === undefined ? null : assignment,
  };
}

function valueOfColumn(row: GroupRow, by: string): string | number | null {
  switch (by) {
    case 'state':
      return row.state;
    case 'protocolType':
      return row.protocolType;
    case 'coordinatorId':
      return row.coordinatorId;
    default:
      return row.groupId;
  }
}
