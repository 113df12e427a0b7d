/** A cluster of ours on Apache ZooKeepers that run elsewhere: one with a chroot, an ensemble that loses its leader. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Admin } from '../../src/client/admin/admin.ts';
import { type RunningCluster, type StartClusterOptions, startCluster } from '../../src/cluster/start-cluster.ts';
import type { ZooKeeperServers } from '../../src/introspection/answers/zookeeper-servers.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { type ZooKeeperClient, connectZooKeeper } from '../../src/zk-client/zookeeper-client.ts';
import {
  SKIPPED_WITHOUT_APACHE,
  apacheZooKeeperInstalled,
  fourLetterWord,
  freePort,
  startApacheEnsemble,
  startApacheZooKeeper,
} from './apache-zookeeper.ts';

const runtime = createNodeRuntime(silentLogger);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-external-zk-'));
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function clusterOn(connect: string, options: StartClusterOptions = {}): Promise<RunningCluster> {
  const cluster = await startCluster({ brokers: 3, ephemeral: true, basePort: 0, zookeeper: { connect }, ...options });
  cleanups.push(() => cluster.stopHard());
  return cluster;
}

async function clientOf(connectString: string): Promise<ZooKeeperClient> {
  const client = await connectZooKeeper({ connectString, sessionTimeoutMs: 10_000, runtime, implementation: 'own' });
  cleanups.push(() => client.close());
  return client;
}

/** On all brokers; one that is there from an attempt whose answer was lost is fine. */
async function createTopic(cluster: RunningCluster, name: string): Promise<void> {
  const admin = new Admin({ runtime, bootstrapServers: cluster.bootstrapServers, retryBackoffMs: 20 });
  try {
    const brokers = cluster.processes().filter(({ role }) => role === 'broker').length;
    const result = (await admin.createTopics([{ name, numPartitions: 3, replicationFactor: brokers }])).get(name);
    if (result instanceof Error && !/exists/i.test(result.message)) throw result;
  } finally {
    await admin.close();
  }
}

const title = (text: string): string => (apacheZooKeeperInstalled ? text : `${text} (${SKIPPED_WITHOUT_APACHE})`);

describe.skipIf(!apacheZooKeeperInstalled)(title('a cluster on a ZooKeeper that runs elsewhere'), () => {
  it('starts none itself, makes its chroot, closes dead brokers’ sessions, and comes back', async () => {
    const folder = temporaryFolder();
    const settings = { dataDir: path.join(folder, 'data'), tickTimeMs: 1000, properties: { maxSessionTimeout: '60000' } };
    const apache = await startApacheZooKeeper(settings);
    cleanups.push(() => apache.kill());
    const connect = `127.0.0.1:${apache.port}/samsa/one`;
    const home = path.join(folder, 'home');
    const cluster = await clusterOn(connect, { home, ephemeral: false, config: { 'zookeeper.session.timeout.ms': '60000' } });
    expect(cluster.processes().map(({ role }) => role)).toEqual(['broker', 'broker', 'broker']);
    expect(cluster.zookeeper).toBeUndefined();
    await createTopic(cluster, 'external');
    const client = await clientOf(connect);
    expect((await client.getChildren('/brokers/ids')).children.toSorted()).toEqual(['1', '2', '3']);
    expect((await client.getChildren('/brokers/topics')).children).toContain('external');

    // The session would live on for a minute: gone before means closed.
    await cluster.broker(2).kill();
    await expect.poll(() => client.exists('/brokers/ids/2'), { timeout: 45_000, interval: 10 }).toBeUndefined();
    await cluster.broker(2).start();
    expect(await client.exists('/brokers/ids/2')).toBeDefined();

    const state = JSON.parse(await cluster.query('supervisor', 'supervisor.zookeeper', {})) as ZooKeeperServers;
    expect(state).toMatchObject({
      kind: 'external',
      connect,
      servers: [{ address: `127.0.0.1:${apache.port}`, reachable: true, mode: 'standalone', problem: null }],
    });
    await expect(cluster.query('zookeeper', 'zookeeper.info', {})).rejects.toMatchObject({ code: 'unavailable' });

    // It goes away and comes back: the cluster lives on.
    await apache.kill();
    const gone = JSON.parse(await cluster.query('supervisor', 'supervisor.zookeeper', {})) as ZooKeeperServers;
    expect(gone.servers[0]).toMatchObject({ reachable: false, mode: null, problem: expect.stringMatching(/connect/) });
    const again = await startApacheZooKeeper({ ...settings, port: apache.port });
    cleanups.push(() => again.kill());
    // A client that connects while it starts may wait for half a session to be answered.
    await expect.poll(() => createTopic(cluster, 'after').then(() => 'made', String), { timeout: 120_000, interval: 200 }).toBe('made');

    // The spec keeps it: the next start needs no option.
    await cluster.stop();
    expect((await client.getChildren('/brokers/ids')).children).toEqual([]);
    const next = await startCluster({ home });
    cleanups.push(() => next.stopHard());
    expect(next.zookeeperConnect).toBe(connect);
    expect((await client.getChildren('/brokers/ids')).children.toSorted()).toEqual(['1', '2', '3']);
  });

  it('lives on when an ensemble loses its leader', async () => {
    const members = await startApacheEnsemble(temporaryFolder(), 3);
    for (const member of members) cleanups.push(() => member.kill());
    const connect = `${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}/samsa`;
    const cluster = await clusterOn(connect, { brokers: 2 });
    await createTopic(cluster, 'before');
    const modes = await Promise.all(members.map(({ port }) => fourLetterWord(port, 'srvr')));
    const leader = members[modes.findIndex((mode) => mode.includes('Mode: leader'))];
    await leader?.kill();
    await expect.poll(() => createTopic(cluster, 'after').then(() => 'made', String), { interval: 500 }).toBe('made');
    // With the new leader's word its follower is one: it serves a little later.
    const modesNow = async (): Promise<string[]> => {
      const { servers } = JSON.parse(await cluster.query('supervisor', 'supervisor.zookeeper', {})) as ZooKeeperServers;
      return servers.map(({ mode }) => mode ?? 'none').toSorted();
    };
    await expect.poll(modesNow).toEqual(['follower', 'leader', 'none']);
  });

  it('says which addresses it tried and for how long when none answers', async () => {
    const [closed, silent] = [await freePort(), await freePort()];
    await expect(clusterOn(`127.0.0.1:${closed},localhost:${silent}/x`)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        new RegExp(
          `^no ZooKeeper at 127\\.0\\.0\\.1:${closed},localhost:${silent}/x within 10000 ms: 127\\.0\\.0\\.1:${closed} can't be connected to: .*ECONNREFUSED.*; localhost:${silent} `,
        ),
      ),
    });
  });
});
