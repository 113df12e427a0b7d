/** A further local cluster with a supervisor of its own: started, attached to by a second console, stopped with its console, found by the command. */
import { afterEach, expect, it } from 'vitest';
import { ConfigResourceType } from '../../src/client/admin/configs.ts';
import { LocalClusters } from '../../src/cluster/local-clusters.ts';
import type { ManagedCluster } from '../../src/cluster/managed-cluster.ts';
import { attachToCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { nodeProcesses } from '../../src/runtime/node/node-processes.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { adminOf, Cleanups, startTestCluster, temporaryHome, until, valueOf } from './support/clusters.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

async function open(home: string): Promise<LocalClusters> {
  const clusters = new LocalClusters({ runtime: createNodeRuntime(silentLogger), processes: nodeProcesses, home });
  cleanups.add(() => clusters.close());
  await clusters.refresh();
  return clusters;
}

const isRunning = async (cluster: ManagedCluster | undefined): Promise<boolean> => (await cluster?.status())?.state === 'running';

it('lives and ends with who started it, and is seen by others while it runs', async () => {
  const home = temporaryHome(cleanups);
  const first = await open(home);
  const zookeeper = { kind: 'embedded', port: null } as const;
  const cluster = await first.create({ name: 'second', brokers: 1, basePort: null, logDirsPerBroker: 1, zookeeper });
  const states: string[] = [];
  cluster.onEvent((event) => event.type === 'cluster' && states.push(event.state));
  await cluster.start();
  await until('it runs', () => isRunning(cluster));
  expect([cluster.isRunning, cluster.isOurs]).toEqual([true, true]);

  const other = await open(home);
  const [seen] = other.all();
  expect([await isRunning(seen), seen?.isOurs]).toEqual([true, false]);
  expect((await attachToCluster({ home: cluster.folder.home }))?.close()).toBeUndefined();
  // Who only looks leaves it running.
  await other.close();
  expect(await isRunning(cluster)).toBe(true);

  await cluster.stop();
  expect(states).toEqual(['starting', 'running', 'stopping', 'stopped']);
  expect((await cluster.status()).processes.map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  await cluster.start();
  await first.close();
  expect(await attachToCluster({ home: cluster.folder.home })).toBeUndefined();
});

it('becomes of something else while it runs: brokers come and go, what runs takes its part over when it is restarted', async () => {
  const home = temporaryHome(cleanups);
  const clusters = await open(home);
  const zookeeper = { kind: 'embedded', port: null } as const;
  const cluster = await clusters.create({ name: 'second', brokers: 2, basePort: null, logDirsPerBroker: 1, zookeeper });
  await cluster.start();
  await until('it runs', () => isRunning(cluster));
  const { bootstrapServers } = await cluster.status();
  const admin = adminOf(cleanups, bootstrapServers);
  await admin.createTopics([{ name: 'orders', assignments: [[2]] }]);
  const stateOf = async (id: string) => (await cluster.status()).processes.find((process) => process.id === id);
  const keep = [1, 2].map((id) => ({ id, port: null }));

  // A third broker joins at once; the others' default replication factor grows with it, when they are restarted.
  const grown = await cluster.reshape({
    name: 'Second try',
    brokers: [...keep, { id: null, port: null }],
    config: { 'log.roll.ms': '5000' },
  });
  expect(grown.awaitRestart).toEqual(['broker-1', 'broker-2']);
  await until('the third is there', async () => (await stateOf('broker-3'))?.state === 'running');
  await until('it is one of the cluster', async () => (await admin.describeCluster()).brokers.length === 3);
  expect(await stateOf('broker-1')).toMatchObject({ awaitsRestart: true, generation: 1 });
  expect(await cluster.act('broker-1', 'restart')).toMatchObject({ awaitsRestart: false, generation: 2 });
  const [configs] = (await admin.describeConfigs([{ type: ConfigResourceType.BROKER, name: '1' }])).values();
  expect(valueOf(configs).find(({ name }) => name === 'log.roll.ms')?.value).toBe('5000');

  // What can't be is refused, and changes nothing.
  const spec = await cluster.readSpec();
  await expect(cluster.reshape({ config: { 'num.io.threads': '0' } })).rejects.toThrow('num.io.threads');
  await expect(cluster.reshape({ zookeeper: { kind: 'external', connect: 'zk:1/x' } })).rejects.toThrow('stop it first');
  await expect(
    cluster.reshape({
      brokers: [
        { id: 1, port: null },
        { id: 3, port: null },
      ],
    }),
  ).rejects.toThrow("broker 2 can't be removed: it has replicas of orders");
  expect(await stateOf('broker-2')).toMatchObject({ state: 'running', generation: 1 });
  expect(await cluster.readSpec()).toEqual(spec);

  // The third has nothing: it goes, and its folder with it.
  await cluster.reshape({ brokers: keep });
  expect(await stateOf('broker-3')).toBeUndefined();
  await until('it has left', async () => (await admin.describeCluster()).brokers.length === 2);
  await cluster.stop();
  expect(cluster.spec.brokers.map(({ id }) => id)).toEqual([1, 2]);
  expect(cluster.spec).toMatchObject({ name: 'Second try', config: { 'log.roll.ms': '5000' } });
});

it('goes to another ZooKeeper, port and name while it is stopped, also under a supervisor that goes on', async () => {
  const host = await startTestCluster(cleanups, { brokers: 1 });
  const cluster = await startTestCluster(cleanups, { brokers: 1 });
  const connect = `${host.zookeeperConnect}/guest`;
  const zookeeper = { kind: 'external', connect } as const;
  await expect(cluster.reshape({ zookeeper })).rejects.toThrow('broker-1, zookeeper run: stop it first');
  await cluster.act('broker-1', 'stop');
  await cluster.act('zookeeper', 'stop');
  const [taken] = host.spec.brokers;
  await expect(cluster.reshape({ brokers: [{ id: 1, port: taken?.port ?? 0 }] })).rejects.toThrow(
    /broker-1 can't have its port: port \d+ is taken/,
  );
  await cluster.reshape({ name: 'Guest', zookeeper });
  expect(cluster.processes().map(({ id, state }) => [id, state])).toEqual([['broker-1', 'stopped']]);
  expect(await cluster.status()).toMatchObject({ name: 'Guest', zookeeperConnect: connect });
  // The log dirs were bound to the cluster id that the ZooKeeper left behind had given.
  await cluster.act('broker-1', 'start');
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  await admin.createTopics([{ name: 'orders' }]);
  const ids = await Promise.all(
    [admin, adminOf(cleanups, host.bootstrapServers)].map(async (one) => (await one.describeCluster()).clusterId),
  );
  expect(new Set(ids).size).toBe(2);
  // And back it doesn't go, with a topic that the other would know nothing of.
  await cluster.act('broker-1', 'stop');
  await expect(cluster.reshape({ zookeeper: { kind: 'embedded', port: null } })).rejects.toThrow('another one knows nothing of orders');
});
