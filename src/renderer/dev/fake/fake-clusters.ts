/** The make-believe cluster as a whole, its ZooKeeper, controller and overview. */
import { topicRow } from './fake-model.ts';
import { fail, noLab, os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

export function fakeSession() {
  return {
    hello: os.session.hello.handler(() => ({
      product: 'samsa' as const,
      version: '0.1.0',
      host: 'browser' as const,
      serverTimeMs: Date.now(),
    })),
  };
}

export function fakeClusters(world: FakeWorld) {
  const { summary } = world;
  return {
    list: os.clusters.list.handler(() => [summary()]),
    create: os.clusters.create.handler(() => noLab()),
    start: os.clusters.start.handler(() => noLab()),
    stop: os.clusters.stop.handler(() => noLab()),
    remove: os.clusters.remove.handler(() => noLab()),
    makeUp: os.clusters.makeUp.handler(() => ({
      name: summary().name,
      brokers: [1, 2, 3].map((id) => ({ id, port: 9091 + id })),
      logDirsPerBroker: 1,
      zookeeper: { kind: 'embedded' as const, port: 2181 },
      config: { 'num.partitions': '6' },
    })),
    change: os.clusters.change.handler(() => noLab()),
    checkZooKeeper: os.clusters.checkZooKeeper.handler(() => noLab()),
    zookeeper: os.clusters.zookeeper.handler(() => ({
      kind: 'embedded' as const,
      connect: 'localhost:2181',
      servers: [{ address: 'localhost:2181', reachable: true, mode: 'standalone', version: '3.8.4-samsa', problem: null }],
    })),
    get: os.clusters.get.handler(({ input }) => {
      if (input.clusterId !== 'local') fail({ kind: 'notFound', message: `There is no cluster ${input.clusterId}`, retriable: false });
      return {
        ...summary(),
        kafkaClusterId: 'q4sXv0fTQ2a1bC3dE5fG7h',
        capabilities: [
          { feature: 'acls' as const, supported: false, reason: 'ACLs, users and quotas come with a later version of Samsa' },
          { feature: 'controller' as const, supported: false, reason: 'The controller page comes with a later version of Samsa' },
          { feature: 'internals' as const, supported: false, reason: 'The internals pages come with a later version of Samsa' },
        ],
        local: {
          dataFolder: '/home/ada/.local/share/samsa/local',
          zookeeperConnect: 'localhost:2181',
          ephemeral: false,
          supervisorPid: 41_200,
          isOwn: true,
        },
      };
    }),
  };
}

export function fakeZookeeper() {
  return {
    children: os.zookeeper.children.handler(({ input: { path, after, max } }) => {
      const names = path === '/' ? ['big', 'brokers'] : path === '/big' ? Array.from({ length: 10_000 }, (_, at) => String(at)) : [];
      const from = after === null ? 0 : names.indexOf(after) + 1;
      const page = names.slice(from, from + max);
      return {
        path,
        total: names.length,
        children: page.map((name) => ({ name, childCount: name === 'big' ? 10_000 : 0, ephemeral: false })),
        next: from + max < names.length ? (page.at(-1) ?? null) : null,
      };
    }),
    node: os.zookeeper.node.handler(() => fail({ kind: 'notFound', message: 'There is no such node' })),
    sessions: os.zookeeper.sessions.handler(() => ({ total: 0, nowMs: Date.now(), sessions: [], brokers: {}, ownSession: null })),
    session: os.zookeeper.session.handler(() => fail({ kind: 'notFound', message: 'There is no such session' })),
    watches: os.zookeeper.watches.handler(() => ({ total: 0, paths: [] })),
  };
}

export function fakeController(world: FakeWorld) {
  const { cluster } = world;
  return {
    get: os.controller.get.handler(() => ({
      controllerId: cluster.controllerId,
      atMs: Date.now(),
      inside: null,
      failure: null,
      progress: [],
    })),
  };
}

export function fakeOverview(world: FakeWorld) {
  const { cluster, options, guard, processStatus, status } = world;
  return {
    get: os.overview.get.handler(() => {
      guard('overview');
      const all = [...cluster.topics.values()];
      const rows = all.map((topic) => topicRow(cluster, topic));
      return {
        status: status(),
        kafkaClusterId: 'q4sXv0fTQ2a1bC3dE5fG7h',
        controllerId: cluster.controllerId,
        brokers: [1, 2, 3].map((brokerId) => ({
          brokerId,
          host: 'localhost',
          port: 9091 + brokerId,
          isController: brokerId === cluster.controllerId,
          online: processStatus(brokerId)?.state === 'running',
          processId: `broker-${brokerId}`,
        })),
        topics: all.filter((topic) => !topic.internal).length,
        internalTopics: all.filter((topic) => topic.internal).length,
        partitions: all.reduce((sum, topic) => sum + topic.partitions, 0),
        underReplicatedPartitions: rows.reduce((sum, row) => sum + row.underReplicatedPartitions, 0),
        offlinePartitions: rows.reduce((sum, row) => sum + row.leaderlessPartitions, 0),
        groups: cluster.groups.size,
        recordsPerSecond: options.tickMs === 0 ? null : 350 + Math.sin(Date.now() / 9000) * 180 + Math.random() * 40,
        sizeBytes: all.reduce((sum, topic) => sum + topic.ends.reduce((a, b) => a + b, 0) * 143 * topic.replicationFactor, 0),
        sizeIsPartial: false,
        failures: [],
      };
    }),
  };
}
