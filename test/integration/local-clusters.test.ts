/** A further local cluster with a supervisor of its own: started, attached to by a second console, stopped with its console, found by the command. */
import { afterEach, expect, it } from 'vitest';
import { LocalClusters } from '../../src/cluster/local-clusters.ts';
import type { ManagedCluster } from '../../src/cluster/managed-cluster.ts';
import { attachToCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { nodeProcesses } from '../../src/runtime/node/node-processes.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { Cleanups, temporaryHome, until } from './support/clusters.ts';

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
