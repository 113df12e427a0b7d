/** What benchmarks ask of any Kafka cluster, ours or Apache Kafka's, outside of what they measure. */
import { CreateTopics } from '../../src/protocol/generated/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/generated/delete-topics.ts';
import { errorByCode } from '../../src/protocol/errors.ts';
import { Metadata } from '../../src/protocol/generated/metadata.ts';
import type { MetadataResponse } from '../../src/protocol/generated/metadata.ts';
import { until } from './deadline.ts';
import { RawConnection } from './raw-connection.ts';

/** Versions that Apache Kafka 3.9 speaks too. */
export const METADATA_VERSION = 12;
export const PRODUCE_VERSION = 9;
export const FETCH_VERSION = 12;
const CREATE_TOPICS_VERSION = 7;
const DELETE_TOPICS_VERSION = 5;
const CALL_TIMEOUT_MS = 30_000;

/** Who leads each partition, by index. */
export type Leaders = readonly { readonly brokerId: number; readonly port: number }[];

export async function withConnection<T>(port: number, use: (connection: RawConnection) => Promise<T>): Promise<T> {
  const connection = await RawConnection.open(port);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** What the broker at `port` knows; of all topics unless some are named. */
export function metadataFrom(port: number, topics: readonly string[] = []): Promise<MetadataResponse> {
  return withConnection(port, (connection) => metadataOn(connection, topics));
}

export function metadataOn(connection: RawConnection, topics: readonly string[]): Promise<MetadataResponse> {
  return connection.call(Metadata, METADATA_VERSION, {
    topics: topics.map((name) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
}

/** The controller's port, once `brokers` brokers and a controller are known to the broker at `port`. */
export function controllerPort(port: number, brokers: number): Promise<number> {
  return until(
    'a controller',
    async () => {
      const metadata = await metadataFrom(port);
      if (metadata.brokers.length < brokers) return undefined;
      return metadata.brokers.find(({ nodeId }) => nodeId === metadata.controllerId)?.port;
    },
    CALL_TIMEOUT_MS,
  );
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Makes topics and waits until every partition of each has a leader and all replicas in sync. */
export async function createTopics(bootstrapPort: number, brokers: number, topics: readonly NewTopic[]): Promise<void> {
  await withConnection(await controllerPort(bootstrapPort, brokers), async (connection) => {
    const response = await connection.call(CreateTopics, CREATE_TOPICS_VERSION, {
      topics: topics.map(({ name, partitions, replicas, config = {} }) => ({
        name,
        numPartitions: partitions,
        replicationFactor: replicas,
        assignments: [],
        configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
      timeoutMs: CALL_TIMEOUT_MS,
    });
    for (const { name, errorCode, errorMessage } of response.topics)
      if (errorCode !== 0) throw new Error(`creating ${name}: ${errorByCode(errorCode).name} ${errorMessage ?? ''}`);
  });
  for (const { name, partitions, replicas } of topics) await leadersOf(bootstrapPort, name, partitions, replicas);
}

export async function deleteTopic(bootstrapPort: number, brokers: number, name: string): Promise<void> {
  await withConnection(await controllerPort(bootstrapPort, brokers), (connection) =>
    connection.call(DeleteTopics, DELETE_TOPICS_VERSION, { topicNames: [name], timeoutMs: CALL_TIMEOUT_MS }),
  );
}

/** The leaders of a topic's partitions, once every broker says that each has one and `inSync` replicas in its ISR. */
export function leadersOf(bootstrapPort: number, topic: string, partitions: number, inSync: number): Promise<Leaders> {
  return until(
    `leaders of ${topic}`,
    async () => {
      const { brokers } = await metadataFrom(bootstrapPort);
      const seen = await Promise.all(brokers.map(async ({ port }) => leadersIn(await metadataFrom(port, [topic]), partitions, inSync)));
      return seen.includes(undefined) ? undefined : seen[0];
    },
    CALL_TIMEOUT_MS,
    20,
  );
}

function leadersIn({ brokers, topics }: MetadataResponse, partitions: number, inSync: number): Leaders | undefined {
  const found = topics[0];
  if (found === undefined || found.partitions.length < partitions) return undefined;
  const leaders: { brokerId: number; port: number }[] = [];
  for (const { partitionIndex, leaderId, isrNodes, errorCode } of found.partitions) {
    const port = brokers.find(({ nodeId }) => nodeId === leaderId)?.port;
    if (port === undefined || errorCode !== 0 || isrNodes.length < inSync) return undefined;
    leaders[partitionIndex] = { brokerId: leaderId, port };
  }
  return leaders;
}
