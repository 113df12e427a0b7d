import { expect, test } from 'vitest';
import type { ConfigResource, ResourceChanges } from '../../client/admin/configs.ts';
import { AlterConfigOp, configResourceKey } from '../../client/admin/configs.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { applyThrottle, describeThrottle, removeThrottle, ThrottleKeeper } from './replication-throttle.ts';

const LEADER_LIST = 'leader.replication.throttled.replicas';
const FOLLOWER_LIST = 'follower.replication.throttled.replicas';
const LEADER_RATE = 'leader.replication.throttled.rate';
const FOLLOWER_RATE = 'follower.replication.throttled.rate';

/** A cluster that is nothing but its dynamic configs and its moves. */
function makeCluster() {
  const configs = new Map<string, Map<string, string>>();
  const moving = new Set<string>();
  const down = new Set<string>();
  const gone = new Set<string>();
  const failureOf = (key: string): KafkaError | undefined =>
    down.has(key)
      ? new KafkaError(ErrorCode.NETWORK_EXCEPTION)
      : gone.has(key)
        ? new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        : undefined;
  const admin = {
    describeConfigs: (resources: readonly ConfigResource[]) =>
      Promise.resolve(
        new Map(
          resources.map((resource) => {
            const key = configResourceKey(resource);
            return [key, failureOf(key) ?? Array.from(configs.get(key) ?? [], ([name, value]) => ({ name, value }))];
          }),
        ),
      ),
    incrementalAlterConfigs: (requests: readonly ResourceChanges[]) =>
      Promise.resolve(
        new Map(
          requests.map(({ resource, changes }) => {
            const key = configResourceKey(resource);
            const failure = failureOf(key);
            const own = configs.get(key) ?? new Map<string, string>();
            configs.set(key, own);
            for (const { name, op, value } of failure === undefined ? changes : []) {
              if (op === AlterConfigOp.DELETE) own.delete(name);
              else own.set(name, value ?? '');
            }
            return [key, failure];
          }),
        ),
      ),
    listPartitionReassignments: () => Promise.resolve(Array.from(moving, (topic) => ({ topic, partition: 0 }))),
  } as unknown as Parameters<typeof applyThrottle>[0];
  const of = (key: string) => Object.fromEntries(configs.get(key) ?? []);
  return { admin, configs, moving, down, gone, of };
}

function keeperOf(cluster: ReturnType<typeof makeCluster>) {
  const time = new ManualTime();
  const ended: string[] = [];
  const keeper = new ThrottleKeeper({ scheduler: time, admin: () => cluster.admin, onEnd: (topics) => ended.push(...topics) });
  return { keeper, time, ended };
}

const move = { partition: 3, from: [1, 2], to: [2, 4] };

test('lists where a partition is on the leaders’ side and where it is new on the followers’, and limits all of these brokers', async () => {
  const cluster = makeCluster();
  expect(await applyThrottle(cluster.admin, 't', [move], 1000)).toEqual([1, 2, 4]);
  expect(cluster.of('topic:t')).toEqual({ [LEADER_LIST]: '3:1,3:2', [FOLLOWER_LIST]: '3:4' });
  for (const id of [1, 2, 4]) expect(cluster.of(`broker:${id}`)).toEqual({ [LEADER_RATE]: '1000', [FOLLOWER_RATE]: '1000' });
  expect(cluster.of('broker:3')).toEqual({});
});

test('a broker that is away is moved from with a throttle, and not waited for', async () => {
  const cluster = makeCluster();
  cluster.down.add('broker:1');
  await expect(applyThrottle(cluster.admin, 't', [move], 1000)).rejects.toMatchObject({ failure: { kind: 'kafka' } });
  expect(await applyThrottle(cluster.admin, 't', [move], 1000, (id) => id !== 1)).toEqual([2, 4]);
  expect(cluster.of('topic:t')).toEqual({ [LEADER_LIST]: '3:1,3:2', [FOLLOWER_LIST]: '3:4' });
});

test('keeps what is throttled already, each replica once, and leaves a star a star', async () => {
  const cluster = makeCluster();
  cluster.configs.set(
    'topic:t',
    new Map([
      [LEADER_LIST, '0:1,3:1'],
      [FOLLOWER_LIST, '*'],
    ]),
  );
  await applyThrottle(cluster.admin, 't', [move], 1000);
  expect(cluster.of('topic:t')).toEqual({ [LEADER_LIST]: '0:1,3:1,3:2', [FOLLOWER_LIST]: '*' });
});

test('a throttle goes with the last move of its topic, the brokers’ rates with the last of all moves', async () => {
  const cluster = makeCluster();
  const { keeper, time, ended } = keeperOf(cluster);
  for (const topic of ['a', 'b']) keeper.keep(topic, await applyThrottle(cluster.admin, topic, [move], 1000));
  cluster.moving.add('a').add('b');
  await time.advance(2_000);
  expect(ended).toEqual([]);
  cluster.moving.delete('a');
  await time.advance(2_000);
  expect([ended, keeper.keeps('a'), keeper.keeps('b')]).toEqual([['a'], false, true]);
  expect([cluster.of('topic:a'), cluster.of('broker:1')]).toEqual([{}, { [LEADER_RATE]: '1000', [FOLLOWER_RATE]: '1000' }]);
  cluster.moving.clear();
  await time.advance(2_000);
  expect([cluster.of('topic:b'), cluster.of('broker:1'), cluster.of('broker:4')]).toEqual([{}, {}, {}]);
});

test('a broker that is down loses its rate when it is back, and a topic that was deleted is done', async () => {
  const cluster = makeCluster();
  const { keeper, time } = keeperOf(cluster);
  keeper.keep('t', await applyThrottle(cluster.admin, 't', [move], 1000));
  cluster.down.add('broker:2');
  cluster.gone.add('topic:t');
  await time.advance(2_000);
  expect([cluster.of('broker:1'), cluster.of('broker:2')]).toEqual([{}, { [LEADER_RATE]: '1000', [FOLLOWER_RATE]: '1000' }]);
  cluster.down.clear();
  await time.advance(2_000);
  expect(cluster.of('broker:2')).toEqual({});
  // Nothing is left to look after: it asks no more.
  cluster.configs.set('broker:2', new Map([[LEADER_RATE, '7']]));
  await time.advance(10_000);
  expect(cluster.of('broker:2')).toEqual({ [LEADER_RATE]: '7' });
});

test('tells what was left behind, and takes it away; rates stay while something else is moving', async () => {
  const cluster = makeCluster();
  expect(await describeThrottle(cluster.admin, 't', [1, 2])).toBeUndefined();
  await applyThrottle(cluster.admin, 't', [move], 1000);
  cluster.configs.set('broker:3', new Map([[LEADER_RATE, '9223372036854775807']]));
  cluster.down.add('broker:4');
  expect(await describeThrottle(cluster.admin, 't', [1, 3, 4])).toEqual({
    leaderReplicas: ['3:1', '3:2'],
    followerReplicas: ['3:4'],
    rates: [{ brokerId: 1, leader: 1000, follower: 1000 }],
  });
  cluster.down.clear();
  cluster.moving.add('other');
  await removeThrottle(cluster.admin, 't', [1, 2, 4]);
  expect([cluster.of('topic:t'), cluster.of('broker:1')]).toEqual([{}, { [LEADER_RATE]: '1000', [FOLLOWER_RATE]: '1000' }]);
  cluster.moving.clear();
  await removeThrottle(cluster.admin, 't', [1, 2, 4]);
  expect(cluster.of('broker:1')).toEqual({});
});
