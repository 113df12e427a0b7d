/** What people and other tools may leave in ZooKeeper: the controller goes on, and whoever comes to office next does too. */
import { describe, expect, it } from 'vitest';
import { ControlRequestType } from '../control-request-type.ts';
import { ControllerCluster } from './testing/controller-cluster.ts';

async function startCluster(): Promise<ControllerCluster> {
  const cluster = new ControllerCluster();
  for (const id of [1, 2, 3]) await cluster.start(id);
  return cluster;
}

/** Makes nodes as somebody with a shell would, parents first; those that are there stay. */
async function leave(cluster: ControllerCluster, ...nodes: readonly (readonly [path: string, data: string])[]): Promise<void> {
  const { session } = cluster.brokers.get(3)!.zk;
  for (const [path, data] of nodes) if (cluster.zooKeeper.get(path) === undefined) await session.create(path, Buffer.from(data));
  await cluster.settle();
}

/** That there is a controller that does its work. */
async function expectInOrder(cluster: ControllerCluster): Promise<void> {
  expect(cluster.active).toBeDefined();
  await cluster.createTopic('made-after', [[2, 3]]);
  expect(cluster.stateOf('made-after', 0)?.leaderAndIsr.leader).toBe(2);
  const deleter = cluster.brokers.get(3)!.zk;
  await deleter.topics.createDeleteTopicRequest('made-after');
  await cluster.settle();
  expect(cluster.zooKeeper.get('/brokers/topics/made-after')).toBeUndefined();
}

describe('a node below one that the controller deletes', () => {
  it.each([
    ['a notification of an ISR change', '/isr_change_notification/isr_change_0'],
    ['a notification of a failed log dir', '/log_dir_event_notification/log_dir_event_0'],
    ['the request of an election', '/admin/preferred_replica_election'],
    ['the request of a reassignment', '/admin/reassign_partitions'],
    ['the request to delete a topic that is not there', '/admin/delete_topics/nowhere'],
  ])('stops neither the one in office nor the next: below %s', async (_, path) => {
    const cluster = await startCluster();
    await leave(cluster, [path, '{"version":1,"partitions":[]}'], [`${path}/note`, ''], [`${path}/note/deeper`, '']);
    await expectInOrder(cluster);
    await leave(cluster, [path, '{"version":1,"partitions":[]}'], [`${path}/note`, '']);
    await cluster.kill(1);
    await expectInOrder(cluster);
    expect(cluster.zooKeeper.get(path)).toBeUndefined();
  });

  it('does not keep a topic from being deleted, nor the topics that are to be deleted after it', async () => {
    const cluster = await startCluster();
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.createTopic('u', [[2, 3]]);
    const within = ['/brokers/topics/t', '/brokers/topics/t/partitions', '/brokers/topics/t/partitions/0', '/config/topics/t'];
    await leave(
      cluster,
      ['/config/topics/t', '{}'],
      ...within.map((path) => [`${path}/0x10`, ''] as const),
      ['/admin/delete_topics/t', ''],
      ['/admin/delete_topics/t/note', ''],
      ['/admin/delete_topics/u', ''],
    );
    const left = cluster.zooKeeper.paths().filter((path) => /\/(t|u)(\/|$)/.test(path));
    expect(left).toEqual([]);
    await cluster.kill(1);
    await expectInOrder(cluster);
  });
});

describe('a number or id that has no place on the wire', () => {
  const registration = (port: string): string =>
    `{"version":5,"host":"h","port":1,"endpoints":["PLAINTEXT://h:${port}"],"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"}}`;

  it.each([
    ['a partition', '/brokers/topics/t', '{"version":1,"partitions":{"4294967296":[2,3]}}'],
    ['a replica', '/brokers/topics/t', '{"version":1,"partitions":{"0":[2,4294967297]}}'],
    ['a topic id', '/brokers/topics/t', '{"version":3,"partitions":{"0":[2,3]},"topic_id":"no uuid"}'],
    ['a broker', '/brokers/ids/4294967297', registration('9092')],
    ['a port', '/brokers/ids/9', registration('4294967296')],
  ])('is left out: brokers hear of everything else (%s)', async (_, path, data) => {
    const cluster = await startCluster();
    await leave(cluster, [path, data]);
    await expectInOrder(cluster);
    await cluster.kill(1);
    await expectInOrder(cluster);
  });

  it.each(['leader', 'leader_epoch', 'controller_epoch', 'isr'])(
    'in the state of a partition concerns that partition alone (%s)',
    async (field) => {
      const cluster = await startCluster();
      await cluster.createTopic('t', [[2, 3]]);
      const state = { version: 1, leader: 2, leader_epoch: 0, controller_epoch: 1, isr: [2, 3] };
      const broken = { ...state, [field]: field === 'isr' ? [2 ** 32 + 1] : -(2 ** 32) };
      await cluster.brokers.get(3)!.zk.session.setData('/brokers/topics/t/partitions/0/state', Buffer.from(JSON.stringify(broken)), -1);
      await cluster.kill(1);
      await expectInOrder(cluster);
    },
  );
});

describe('an assignment that cannot be read', () => {
  it('is not told as the end of its partitions, which their leaders go on with', async () => {
    const cluster = await startCluster();
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.createTopic('u', [[2, 3]]);
    const { session } = cluster.brokers.get(3)!.zk;
    await session.setData('/brokers/topics/t', Buffer.from('{"version":'), -1);
    cluster.takeRequests();
    await cluster.kill(1);
    await cluster.start(4);
    const types = cluster.takeRequests().flatMap(({ request }) => ('type' in request && request.type !== undefined ? [request.type] : []));
    expect(types.length).toBeGreaterThan(2);
    expect(types).not.toContain(ControlRequestType.FULL);
  });
});
