/** The cluster itself: who is in it, what each broker can do, and what lies in its log directories. */
import { apiByKey } from '../../protocol/apis.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AlterReplicaLogDirs } from '../../protocol/generated/alter-replica-log-dirs.ts';
import { DescribeLogDirs } from '../../protocol/generated/describe-log-dirs.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { BrokerNode } from '../cluster-snapshot.ts';
import { errorOf, runKeyed, runSingle } from './keyed-call.ts';
import type { AdminContext, CallOptions, KeyResult, KeyResults } from './keyed-call.ts';
import { anyBroker, namedBroker } from './lookups.ts';

export interface ClusterDescription {
  readonly clusterId: string | null;
  /** -1 when there is none at the moment. In KRaft mode any broker. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerNode[];
}

export interface SupportedApi {
  readonly apiKey: number;
  /** Undefined for one that we don't know. */
  readonly name: string | undefined;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface LogDirReplica extends TopicPartition {
  readonly sizeBytes: number;
  /** How far behind: the high watermark less this replica's end, or for a future replica, the current one's end less its. */
  readonly offsetLag: number;
  /** Being made here by a move between log directories. */
  readonly isFuture: boolean;
}

export interface LogDir {
  readonly path: string;
  /** Of the file system; undefined from a broker that doesn't tell (before version 4). */
  readonly totalBytes: number | undefined;
  readonly usableBytes: number | undefined;
  readonly replicas: readonly LogDirReplica[];
}

/** Never from memory. Throws when no broker answers. */
export function describeCluster(context: AdminContext, options?: CallOptions): Promise<ClusterDescription> {
  const call = {
    name: 'describeCluster',
    // Asked through Metadata, which every broker has had since 0.10, and which finds a broker by itself.
    lookup: async () => new Map([['cluster', { id: -1, host: '', port: 0 }]]),
    async request() {
      const { clusterId, controllerId, brokers } = await context.metadata.refresh();
      const sorted = Array.from(brokers.values()).toSorted((a, b) => a.id - b.id);
      return new Map([['cluster', { clusterId, controllerId, brokers: sorted }]]);
    },
  };
  return runSingle<ClusterDescription>(context, call, 'cluster', options);
}

/** What a broker (any, when none is named) advertises, by API key. */
export function apiVersions(context: AdminContext, brokerId: number | undefined, options?: CallOptions): Promise<readonly SupportedApi[]> {
  return runSingle<readonly SupportedApi[]>(
    context,
    {
      name: 'apiVersions',
      lookup: brokerId === undefined ? anyBroker(context) : namedBroker(context, Number),
      async request(node, keys, { timeoutMs }) {
        const versions = await context.client.versionsOf(node, { timeoutMs });
        const apis = Array.from(versions.values(), ({ apiKey, minVersion, maxVersion }) => ({
          apiKey,
          name: apiByKey(apiKey)?.name,
          minVersion,
          maxVersion,
        }));
        return new Map(keys.map((key) => [key, apis.toSorted((a, b) => a.apiKey - b.apiKey)]));
      },
    },
    String(brokerId ?? 'any'),
    options,
  );
}

/** The log directories of each broker, by broker id as text. A directory that failed is its error, by its path. */
export function describeLogDirs(
  context: AdminContext,
  brokerIds: readonly number[],
  options: CallOptions & { /** Only these; all when left out. */ readonly topics?: ReadonlyMap<string, readonly number[]> } = {},
): Promise<KeyResults<ReadonlyMap<string, KeyResult<LogDir>>>> {
  const topics =
    options.topics === undefined ? null : Array.from(options.topics, ([topic, partitions]) => ({ topic, partitions: [...partitions] }));
  return runKeyed<ReadonlyMap<string, KeyResult<LogDir>>>(
    context,
    {
      name: 'describeLogDirs',
      lookup: namedBroker(context, Number),
      async request(node, keys, { timeoutMs }) {
        const response = await context.client.send(node, DescribeLogDirs, { topics }, { minVersion: 1, timeoutMs });
        const dirs = new Map<string, KeyResult<LogDir>>();
        for (const { logDir: path, errorCode, totalBytes, usableBytes, topics: own } of response.results) {
          const replicas = own.flatMap(({ name: topic, partitions }) =>
            partitions.map(({ partitionIndex: partition, partitionSize: sizeBytes, offsetLag, isFutureKey: isFuture }) => ({
              topic,
              partition,
              sizeBytes,
              offsetLag,
              isFuture,
            })),
          );
          dirs.set(path, errorOf(errorCode) ?? { path, totalBytes: known(totalBytes), usableBytes: known(usableBytes), replicas });
        }
        return new Map(keys.map((key) => [key, errorOf(response.errorCode) ?? dirs]));
      },
    },
    brokerIds.map(String),
    options,
  );
}

/** A replica on a broker, and the log dir that it shall move to. */
export interface ReplicaMove {
  readonly brokerId: number;
  readonly topic: string;
  readonly partition: number;
  readonly logDir: string;
}

/**
 * Begins to move replicas to other log dirs of their brokers, by `topic-partition@broker`. Errors: REPLICA_NOT_AVAILABLE (it will be made
 * there), LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR. How far a move is tells `describeLogDirs` (`isFuture`).
 */
export async function alterReplicaLogDirs(
  context: AdminContext,
  moves: readonly ReplicaMove[],
  options: CallOptions = {},
): Promise<KeyResults<void>> {
  const results: KeyResults<void> = new Map();
  const brokerIds = [...new Set(moves.map(({ brokerId }) => brokerId))];
  const answers = await runKeyed<ReadonlyMap<string, number>>(
    context,
    {
      name: 'alterReplicaLogDirs',
      lookup: namedBroker(context, Number),
      async request(node, keys, { timeoutMs }) {
        const own = moves.filter(({ brokerId }) => keys.includes(String(brokerId)));
        const dirs = [...new Set(own.map(({ logDir }) => logDir))].map((path) => {
          const topics = Map.groupBy(
            own.filter(({ logDir }) => logDir === path),
            ({ topic }) => topic,
          );
          return { path, topics: Array.from(topics, ([name, parts]) => ({ name, partitions: parts.map(({ partition }) => partition) })) };
        });
        const response = await context.client.send(node, AlterReplicaLogDirs, { dirs }, { timeoutMs });
        const codes = response.results.flatMap(({ topicName, partitions }) =>
          partitions.map(({ partitionIndex, errorCode }) => [`${topicName}-${partitionIndex}`, errorCode] as const),
        );
        return new Map(keys.map((key) => [key, new Map(codes)]));
      },
    },
    brokerIds.map(String),
    options,
  );
  for (const { brokerId, topic, partition } of moves) {
    const answer = answers.get(String(brokerId));
    const code = answer instanceof KafkaError ? answer.code : answer?.get(`${topic}-${partition}`);
    results.set(`${topic}-${partition}@${brokerId}`, errorOf(code ?? ErrorCode.UNKNOWN_SERVER_ERROR));
  }
  return results;
}

function known(bytes: number): number | undefined {
  return bytes < 0 ? undefined : bytes;
}
