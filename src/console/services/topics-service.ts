/**
 * What is known of topics: rows from one Metadata answer, dear columns in batches (two ListOffsets per leader, one DescribeConfigs, log
 * dirs shared). No request is ever made per topic.
 */
import { ConfigResourceType, configResourceKey } from '../../client/admin/configs.ts';
import type { GroupOffsets } from '../../client/admin/offsets.ts';
import { OffsetSpec } from '../../client/admin/offsets.ts';
import type { PartitionMetadata, TopicMetadata } from '../../client/cluster-snapshot.ts';
import { ErrorCode, KafkaError, errorByCode } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { ConfigEntry } from '../contract/configs.ts';
import type { Failure } from '../contract/failure.ts';
import type { NameFilter, Sort } from '../contract/inputs.ts';
import type { PartitionRow, TopicDetails, TopicGet, TopicGroup, TopicImpact, TopicRow } from '../contract/topics.ts';
import type { ClusterSession, LogDirsByBroker } from './cluster-session.ts';
import type { ClusterView } from './cluster-view.ts';
import { configEntries } from './config-entries.ts';
import { orThrow, refuse, toFailure } from './failures.ts';
import { groupLag } from './lag.ts';
import { nameMatcher, sortRows } from './list-query.ts';
import { topicConfigSpec } from './topic-config-catalog.ts';
import { topicReaders } from './topic-readers.ts';
import { within } from './within.ts';

/** A page that opens takes what is this young; anything older is fetched again. */
const VIEW_MAX_AGE_MS = 250;
const LOG_DIRS_MAX_AGE_MS = 500;
const GROUPS_MAX_AGE_MS = 2_000;
const POLICIES_WAIT_MS = 1_500;

export async function listTopicRows(
  session: ClusterSession,
  query: { readonly includeInternal: boolean; readonly filter: NameFilter | undefined; readonly sort: Sort },
): Promise<{ readonly rows: TopicRow[]; readonly total: number; readonly asOfMs: number }> {
  const matches = nameMatcher(query.filter);
  const { value: view, asOfMs } = await viewOf(session);
  const all = Array.from(view.topics.values()).filter(({ isInternal }) => query.includeInternal || !isInternal);
  const rows = all.filter(({ name }) => matches(name)).map(topicRow);
  const sorted = sortRows(
    rows,
    query.sort,
    (row, by) => valueOfColumn(row, by),
    ({ name }) => name,
  );
  return { rows: sorted, total: all.length, asOfMs };
}

/** The rows of those names that exist. */
export async function topicRows(session: ClusterSession, names: readonly string[]): Promise<TopicRow[]> {
  const { value: view } = await viewOf(session);
  return names.flatMap((name) => {
    const topic = view.topics.get(name);
    return topic === undefined ? [] : [topicRow(topic)];
  });
}

export async function topicDetails(session: ClusterSession, names: readonly string[]): Promise<TopicDetails[]> {
  const { value: view } = await viewOf(session);
  const known = names.flatMap((name) => view.topics.get(name) ?? []);
  session.interest.add(known.map(({ name }) => name));
  const [offsets, policies, logDirs, readersOf] = await Promise.all([
    partitionOffsets(
      session,
      known.flatMap(({ partitions }) => partitions),
    ),
    // Configs come from ZooKeeper: without it they are not to hold up the rest.
    within(
      session.runtime.scheduler,
      POLICIES_WAIT_MS,
      cleanupPolicies(
        session,
        known.map(({ name }) => name),
      ),
    ).catch(() => undefined),
    logDirsOf(session),
    topicReaders(
      session,
      known.map(({ name }) => name),
    ),
  ]);
  const sizes = logDirs === undefined ? undefined : sizesByTopic(logDirs);
  const told = brokersThatTold(logDirs);
  return known.map((topic) => {
    const ends = topic.partitions.map(({ partition }) => offsets.get(topicPartitionKey({ topic: topic.name, partition })));
    const failure = ends.map((end) => end?.failure).find((found) => found !== undefined && found !== null);
    return {
      name: topic.name,
      records: sumOrNull(ends.map((end) => (end?.startOffset == null || end.endOffset === null ? null : end.endOffset - end.startOffset))),
      sizeBytes: sizes === undefined ? null : (sizes.get(topic.name) ?? 0),
      sizeIsPartial: sizes !== undefined && !isTold(topic.partitions, told),
      cleanupPolicy: policies?.get(topic.name) ?? null,
      recordsPerSecond: session.rates.ofTopic(topic.name),
      groups: readersOf?.(topic.name, (key) => offsets.get(key)?.endOffset ?? null) ?? null,
      failure: failure ?? null,
    };
  });
}

export async function getTopic(session: ClusterSession, name: string): Promise<TopicGet> {
  const topic = await describe(session, name);
  session.interest.add([name]);
  const [offsets, logDirs] = await Promise.all([partitionOffsets(session, topic.partitions), logDirsOf(session)]);
  const partitions = topic.partitions.map((partition): PartitionRow => {
    const ends = offsets.get(topicPartitionKey(partition));
    return {
      partition: partition.partition,
      leader: partition.leaderId < 0 ? null : partition.leaderId,
      leaderEpoch: partition.leaderEpoch < 0 ? null : partition.leaderEpoch,
      replicas: partition.replicas,
      isr: partition.isr,
      offlineReplicas: partition.offlineReplicas,
      startOffset: ends?.startOffset ?? null,
      endOffset: ends?.endOffset ?? null,
      sizeBytes: logDirs === undefined ? null : replicaSize(logDirs, partition.leaderId, partition),
      failure: failureOfCode(partition.errorCode) ?? ends?.failure ?? null,
    };
  });
  return { topic: topicRow(topic), partitions };
}

/** Groups that have committed offsets of the topic. One OffsetFetch per coordinator for all groups there are. */
export async function topicGroups(session: ClusterSession, topic: string): Promise<TopicGroup[]> {
  const metadata = await describe(session, topic);
  const listings = (await session.groupListings.get(GROUPS_MAX_AGE_MS)).value;
  const partitions = metadata.partitions.map(({ partition }) => ({ topic, partition }));
  const committed = await session.admin.listGroupOffsets(new Map(listings.groups.map(({ groupId }) => [groupId, null])));
  const own = listings.groups.filter(({ groupId }) => hasCommits(committed.get(groupId), topic));
  const [ends, described] = await Promise.all([
    session.admin.listOffsets(partitions.map((tp) => ({ ...tp, timestamp: OffsetSpec.LATEST }))),
    session.admin.describeGroups(own.map(({ groupId }) => groupId)),
  ]);
  return own.map(({ groupId, state }) => {
    const group = described.get(groupId);
    const offsets = committed.get(groupId);
    return {
      groupId,
      state: group instanceof KafkaError || group === undefined ? (state ?? null) : group.state,
      members: group instanceof KafkaError || group === undefined ? null : group.members.length,
      lag: offsets === undefined || offsets instanceof KafkaError ? null : groupLag(offsets, ends, (tp) => tp.topic === topic),
    };
  });
}

export async function topicImpact(session: ClusterSession, names: readonly string[]): Promise<TopicImpact[]> {
  const [details, groups] = await Promise.all([topicDetails(session, names), activeGroupsByTopic(session)]);
  const { value: view } = await viewOf(session);
  const byName = new Map(details.map((detail) => [detail.name, detail]));
  return names.map((name) => ({
    name,
    partitions: view.topics.get(name)?.partitions.length ?? null,
    records: byName.get(name)?.records ?? null,
    sizeBytes: byName.get(name)?.sizeBytes ?? null,
    activeGroups: groups.get(name) ?? [],
  }));
}

export async function topicConfigs(session: ClusterSession, topic: string): Promise<ConfigEntry[]> {
  const resource = { type: ConfigResourceType.TOPIC, name: topic };
  const results = await session.admin.describeConfigs([resource], { includeSynonyms: true, includeDocumentation: true });
  const entries = orThrow(results.get(configResourceKey(resource)), { api: 'DescribeConfigs' });
  return configEntries(entries, (name) => topicConfigSpec(name));
}

/** Metadata of one topic, fresh. Throws `notFound`. */
export async function describe(session: ClusterSession, name: string): Promise<TopicMetadata> {
  const results = await session.admin.describeTopics([name]);
  return orThrow(results.get(name), { api: 'Metadata' });
}

export interface PartitionEnds {
  readonly startOffset: number | null;
  readonly endOffset: number | null;
  readonly failure: Failure | null;
}

/** Start and end offsets of partitions that have a leader; those without are not asked for. */
export async function partitionOffsets(
  session: ClusterSession,
  partitions: readonly PartitionMetadata[],
): Promise<Map<string, PartitionEnds>> {
  const led = partitions.filter(({ leaderId }) => leaderId >= 0).map(({ topic, partition }) => ({ topic, partition }));
  const ask = (timestamp: number) =>
    session.admin.listOffsets(
      led.map((tp) => ({ ...tp, timestamp })),
      { timeoutMs: 5_000 },
    );
  const [starts, ends] = await Promise.all([ask(OffsetSpec.EARLIEST), ask(OffsetSpec.LATEST)]);
  const offsets = new Map<string, PartitionEnds>();
  for (const tp of led) {
    const key = topicPartitionKey(tp);
    const [start, end] = [starts.get(key), ends.get(key)];
    const error = [end, start].find((result) => result instanceof KafkaError);
    offsets.set(key, {
      startOffset: start === undefined || start instanceof KafkaError ? null : start.offset,
      endOffset: end === undefined || end instanceof KafkaError ? null : end.offset,
      failure: error === undefined ? null : toFailure(error, { api: 'ListOffsets', timeoutMs: 5_000 }),
    });
  }
  return offsets;
}

export function topicRow(topic: TopicMetadata): TopicRow {
  return {
    name: topic.name,
    topicId: topic.topicId === ZERO_UUID ? null : topic.topicId,
    internal: topic.isInternal,
    partitions: topic.partitions.length,
    replicationFactor: topic.partitions.reduce((most, { replicas }) => Math.max(most, replicas.length), 0),
    underReplicatedPartitions: topic.partitions.filter(isUnderReplicated).length,
    leaderlessPartitions: topic.partitions.filter(({ leaderId }) => leaderId < 0).length,
    failure: failureOfCode(topic.errorCode),
  };
}

export function isUnderReplicated({ isr, replicas }: { readonly isr: readonly number[]; readonly replicas: readonly number[] }): boolean {
  return isr.length < replicas.length;
}

/** A replica's bytes on one broker; null when that broker didn't tell. */
export function replicaSize(
  logDirs: LogDirsByBroker,
  brokerId: number,
  tp: { readonly topic: string; readonly partition: number },
): number | null {
  const dirs = logDirs.get(String(brokerId));
  if (dirs === undefined || dirs instanceof KafkaError) return null;
  for (const dir of dirs.values()) {
    if (dir instanceof KafkaError) continue;
    const found = dir.replicas.find((replica) => replica.topic === tp.topic && replica.partition === tp.partition && !replica.isFuture);
    if (found) return found.sizeBytes;
  }
  return null;
}

function viewOf(session: ClusterSession): Promise<{ readonly value: ClusterView; readonly asOfMs: number }> {
  return session.view.get(VIEW_MAX_AGE_MS).catch((error: unknown) => {
    throw refuseWith(error, 'Metadata');
  });
}

function refuseWith(error: unknown, api: string): Error {
  const failure = toFailure(error, { api });
  return refuse(failure.kind, failure.message, failure);
}

/** Sizes are a column that may be missing: a broker without DescribeLogDirs is no reason to show nothing. */
async function logDirsOf(session: ClusterSession): Promise<LogDirsByBroker | undefined> {
  try {
    return (await session.logDirs.getCheaply(LOG_DIRS_MAX_AGE_MS)).value;
  } catch {
    return undefined;
  }
}

/** Ids of the brokers whose log dirs are all known. */
export function brokersThatTold(logDirs: LogDirsByBroker | undefined): ReadonlySet<number> {
  const told = new Set<number>();
  for (const [brokerId, dirs] of logDirs ?? [])
    if (!(dirs instanceof KafkaError) && !Array.from(dirs.values()).some((dir) => dir instanceof KafkaError)) told.add(Number(brokerId));
  return told;
}

/** Whether every replica of `partitions` is on a broker that told. */
export function isTold(partitions: readonly { readonly replicas: readonly number[] }[], told: ReadonlySet<number>): boolean {
  return partitions.every(({ replicas }) => replicas.every((id) => told.has(id)));
}

/** Bytes by topic over the brokers that told; undefined when none did. */
function sizesByTopic(logDirs: LogDirsByBroker): Map<string, number> | undefined {
  const sizes = new Map<string, number>();
  let told = false;
  for (const dirs of logDirs.values()) {
    if (dirs instanceof KafkaError) continue;
    for (const dir of dirs.values()) {
      if (dir instanceof KafkaError) continue;
      told = true;
      for (const { topic, sizeBytes } of dir.replicas) sizes.set(topic, (sizes.get(topic) ?? 0) + sizeBytes);
    }
  }
  return told ? sizes : undefined;
}

async function cleanupPolicies(session: ClusterSession, names: readonly string[]): Promise<Map<string, string>> {
  const policies = new Map<string, string>();
  if (names.length === 0) return policies;
  const resources = names.map((name) => ({ type: ConfigResourceType.TOPIC, name }));
  const results = await session.admin.describeConfigs(resources, { keys: ['cleanup.policy'], timeoutMs: 5_000 });
  for (const resource of resources) {
    const entries = results.get(configResourceKey(resource));
    if (entries === undefined || entries instanceof KafkaError) continue;
    const value = entries.find(({ name }) => name === 'cleanup.policy')?.value;
    if (value != null) policies.set(resource.name, value);
  }
  return policies;
}

async function activeGroupsByTopic(session: ClusterSession): Promise<Map<string, string[]>> {
  const byTopic = new Map<string, string[]>();
  const { value: listings } = await session.groupListings.get(GROUPS_MAX_AGE_MS);
  const active = listings.groups.filter(({ state }) => state !== 'Empty' && state !== 'Dead').map(({ groupId }) => groupId);
  if (active.length === 0) return byTopic;
  const described = await session.admin.describeGroups(active);
  for (const [groupId, group] of described) {
    if (group instanceof KafkaError || group.members.length === 0) continue;
    const topics = new Set(
      group.members.flatMap(({ assignedPartitions, subscribedTopics }) => [
        ...(assignedPartitions ?? []).map(({ topic }) => topic),
        ...(subscribedTopics ?? []),
      ]),
    );
    for (const topic of topics) byTopic.set(topic, [...(byTopic.get(topic) ?? []), groupId]);
  }
  return byTopic;
}

function hasCommits(offsets: GroupOffsets | KafkaError | undefined, topic: string): boolean {
  if (offsets === undefined || offsets instanceof KafkaError) return false;
  for (const committed of offsets.values())
    if (!(committed instanceof KafkaError) && committed.topic === topic && committed.offset >= 0) return true;
  return false;
}

function failureOfCode(code: number): Failure | null {
  // A topic or partition that is being created has no leader for a moment: that is shown as leaderless, not as an error.
  if (code === ErrorCode.NONE || code === ErrorCode.LEADER_NOT_AVAILABLE || code === ErrorCode.REPLICA_NOT_AVAILABLE) return null;
  return toFailure(new KafkaError(code, errorByCode(code).message), { api: 'Metadata' });
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function valueOfColumn(row: TopicRow, by: string): string | number | null {
  switch (by) {
    case 'partitions':
      return row.partitions;
    case 'replicationFactor':
      return row.replicationFactor;
    case 'underReplicatedPartitions':
      return row.underReplicatedPartitions;
    case 'leaderlessPartitions':
      return row.leaderlessPartitions;
    default:
      return row.name;
  }
}
