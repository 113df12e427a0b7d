import { mkdtempSync, rmSync, existsSync } from 'node:fs';
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
