/** The supervisor with a real ZooKeeper, and stand-ins for brokers that are registered in it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/connect.ts';
import { expiredSessions, testEntries } from './support/zookeeper-under-test.ts';

const broker = join(import.meta.dirname, 'fixtures', 'session-broker.ts');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start() {
  const cluster = await startCluster({ brokers: 2, ephemeral: true, basePort: 0, entries: { ...testEntries, broker } });
  cleanups.push(() => cluster.stopHard());
  const runtime = createNodeRuntime(silentLogger);
  const zookeeper = await connectZooKeeper({
    connectString: cluster.zookeeperConnect,
    sessionTimeoutMs: 6_000,
    runtime,
    implementation: 'own',
  });
  cleanups.push(() => zookeeper.close());
  const isRegistered = async (id: number): Promise<boolean> => (await zookeeper.exists(`/broker-${id}`)) !== undefined;
  return { cluster, zookeeper, isRegistered };
}

describe('a cluster with a ZooKeeper of its own', () => {
  it("closes a killed broker's session at once, not when it expires", async () => {
    const { cluster, isRegistered } = await start();
    expect(await isRegistered(1)).toBe(true);
    await cluster.broker(1).kill();
    await expect.poll(() => isRegistered(1)).toBe(false);
    expect(await expiredSessions(cluster.zookeeperConnect)).toBe(0);
    await expect.poll(() => existsSync(cluster.folder.session('broker-1'))).toBe(false);
    await cluster.broker(1).start();
    expect(await isRegistered(1)).toBe(true);
    expect(await isRegistered(2)).toBe(true);
  });

  it('keeps what ZooKeeper acknowledged, and the sessions, when ZooKeeper is killed and started again', async () => {
    const { cluster, zookeeper, isRegistered } = await start();
    await zookeeper.create('/kept', Buffer.from('x'), 'persistent');
    await cluster.zookeeper?.kill();
    await cluster.zookeeper?.start();
    await expect.poll(async () => (await zookeeper.getData('/kept').catch(() => undefined))?.data.toString()).toBe('x');
    expect(await isRegistered(1)).toBe(true);
  });

  it('stops in order, so that brokers close their own sessions', async () => {
    const { cluster } = await start();
    await cluster.stop();
    expect(cluster.processes().map(({ lastExit }) => lastExit?.code)).toEqual([0, 0, 0]);
  });
});
