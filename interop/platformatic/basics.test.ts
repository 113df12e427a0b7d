/** What one tries first with @platformatic/kafka, which speaks only new versions. What is not served yet is in `README.md` beside this file. */
import { Admin, Consumer, ConfigResourceTypes, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { afterEach, describe, expect, it } from 'vitest';
import { createTopic, untilNoLag, until, untilCount, valueOf } from '../support/expectations.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const cluster = sharedCluster();
const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const client of opened.splice(0).toReversed()) await client.close();
});

function open<T extends { close(): Promise<unknown> }>(client: T): T {
  opened.push(client);
  return client;
}

const base = (): { clientId: string; bootstrapBrokers: string[] } => ({
  clientId: 'interop-platformatic',
  bootstrapBrokers: cluster.brokers,
});
const newAdmin = (): Admin => open(new Admin(base()));
const newProducer = (options: object = {}) => open(new Producer({ ...base(), serializers: stringSerializers, ...options }));

function newConsumer(groupId: string, options: object = {}) {
  const consumer = new Consumer({
    ...base(),
    groupId,
    deserializers: stringDeserializers,
    sessionTimeout: 30_000,
    rebalanceTimeout: 30_000,
    heartbeatInterval: 200,
    maxWaitTime: 100,
    ...options,
  });
  // `true`: with its streams.
  opened.push({ close: () => consumer.close(true) });
  return consumer;
}

const messages = (topic: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ topic, key: `key-${index}`, value: `value ${index}`, headers: { h: 'x' } }));

/** The first `count` records, as `partition:offset key=value`. */
async function read(
  topic: string,
  groupId: string,
  count: number,
): Promise<{ key: string; value: string; partition: number; offset: bigint; headers: Map<string, string> }[]> {
  const stream = await newConsumer(groupId).consume({ topics: [topic], mode: 'earliest', autocommit: true });
  const seen = [];
  for await (const message of stream) {
    seen.push(message);
    if (seen.length === count) break;
  }
  return seen;
}

describe('the admin client', () => {
  it('creates, lists, grows and deletes topics', async () => {
    const admin = newAdmin();
    const [created] = await admin.createTopics({ topics: ['plt-topic'], partitions: 3, replicas: 2 });
    expect(created).toMatchObject({ name: 'plt-topic', partitions: 3, replicas: 2 });
    // The broker that is asked may hear of it later than the controller.
    await until('it is listed', async () => (await admin.listTopics()).includes('plt-topic'));
    await expect(admin.createTopics({ topics: ['plt-topic'], partitions: 1, replicas: 1 })).rejects.toThrow();
    await admin.createPartitions({ topics: [{ name: 'plt-topic', count: 5, assignments: null }] });
    await until(
      'there are 5',
      async () => valueOf((await cluster.admin.describeTopics(['plt-topic'])).get('plt-topic')).partitions.length === 5,
    );
    await admin.deleteTopics({ topics: ['plt-topic'] });
    await until('it is gone', async () => !(await admin.listTopics()).includes('plt-topic'));
  });

  it('reads and changes configs', async () => {
    const admin = newAdmin();
    await createTopic(cluster.admin, 'plt-configs', { partitions: 1 });
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: 'plt-configs' };
    await admin.incrementalAlterConfigs({
      resources: [{ ...resource, configs: [{ name: 'flush.messages', configOperation: 0, value: '10' }] }],
    });
    await until('it has changed', async () => {
      const [described] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: ['flush.messages'] }] });
      return described?.configs.find(({ name }) => name === 'flush.messages')?.value === '10';
    });
  });

  it('lists, describes, moves and deletes groups', async () => {
    const admin = newAdmin();
    await createTopic(cluster.admin, 'plt-groups', { partitions: 1 });
    await newProducer().send({ messages: messages('plt-groups', 5) });
    const stream = await newConsumer('plt-group').consume({ topics: ['plt-groups'], mode: 'earliest', autocommit: true });
    let count = 0;
    for await (const _ of stream) if (++count === 5) break;
    expect((await admin.listGroups()).get('plt-group')).toMatchObject({ state: 'Stable', groupType: 'classic', protocolType: 'consumer' });
    const described = (await admin.describeGroups({ groups: ['plt-group'] })).get('plt-group');
    expect([described?.state, described?.members.size]).toEqual(['Stable', 1]);
    for (const client of opened.splice(-1)) await client.close();
    await until('it is empty', async () => (await admin.listGroups()).get('plt-group')?.state === 'Empty');
    await untilNoLag(cluster.admin, 'plt-group', 'plt-groups');
    await admin.alterConsumerGroupOffsets({
      groupId: 'plt-group',
      topics: [{ name: 'plt-groups', partitionOffsets: [{ partition: 0, offset: 2n }] }],
    });
    const [offsets] = await admin.listConsumerGroupOffsets({ groups: ['plt-group'] });
    expect(offsets?.topics).toMatchObject([{ name: 'plt-groups', partitions: [{ partitionIndex: 0, committedOffset: 2n }] }]);
    await admin.deleteConsumerGroupOffsets({ groupId: 'plt-group', topics: [{ name: 'plt-groups', partitionIndexes: [0] }] });
    // That was its last offset: as in Kafka, the group is gone with it.
    await until('it is gone', async () => !(await admin.listGroups()).has('plt-group'));
  });

  it('describes log directories', async () => {
    await createTopic(cluster.admin, 'plt-dirs', { partitions: 2 });
    const described = await newAdmin().describeLogDirs({ topics: [{ name: 'plt-dirs', partitions: [0, 1] }] });
    expect(described.map(({ broker }) => broker).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(
      described.flatMap(({ results }) => results.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))),
    ).toHaveLength(6);
  });
});

describe('the producer', () => {
  it.each([0, 1, -1])('with acks=%i is read back', async (acks) => {
    const topic = `plt-acks${acks}`;
    await createTopic(cluster.admin, topic);
    await newProducer().send({ acks, messages: messages(topic, 300) });
    await untilCount(cluster.admin, topic, 300);
    const seen = await read(topic, `g-${topic}`, 300);
    expect(seen.map(({ key, value }) => `${key}=${value}`).toSorted()).toEqual(
      messages(topic, 300)
        .map(({ key, value }) => `${key}=${value}`)
        .toSorted(),
    );
    expect(seen[0]?.headers.get('h')).toBe('x');
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('compressing with %s is read back', async (compression) => {
    const topic = `plt-${compression}`;
    await createTopic(cluster.admin, topic, { partitions: 1 });
    await newProducer().send({ compression, messages: messages(topic, 300) });
    expect((await read(topic, `g-${topic}`, 300)).map(({ value }) => value)).toEqual(messages(topic, 300).map(({ value }) => value));
  });

  it('may be idempotent', async () => {
    await createTopic(cluster.admin, 'plt-idempotent', { partitions: 2 });
    const producer = newProducer({ idempotent: true });
    for (let round = 0; round < 5; round++) await producer.send({ acks: -1, messages: messages('plt-idempotent', 20) });
    await untilCount(cluster.admin, 'plt-idempotent', 100);
  });

  it('makes a missing topic', async () => {
    await newProducer({ autocreateTopics: true }).send({ messages: messages('plt-made', 1) });
    await untilCount(cluster.admin, 'plt-made', 1);
  });
});

describe('a consumer group', () => {
  it('shares partitions, takes over from who leaves, and commits', async () => {
    const [topic, groupId] = ['plt-shared', 'plt-shared-group'];
    await createTopic(cluster.admin, topic);
    let seen = 0;
    const member = async () => {
      const consumer = newConsumer(groupId);
      const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: true });
      stream.on('data', () => seen++);
      return consumer;
    };
    const partitionsOf = (consumer: { assignments: { partitions: number[] }[] | null }): number =>
      consumer.assignments?.flatMap(({ partitions }) => partitions).length ?? 0;
    const first = await member();
    await until('the first has all', () => partitionsOf(first) === 6);
    const second = await member();
    await until('each has half', () => partitionsOf(first) === 3 && partitionsOf(second) === 3);
    const producer = newProducer();
    await producer.send({ messages: messages(topic, 600) });
    await until('all is read', () => seen >= 600);
    await second.close(true);
    await until('the first has all again', () => partitionsOf(first) === 6);
    await producer.send({ messages: messages(topic, 60) });
    await until('the rest is read', () => seen >= 660);
    await untilNoLag(cluster.admin, groupId, topic);
  });
});
