/** A cluster of three as clients meet it: kcat, and our own Admin and NetworkClient. */
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { AlterConfigOp, ConfigResourceType } from '../../src/client/admin/configs.ts';
import { NetworkClient } from '../../src/client/network-client.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import { attachToCluster, ClusterHeldError, startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { errorByCode, KafkaError } from '../../src/protocol/errors.ts';
import { encodeRequest } from '../../src/protocol/frames.ts';
import { DescribeConfigs } from '../../src/protocol/generated/describe-configs.ts';
import { InitProducerId } from '../../src/protocol/generated/init-producer-id.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import {
  adminOf,
  Cleanups,
  describePartition,
  describeTopic,
  endOffset,
  startTestCluster,
  temporaryHome,
  until,
  untilCommitted,
  untilInSync,
  untilKnown,
  valueOf,
} from './support/clusters.ts';
import { consumeValues, kcat } from './support/kcat.ts';

const all = new Cleanups();
const each = new Cleanups();
let cluster: RunningCluster;
let admin: Admin;
let client: NetworkClient;

beforeAll(async () => {
  cluster = await startTestCluster(all);
  admin = adminOf(all, cluster.bootstrapServers);
  client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'basics' });
  all.add(() => client.close());
});
afterEach(() => each.run());
afterAll(() => all.run());

let topics = 0;

/** A new topic with all its replicas in sync. */
async function newTopic(numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = `topic-${topics++}`;
  valueOf((await admin.createTopics([{ name, numPartitions, replicationFactor: 3, configs }])).get(name));
  await untilInSync(admin, name, 3);
  return name;
}

const batchOf = (...values: string[]): Buffer =>
  buildRecordBatch(values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: 1 })));

describe('the cluster', () => {
  it('has three brokers and a controller, for kcat and for Admin', async () => {
    await untilKnown(admin, 3);
    const listed = await until('kcat is told of three brokers', async () => {
      const { code, out } = await kcat(['-L', '-J', '-b', cluster.bootstrapServers]);
      expect(code).toBe(0);
      const answer = JSON.parse(out) as { controllerid: number; brokers: { id: number; name: string }[] };
      return answer.brokers.length === 3 ? answer : undefined;
    });
    expect(listed.brokers.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(listed.brokers.map(({ name }) => name).toSorted()).toEqual(cluster.bootstrapServers.split(',').toSorted());
    const { brokers, controllerId } = await admin.describeCluster();
    expect(brokers.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(listed.controllerid).toBe(controllerId);
  });
});

describe('records', () => {
  it.each(['0', '1', 'all'])('written by kcat with acks=%s can be read', async (acks) => {
    const topic = await newTopic();
    const values = Array.from({ length: 200 }, (_, index) => `value-${index}`);
    const { code, error } = await kcat(
      ['-P', '-b', cluster.bootstrapServers, '-t', topic, '-p', '0', '-X', `acks=${acks}`],
      `${values.join('\n')}\n`,
    );
    expect([code, error]).toEqual([0, expect.any(String)]);
    // With acks=0 kcat ends before the leader has written.
    await untilCommitted(admin, topic, values.length);
    expect(await consumeValues(cluster.bootstrapServers, topic)).toEqual(values);
  });

  it('of a client that writes a hundred requests with acks=0 and leaves are all there', async () => {
    const topic = await newTopic();
    const { leaderId } = await describePartition(admin, topic);
    const { host, port } = valueOf((await admin.describeCluster()).brokers.find(({ id }) => id === leaderId));
    const values = Array.from({ length: 100 }, (_, index) => `value-${index}`);
    const requests = values.flatMap((value, index) =>
      encodeRequest(Produce, 9, index, 'leaver', {
        acks: 0,
        timeoutMs: 1_000,
        topicData: [{ name: topic, partitionData: [{ index: 0, records: [batchOf(value)] }] }],
      }),
    );
    await new Promise((resolve, reject) => {
      const socket = connect({ host, port }, () => socket.end(Buffer.concat(requests)));
      socket.on('close', resolve).on('error', reject).resume();
    });
    expect(await consumeValues(cluster.bootstrapServers, topic, { count: values.length })).toEqual(values);
  });

  it('keep their keys, headers and order in every codec', async () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const topic = await newTopic();
      const input = Array.from({ length: 50 }, (_, index) => `k${index}:v${index}`).join('\n');
      const { code } = await kcat(
        ['-P', '-b', cluster.bootstrapServers, '-t', topic, '-p', '0', '-K', ':', '-H', 'h=x', '-z', codec],
        `${input}\n`,
      );
      expect(code).toBe(0);
      const { out } = await kcat([
        '-C',
        '-b',
        cluster.bootstrapServers,
        '-t',
        topic,
        '-p',
        '0',
        '-o',
        'beginning',
        '-e',
        '-q',
        '-f',
        '%k:%s %h\n',
      ]);
      expect(out).toBe(`${input.split('\n').join(' h=x\n')} h=x\n`);
    }
  });

  it('of an idempotent producer are there once, however often a batch is sent', async () => {
    const topic = await newTopic();
    const { leaderId } = await describePartition(admin, topic);
    const leader = (await admin.describeCluster()).brokers.find(({ id }) => id === leaderId);
    if (leader === undefined) throw new Error('no leader');
    const { producerId, producerEpoch } = await client.send(leader, InitProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    const send = async (baseSequence: number, value: string) => {
      const records = buildRecordBatch([{ key: null, value: Buffer.from(value), timestamp: 1 }], {
        producerId,
        producerEpoch,
        baseSequence,
      });
      const body = { acks: -1, timeoutMs: 5_000, topicData: [{ name: topic, partitionData: [{ index: 0, records: [records] }] }] };
      const [answer] = (await client.send(leader, Produce, body)).responses[0]?.partitionResponses ?? [];
      return [errorByCode(answer?.errorCode ?? -1).name, answer?.baseOffset];
    };
    expect(await send(0, 'a')).toEqual(['NONE', 0]);
    expect(await send(1, 'b')).toEqual(['NONE', 1]);
    expect(await send(0, 'a')).toEqual(['NONE', 0]);
    expect(await send(1, 'b')).toEqual(['NONE', 1]);
    expect(await send(3, 'd')).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', -1]);
    expect(await send(2, 'c')).toEqual(['NONE', 2]);
    expect(await consumeValues(cluster.bootstrapServers, topic)).toEqual(['a', 'b', 'c']);
  });

  it('reach a reader that waits at the end as soon as they are committed', async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    const own = adminOf(each, cluster.bootstrapServers);
    // Longer than the test may take: only what is committed ends the wait.
    const waiting = new RecordReader(own.context).fetchRecords(partition, 0, { maxWaitMs: 600_000 });
    await produceBatch(admin.context, partition, batchOf('x'));
    const { records } = await waiting;
    expect(records.map(({ value }) => String(value))).toEqual(['x']);
  });

  it('go to a topic that is made when it is first written to', async () => {
    const { code } = await kcat(['-P', '-b', cluster.bootstrapServers, '-t', 'made-at-need', '-p', '0'], 'x\n');
    expect(code).toBe(0);
    await untilInSync(admin, 'made-at-need', 3);
    expect(await consumeValues(cluster.bootstrapServers, 'made-at-need')).toEqual(['x']);
  });
});

describe('a consumer group', () => {
  it('of kcat reads on from what it has committed, and Admin sees it', async () => {
    const topic = await newTopic(3);
    const group = `group-${topic}`;
    const write = (...values: string[]) =>
      kcat(['-P', '-b', cluster.bootstrapServers, '-t', topic, '-X', 'acks=all'], `${values.join('\n')}\n`);
    const read = async (count: number): Promise<string[]> => {
      const settings = ['-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=6000'];
      const { out } = await kcat([
        '-b',
        cluster.bootstrapServers,
        '-G',
        group,
        ...settings,
        '-c',
        String(count),
        '-q',
        '-f',
        '%s\n',
        topic,
      ]);
      return out.split('\n').filter(Boolean).toSorted();
    };
    await write('a', 'b', 'c');
    expect(await read(3)).toEqual(['a', 'b', 'c']);
    await write('d', 'e');
    expect(await read(2)).toEqual(['d', 'e']);
    const { groups } = await admin.listGroups();
    expect(groups.map(({ groupId }) => groupId)).toContain(group);
    const described = await until('the group is empty', async () => {
      const now = valueOf((await admin.describeGroups([group])).get(group));
      return now.state === 'Empty' ? now : undefined;
    });
    expect(described.members).toEqual([]);
    const offsets = valueOf((await admin.listGroupOffsets(new Map([[group, null]]))).get(group));
    const committed = [...offsets.values()].map((offset) => valueOf(offset).offset);
    expect(committed.reduce((sum, offset) => sum + Math.max(0, offset), 0)).toBe(5);
    valueOf((await admin.deleteGroups([group])).get(group) ?? true);
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain(group);
  });
});

describe('a topic', () => {
  it('is created, grows, and is gone from brokers and disks after its deletion', async () => {
    const topic = await newTopic(2);
    const error = (await admin.createTopics([{ name: topic, numPartitions: 2 }])).get(topic);
    expect(error).toBeInstanceOf(KafkaError);
    expect((await admin.createPartitions([{ topic, count: 4 }])).get(topic)).toBeUndefined();
    await until('every broker tells of four partitions', async () => (await describeTopic(admin, topic)).partitions.length === 4);
    await untilInSync(admin, topic, 3);
    const folders = () =>
      [1, 2, 3].flatMap((id) =>
        readdirSync(cluster.folder.broker(id)).filter((name) => name.startsWith(`${topic}-`) || name.startsWith(`${topic}.`)),
      );
    expect(folders()).toHaveLength(12);
    expect((await admin.deleteTopics([topic])).get(topic)).toBeUndefined();
    // Answered by whichever broker: one may not have heard of it.
    await until('nobody lists it', async () => !(await admin.listTopics()).has(topic));
    await until('the logs are on their way out', () => folders().every((name) => name.endsWith('-delete')));
    // The name is taken until the controller has heard of every replica's deletion.
    await until(
      'the name is free',
      async () => !((await admin.createTopics([{ name: topic, numPartitions: 1, replicationFactor: 3 }])).get(topic) instanceof KafkaError),
    );
    await untilInSync(admin, topic, 3);
    expect(await consumeValues(cluster.bootstrapServers, topic)).toEqual([]);
  });

  it('has the settings it was created with, and none of those of a deleted one of the same name', async () => {
    const write = async (topic: string): Promise<string> => {
      try {
        await produceBatch(admin.context, { topic, partition: 0 }, batchOf('x'.repeat(600)));
        return 'NONE';
      } catch (error) {
        if (error instanceof KafkaError) return error.errorName;
        throw error;
      }
    };
    const topic = await newTopic(1, { 'max.message.bytes': '200' });
    await until('the limit counts', async () => (await write(topic)) === 'MESSAGE_TOO_LARGE');
    expect((await admin.deleteTopics([topic])).get(topic)).toBeUndefined();
    await until(
      'the name is free',
      async () => !((await admin.createTopics([{ name: topic, numPartitions: 1, replicationFactor: 3 }])).get(topic) instanceof KafkaError),
    );
    await untilInSync(admin, topic, 3);
    expect(await write(topic)).toBe('NONE');
  });

  it('has settings that every broker tells, and follows', async () => {
    const topic = await newTopic();
    const resource = { type: ConfigResourceType.TOPIC, name: topic };
    const set = async (name: string, value: string) => {
      const results = await admin.incrementalAlterConfigs([{ resource, changes: [{ name, value, op: AlterConfigOp.SET }] }]);
      for (const result of results.values()) expect(result).toBeUndefined();
    };
    await set('flush.messages', '1');
    for (const broker of (await admin.describeCluster()).brokers) {
      const { results } = await client.send(broker, DescribeConfigs, {
        resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['flush.messages'] }],
      });
      expect(results[0]?.configs).toMatchObject([{ name: 'flush.messages', value: '1', configSource: 1 }]);
    }
    const segmentsOf = (id: number): number =>
      readdirSync(join(cluster.folder.broker(id), `${topic}-0`)).filter((name) => name.endsWith('.log')).length;
    const write = async (count: number) => {
      for (let index = 0; index < count; index++) await produceBatch(admin.context, { topic, partition: 0 }, batchOf('x'.repeat(600)));
    };
    await write(4);
    expect([1, 2, 3].map(segmentsOf)).toEqual([1, 1, 1]);
    await set('segment.bytes', '1024');
    // Each replica rolls by itself.
    await until('every replica rolls its segments', async () => {
      await write(2);
      return [1, 2, 3].every((id) => segmentsOf(id) >= 3);
    });
    expect(await consumeValues(cluster.bootstrapServers, topic)).toHaveLength(await endOffset(admin, topic));
  });
});

describe('a data folder in use', () => {
  it('is refused with the holder’s process id, and can be attached to', async () => {
    const { home } = cluster.folder;
    const refusal: unknown = await startCluster({ home, brokers: 3 }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ClusterHeldError);
    expect(refusal).toMatchObject({ pid: process.pid, answers: true });
    const control = await attachToCluster({ home });
    if (control === undefined) throw new Error('nobody answers');
    const { bootstrapServers, processes } = await control.status();
    expect(bootstrapServers).toBe(cluster.bootstrapServers);
    expect(processes.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'running']);
    control.close();
  });
});

describe('a port that is taken', () => {
  it('is left to its holder, who is named, and the next free one is used and shown', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
    each.add(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const home = temporaryHome(each);
    const own = await startTestCluster(each, { home, brokers: 1, basePort: port, zookeeper: { port: 0 } });
    const [moved] = own.movedPorts;
    expect(moved).toMatchObject({ processId: 'broker-1', wanted: port, used: expect.any(Number) });
    expect(moved?.holder?.pid).toBe(process.pid);
    expect(own.bootstrapServers).toBe(`localhost:${moved?.used}`);
    expect(own.broker(1).status().reason).toContain(`port ${port} is taken`);
    const { out } = await kcat(['-L', '-b', own.bootstrapServers]);
    expect(out).toContain(`at localhost:${moved?.used}`);
  });
});
