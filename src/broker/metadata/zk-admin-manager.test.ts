import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import type { CreatableTopic, CreatableTopicResultInput } from '../../protocol/generated/create-topics.ts';
import { nodeRandom } from '../../runtime/node/node-random.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryZooKeeper } from '../../zk-client/testing/memory-zookeeper.ts';
import { DynamicBrokerConfig } from '../config/dynamic-config.ts';
import { parseKafkaConfig } from '../config/kafka-config.ts';
import { DelayedOperationPurgatory } from '../purgatory/delayed-operation-purgatory.ts';
import { Timer } from '../purgatory/timer.ts';
import { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { MetadataCache } from './metadata-cache.ts';
import { partitionState, updateMetadata } from './testing/update-metadata.ts';
import type { TopicAdminError } from './topic-admin-types.ts';
import { ZkAdminManager } from './zk-admin-manager.ts';

class Fixture {
  readonly time: ManualTime;
  readonly zooKeeper: MemoryZooKeeper;
  readonly zk: KafkaZkClient;
  readonly metadataCache = new MetadataCache();
  readonly manager: ZkAdminManager;

  private constructor(time: ManualTime, zooKeeper: MemoryZooKeeper, zk: KafkaZkClient, configs: Record<string, string>) {
    this.time = time;
    this.zooKeeper = zooKeeper;
    this.zk = zk;
    const config = parseKafkaConfig({
      'broker.id': '1',
      'zookeeper.connect': 'x',
      'log.dirs': '/x',
      listeners: 'PLAINTEXT://h:9092',
      ...configs,
    });
    this.manager = new ZkAdminManager({
      zk,
      metadataCache: this.metadataCache,
      dynamicConfig: new DynamicBrokerConfig(config, silentLogger),
      purgatory: new DelayedOperationPurgatory({ name: 'topic', timer: new Timer({ clock: time, scheduler: time }), clock: time }),
      random: nodeRandom,
      logger: silentLogger,
    });
    this.metadataCache.updateMetadata(updateMetadata({}));
  }

  static async make(configs: Record<string, string> = {}): Promise<Fixture> {
    const time = new ManualTime();
    const zooKeeper = new MemoryZooKeeper();
    const zk = await KafkaZkClient.connect({
      runtime: { clock: time, scheduler: time, logger: silentLogger },
      connect: () => Promise.resolve(zooKeeper.connect()),
    });
    await zk.createTopLevelPaths();
    return new Fixture(time, zooKeeper, zk, configs);
  }

  /** What UpdateMetadata does when the controller has elected leaders. */
  publish(topic: string, leaders: readonly number[]): void {
    const states = leaders.map((leader, index) => partitionState(index, leader));
    this.metadataCache.updateMetadata(updateMetadata({ [topic]: { id: `${topic.padEnd(21, 'x')}A`, states } }));
    this.manager.tryCompleteDelayedTopicOperations(topic);
  }

  async create(topic: Partial<CreatableTopic>, options = { timeoutMs: 0, validateOnly: false }): Promise<CreatableTopicResultInput> {
    const full = { name: 't', numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...topic };
    const { promise, resolve } = Promise.withResolvers<CreatableTopicResultInput[]>();
    await this.manager.createTopics([full], options, resolve);
    return (await promise)[0]!;
  }
}

describe('creating a topic', () => {
  it('says that it exists also when too few brokers are alive and the controller has not told of it yet', async () => {
    const fixture = await Fixture.make();
    expect((await fixture.create({ replicationFactor: 3 })).errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT);
    fixture.metadataCache.updateMetadata(updateMetadata({}, [1]));
    expect((await fixture.create({ replicationFactor: 3 })).errorCode).toBe(ErrorCode.TOPIC_ALREADY_EXISTS);
    expect((await fixture.create({ name: 'u', replicationFactor: 3 })).errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR);
  });

  it('writes configuration and assignment and answers when every partition has a leader', async () => {
    const fixture = await Fixture.make();
    let result: CreatableTopicResultInput | undefined;
    const configs = [{ name: 'flush.ms', value: '5' }];
    const creation = fixture.create({ numPartitions: 2, replicationFactor: 3, configs }, { timeoutMs: 1000, validateOnly: false });
    void creation.then((outcome) => {
      result = outcome;
    });
    await fixture.time.advance(10);
    expect(JSON.parse(fixture.zooKeeper.read('/brokers/topics/t') ?? '')).toMatchObject({
      version: 3,
      topic_id: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(fixture.zooKeeper.read('/config/topics/t')).toBe('{"version":1,"config":{"flush.ms":"5"}}');
    fixture.publish('t', [1, -1]);
    await fixture.time.advance(10);
    expect(result).toBeUndefined();
    fixture.publish('t', [1, 2]);
    await fixture.time.advance(10);
    expect(result).toMatchObject({ name: 't', errorCode: 0, numPartitions: 2, replicationFactor: 3 });
    expect(result?.configs).toContainEqual(expect.objectContaining({ name: 'flush.ms', value: '5', configSource: 1 }));
    const { topicId } = (await fixture.zk.topics.getAssignments(['t'])).get('t')!;
    expect(result?.topicId).toBe(topicId);
  });

  it('answers REQUEST_TIMED_OUT when leaders do not come in time, and at once for a time of 0', async () => {
    const fixture = await Fixture.make();
    expect(await fixture.create({ name: 'now' })).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
    const late = fixture.create({}, { timeoutMs: 500, validateOnly: false });
    await fixture.time.advance(600);
    expect(await late).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
  });

  it('writes nothing when asked to validate only, and says what would be', async () => {
    const fixture = await Fixture.make({ 'num.partitions': '4', 'default.replication.factor': '2' });
    const { writes } = fixture.zooKeeper;
    expect(await fixture.create({}, { timeoutMs: 1000, validateOnly: true })).toMatchObject({
      errorCode: 0,
      numPartitions: 4,
      replicationFactor: 2,
    });
    expect(fixture.zooKeeper.writes).toBe(writes);
  });

  it('takes an assignment by hand', async () => {
    const fixture = await Fixture.make();
    const assignments = [
      { partitionIndex: 1, brokerIds: [1, 3] },
      { partitionIndex: 0, brokerIds: [3, 2] },
    ];
    await fixture.create({ assignments });
    const { partitions } = (await fixture.zk.topics.getAssignments(['t'])).get('t')!;
    expect(partitions.get(0)?.replicas).toEqual([3, 2]);
  });

  it('overwrites the configuration that an earlier topic of this name left behind', async () => {
    const fixture = await Fixture.make();
    await fixture.zk.configs.setEntityConfigs('topics', 't', { 'flush.ms': '1' });
    await fixture.create({});
    expect(await fixture.zk.configs.getEntityConfigs('topics', 't')).toEqual({});
  });

  it.each<[string, Partial<CreatableTopic>]>([
    ['INVALID_TOPIC_EXCEPTION', { name: 'a b' }],
    ['INVALID_TOPIC_EXCEPTION', { name: 'with_underscore' }],
    ['TOPIC_ALREADY_EXISTS', { name: 'with.underscore' }],
    ['TOPIC_ALREADY_EXISTS', { name: 'deleting' }],
    ['INVALID_PARTITIONS', { numPartitions: 0 }],
    ['INVALID_REPLICATION_FACTOR', { replicationFactor: 4 }],
    ['INVALID_REPLICATION_FACTOR', { replicationFactor: 0 }],
    ['INVALID_REQUEST', { numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignments: [{ partitionIndex: 0, brokerIds: [] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignments: [{ partitionIndex: 1, brokerIds: [1] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignments: [{ partitionIndex: 0, brokerIds: [9] }] }],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      {
        assignments: [
          { partitionIndex: 0, brokerIds: [1] },
          { partitionIndex: 1, brokerIds: [1, 2] },
        ],
      },
    ],
    ['INVALID_CONFIG', { configs: [{ name: 'flush.ms', value: 'soon' }] }],
    ['INVALID_CONFIG', { configs: [{ name: 'no.such.key', value: '1' }] }],
    ['INVALID_CONFIG', { configs: [{ name: 'flush.ms', value: null }] }],
  ])('refuses with %s: %j', async (errorName, topic) => {
    const fixture = await Fixture.make();
    await fixture.zk.topics.createAssignment('with.underscore', { topicId: undefined, partitions: new Map() });
    await fixture.zk.topics.createDeleteTopicRequest('deleting');
    const before = fixture.zooKeeper.paths();
    const result = await fixture.create(topic);
    expect(result.errorCode).toBe(ErrorCode[errorName as keyof typeof ErrorCode]);
    expect(result.errorMessage).toEqual(expect.any(String));
    expect(fixture.zooKeeper.paths()).toEqual(before);
  });

  it('refuses what the metadata cache knows already', async () => {
    const fixture = await Fixture.make();
    fixture.publish('t', [1]);
    expect(await fixture.create({})).toMatchObject({ errorCode: ErrorCode.TOPIC_ALREADY_EXISTS });
  });
});

describe('deleting topics', () => {
  it('asks the controller and answers when the topic has left the metadata', async () => {
    const fixture = await Fixture.make();
    await fixture.create({});
    fixture.publish('t', [1]);
    let results: ReadonlyMap<string, TopicAdminError> | undefined;
    await fixture.manager.deleteTopics(['t', 'ghost'], 1000, (outcome) => {
      results = outcome;
    });
    expect(fixture.zooKeeper.get('/admin/delete_topics/t')).toBeDefined();
    expect(results).toBeUndefined();
    fixture.publish('t', [-2]);
    expect(results?.get('t')?.errorCode).toBe(ErrorCode.NONE);
    expect(results?.get('ghost')?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('says REQUEST_TIMED_OUT when it takes longer', async () => {
    const fixture = await Fixture.make();
    await fixture.create({});
    fixture.publish('t', [1]);
    let results: ReadonlyMap<string, TopicAdminError> | undefined;
    await fixture.manager.deleteTopics(['t'], 500, (outcome) => {
      results = outcome;
    });
    await fixture.time.advance(600);
    expect(results?.get('t')?.errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT);
  });
});

describe('adding partitions', () => {
  async function add(
    fixture: Fixture,
    topic: { name?: string; count: number; assignments?: { brokerIds: number[] }[] | null },
  ): Promise<TopicAdminError | undefined> {
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, TopicAdminError>>();
    const full = { name: 't', assignments: null, ...topic };
    await fixture.manager.createPartitions([full], { timeoutMs: 0, validateOnly: false }, resolve);
    return (await promise).get(full.name);
  }

  it('keeps the old ones and the topic id, and places the new ones after them', async () => {
    const fixture = await Fixture.make();
    await fixture.create({ assignments: [{ partitionIndex: 0, brokerIds: [2, 3] }] });
    const before = (await fixture.zk.topics.getAssignments(['t'])).get('t')!;
    expect(await add(fixture, { count: 3 })).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
    const after = (await fixture.zk.topics.getAssignments(['t'])).get('t')!;
    expect(after.topicId).toBe(before.topicId);
    expect([...after.partitions.keys()]).toEqual([0, 1, 2]);
    expect(after.partitions.get(0)).toEqual(before.partitions.get(0));
    for (const { replicas } of after.partitions.values()) expect(replicas).toHaveLength(2);
  });

  it.each<[string, Parameters<typeof add>[1]]>([
    ['UNKNOWN_TOPIC_OR_PARTITION', { name: 'ghost', count: 2 }],
    ['INVALID_PARTITIONS', { count: 1 }],
    ['INVALID_PARTITIONS', { count: 0 }],
    ['INVALID_REPLICA_ASSIGNMENT', { count: 2, assignments: [] }],
    ['INVALID_REPLICA_ASSIGNMENT', { count: 2, assignments: [{ brokerIds: [1] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { count: 2, assignments: [{ brokerIds: [1, 9] }] }],
    ['INVALID_REPLICA_ASSIGNMENT', { count: 2, assignments: [{ brokerIds: [1, 1] }] }],
  ])('refuses with %s: %j', async (errorName, topic) => {
    const fixture = await Fixture.make();
    await fixture.create({ assignments: [{ partitionIndex: 0, brokerIds: [2, 3] }] });
    expect((await add(fixture, topic))?.errorCode).toBe(ErrorCode[errorName as keyof typeof ErrorCode]);
  });

  it('refuses while the topic is being reassigned', async () => {
    const fixture = await Fixture.make();
    const partitions = new Map([[0, { replicas: [2, 1], addingReplicas: [2], removingReplicas: [] }]]);
    await fixture.zk.topics.createAssignment('t', { topicId: undefined, partitions });
    expect((await add(fixture, { count: 2 }))?.errorCode).toBe(ErrorCode.REASSIGNMENT_IN_PROGRESS);
  });
});
