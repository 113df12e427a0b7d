/** Where the replicas of a broker lie among its log dirs, and their moves from one to another (KIP-113). */
import type { LogDir as AdminLogDir } from '../../client/admin/cluster.ts';
import { ConfigResourceType, configResourceKey } from '../../client/admin/configs.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { BrokerReplicas, ReplicaPlace } from '../contract/brokers.ts';
import type { ItemResult } from '../contract/failure.ts';
import { alterBrokerConfigs, listBrokers, logDirOf, whyNoAnswer } from './brokers-service.ts';
import type { ClusterSession } from './cluster-session.ts';
import { orThrow, refuse, toFailure } from './failures.ts';

const CALL_MS = 5_000;
const THROTTLE = 'replica.alter.log.dirs.io.max.bytes.per.second';

export async function brokerReplicas(session: ClusterSession, brokerId: number): Promise<BrokerReplicas> {
  const [known, throttleBytesPerSecond] = await Promise.all([dirsOf(session, brokerId), throttleOf(session, brokerId)]);
  const dirs = Array.from(known).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sound = dirs.flatMap(([, dir]) => (dir instanceof KafkaError ? [] : [dir]));
  return {
    logDirs: sound.map((dir) => logDirOf(dir.path, dir, brokerId)),
    replicas: placesOf(sound),
    throttleBytesPerSecond,
  };
}

/** Each replica has its row in the log dir where it is; the copy that is being made is told beside it. */
export function placesOf(dirs: readonly AdminLogDir[]): ReplicaPlace[] {
  const moves = new Map<string, NonNullable<ReplicaPlace['move']>>();
  for (const { path: logDir, replicas } of dirs)
    for (const { topic, partition, sizeBytes: copiedBytes, offsetLag: lag, isFuture } of replicas)
      if (isFuture) moves.set(topicPartitionKey({ topic, partition }), { logDir, copiedBytes, lag });
  return dirs.flatMap(({ path: logDir, replicas }) =>
    replicas
      .filter(({ isFuture }) => !isFuture)
      .map(({ topic, partition, sizeBytes }) => {
        const move = moves.get(topicPartitionKey({ topic, partition })) ?? null;
        return { topic, partition, logDir, sizeBytes, move };
      }),
  );
}

export async function moveReplicas(
  session: ClusterSession,
  brokerId: number,
  moves: readonly (TopicPartition & { readonly logDir: string })[],
): Promise<ItemResult[]> {
  const known = await dirsOf(session, brokerId);
  const unknown = moves.find(({ logDir }) => !known.has(logDir));
  if (unknown !== undefined)
    throw refuse('invalid', `Broker ${brokerId} has no log dir ${unknown.logDir}; it has ${Array.from(known.keys()).join(', ')}`);
  const wanted = moves.map((move) => ({ ...move, brokerId }));
  const results = await session.changer.alterReplicaLogDirs(wanted, { timeoutMs: CALL_MS });
  session.logDirs.invalidate();
  session.changed([{ kind: 'brokers', ids: [String(brokerId)] }]);
  return wanted.map((move) => {
    const name = topicPartitionKey(move);
    const result = results.get(`${name}@${brokerId}`);
    return { name, failure: result instanceof KafkaError ? toFailure(result, { api: 'AlterReplicaLogDirs', brokerId }) : null };
  });
}

export async function throttleMoves(session: ClusterSession, brokerId: number, bytesPerSecond: number | null): Promise<null> {
  const change =
    bytesPerSecond === null
      ? { name: THROTTLE, operation: 'delete' as const, value: null }
      : { name: THROTTLE, operation: 'set' as const, value: String(bytesPerSecond) };
  await alterBrokerConfigs(session, brokerId, [change], false);
  session.changed([{ kind: 'brokers', ids: [String(brokerId)] }]);
  return null;
}

/** Null when there is none, which is also how a broker before 1.1 answers. */
async function throttleOf(session: ClusterSession, brokerId: number): Promise<number | null> {
  const resource = { type: ConfigResourceType.BROKER, name: String(brokerId) };
  const results = await session.admin.describeConfigs([resource], { keys: [THROTTLE], timeoutMs: CALL_MS });
  const entries = results.get(configResourceKey(resource));
  if (entries === undefined || entries instanceof KafkaError) return null;
  const rate = Number(entries.find(({ name }) => name === THROTTLE)?.value ?? Number.NaN);
  return Number.isSafeInteger(rate) ? rate : null;
}

async function dirsOf(session: ClusterSession, brokerId: number): Promise<ReadonlyMap<string, AdminLogDir | KafkaError>> {
  const broker = (await listBrokers(session)).find((row) => row.brokerId === brokerId);
  if (broker === undefined) throw refuse('notFound', `There is no broker ${brokerId}`);
  const down = whyNoAnswer(broker, 'DescribeLogDirs');
  if (down !== undefined) throw down;
  const results = await session.admin.describeLogDirs([brokerId], { timeoutMs: CALL_MS });
  return orThrow(results.get(String(brokerId)), { api: 'DescribeLogDirs', brokerId, timeoutMs: CALL_MS });
}
