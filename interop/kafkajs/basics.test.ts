/** What one tries first with KafkaJS. What is not served yet is in `README.md` beside this file. */
import kafkajs from 'kafkajs';
import type { Consumer, Kafka, Producer } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTopic, endOffsets, untilNoLag, expectSameRecords, until, untilCount, valueOf } from '../support/expectations.ts';
import type { ConsumedRecord } from '../support/expectations.ts';
import { kafkaJs, readWithKafkaJsGroup, registerKafkaJsCodecs } from '../support/kafka-js.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const { CompressionTypes, ConfigResourceTypes } = kafkajs;
const cluster = sharedCluster();
let kafka: Kafka;
const opened: { disconnect(): Promise<void> }[] = [];

beforeAll(() => {
  registerKafkaJsCodecs();
  kafka = kafkaJs(cluster.brokers);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.disconnect()));
});

async function connected<T extends { connect(): Promise<void>; disconnect(): Promise<void> }>(client: T): Promise<T> {
  opened.push(client);
  await client.connect();
  return client;
}

const messages = (count: number): { key: string; value: string }[] =>
  Array.from({ length: count }, (_, index) => ({ key: `key-${index}`, value: `value ${index}` }));

async function readAll(topic: string, groupId: string): Promise<ConsumedRecord[]> {
  return (await readWithKafkaJsGroup(kafka, { groupId, topic, members: 1, endOffsets: await endOffsets(cluster.admin, topic) })).records;
}

describe('the admin client', () => {
  it('describes the cluster', async () => {
    const admin = await connected(kafka.admin());
    const { brokers, controller, clusterId } = await admin.describeCluster();
    expect(brokers.toSorted((a, b) => a.nodeId - b.nodeId).map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])).toEqual(
      [1, 2, 3].map((id, index) => [id, cluster.brokers[index]]),
    );
    expect([1, 2, 3]).toContain(controller);
    expect(clusterId).toMatch(/^[\w-]{22}$/);
  });

  it('creates, describes, grows and deletes topics', async () => {
    const admin = await connected(kafka.admin());
    const topic = 'js-topic';
    expect(
      await admin.createTopics({
        topics: [{ topic, numPartitions: 3, replicationFactor: 2, configEntries: [{ name: 'retention.ms', value: '60000' }] }],
        waitForLeaders: true,
      }),
    ).toBe(true);
    expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false);
    // The broker that is asked may hear of it later than the controller.
    await until('it is listed', async () => (await admin.listTopics()).includes(topic));
    const replicaCounts = async (): Promise<number[][]> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.map(({ replicas, isr }) => [replicas.length, isr.length]) ?? [];
    };
    await expect
      .poll(() => replicaCounts().catch(String))
      .toEqual([
        [2, 2],
        [2, 2],
        [2, 2],
      ]);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await until('there are 5', async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length === 5);
    await admin.deleteTopics({ topics: [topic] });
    await until('it is gone', async () => !(await admin.listTopics()).includes(topic));
  });

  it('reads and changes configs', async () => {
    const admin = await connected(kafka.admin());
    await createTopic(cluster.admin, 'js-configs', { partitions: 1 });
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'js-configs' };
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'flush.messages', value: '10' }] }],
    });
    await until('it has changed', async () => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ ...resource, configNames: ['flush.messages'] }],
      });
      return resources[0]?.configEntries.find(({ configName }) => configName === 'flush.messages')?.configValue === '10';
    });
    await expect(
      admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'flush.messages', value: 'many' }] }] }),
    ).rejects.toThrow();
  });

  it('gives offsets by partition and by time', async () => {
    const admin = await connected(kafka.admin());
    await createTopic(cluster.admin, 'js-offsets', { partitions: 1 });
    const producer = await connected(kafka.producer());
    await producer.send({
      topic: 'js-offsets',
      messages: [1000, 2000, 3000].map((timestamp) => ({ value: 'x', timestamp: String(timestamp) })),
    });
    expect(await admin.fetchTopicOffsets('js-offsets')).toEqual([{ partition: 0, offset: '3', low: '0', high: '3' }]);
    expect(await admin.fetchTopicOffsetsByTimestamp('js-offsets', 1500)).toEqual([{ partition: 0, offset: '1' }]);
  });

  it('lists, describes, sets back and deletes groups', async () => {
    const admin = await connected(kafka.admin());
    const [topic, groupId] = ['js-groups', 'js-group'];
    await createTopic(cluster.admin, topic, { partitions: 1 });
    await (await connected(kafka.producer())).send({ topic, messages: messages(5) });
    await readAll(topic, groupId);
    expect((await admin.listGroups()).groups).toContainEqual({ groupId, protocolType: 'consumer' });
    expect((await admin.describeGroups([groupId])).groups[0]).toMatchObject({ groupId, state: 'Empty', members: [] });
    expect(await admin.fetchOffsets({ groupId, topics: [topic] })).toMatchObject([{ topic, partitions: [{ partition: 0, offset: '5' }] }]);
    // Takes KafkaJS five seconds: it waits once for a fetch of nothing.
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] });
    expect(await admin.fetchOffsets({ groupId, topics: [topic] })).toMatchObject([{ partitions: [{ offset: '2' }] }]);
    expect(await admin.deleteGroups([groupId])).toMatchObject([{ groupId, errorCode: 0 }]);
    await expect(admin.deleteGroups([groupId])).rejects.toThrow();
  });
});

describe('the producer', () => {
  it.each([0, 1, -1])('with acks=%i is read back', async (acks) => {
    const topic = `js-acks${acks}`;
    await createTopic(cluster.admin, topic);
    const producer = await connected(kafka.producer());
    const sent = await producer.send({ topic, acks, messages: messages(300) });
    if (acks !== 0) expect(sent.every(({ errorCode }) => errorCode === 0)).toBe(true);
    await untilCount(cluster.admin, topic, 300);
    expectSameRecords(
      await readAll(topic, `g-${topic}`),
      messages(300).map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    );
  });

  it.each([
    ['gzip', CompressionTypes.GZIP],
    ['snappy', CompressionTypes.Snappy],
    ['lz4', CompressionTypes.LZ4],
    ['zstd', CompressionTypes.ZSTD],
  ])('compressing with %s is read back', async (name, compression) => {
    const topic = `js-${name}`;
    await createTopic(cluster.admin, topic, { partitions: 1 });
    await (await connected(kafka.producer())).send({ topic, compression, messages: messages(300) });
    expectSameRecords(
      await readAll(topic, `g-${topic}`),
      messages(300).map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    );
  });

  it('may be idempotent, send to several topics at once, with headers and tombstones', async () => {
    await createTopic(cluster.admin, 'js-a', { partitions: 1 });
    await createTopic(cluster.admin, 'js-b', { partitions: 1 });
    const producer: Producer = await connected(kafka.producer({ idempotent: true }));
    for (let round = 0; round < 3; round++) {
      await producer.sendBatch({
        topicMessages: [
          { topic: 'js-a', messages: [{ key: `k${round}`, value: null, headers: { one: 'x', two: ['y', 'z'] } }] },
          { topic: 'js-b', messages: messages(10) },
        ],
      });
    }
    expect([[...(await endOffsets(cluster.admin, 'js-a')).values()], [...(await endOffsets(cluster.admin, 'js-b')).values()]]).toEqual([
      [3],
      [30],
    ]);
    const consumer: Consumer = await connected(kafka.consumer({ groupId: 'js-headers', maxWaitTimeInMs: 100 }));
    const seen: unknown[] = [];
    await consumer.subscribe({ topics: ['js-a'], fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push([
          message.key?.toString(),
          message.value,
          Object.entries(message.headers ?? {}).map(([name, value]) => `${name}=${String(value)}`),
        ]);
        return Promise.resolve();
      },
    });
    await until('three are read', () => seen.length === 3);
    expect(seen[0]).toEqual(['k0', null, ['one=x', 'two=y,z']]);
  });

  it('makes a missing topic', async () => {
    await (await connected(kafka.producer({ allowAutoTopicCreation: true }))).send({ topic: 'js-made', messages: messages(1) });
    expect((await endOffsets(cluster.admin, 'js-made')).get(0)).toBe(1);
  });
});

describe('a consumer group', () => {
  const options = { heartbeatInterval: 200, sessionTimeout: 30_000, rebalanceTimeout: 30_000, maxWaitTimeInMs: 100 };

  it('shares partitions, takes over from who leaves, and commits', async () => {
    const [topic, groupId] = ['js-shared', 'js-shared-group'];
    await createTopic(cluster.admin, topic);
    const assigned = new Map<string, number>();
    let read = 0;
    const member = async (name: string): Promise<Consumer> => {
      const consumer = await connected(kafka.consumer({ groupId, ...options }));
      consumer.on('consumer.group_join', ({ payload }) => assigned.set(name, payload.memberAssignment[topic]?.length ?? 0));
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachMessage: () => {
          read++;
          return Promise.resolve();
        },
      });
      return consumer;
    };
    await member('first');
    await until('the first has all', () => assigned.get('first') === 6);
    const second = await member('second');
    await until('each has half', () => assigned.get('first') === 3 && assigned.get('second') === 3);
    const producer = await connected(kafka.producer());
    await producer.send({ topic, messages: messages(600) });
    await until('all is read', () => read >= 600);
    const group = valueOf((await cluster.admin.describeGroups([groupId])).get(groupId));
    expect([group.state, group.protocol, group.members.map(({ clientId }) => clientId)]).toEqual([
      'Stable',
      'RoundRobinAssigner',
      ['interop-kafkajs', 'interop-kafkajs'],
    ]);
    await second.disconnect();
    await until('the first has all again', () => assigned.get('first') === 6);
    await producer.send({ topic, messages: messages(60) });
    await until('the rest is read', () => read >= 660);
    await untilNoLag(cluster.admin, groupId, topic);
  });

  it('seeks, pauses and resumes', async () => {
    const topic = 'js-seek';
    await createTopic(cluster.admin, topic, { partitions: 1 });
    await (await connected(kafka.producer())).send({ topic, messages: messages(10) });
    const consumer = await connected(kafka.consumer({ groupId: 'js-seek', ...options }));
    const offsets: number[] = [];
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        offsets.push(Number(message.offset));
        return Promise.resolve();
      },
    });
    await until('all are read', () => offsets.length === 10);
    consumer.seek({ topic, partition: 0, offset: '7' });
    await until('the last three come again', () => offsets.length === 13);
    expect(offsets.slice(10)).toEqual([7, 8, 9]);
  });
});
