import { expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../zk-client/testing/memory-zookeeper.ts';
import { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { encodeConfigs } from '../zk/zk-data.ts';
import { ConfigChangeListener } from './config-change-listener.ts';
import { ZkConfigRepository } from './zk-config-repository.ts';

async function fixture(zooKeeper = new MemoryZooKeeper()): Promise<{
  readonly zk: KafkaZkClient;
  readonly repository: ZkConfigRepository;
  readonly time: ManualTime;
  readonly applied: unknown[];
  readonly listener: ConfigChangeListener;
  readonly client: () => MemoryZooKeeperClient;
}> {
  const time = new ManualTime();
  let client: MemoryZooKeeperClient | undefined;
  const connect = (): Promise<MemoryZooKeeperClient> => Promise.resolve((client = zooKeeper.connect()));
  const zk = await KafkaZkClient.connect({ runtime: { clock: time, scheduler: time, logger: silentLogger }, connect });
  await zk.createTopLevelPaths();
  const applied: unknown[] = [];
  const listener = new ConfigChangeListener({
    zk,
    brokerId: 1,
    clock: time,
    logger: silentLogger,
    handlers: {
      onTopicConfig: (topic, configs) => applied.push([topic, configs]),
      onBrokerConfig: (brokerId, configs) => applied.push([brokerId, configs]),
    },
  });
  return { zk, repository: new ZkConfigRepository(zk), time, applied, listener, client: () => client! };
}

it('applies what is there at the start, then each change of a topic, of this broker and of all brokers', async () => {
  const { repository, time, applied, listener } = await fixture();
  await repository.setEntityConfigs('topics', 't', { 'flush.ms': '1' });
  await listener.start();
  expect(applied.splice(0)).toEqual([
    ['t', { 'flush.ms': '1' }],
    [undefined, {}],
    [1, {}],
  ]);
  await repository.setEntityConfigs('topics', 't', { 'flush.ms': '2' });
  await repository.setEntityConfigs('brokers', '1', { a: 'b' });
  await repository.setEntityConfigs('brokers', '2', { not: 'ours' });
  await repository.setEntityConfigs('brokers', '<default>', { c: 'd' });
  await repository.setEntityConfigs('clients', 'x', { e: 'f' });
  for (let round = 0; round < 10; round++) await time.settle();
  expect(applied).toEqual([
    ['t', { 'flush.ms': '2' }],
    [1, { a: 'b' }],
    [undefined, { c: 'd' }],
  ]);
  await listener.close();
});

it('reads the settings of a topic that nobody notified of, once for all who ask meanwhile', async () => {
  const { zk, time, applied, listener } = await fixture();
  await listener.start();
  applied.splice(0);
  // As a broker of Apache Kafka makes a topic.
  await zk.configs.setEntityConfigs('topics', 'theirs', { 'min.insync.replicas': '2' });
  for (let round = 0; round < 10; round++) await time.settle();
  expect(applied).toEqual([]);
  listener.readTopic('theirs');
  listener.readTopic('theirs');
  for (let round = 0; round < 10; round++) await time.settle();
  expect(applied).toEqual([['theirs', { 'min.insync.replicas': '2' }]]);
  await listener.close();
});

it('passes by a notification that cannot be read and goes on with the next', async () => {
  const { zk, repository, time, applied, listener } = await fixture();
  await listener.start();
  applied.splice(0);
  await zk.session.create('/config/changes/config_change_', Buffer.from('nonsense'), 'persistent-sequential');
  await repository.setEntityConfigs('topics', 't', { a: '1' });
  await time.settle();
  expect(applied).toEqual([['t', { a: '1' }]]);
});

it('reads everything anew after a new session, during which notifications may have come and gone', async () => {
  const zooKeeper = new MemoryZooKeeper();
  const { time, applied, listener, client } = await fixture(zooKeeper);
  const other = await fixture(zooKeeper);
  await listener.start();
  applied.splice(0);
  const old = client();
  old.disconnect();
  await other.repository.setEntityConfigs('topics', 't', { a: '1' });
  old.expire();
  for (let round = 0; round < 10; round++) await time.settle();
  expect(applied).toContainEqual(['t', { a: '1' }]);
  applied.splice(0);
  await other.repository.setEntityConfigs('topics', 't', { a: '2' });
  await time.settle();
  expect(applied).toEqual([['t', { a: '2' }]]);
});

it('applies everything else after a new session when the settings of one topic cannot be read', async () => {
  const { zk, repository, time, applied, listener, client } = await fixture();
  for (const topic of ['a', 'b']) await repository.setEntityConfigs('topics', topic, { x: '1' });
  await listener.start();
  await zk.session.setData('/config/topics/a', Buffer.from('{"version":'), -1);
  await zk.session.setData('/config/topics/b', encodeConfigs({ x: '2' }), -1);
  applied.splice(0);
  client().expire();
  for (let round = 0; round < 10; round++) await time.settle();
  expect(applied).toEqual([
    ['b', { x: '2' }],
    [undefined, {}],
    [1, {}],
  ]);
});

it('does not begin without the settings of a topic: with the defaults its records might be deleted', async () => {
  const { zk, repository, listener } = await fixture();
  await repository.setEntityConfigs('topics', 'a', {});
  await zk.session.setData('/config/topics/a', Buffer.from('{"version":'), -1);
  await expect(listener.start()).rejects.toThrow('/config/topics/a');
});

it('removes notifications older than 15 minutes', async () => {
  const { zk, repository, time, listener } = await fixture();
  await listener.start();
  await repository.setEntityConfigs('topics', 't', { a: '1' });
  await time.settle();
  // The ZooKeeper in memory says that everything was made at time 0: long ago.
  expect(await zk.session.getChildren('/config/changes')).toEqual([]);
});
