/** Elections by request, moves of partitions with their progress, and what the brokers of a local cluster say of every replica. */
import type { KeyResults } from '../../client/admin/keyed-call.ts';
import type { ElectionType, OngoingMove } from '../../client/admin/partitions.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { BrokerQueries } from '../../introspection/queries.ts';
import type { ItemResult } from '../contract/failure.ts';
import type { MoveThrottle, PlannedMove, ReassignmentRow, ReplicationBroker, ReplicationState } from '../contract/partitions.ts';
import { askBroker } from './ask-process.ts';
import type { ControlStatus } from './cluster-control.ts';
import type { ClusterSession, LogDirsByBroker } from './cluster-session.ts';
import { refuse, toFailure } from './failures.ts';
import { brokersWith } from './flush-lab-service.ts';
import { planReassignment } from './reassignment-plan.ts';
import { applyThrottle, describeThrottle, removeThrottle, throttleChanges } from './replication-throttle.ts';
import { describe, getTopic, replicaSize } from './topics-service.ts';

const MAX_TOLD = 1_000;
const LOG_DIRS_MS = 2_000;
const TOLD_FURTHEST_BEHIND = 20;

/** A partition whose leader is the right one already counts as done. */
export async function electPartitionLeaders(
  session: ClusterSession,
  type: ElectionType,
  topic: string,
  partitions: readonly number[],
): Promise<ItemResult[]> {
  const wanted = partitions.map((partition) => ({ topic, partition }));
  const results = await session.changer.electLeaders(type, wanted);
  session.changed([{ kind: 'partitions', ids: [topic] }]);
  return itemResults(wanted, results, 'ElectLeaders', ErrorCode.ELECTION_NOT_NEEDED);
}

export async function planMoves(
  session: ClusterSession,
  input: {
    readonly topic: string;
    readonly partitions: readonly number[];
    readonly brokers: readonly number[];
    readonly replicationFactor: number;
  },
): Promise<PlannedMove[]> {
  const brokers = [...new Set(input.brokers)];
  if (brokers.length < input.replicationFactor)
    throw refuse('invalid', `${input.replicationFactor} replicas need as many brokers; ${brokers.length} were chosen`);
  const rows = (await getTopic(session, input.topic)).partitions.filter(({ partition }) => input.partitions.includes(partition));
  const plan = planReassignment(rows, brokers, input.replicationFactor);
  return rows.map(({ partition, replicas, sizeBytes }) => {
    const proposed = plan.get(partition) ?? replicas;
    const added = proposed.filter((id) => !replicas.includes(id)).length;
    return { partition, current: replicas, proposed, bytesToMove: added === 0 ? 0 : sizeBytes === null ? null : sizeBytes * added };
  });
}

export async function reassignPartitions(
  session: ClusterSession,
  topic: string,
  moves: readonly { readonly partition: number; readonly replicas: readonly number[] }[],
  throttleBytesPerSecond?: number,
): Promise<ItemResult[]> {
  for (const { partition, replicas } of moves)
    if (new Set(replicas).size < replicas.length)
      throw refuse('invalid', `${topic}-${partition}: [${replicas.join(', ')}] names a broker twice`);
  if (throttleBytesPerSecond !== undefined) {
    const { partitions } = await describe(session, topic);
    const throttled = moves.map(({ partition, replicas }) => ({ partition, from: partitions[partition]?.replicas ?? [], to: replicas }));
    session.throttles.keep(topic, await applyThrottle(session.admin, topic, throttled, throttleBytesPerSecond, isRegistered(session)));
  }
  return alter(
    session,
    moves.map(({ partition, replicas }) => ({ topic, partition, replicas })),
  );
}

/** As Kafka's tool does, a throttle goes with the last move of the topic, whoever set it. */
export async function cancelReassignments(session: ClusterSession, topic: string, partitions: readonly number[]): Promise<ItemResult[]> {
  const results = await alter(
    session,
    partitions.map((partition) => ({ topic, partition, replicas: null })),
  );
  const throttle = await describeThrottle(session.admin, topic, brokerIds(session)).catch(() => undefined);
  if (throttle !== undefined) {
    session.throttles.keep(
      topic,
      throttle.rates.map(({ brokerId }) => brokerId),
    );
    await session.throttles.look();
  }
  return results;
}

export async function getThrottle(session: ClusterSession, topic: string): Promise<MoveThrottle | null> {
  const throttle = await describeThrottle(session.admin, topic, brokerIds(session));
  return throttle === undefined ? null : { ...throttle, endsByItself: session.throttles.keeps(topic) };
}

export async function setThrottle(session: ClusterSession, topic: string, bytesPerSecond: number | null): Promise<null> {
  if (bytesPerSecond === null) {
    session.throttles.forget(topic);
    await removeThrottle(session.admin, topic, brokerIds(session));
  } else {
    const moves = (await ongoingOf(session, topic)).map(({ partition, replicas, addingReplicas }) => ({
      partition,
      from: replicas.filter((id) => !addingReplicas.includes(id)),
      to: addingReplicas,
    }));
    if (moves.length === 0) throw refuse('refused', `Nothing of ${topic} is moving: there is nothing to throttle`);
    session.throttles.keep(topic, await applyThrottle(session.admin, topic, moves, bytesPerSecond, isRegistered(session)));
  }
  session.changed(throttleChanges([topic]));
  return null;
}

/** By the last look at the metadata; without one, whoever is named. */
function isRegistered(session: ClusterSession): (brokerId: number) => boolean {
  const known = session.view.last?.value.brokers;
  return (brokerId) => known === undefined || known.has(brokerId);
}

function brokerIds(session: ClusterSession): number[] {
  return Array.from(session.view.last?.value.brokers.keys() ?? []);
}

async function ongoingOf(session: ClusterSession, topic: string): Promise<readonly OngoingMove[]> {
  const { partitions } = await describe(session, topic);
  return session.admin.listPartitionReassignments(partitions.map(({ partition }) => ({ topic, partition })));
}

async function alter(
  session: ClusterSession,
  moves: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
): Promise<ItemResult[]> {
  const results = await session.changer.alterPartitionReassignments(moves);
  session.changed([{ kind: 'partitions', ids: [...new Set(moves.map(({ topic }) => topic))] }]);
  return itemResults(moves, results, 'AlterPartitionReassignments');
}

export async function topicReassignments(session: ClusterSession, topic: string): Promise<ReassignmentRow[]> {
  const { partitions } = await describe(session, topic);
  const ongoing = await session.admin.listPartitionReassignments(partitions.map(({ partition }) => ({ topic, partition })));
  if (ongoing.length === 0) return [];
  const leaderOf = (partition: number): number => partitions[partition]?.leaderId ?? -1;
  const leaders = new Set(ongoing.map(({ partition }) => leaderOf(partition)).filter((id) => id >= 0));
  const [progress, logDirs] = await Promise.all([
    session.isLocal ? progressOf(session, topic, leaders) : new Map<number, Progress>(),
    logDirsOf(session, topic, ongoing, leaders),
  ]);
  return ongoing.map(({ partition, replicas, addingReplicas, removingReplicas }) => ({
    partition,
    targetReplicas: replicas.filter((id) => !removingReplicas.includes(id)),
    addingReplicas,
    removingReplicas,
    isr: partitions[partition]?.isr ?? [],
    lag: progress.get(partition)?.lag ?? null,
    records: progress.get(partition)?.records ?? null,
    bytes: bytesOf(logDirs, { topic, partition }, leaderOf(partition), addingReplicas),
  }));
}

/** Of the leaders and the added replicas, and of nothing else. Undefined where the brokers don't have DescribeLogDirs. */
async function logDirsOf(
  session: ClusterSession,
  topic: string,
  ongoing: readonly OngoingMove[],
  leaders: ReadonlySet<number>,
): Promise<LogDirsByBroker | undefined> {
  const ids = new Set([...leaders, ...ongoing.flatMap(({ addingReplicas }) => addingReplicas)]);
  const topics = new Map([[topic, ongoing.map(({ partition }) => partition)]]);
  return session.admin.describeLogDirs([...ids], { topics, timeoutMs: LOG_DIRS_MS }).catch(() => undefined);
}

function bytesOf(
  logDirs: LogDirsByBroker | undefined,
  tp: TopicPartition,
  leader: number,
  addingReplicas: readonly number[],
): ReassignmentRow['bytes'] {
  const ofLeader = logDirs === undefined ? null : replicaSize(logDirs, leader, tp);
  if (logDirs === undefined || ofLeader === null || addingReplicas.length === 0) return null;
  // A replica that isn't there yet has nothing; segments that differ may make one larger than its leader's.
  const copied = addingReplicas.map((id) => Math.min(ofLeader, replicaSize(logDirs, id, tp) ?? 0));
  return { copied: copied.reduce((sum, bytes) => sum + bytes, 0), total: ofLeader * addingReplicas.length };
}

interface Progress {
  readonly lag: number;
  readonly records: number;
}

/** By the leaders that answer. */
async function progressOf(session: ClusterSession, topic: string, leaders: ReadonlySet<number>): Promise<Map<number, Progress>> {
  const found = new Map<number, Progress>();
  const answers = await Promise.all(
    Array.from(leaders, (leader) => askBroker(session, leader, 'replication.reassigning', { max: MAX_TOLD }).catch(() => undefined)),
  );
  for (const own of answers.flatMap((answer) => answer?.partitions ?? [])) {
    if (own.topic !== topic) continue;
    const lag = Math.max(0, ...own.replicas.filter(({ isAdding }) => isAdding).map((replica) => replica.lag));
    found.set(own.partition, { lag, records: Math.max(0, own.logEndOffset - own.logStartOffset) });
  }
  return found;
}

export async function getReplication(
  session: ClusterSession,
  topic: string,
  range: { readonly from: number; readonly max: number },
): Promise<ReplicationState> {
  const { control } = session;
  if (control === undefined) throw refuse('refused', 'Only the brokers of a local cluster tell how far each replica is');
  const status = await control.status();
  const assigned = await brokersWith(session, status, topic);
  // A log may be left over on any other broker, or led there still by one that hasn't heard that it was moved away.
  const others = status.processes.flatMap(({ brokerId, state }) =>
    brokerId === null || state !== 'running' || assigned.includes(brokerId) ? [] : [brokerId],
  );
  const question = { topic, from: range.from, max: range.max, worst: TOLD_FURTHEST_BEHIND };
  const answers = await Promise.all([...assigned, ...others].map((id) => replicationOf(session, status, id, question)));
  const brokers = answers
    .filter(({ brokerId, answer }) => assigned.includes(brokerId) || (answer?.partitions.length ?? 0) > 0)
    .toSorted((a, b) => a.brokerId - b.brokerId);
  const told = brokers.flatMap(({ answer }) => answer?.partitions.map(({ partition }) => partition + 1) ?? []);
  // While no broker tells the metadata, as far as the answers go.
  const partitionCount = session.view.last?.value.topics.get(topic)?.partitions.length ?? Math.max(0, ...told);
  return { atMs: session.runtime.clock.wallMs(), partitionCount, brokers };
}

async function replicationOf(
  session: ClusterSession,
  status: ControlStatus,
  brokerId: number,
  question: BrokerQueries['replication.describe']['input'],
): Promise<ReplicationBroker> {
  const state = status.processes.find((process) => process.brokerId === brokerId)?.state ?? null;
  try {
    return { brokerId, state, answer: await askBroker(session, brokerId, 'replication.describe', question), failure: null };
  } catch (error) {
    return { brokerId, state, answer: null, failure: toFailure(error, { api: 'replication.describe', brokerId }) };
  }
}

function itemResults(wanted: readonly TopicPartition[], results: KeyResults<void>, api: string, fine?: number): ItemResult[] {
  return wanted.map((own) => {
    const result = results.get(topicPartitionKey(own));
    const isFine = !(result instanceof KafkaError) || result.code === fine;
    return { name: topicPartitionKey(own), failure: isFine ? null : toFailure(result, { api }) };
  });
}
