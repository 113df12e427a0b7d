import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeVersioned } from '../../protocol/api.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ConsumerProtocolAssignment } from '../../protocol/generated/consumer-protocol-assignment.ts';
import { CreateTopics } from '../../protocol/generated/create-topics.ts';
import { DeleteTopics } from '../../protocol/generated/delete-topics.ts';
import { DescribeConfigs } from '../../protocol/generated/describe-configs.ts';
import { DescribeGroups } from '../../protocol/generated/describe-groups.ts';
import { Fetch } from '../../protocol/generated/fetch.ts';
import { FindCoordinator } from '../../protocol/generated/find-coordinator.ts';
import { ListGroups } from '../../protocol/generated/list-groups.ts';
import { ListOffsets } from '../../protocol/generated/list-offsets.ts';
import { Metadata as MetadataApi } from '../../protocol/generated/metadata.ts';
import { OffsetFetch } from '../../protocol/generated/offset-fetch.ts';
import { Produce } from '../../protocol/generated/produce.ts';
import { setBaseOffsetAndLeaderEpoch } from '../../protocol/records/record-batch.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { UnsupportedVersionError } from '../errors.ts';
import { produceBatch } from '../produce-batch.ts';
import { RecordReader } from '../record-reader.ts';
import { DISCONNECT, FakeBroker, metadataOf } from '../testing/fake-broker.ts';
import type { FakeTopic } from '../testing/fake-broker.ts';
import { Admin } from './admin.ts';
import { ConfigResourceType, ConfigSource } from './configs.ts';
import { OffsetSpec } from './offsets.ts';

let one: FakeBroker;
let two: FakeBroker;
let admin: Admin;
let controllerId: number;
let topics: FakeTopic[];

beforeEach(async () => {
  [one, two] = await Promise.all([FakeBroker.start(), FakeBroker.start()]);
  controllerId = 1;
  topics = [{ name: 'orders', leaders: [1, 2, 1] }];
  const ports = new Map([
    [1, one.port],
    [2, two.port],
  ]);
  for (const broker of [one, two]) {
    broker.on(MetadataApi, ({ topics: asked }) => {
      const names = asked?.map(({ name }) => name);
      const known = topics.filter(({ name }) => names === undefined || names.includes(name));
      const unknown = (names ?? []).filter((name) => topics.every((topic) => topic.name !== name));
      const missing = unknown.map((name) => ({ name: name ?? '', leaders: [], errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }));
      return metadataOf(ports, controllerId, [...known, ...missing]);
    });
  }
  admin = new Admin({
    runtime: createNodeRuntime(silentLogger),
    bootstrapServers: one.address,
    retryBackoffMs: 1,
    defaultApiTimeoutMs: 3_000,
  });
});
afterEach(async () => {
  await admin.close();
  await Promise.all([one.stop(), two.stop()]);
});

const created = (errorCode: number) => (body: { topics: readonly { name: string }[] }) => ({
  topics: body.topics.map(({ name }) => ({
    name,
    errorCode,
    errorMessage: errorCode === 0 ? null : 'because',
    numPartitions: 3,
    replicationFactor: 1,
  })),
});

describe('Admin on topics', () => {
  it('goes to the new controller when the one it knew says that it no longer is', async () => {
    one.on(CreateTopics, (body) => {
      controllerId = 2;
      return created(ErrorCode.NOT_CONTROLLER)(body);
    });
    two.on(CreateTopics, created(ErrorCode.NONE));
    const results = await admin.createTopics([{ name: 'a', configs: { 'retention.ms': '1' } }]);
    expect(results.get('a')).toMatchObject({ numPartitions: 3 });
    expect(two.askedFor(CreateTopics)[0]?.body).toMatchObject({
      topics: [{ numPartitions: -1, configs: [{ name: 'retention.ms', value: '1' }] }],
    });
  });

  it('waits for a controller that is not elected yet', async () => {
    controllerId = -1;
    for (const broker of [one, two]) broker.on(CreateTopics, created(ErrorCode.NONE));
    const creating = admin.createTopics([{ name: 'a' }]);
    await expect.poll(() => one.askedFor(MetadataApi).length + two.askedFor(MetadataApi).length).toBeGreaterThan(2);
    controllerId = 2;
    expect((await creating).get('a')).toMatchObject({ numPartitions: 3 });
  });

  it('gives each topic its own result, and asks only once for one that failed for good', async () => {
    one.on(CreateTopics, ({ topics: asked }) => ({
      topics: asked.map(({ name }) => ({
        name,
        errorCode: name === 'bad' ? ErrorCode.INVALID_TOPIC_EXCEPTION : 0,
        errorMessage: name === 'bad' ? 'no such name' : null,
      })),
    }));
    const results = await admin.createTopics([{ name: 'good' }, { name: 'bad' }]);
    expect(results.get('good')).not.toBeInstanceOf(KafkaError);
    expect(results.get('bad')).toMatchObject({ errorName: 'INVALID_TOPIC_EXCEPTION', message: 'no such name' });
    expect(one.askedFor(CreateTopics)).toHaveLength(1);
  });

  it('sends again after a lost connection', async () => {
    let count = 0;
    one.on(CreateTopics, (body) => (++count === 1 ? DISCONNECT : created(0)(body)));
    expect((await admin.createTopics([{ name: 'a' }])).get('a')).not.toBeInstanceOf(KafkaError);
  });

  it('takes the controller’s own time-out as the answer: what it began may still come about', async () => {
    one.on(CreateTopics, created(ErrorCode.REQUEST_TIMED_OUT));
    one.on(DeleteTopics, () => ({ responses: [{ name: 'a', errorCode: ErrorCode.REQUEST_TIMED_OUT }] }));
    const options = { requestTimeoutMs: 1_234 };
    expect((await admin.createTopics([{ name: 'a' }], options)).get('a')).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' });
    expect((await admin.deleteTopics(['a'], options)).get('a')).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' });
    for (const api of [CreateTopics, DeleteTopics] as const) {
      expect(one.askedFor(api)).toMatchObject([{ body: { timeoutMs: 1_234 } }]);
    }
  });

  it('that keeps to one broker asks it for metadata while a long request of its own is there', async () => {
    const keeping = new Admin({
      runtime: createNodeRuntime(silentLogger),
      bootstrapServers: one.address,
      retryBackoffMs: 1,
      metadata: { keepsBroker: true, attemptTimeoutMs: 500 },
    });
    try {
      const answer = Promise.withResolvers<void>();
      one.on(CreateTopics, async (body) => {
        await answer.promise;
        return created(ErrorCode.NONE)(body);
      });
      await keeping.listTopics();
      const creating = keeping.createTopics([{ name: 'a' }]);
      await expect.poll(() => one.askedFor(CreateTopics)).toHaveLength(1);
      for (let asked = 0; asked < 3; asked++) await keeping.listTopics();
      expect(keeping.metadata.brokerSwitches).toBe(0);
      answer.resolve();
      expect((await creating).get('a')).not.toBeInstanceOf(KafkaError);
      expect(one.askedFor(CreateTopics)).toHaveLength(1);
    } finally {
      await keeping.close();
    }
  });

  it('tells by its class that a broker lacks an API, at once', async () => {
    expect((await admin.deleteTopics(['a'])).get('a')).toBeInstanceOf(UnsupportedVersionError);
  });

  it('tells a success without a value from a key that the answer left out', async () => {
    one.on(DeleteTopics, () => ({ responses: [{ name: 'a', errorCode: 0 }] }));
    const results = await admin.deleteTopics(['a', 'b']);
    expect(results.get('a')).toBeUndefined();
    expect(results.has('a')).toBe(true);
    expect(results.get('b')).toMatchObject({ errorName: 'UNKNOWN_SERVER_ERROR' });
  });

  it('describes topics fresh, and says at once which do not exist', async () => {
    const results = await admin.describeTopics(['orders', 'nope']);
    expect(results.get('orders')).toMatchObject({ partitions: [{ leaderId: 1 }, { leaderId: 2 }, { leaderId: 1 }] });
    expect(results.get('nope')).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  it('gives up when its time is over, with the last error of each key', async () => {
    one.on(CreateTopics, created(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS));
    const results = await admin.createTopics([{ name: 'a' }], { timeoutMs: 1_000 });
    expect(results.get('a')).toMatchObject({ errorName: 'COORDINATOR_LOAD_IN_PROGRESS' });
    expect(one.askedFor(CreateTopics).length).toBeGreaterThan(2);
  });
});

describe('Admin on configurations', () => {
  it('asks a broker about itself and any broker about topics', async () => {
    for (const broker of [one, two]) {
      broker.on(DescribeConfigs, ({ resources }) => ({
        throttleTimeMs: 0,
        results: resources.map(({ resourceType, resourceName }) => ({
          errorCode: 0,
          errorMessage: null,
          resourceType,
          resourceName,
          configs: [
            {
              name: 'x',
              value: String(broker.port),
              readOnly: false,
              isSensitive: false,
              configSource: ConfigSource.DEFAULT_CONFIG,
              synonyms: [],
              configType: 2,
              documentation: null,
            },
          ],
        })),
      }));
    }
    const results = await admin.describeConfigs([
      { type: ConfigResourceType.BROKER, name: '2' },
      { type: ConfigResourceType.TOPIC, name: 'orders' },
      { type: ConfigResourceType.BROKER, name: '' },
    ]);
    expect(results.get('broker:2')).toMatchObject([{ value: String(two.port), isDefault: true }]);
    expect(Array.from(results.keys())).toEqual(['broker:2', 'topic:orders', 'broker:']);
  });
});

describe('Admin on offsets', () => {
  it('asks each leader once for all its partitions, and finds a leader that has moved', async () => {
    let moved = false;
    const answer =
      (self: number) => (body: { topics: readonly { name: string; partitions: readonly { partitionIndex: number }[] }[] }) => ({
        topics: body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            const leader = partitionIndex === 1 && !moved ? 2 : 1;
            return { partitionIndex, errorCode: leader === self ? 0 : ErrorCode.NOT_LEADER_OR_FOLLOWER, offset: partitionIndex * 10 };
          }),
        })),
      });
    one.on(ListOffsets, answer(1));
    two.on(ListOffsets, answer(2));
    const queries = [0, 1, 2].map((partition) => ({ topic: 'orders', partition, timestamp: OffsetSpec.LATEST }));
    const first = await admin.listOffsets(queries);
    expect(Array.from(first.values())).toMatchObject([{ offset: 0 }, { offset: 10 }, { offset: 20 }]);
    expect([one.askedFor(ListOffsets).length, two.askedFor(ListOffsets).length]).toEqual([1, 1]);
    moved = true;
    topics = [{ name: 'orders', leaders: [1, 1, 1] }];
    expect((await admin.listOffsets(queries)).get('orders-1')).toMatchObject({ offset: 10 });
  });

  it('does not wait for a topic that is not there until its time is up', async () => {
    const results = await admin.listOffsets([{ topic: 'nope', partition: 0, timestamp: OffsetSpec.LATEST }], { timeoutMs: 60_000 });
    expect(results.get('nope-0')).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });
});

describe('Admin on groups', () => {
  const coordinators = (broker: FakeBroker, maxVersion = 4): void => {
    const of = (group: string) => ({
      nodeId: group.startsWith('a') ? 1 : 2,
      host: '127.0.0.1',
      port: group.startsWith('a') ? one.port : two.port,
    });
    broker.on(
      FindCoordinator,
      ({ key, coordinatorKeys }, { apiVersion }) =>
        apiVersion < 4
          ? { ...of(key), errorCode: 0, errorMessage: null }
          : { coordinators: coordinatorKeys.map((group) => ({ key: group, ...of(group), errorCode: 0, errorMessage: null })) },
      { maxVersion },
    );
  };

  it('lists the groups of all brokers, and those of the others when one can not be asked', async () => {
    for (const [broker, groupId] of [
      [one, 'a'],
      [two, 'b'],
    ] as const)
      broker.on(ListGroups, () => ({ errorCode: 0, groups: [{ groupId, protocolType: 'consumer', groupState: 'Stable' }] }));
    expect((await admin.listGroups()).groups).toMatchObject([
      { groupId: 'a', coordinatorId: 1, state: 'Stable' },
      { groupId: 'b', coordinatorId: 2 },
    ]);
    two.on(ListGroups, () => ({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] }));
    const { groups, errors } = await admin.listGroups({ timeoutMs: 50 });
    expect(groups.map(({ groupId }) => groupId)).toEqual(['a']);
    expect(Array.from(errors.keys())).toEqual([2]);
  });

  it('does not make up a state that an old broker does not tell', async () => {
    for (const broker of [one, two])
      broker.on(ListGroups, () => ({ errorCode: 0, groups: [{ groupId: 'a', protocolType: '' }] }), { maxVersion: 3 });
    expect((await admin.listGroups()).groups[0]?.state).toBeUndefined();
  });

  it('reads what members are assigned, and leaves what can not be read unknown', async () => {
    const assignment = encodeVersioned(ConsumerProtocolAssignment, 0, {
      assignedPartitions: [{ topic: 'orders', partitions: [0, 2] }],
      userData: null,
    });
    coordinators(one);
    coordinators(two);
    one.on(DescribeGroups, ({ groups }) => ({
      groups: groups.map((groupId) => ({
        errorCode: 0,
        groupId,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [
          { memberId: 'm1', clientId: 'c', clientHost: '/h', memberMetadata: Buffer.alloc(0), memberAssignment: assignment },
          {
            memberId: 'm2',
            clientId: 'c',
            clientHost: '/h',
            memberMetadata: Buffer.from([0]),
            memberAssignment: Buffer.from([0, 0, 0x7f]),
          },
        ],
      })),
    }));
    expect((await admin.describeGroups(['a'])).get('a')).toMatchObject({
      members: [
        {
          assignedPartitions: [
            { topic: 'orders', partition: 0 },
            { topic: 'orders', partition: 2 },
          ],
        },
        { assignedPartitions: undefined, subscribedTopics: undefined },
      ],
    });
  });

  const fetched = (groupId: string) => ({
    groupId,
    topics: [
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 0, committedOffset: 7, metadata: '', errorCode: 0 },
          { partitionIndex: 1, committedOffset: -1, metadata: '', errorCode: 0 },
        ],
      },
    ],
  });

  it('fetches the offsets of many groups in one request per coordinator, and leaves out partitions without a commit', async () => {
    for (const broker of [one, two]) {
      coordinators(broker);
      broker.on(OffsetFetch, ({ groups }) => ({ groups: groups.map(({ groupId }) => fetched(groupId)) }));
    }
    const results = await admin.listGroupOffsets(new Map(['a1', 'a2', 'a3', 'b1'].map((group) => [group, null])));
    expect([one.askedFor(OffsetFetch).length, two.askedFor(OffsetFetch).length]).toEqual([1, 1]);
    const offsets = results.get('a2');
    expect(offsets).toEqual(new Map([['orders-0', { topic: 'orders', partition: 0, offset: 7, leaderEpoch: -1, metadata: '' }]]));
  });

  it('asks group by group where a broker knows no other way', async () => {
    for (const broker of [one, two]) {
      coordinators(broker, 3);
      broker.on(OffsetFetch, ({ groupId }) => ({ topics: fetched(groupId).topics }), { maxVersion: 7 });
    }
    const results = await admin.listGroupOffsets(new Map(['a1', 'b1'].map((group) => [group, null])));
    expect(results.get('b1')).toMatchObject(new Map([['orders-0', { offset: 7 }]]));
  });
});

describe('records through the client', () => {
  const batch = buildRecordBatch([
    { key: Buffer.from('k'), value: Buffer.from('v1'), timestamp: 5 },
    { key: null, value: Buffer.from('v2'), timestamp: 6 },
  ]);

  it('reads from an offset on, also when it lies inside a batch, and tells where to go on', async () => {
    const stored = Buffer.from(batch);
    setBaseOffsetAndLeaderEpoch(stored, 0, 40, 1);
    two.on(Fetch, ({ topics: asked }) => ({
      errorCode: 0,
      responses: asked.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({
          partitionIndex: partition,
          errorCode: 0,
          highWatermark: 42,
          logStartOffset: 3,
          abortedTransactions: null,
          records: [stored, stored.subarray(0, 30)],
        })),
      })),
    }));
    const read = await new RecordReader(admin.context).fetchRecords({ topic: 'orders', partition: 1 }, 41);
    expect(read.records.map(({ offset, value, timestamp }) => [offset, String(value), timestamp])).toEqual([[41, 'v2', 6]]);
    expect(read).toMatchObject({ nextOffset: 42, highWatermark: 42, logStartOffset: 3 });
  });

  it('rejects with the error of the partition', async () => {
    two.on(Fetch, ({ topics: asked }) => ({
      errorCode: 0,
      responses: asked.map(({ topic }) => ({
        topic,
        partitions: [
          { partitionIndex: 1, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: -1, abortedTransactions: null, records: null },
        ],
      })),
    }));
    await expect(new RecordReader(admin.context).fetchBatches({ topic: 'orders', partition: 1 }, 99)).rejects.toMatchObject({
      errorName: 'OFFSET_OUT_OF_RANGE',
    });
  });

  it('produces a batch to the leader, and with acks 0 waits for nothing', async () => {
    two.on(Produce, ({ topicData, acks }) =>
      acks === 0
        ? { responses: [] }
        : { responses: topicData.map(({ name }) => ({ name, partitionResponses: [{ index: 1, errorCode: 0, baseOffset: 12 }] })) },
    );
    expect(await produceBatch(admin.context, { topic: 'orders', partition: 1 }, batch)).toMatchObject({ baseOffset: 12 });
    expect(await produceBatch(admin.context, { topic: 'orders', partition: 1 }, batch, { acks: 0 })).toMatchObject({ baseOffset: -1 });
  });
});
