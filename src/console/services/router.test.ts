import { createRouterClient } from '@orpc/server';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkClusterSpec, newClusterSpec } from '../../cluster/cluster-spec.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { contract } from '../contract/contract.ts';
import type { ConsoleClient } from '../contract/contract.ts';
import type { ProcessStatus } from '../contract/processes.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import { ClusterDirectory } from './cluster-directory.ts';
import { PayloadCache } from './messages-service.ts';
import { LocalClustersService } from './local-clusters-service.ts';
import { ReaderRegistry } from './readers.ts';
import { createRouter } from './router.ts';

const time = new ManualTime();
let cluster: FakeCluster;
let client: ConsoleClient;
let directory: ClusterDirectory;

beforeEach(() => {
  cluster = new FakeCluster();
  directory = new ClusterDirectory();
  const runtime = manualRuntime(time);
  const common = { runtime, bootstrapServers: 'localhost:9092', makeAdmin: () => cluster.admin(), color: 'teal' };
  directory.add({ ...common, id: 'dev', name: 'Dev', environment: 'dev', readOnly: false }, cluster);
  directory.add({ ...common, id: 'prod', name: 'Prod', environment: 'prod', readOnly: true }, cluster);
  const local = new LocalClustersService({ directory, runtime, clusters: () => undefined, reason: () => 'None can be made here' });
  const router = createRouter({ directory, local, logger: silentLogger, version: '1.2.3', wallMs: () => 0 });
  const context = { host: 'browser' as const, readers: new ReaderRegistry(time, time), payloads: new PayloadCache() };
  client = createRouterClient(router, { context });
});

/** Every procedure of the contract: its path, and what it declares. */
function procedures(node: unknown, path: readonly string[] = []): { readonly path: readonly string[]; readonly effect: string }[] {
  if (typeof node !== 'object' || node === null) return [];
  if ('~orpc' in node) return [{ path, effect: (node['~orpc'] as { meta: { effect: string } }).meta.effect }];
  return Object.entries(node).flatMap(([key, child]) => procedures(child, [...path, key]));
}

const failureOfCall = async (call: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await call;
  } catch (error) {
    return (error as { data: Record<string, unknown> }).data;
  }
  throw new Error('the call was expected to fail');
};

/** An input that every schema with such fields takes. */
const anyInput = {
  clusterId: 'prod',
  topic: 'orders',
  name: 'orders',
  names: ['orders'],
  groupIds: ['readers'],
  processId: 'broker-1',
  brokerId: 1,
  count: 3,
  change: {},
  restart: false,
  changes: [{ name: 'flush.ms', operation: 'set', value: '1' }],
};

describe('a read-only cluster', () => {
  const changing = procedures(contract).filter(({ effect }) => effect === 'write' || effect === 'destroy');

  test('has something to refuse: every procedure that changes is known', () => {
    expect(changing.map(({ path }) => path.join('.')).toSorted()).toEqual([
      'brokers.alterConfigs',
      'brokers.moveReplicas',
      'brokers.throttleMoves',
      'clusters.change',
      'clusters.remove',
      'clusters.start',
      'clusters.stop',
      'flushLab.losePower',
      'flushLab.set',
      'flushLab.startLoad',
      'flushLab.stopLoad',
      'groups.delete',
      'partitions.cancelReassignment',
      'partitions.electPreferred',
      'partitions.electUnclean',
      'partitions.reassign',
      'partitions.setThrottle',
      'processes.cutOff',
      'processes.freeze',
      'processes.kill',
      'processes.restart',
      'processes.start',
      'processes.stop',
      'processes.thaw',
      'topics.alterConfigs',
      'topics.create',
      'topics.createPartitions',
      'topics.delete',
    ]);
  });

  test.each(changing)('refuses $path, and nothing reaches the cluster', async ({ path }) => {
    cluster.addTopic('orders');
    const procedure = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], client) as (
      input: unknown,
    ) => Promise<unknown>;
    expect(await failureOfCall(procedure(anyInput))).toMatchObject({ kind: 'refused', message: 'Prod is read-only: changes are refused' });
    expect(cluster.calls).toEqual([]);
  });

  test('lets reading through', async () => {
    cluster.addTopic('orders');
    expect(await client.topics.open({ clusterId: 'prod' })).toMatchObject({ count: 1, total: 1 });
  });
});

describe('errors', () => {
  test('of a broker carry API, code, name and whether to try again', async () => {
    cluster.addTopic('orders');
    expect(await failureOfCall(client.topics.create({ clusterId: 'dev', name: 'orders' }))).toMatchObject({
      kind: 'kafka',
      api: 'CreateTopics',
      code: ErrorCode.TOPIC_ALREADY_EXISTS,
      name: 'TOPIC_ALREADY_EXISTS',
      retriable: false,
    });
  });

  test('a creation that takes longer than was waited for says that it goes on, and the topic shows', async () => {
    cluster.slow = true;
    expect(await failureOfCall(client.topics.create({ clusterId: 'dev', name: 'wide' }))).toMatchObject({
      kind: 'timeout',
      name: 'REQUEST_TIMED_OUT',
      message: 'The topic wide is being made: the brokers were not done within 20 s, and go on. It shows when they are',
      retriable: false,
      timeoutMs: 20_000,
    });
    expect(await client.topics.rows({ clusterId: 'dev', names: ['wide'] })).toMatchObject([{ name: 'wide' }]);
  });

  test('of an unknown cluster, a reader that is closed, a remote process say what is the matter', async () => {
    expect(await failureOfCall(client.overview.get({ clusterId: 'nowhere' }))).toMatchObject({ kind: 'notFound' });
    expect(await failureOfCall(client.topics.next({ readerId: 'r9', max: 1 }))).toMatchObject({ kind: 'notFound', retriable: true });
    expect(await failureOfCall(client.processes.list({ clusterId: 'dev' }))).toMatchObject({ kind: 'refused' });
  });

  test('a config that cannot be is refused before a broker is asked', async () => {
    const call = client.topics.create({ clusterId: 'dev', name: 'orders', configs: { 'flush.messages': '0' } });
    expect(await failureOfCall(call)).toMatchObject({ kind: 'invalid', message: 'flush.messages is at least 1' });
    expect(cluster.calls).toEqual([]);
  });

  test('an empty cluster has no records a second and no bytes: both are known', async () => {
    expect(await client.overview.get({ clusterId: 'dev' })).toMatchObject({ topics: 0, recordsPerSecond: 0, sizeBytes: 0 });
  });

  test('an overview of a cluster where nobody answers says so and shows the rest', async () => {
    cluster.unreachable = true;
    const overview = await client.overview.get({ clusterId: 'dev' });
    expect(overview).toMatchObject({ topics: null, groups: null, controllerId: null, recordsPerSecond: null });
    expect(overview.failures.length).toBeGreaterThan(0);
  });
});

describe('lists', () => {
  test('of topics are filtered, sorted and pulled in pages, internal ones on request', async () => {
    for (const name of ['b', 'a', 'orders-eu', 'orders-us']) cluster.addTopic(name, name.length);
    cluster.addTopic('__consumer_offsets', 50, true);
    const { readerId, count, total } = await client.topics.open({ clusterId: 'dev', sort: { by: 'partitions', descending: true } });
    expect([count, total]).toEqual([4, 4]);
    const first = await client.topics.next({ readerId, max: 3 });
    const second = await client.topics.next({ readerId, max: 3 });
    expect([...first.rows, ...second.rows].map(({ name }) => name)).toEqual(['orders-eu', 'orders-us', 'a', 'b']);
    expect([first.done, second.done]).toEqual([false, true]);
    await client.topics.close({ readerId });
    expect(await failureOfCall(client.topics.next({ readerId, max: 1 }))).toMatchObject({ kind: 'notFound' });
    const filtered = await client.topics.open({ clusterId: 'dev', includeInternal: true, filter: { text: '^_|EU$', regex: true } });
    expect([filtered.count, filtered.total]).toEqual([2, 5]);
  });

  test('ten thousand topics are one request', async () => {
    for (let index = 0; index < 10_000; index++) cluster.addTopic(`topic-${index}`);
    const { readerId } = await client.topics.open({ clusterId: 'dev' });
    let rows = 0;
    for (let done = false; !done;) {
      const page = await client.topics.next({ readerId, max: 2000 });
      rows += page.rows.length;
      done = page.done;
    }
    expect(rows).toBe(10_000);
    expect(cluster.calls).toEqual(['listTopics']);
  });

  test('a group knows its lag, and says null where it cannot be known', async () => {
    const partitions = cluster.addTopic('orders', 3);
    for (const partition of partitions) partition.end = 100;
    const [, , third] = partitions;
    if (third) third.leader = -1;
    const committed = new Map([0, 2].map((partition) => [`orders-${partition}`, { topic: 'orders', partition, offset: 40 }]));
    const member = { memberId: 'm1', clientId: 'kafkajs', clientHost: '/127.0.0.1', partitions: [{ topic: 'orders', partition: 1 }] };
    cluster.groups.set('readers', { state: 'Stable', protocolType: 'consumer', members: [member], committed });
    cluster.groups.set('fresh', { state: 'Empty', protocolType: 'consumer', members: [], committed: new Map() });
    const group = await client.groups.get({ clusterId: 'dev', groupId: 'readers' });
    expect(
      group.offsets.map(({ partition, committedOffset, endOffset, lag, clientId }) => [
        partition,
        committedOffset,
        endOffset,
        lag,
        clientId,
      ]),
    ).toEqual([
      [0, 40, 100, 60, null],
      [1, null, 100, null, 'kafkajs'],
      [2, 40, null, null, null],
    ]);
    expect(group.lag).toBe(60);
    expect(group.members[0]?.assignment).toEqual([{ topic: 'orders', partitions: [1] }]);
    const details = await client.groups.details({ clusterId: 'dev', groupIds: ['readers', 'fresh'] });
    expect(details.map(({ lag }) => lag)).toEqual([60, null]);
    expect(await failureOfCall(client.groups.get({ clusterId: 'dev', groupId: 'nobody' }))).toMatchObject({ kind: 'notFound' });
  });

  test('of topics know their groups and lags from one request for all, the one furthest behind first', async () => {
    for (const name of ['orders', 'users', 'unread']) for (const partition of cluster.addTopic(name, 2)) partition.end = 100;
    const commit = (topic: string, partition: number, offset: number) => [`${topic}-${partition}`, { topic, partition, offset }] as const;
    const group = (...committed: ReturnType<typeof commit>[]) => ({
      state: 'Empty',
      protocolType: 'consumer',
      members: [],
      committed: new Map(committed),
    });
    cluster.groups.set('near', group(commit('orders', 0, 99), commit('users', 1, -1)));
    cluster.groups.set('far', group(commit('orders', 0, 10), commit('orders', 1, 70)));
    const names = ['orders', 'users', 'unread'];
    const details = await client.topics.details({ clusterId: 'dev', names });
    expect(details.map(({ groups }) => groups)).toEqual([
      [
        { groupId: 'far', lag: 120 },
        { groupId: 'near', lag: 1 },
      ],
      [],
      [],
    ]);
    expect(cluster.calls.filter((call) => call === 'listGroupOffsets')).toHaveLength(1);
    // A group that can't be asked may read any of them: then none is known to have no readers.
    cluster.silentGroups.add('near');
    await time.advance(10_000);
    expect((await client.topics.details({ clusterId: 'dev', names })).map(({ groups }) => groups)).toEqual([null, null, null]);
  });

  test('of topics say that a size lacks the replicas of a broker that is gone', async () => {
    cluster.addTopic('orders');
    expect(await client.topics.details({ clusterId: 'dev', names: ['orders'] })).toMatchObject([{ sizeIsPartial: false }]);
    cluster.brokers.delete(3);
    await time.advance(10_000);
    expect(await client.topics.details({ clusterId: 'dev', names: ['orders'] })).toMatchObject([{ sizeBytes: 0, sizeIsPartial: true }]);
  });

  test('deleting many has a result for each', async () => {
    cluster.addTopic('a');
    const results = await client.topics.delete({ clusterId: 'dev', names: ['a', 'gone'] });
    expect(results[0]).toEqual({ name: 'a', failure: null });
    expect(results[1]?.failure).toMatchObject({ kind: 'notFound', name: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });
});

describe('a local cluster', () => {
  const process: ProcessStatus = {
    id: 'broker-2',
    role: 'broker',
    brokerId: 2,
    state: 'stopped',
    pid: null,
    host: 'localhost',
    port: 9093,
    startedAtMs: null,
    generation: 1,
    lastExit: { code: null, signal: 'SIGKILL', atMs: 1 },
    restartAtMs: null,
    cutOffFrom: [],
    awaitsRestart: false,
    reason: null,
  };
  const status: ControlStatus = {
    processes: [1, 2, 3].map((id) =>
      id === 2 ? process : { ...process, id: `broker-${id}`, brokerId: id, port: 9091 + id, state: 'running' as const },
    ),
    bootstrapServers: 'localhost:9092',
    zookeeperConnect: 'localhost:2181',
    name: null,
    dataFolder: '/data',
    ephemeral: false,
    supervisorPid: 1,
    logDirs: new Map(),
    stopping: false,
  };

  const controlOf = (lastStatus: ControlStatus): ClusterControl => ({
    lastStatus,
    status: () => Promise.resolve(lastStatus),
    act: () => Promise.reject(new Error('not asked for')),
    cutOff: () => Promise.reject(new Error('nobody asked for this')),
    losePower: () => Promise.reject(new Error('not asked here')),
    configure: () => Promise.reject(new Error('not asked here')),
    query: () => Promise.reject(new Error('not asked here')),
    readSpec: () => Promise.reject(new Error('not asked here')),
    reshape: () => Promise.reject(new Error('not asked here')),
    logs: () => Promise.reject(new Error('not asked for')),
    onEvent: () => () => undefined,
    close: () => Promise.resolve(),
  });
  const withStates = (...states: ProcessStatus['state'][]): ControlStatus => ({
    ...status,
    processes: status.processes.map((own, at) => ({ ...own, state: states[at] ?? 'running' })),
  });
  const addLocal = (lastStatus: ControlStatus): void => {
    const options = { id: 'local', name: 'Local', environment: 'local' as const, readOnly: false, color: 'teal' };
    directory.add({ ...options, runtime: manualRuntime(time), control: controlOf(lastStatus), makeAdmin: () => cluster.admin() }, cluster);
  };

  test('tells where ZooKeeper is and what its servers say, as the supervisor knows; not for a remote cluster', async () => {
    const told = {
      kind: 'external',
      connect: 'zk:2181/kafka',
      servers: [{ address: 'zk:2181', reachable: true, mode: 'leader', version: '3.8.0', problem: null }],
    };
    const asked: string[] = [];
    const control: ClusterControl = {
      ...controlOf(status),
      query: (processId, name) => {
        asked.push(`${processId} ${name}`);
        return Promise.resolve(told);
      },
    };
    const options = { id: 'local', name: 'Local', environment: 'local' as const, readOnly: false, color: 'teal' };
    directory.add({ ...options, runtime: manualRuntime(time), control, makeAdmin: () => cluster.admin() }, cluster);
    expect(await client.clusters.zookeeper({ clusterId: 'local' })).toEqual(told);
    expect(asked).toEqual(['supervisor supervisor.zookeeper']);
    expect(await failureOfCall(client.clusters.zookeeper({ clusterId: 'dev' }))).toMatchObject({ kind: 'refused' });
  });

  describe('what a cluster is made of', () => {
    const asked: string[] = [];
    const addChangeable = (...brokers: number[]): void => {
      asked.length = 0;
      const control: ClusterControl = {
        ...controlOf({ ...status, name: 'Mine' }),
        readSpec: () =>
          Promise.resolve(checkClusterSpec({ ...newClusterSpec(), brokers: brokers.map((id) => ({ id, port: 9091 + id })) }, 'test')),
        reshape: (change) => {
          asked.push(JSON.stringify(change));
          return Promise.resolve({ awaitRestart: ['broker-1', 'broker-3'] });
        },
        act: (processId, action) => {
          asked.push(`${action} ${processId}`);
          return processId === 'broker-3' ? Promise.reject(new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)) : Promise.resolve(process);
        },
      };
      const options = { id: 'local', name: 'Local', environment: 'local' as const, readOnly: false, color: 'teal' };
      directory.add({ ...options, runtime: manualRuntime(time), control, makeAdmin: () => cluster.admin() }, cluster);
    };
    const keep = (...ids: number[]) => ids.map((id) => ({ id, port: null }));

    test('is told with the name its spec has, and changed; restarts are made only when they are asked for', async () => {
      addChangeable(1, 2);
      expect(await client.clusters.makeUp({ clusterId: 'local' })).toMatchObject({
        name: 'Mine',
        brokers: [{ id: 1 }, { id: 2 }],
        logDirsPerBroker: 1,
        zookeeper: { kind: 'embedded', port: 2181 },
      });
      const change = { config: { 'num.io.threads': '3' } };
      const done = await client.clusters.change({ clusterId: 'local', change, restart: false });
      expect(done).toEqual({ awaitRestart: ['broker-1', 'broker-3'] });
      expect(asked).toEqual([JSON.stringify(change)]);
      // One that doesn't come up ends the round: the others go on with what they have.
      expect(await failureOfCall(client.clusters.change({ clusterId: 'local', change, restart: true }))).toMatchObject({ kind: 'kafka' });
      expect(asked.slice(1)).toEqual([JSON.stringify(change), 'restart broker-1', 'restart broker-3']);
    });

    test('keeps a broker that a replica is assigned to, though nothing may lie on it yet', async () => {
      cluster.addTopic('orders');
      addChangeable(1, 2, 3, 4);
      const call = client.clusters.change({ clusterId: 'local', change: { brokers: keep(1, 3, 4) }, restart: false });
      expect((await failureOfCall(call))['message']).toContain("broker 2 can't be removed: it has replicas of orders. Move them");
      expect(asked).toEqual([]);
      await client.clusters.change({ clusterId: 'local', change: { brokers: keep(1, 2, 3) }, restart: false });
      expect(asked).toHaveLength(1);
    });

    test('refuses the name of another cluster', async () => {
      addChangeable(1);
      const call = client.clusters.change({ clusterId: 'local', change: { name: 'dev' }, restart: false });
      expect(await failureOfCall(call)).toMatchObject({ kind: 'refused', message: 'There is a cluster Dev already' });
      await client.clusters.change({ clusterId: 'local', change: { name: 'mine' }, restart: false });
    });
  });

  test('does not wait for a broker that is frozen: it says so at once', async () => {
    addLocal(withStates('running', 'running', 'frozen'));
    expect(await failureOfCall(client.brokers.configs({ clusterId: 'local', brokerId: 3 }))).toMatchObject({
      kind: 'unreachable',
      message: 'Broker 3 is frozen',
      brokerId: 3,
    });
    expect((await client.brokers.get({ clusterId: 'local', brokerId: 3 })).failures).toMatchObject([{ message: 'Broker 3 is frozen' }]);
    expect(cluster.calls).not.toContain('describeConfigs');
    expect(cluster.calls).not.toContain('apiVersions');
  });

  test('with every broker stopped asks nobody, and no number is 0', async () => {
    addLocal(withStates('stopped', 'stopped', 'stopped'));
    const overview = await client.overview.get({ clusterId: 'local' });
    expect(overview).toMatchObject({ topics: null, groups: null, partitions: null, recordsPerSecond: null, sizeBytes: null });
    expect(overview.failures).toMatchObject([{ kind: 'unreachable', message: 'Every broker is stopped' }]);
    expect(await failureOfCall(client.topics.open({ clusterId: 'local' }))).toMatchObject({ message: 'Every broker is stopped' });
    expect(cluster.calls).toEqual([]);
  });

  test('shows a broker that is down, acts on its process, and is degraded', async () => {
    const acted: string[] = [];
    const control: ClusterControl = {
      lastStatus: status,
      status: () => Promise.resolve(status),
      act: (processId, action) => {
        acted.push(`${action} ${processId}`);
        return Promise.resolve(process);
      },
      cutOff: () => Promise.reject(new Error('nobody asked for this')),
      losePower: () => Promise.reject(new Error('not asked here')),
      configure: () => Promise.reject(new Error('not asked here')),
      query: () => Promise.reject(new Error('not asked here')),
      readSpec: () => Promise.reject(new Error('not asked here')),
      reshape: () => Promise.reject(new Error('not asked here')),
      logs: () => Promise.reject(new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)),
      onEvent: () => () => undefined,
      close: () => Promise.resolve(),
    };
    cluster.brokers.delete(2);
    const options = { id: 'local', name: 'Local', environment: 'local' as const, readOnly: false, color: 'teal' };
    directory.add({ ...options, runtime: manualRuntime(time), control, makeAdmin: () => cluster.admin() }, cluster);
    const rows = await client.brokers.list({ clusterId: 'local' });
    expect(rows.map(({ brokerId, online, isController, process: own }) => [brokerId, online, isController, own?.state])).toEqual([
      [1, true, true, 'running'],
      [2, false, false, 'stopped'],
      [3, true, false, 'running'],
    ]);
    await client.processes.kill({ clusterId: 'local', processId: 'broker-2' });
    expect(acted).toEqual(['kill broker-2']);
    expect((await client.overview.get({ clusterId: 'local' })).status).toMatchObject({ state: 'degraded', message: 'broker-2 is stopped' });
    const { capabilities } = await client.clusters.get({ clusterId: 'local' });
    expect(capabilities.find(({ feature }) => feature === 'segments')?.supported).toBe(true);
    const remote = await client.clusters.get({ clusterId: 'dev' });
    expect(remote.capabilities.find(({ feature }) => feature === 'segments')?.reason).toContain('local');
  });
});
