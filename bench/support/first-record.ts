/**
 * A producer that tries as fast as it can until one record is acknowledged with acks=all: what a client would see of a start or
 * of an election, without a client library's back-off.
 */
import { CreateTopics } from '../../src/protocol/generated/create-topics.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { decodeResponse } from '../../src/protocol/frames.ts';
import { produceFrame } from './batches.ts';
import { until } from './deadline.ts';
import { metadataFrom, PRODUCE_VERSION, withConnection } from './kafka-calls.ts';
import { RawConnection } from './raw-connection.ts';

const TOPIC_ALREADY_EXISTS = 36;
const CREATE_TOPICS_VERSION = 7;
const RETRY_MS = 3;
/** A broker that doesn't answer an attempt in this time is given up: it may just have been killed. */
const ATTEMPT_MS = 3000;

/** The partition's leader as the first broker tells that knows it: one that is still starting answers late, and one that is dead never. */
async function leaderPort(ports: readonly number[], topic: string, partition: number): Promise<number | undefined> {
  const asked = ports.map(async (port) => {
    const { brokers, topics } = await metadataFrom(port, [topic]);
    const found = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    const leader = brokers.find(({ nodeId }) => nodeId === found?.leaderId);
    if (leader === undefined) throw new Error(`broker on port ${port} knows no leader`);
    return leader.port;
  });
  try {
    return await Promise.any(asked);
  } catch {
    return undefined;
  }
}

/** Makes a topic of one partition on all brokers as soon as a controller with that many brokers is there. */
export async function createTopicAtOnce(ports: readonly number[], topic: string): Promise<void> {
  await until(
    `the topic ${topic}`,
    async () => {
      const controllers = ports.map(async (port) => {
        const { brokers, controllerId } = await metadataFrom(port);
        const controller = brokers.find(({ nodeId }) => nodeId === controllerId);
        if (controller === undefined || brokers.length < ports.length) throw new Error(`broker on port ${port} does not know them all`);
        return controller.port;
      });
      const response = await withConnection(await Promise.any(controllers), (connection) =>
        connection.call(CreateTopics, CREATE_TOPICS_VERSION, {
          topics: [{ name: topic, numPartitions: 1, replicationFactor: ports.length, assignments: [], configs: [] }],
          timeoutMs: 10_000,
        }),
      );
      const errorCode = response.topics[0]?.errorCode;
      return errorCode === 0 || errorCode === TOPIC_ALREADY_EXISTS ? true : undefined;
    },
    30_000,
    RETRY_MS,
  );
}

/** Resolves when one record is acknowledged with acks=all. */
export async function acknowledgedRecord(ports: readonly number[], topic: string, partition = 0): Promise<void> {
  const { frame } = produceFrame(topic, partition, -1, 100, 1);
  await until(
    `an acknowledged record in ${topic}-${partition}`,
    async () => {
      const port = await leaderPort(ports, topic, partition);
      return port !== undefined && (await produced(port, frame)) ? true : undefined;
    },
    60_000,
    RETRY_MS,
  );
}

async function produced(port: number, frame: Buffer): Promise<boolean> {
  const connection = await RawConnection.open(port);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => reject(new Error('no answer')), ATTEMPT_MS);
  connection.onFailure(reject);
  connection.send(frame, (answer) => {
    const { body } = decodeResponse(Produce, PRODUCE_VERSION, answer);
    resolve(body.responses[0]?.partitionResponses[0]?.errorCode === 0);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
