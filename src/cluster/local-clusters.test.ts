import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import { LocalClusters } from './local-clusters.ts';
import type { NewLocalCluster } from './local-clusters.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'samsa-clusters-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const wanted: NewLocalCluster = {
  name: 'second',
  brokers: 2,
  basePort: null,
  logDirsPerBroker: 1,
  zookeeper: { kind: 'embedded', port: null },
};

/** Clusters whose supervisors only say something and end. */
async function open(says = 'process.exit(0)'): Promise<LocalClusters> {
  const clusters = new LocalClusters({
    runtime: createNodeRuntime(silentLogger),
    processes: nodeProcesses,
    home,
    commandFor: () => ({ command: process.execPath, args: ['-e', says], env: process.env }),
  });
  await clusters.refresh();
  return clusters;
}

test('a cluster that was made is found again, stopped, on ports of its own', async () => {
  await (await open()).create(wanted);
  const [found, ...others] = (await open()).all();
  expect(others).toEqual([]);
  const status = await found?.status();
  expect(status?.processes.map(({ id, state }) => [id, state])).toEqual([
    ['zookeeper', 'stopped'],
    ['broker-1', 'stopped'],
    ['broker-2', 'stopped'],
  ]);
  expect(new Set(status?.processes.map(({ port }) => port)).size).toBe(3);
  expect(found?.folder.home).toBe(join(home, 'clusters', 'second'));
});

test('one with an external ZooKeeper has no process for it', async () => {
  const cluster = await (await open()).create({ ...wanted, zookeeper: { kind: 'external', connect: 'zk:2181/here' } });
  const { processes, zookeeperConnect } = await cluster.status();
  expect([processes.map(({ id }) => id), zookeeperConnect]).toEqual([['broker-1', 'broker-2'], 'zk:2181/here']);
});

test('names that would be one folder, that are no name, and ports that are taken are refused with the reason', async () => {
  const clusters = await open();
  await clusters.create(wanted);
  await expect(clusters.create({ ...wanted, name: 'SECOND' })).rejects.toThrow('there is a cluster second already');
  await expect(clusters.create({ ...wanted, name: '../up' })).rejects.toThrow('letters, digits, - and _ are allowed');
  await expect(clusters.create({ ...wanted, name: 'many', brokers: 33 })).rejects.toThrow('brokers: is 33; a whole number from 1 to 32');
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(clusters.create({ ...wanted, name: 'third', brokers: 1, basePort: port })).rejects.toThrow(`port ${port} is taken`);
  await new Promise((resolve) => void server.close(resolve));
  expect(existsSync(join(home, 'clusters', 'third'))).toBe(false);
});

test('a supervisor that ends at once is told in its own words, and the cluster shows them', async () => {
  const cluster = await (await open("console.error('samsa: no ZooKeeper at zk:2181'); process.exit(1)")).create(wanted);
  const states: string[] = [];
  cluster.onEvent((event) => event.type === 'cluster' && states.push(event.state));
  await expect(cluster.start()).rejects.toThrow('no ZooKeeper at zk:2181');
  expect(states).toEqual(['starting', 'stopped']);
  expect((await cluster.status()).processes[0]).toMatchObject({ state: 'failed', reason: 'no ZooKeeper at zk:2181' });
  expect(() => cluster.act('broker-1', 'start')).toThrow('the cluster second is stopped: start it first');
});

test('removing takes the folder with everything in it', async () => {
  const clusters = await open();
  await clusters.create(wanted);
  await clusters.remove('second');
  expect(clusters.all()).toEqual([]);
  expect(existsSync(join(home, 'clusters', 'second'))).toBe(false);
  await expect(clusters.remove('second')).rejects.toThrow('there is no cluster second');
});

const freshBroker = { id: null, port: null };

test('a stopped cluster is made of something else after a change, and keeps that', async () => {
  const cluster = await (await open()).create(wanted);
  const [first] = cluster.spec.brokers;
  const change = {
    name: 'Second try',
    brokers: [{ id: 1, port: null }, freshBroker],
    logDirsPerBroker: 2,
    config: { 'num.partitions': '7' },
  };
  expect(await cluster.reshape(change)).toEqual({ awaitRestart: [] });
  const [found] = (await open()).all();
  expect(found?.spec).toMatchObject({ name: 'Second try', logDirsPerBroker: 2, config: { 'num.partitions': '7' } });
  expect(found?.spec.brokers.map(({ id }) => id)).toEqual([1, 3]);
  expect(found?.spec.brokers[0]).toEqual(first);
  expect((await found?.status())?.name).toBe('Second try');
});

test('a broker with replicas is not removed, and the topics are named; one without goes with its folder', async () => {
  const cluster = await (await open()).create(wanted);
  const folder = cluster.folder.broker(2);
  for (const name of ['orders-0', 'orders-11', 'a-b-3', `moving-0.${'0'.repeat(32)}-future`, `gone-0.${'0'.repeat(32)}-delete`])
    mkdirSync(join(folder, name), { recursive: true });
  const change = { brokers: [{ id: 1, port: null }] };
  await expect(cluster.reshape(change)).rejects.toThrow("broker 2 can't be removed: it has replicas of a-b, moving, orders. Move them");
  expect(cluster.spec.brokers).toHaveLength(2);
  for (const name of ['orders-0', 'orders-11', 'a-b-3', `moving-0.${'0'.repeat(32)}-future`])
    rmSync(join(folder, name), { recursive: true });
  await cluster.reshape(change);
  expect(cluster.spec.brokers.map(({ id }) => id)).toEqual([1]);
  expect(existsSync(folder)).toBe(false);
});

test('ZooKeeper is exchanged only while nothing lies in the cluster, and what is bound to the old one goes', async () => {
  const cluster = await (await open()).create(wanted);
  const topic = join(cluster.folder.broker(1), 'orders-0');
  mkdirSync(topic, { recursive: true });
  mkdirSync(cluster.folder.zookeeper, { recursive: true });
  const change = { zookeeper: { kind: 'external', connect: 'zk:2181/here' } } as const;
  await expect(cluster.reshape(change)).rejects.toThrow("ZooKeeper can't be exchanged: topics, configurations and ACLs are kept in it");
  expect(existsSync(topic)).toBe(true);
  rmSync(topic, { recursive: true });
  await cluster.reshape(change);
  expect((await cluster.status()).zookeeperConnect).toBe('zk:2181/here');
  expect([existsSync(cluster.folder.broker(1)), existsSync(cluster.folder.zookeeper)]).toEqual([false, false]);
});

test('settings that a broker would not take are refused in its own words, and so is a port that is taken', async () => {
  const cluster = await (await open()).create(wanted);
  const before = cluster.spec;
  await expect(cluster.reshape({ config: { 'num.network.threads': 'many' } })).rejects.toThrow(
    'Invalid value many for configuration num.network.threads',
  );
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const brokers = [
    { id: 1, port: null },
    { id: 2, port },
  ];
  await expect(cluster.reshape({ brokers })).rejects.toThrow(`broker-2 can't have its port: port ${port} is taken`);
  await new Promise((resolve) => void server.close(resolve));
  expect(cluster.spec).toEqual(before);
  await cluster.reshape({ brokers });
  expect(cluster.spec.brokers[1]).toEqual({ id: 2, port });
});
