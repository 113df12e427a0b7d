import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import type { CreatableTopic } from '../../protocol/generated/create-topics.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { parseKafkaConfig } from '../config/kafka-config.ts';
import { AutoTopicCreationManager } from './auto-topic-creation-manager.ts';

const config = parseKafkaConfig({
  'broker.id': '1',
  'zookeeper.connect': 'x',
  'log.dirs': '/x',
  listeners: 'PLAINTEXT://h:9092',
  'num.partitions': '6',
  'default.replication.factor': '2',
});

interface Fixture {
  readonly manager: AutoTopicCreationManager;
  /** Created here. */
  readonly created: CreatableTopic[];
  /** Sent to the controller. */
  readonly sent: CreatableTopic[];
  readonly answer: () => void;
}

function fixture(isActiveController: boolean, errorCode: number = ErrorCode.REQUEST_TIMED_OUT): Fixture {
  const created: CreatableTopic[] = [];
  const sent: CreatableTopic[] = [];
  let answer = (): void => undefined;
  const manager = new AutoTopicCreationManager({
    config: () => config,
    isActiveController: () => isActiveController,
    adminManager: {
      createTopics: (topics, _, onComplete) => {
        created.push(...topics);
        onComplete(topics.map(({ name }) => ({ name, errorCode })));
        return Promise.resolve();
      },
    },
    channel: {
      send: (_, body) => {
        sent.push(...(body as { topics: CreatableTopic[] }).topics);
        return new Promise((resolve) => {
          answer = () => resolve({ throttleTimeMs: 0, topics: [] } as never);
        });
      },
    },
    logger: silentLogger,
  });
  return { manager, created, sent, answer: () => answer() };
}

it('creates on the controller with the defaults of the broker and says LEADER_NOT_AVAILABLE', async () => {
  const { manager, created } = fixture(true);
  expect(await manager.createTopics(['t'])).toEqual(new Map([['t', ErrorCode.LEADER_NOT_AVAILABLE]]));
  expect(created).toEqual([{ name: 't', numPartitions: 6, replicationFactor: 2, assignments: [], configs: [] }]);
});

it('gives internal topics their own size and configuration', async () => {
  const { manager, created } = fixture(true);
  await manager.createTopics(['__consumer_offsets', '__transaction_state']);
  expect(created[0]).toMatchObject({
    numPartitions: 50,
    replicationFactor: 3,
    configs: expect.arrayContaining([{ name: 'cleanup.policy', value: 'compact' }]),
  });
  expect(created[1]?.configs).toContainEqual({ name: 'min.insync.replicas', value: '2' });
});

it('tells the client why a topic cannot be created', async () => {
  const { manager } = fixture(true, ErrorCode.INVALID_REPLICATION_FACTOR);
  expect(await manager.createTopics(['t', 'a b'])).toEqual(
    new Map([
      ['a b', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['t', ErrorCode.INVALID_REPLICATION_FACTOR],
    ]),
  );
});

it('asks the controller once while a topic is on its way, and again afterwards', async () => {
  const { manager, sent, answer } = fixture(false);
  expect(await manager.createTopics(['t'])).toEqual(new Map([['t', ErrorCode.LEADER_NOT_AVAILABLE]]));
  expect(await manager.createTopics(['t'])).toEqual(new Map([['t', ErrorCode.LEADER_NOT_AVAILABLE]]));
  expect(sent).toHaveLength(1);
  answer();
  await expect.poll(async () => (await manager.createTopics(['t'])) && sent.length).toBe(2);
});
