/**
 * A client that hasn't asked for metadata for long: when all has settled it writes with acks=1 to, and reads from, every broker that doesn't lead. None may
 * take that: what one takes is with no replica, and what it gives is old.
 */
import { ErrorCode, errorByCode } from '../../../src/protocol/errors.ts';
import { Fetch } from '../../../src/protocol/generated/fetch.ts';
import { Produce } from '../../../src/protocol/generated/produce.ts';
import { buildRecordBatch } from '../../../src/protocol/records/record-batch-builder.ts';
import type { Node } from '../../../src/client/network-client.ts';
import type { History } from '../checks/history.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { SimClient } from './sim-client.ts';

const TIMEOUT_MS = 2000;
/** The last one that names topics, not ids, which an old client doesn't know. */
const FETCH_VERSION = 12;

const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INVALID_TOPIC_EXCEPTION,
]);

export interface OldWriterOptions {
  readonly client: SimClient;
  readonly cluster: SimCluster;
  readonly history: History;
}

/** @param topics with their numbers of partitions. */
export async function tryOldLeaders({ client, cluster, history }: OldWriterOptions, topics: ReadonlyMap<string, number>): Promise<void> {
  await Promise.all(
    client.brokers.map(async (node) => {
      const elsewhere = Array.from(topics, ([name, count]) => ({
        name,
        partitions: Array.from({ length: count }, (_, partition) => partition).filter(
          (partition) => cluster.leaderOf(name, partition)?.leaderId !== node.id,
        ),
      })).filter(({ partitions }) => partitions.length > 0);
      if (elsewhere.length === 0) return;
      const took = [...(await write(client, node, elsewhere)), ...(await read(client, node, elsewhere))];
      for (const { name, partition, how } of took) {
        // Leaders are balanced at any time: it may have become the leader meanwhile.
        if (cluster.leaderOf(name, partition)?.leaderId === node.id) continue;
        history.violate(`broker ${node.id} ${how} ${name}-${partition}, which it does not lead`);
      }
    }),
  );
}

interface Taken {
  readonly name: string;
  readonly partition: number;
  readonly how: string;
}

interface TopicPartitions {
  readonly name: string;
  readonly partitions: readonly number[];
}

async function write({ network, runtime }: SimClient, node: Node, topics: readonly TopicPartitions[]): Promise<Taken[]> {
  const batch = (): Buffer =>
    buildRecordBatch([{ timestamp: runtime.clock.wallMs(), key: null, value: Buffer.from('from an old client') }]);
  const topicData = topics.map(({ name, partitions }) => ({
    name,
    partitionData: partitions.map((index) => ({ index, records: [batch()] })),
  }));
  const response = await network.send(node, Produce, { acks: 1, timeoutMs: TIMEOUT_MS, topicData }, { timeoutMs: TIMEOUT_MS });
  return response.responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.flatMap(({ index, errorCode }) =>
      isRefusal(errorCode) ? [] : [{ name, partition: index, how: 'takes a record for' }],
    ),
  );
}

async function read({ network }: SimClient, node: Node, topics: readonly TopicPartitions[]): Promise<Taken[]> {
  const body = {
    maxWaitMs: 0,
    minBytes: 0,
    topics: topics.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.map((partition) => ({ partition, currentLeaderEpoch: -1, fetchOffset: 0, partitionMaxBytes: 1 })),
    })),
  };
  const response = await network.send(node, Fetch, body, { version: FETCH_VERSION, timeoutMs: TIMEOUT_MS });
  return response.responses.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partitionIndex, errorCode }) =>
      isRefusal(errorCode)
        ? []
        : [{ name: topic, partition: partitionIndex, how: `answers ${errorByCode(errorCode).name} to a fetch from` }],
    ),
  );
}

/** Those by which a client learns to ask anew, and what writers to internal topics are told by whomever they ask. */
function isRefusal(errorCode: number): boolean {
  return REFUSALS.has(errorCode);
}
