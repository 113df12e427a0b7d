/** The console's way into real processes: through a real control socket, the supervisor and the IPC channel. */
import { afterEach, expect, it } from 'vitest';
import { connectControl } from '../../src/cluster/control-client.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/connect.ts';
import { Cleanups, startTestCluster } from './support/clusters.ts';
import { onApacheZooKeeper } from './support/zookeeper-under-test.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

it('asks brokers and ZooKeeper about their inside, and says why one has no answer', async () => {
  const cluster = await startTestCluster(cleanups);
  const control = await connectControl({ runtime: createNodeRuntime(silentLogger), socketPath: cluster.folder.socket });
  cleanups.add(() => control.close());
  const ask = async (processId: string, name: string, input: object = {}, timeoutMs = 60_000): Promise<unknown> =>
    JSON.parse(await control.query(processId, name, input, timeoutMs)) as unknown;

  const [first, second] = await Promise.all([ask('broker-1', 'broker.info'), ask('broker-2', 'broker.info')]);
  expect(first).toMatchObject({ brokerId: 1, memory: { rssBytes: expect.any(Number) } });
  expect(second).toMatchObject({ brokerId: 2 });
  // Three brokers, each with one session and some ephemeral node. Apache's knows no queries.
  const zookeeper = ask('zookeeper', 'zookeeper.info');
  if (onApacheZooKeeper) await expect(zookeeper).rejects.toMatchObject({ code: 'bad-request' });
  else expect(await zookeeper).toMatchObject({ sessions: 3, nodes: expect.any(Number), ephemerals: expect.any(Number) });

  await expect(ask('broker-1', 'nothing.such')).rejects.toMatchObject({ code: 'bad-request' });
  await expect(ask('broker-9', 'broker.info')).rejects.toMatchObject({ code: 'unknown-process' });

  // Frozen by somebody else: only silence tells.
  const { pid } = cluster.broker(2);
  if (pid === undefined) throw new Error('broker 2 is not running');
  process.kill(pid, 'SIGSTOP');
  await expect(ask('broker-2', 'broker.info', {}, 300)).rejects.toMatchObject({ code: 'timeout' });
  process.kill(pid, 'SIGCONT');
  await expect(ask('broker-2', 'broker.info')).resolves.toMatchObject({ brokerId: 2 });

  await cluster.broker(3).freeze();
  await expect(ask('broker-3', 'broker.info')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/broker-3 does not answer: it is frozen/),
  });
  await cluster.broker(3).thaw();
  await cluster.broker(3).kill();
  await expect(ask('broker-3', 'broker.info')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/broker-3 does not answer: it is stopped/),
  });
});

it('settings of a topic that is made without a notification, as brokers of Apache Kafka make it, count at its leader', async () => {
  const cluster = await startTestCluster(cleanups);
  const runtime = createNodeRuntime(silentLogger);
  const control = await connectControl({ runtime, socketPath: cluster.folder.socket });
  cleanups.add(() => control.close());
  const connectString = cluster.zookeeperConnect;
  const zookeeper = await connectZooKeeper({ connectString, sessionTimeoutMs: 6_000, runtime, implementation: 'own' });
  cleanups.add(() => zookeeper.close());
  const settings = { version: 1, config: { 'min.insync.replicas': '2' } };
  await zookeeper.create('/config/topics/theirs', Buffer.from(JSON.stringify(settings)), 'persistent');
  const assignment = { version: 2, partitions: { 0: [1, 2, 3] }, adding_replicas: {}, removing_replicas: {} };
  await zookeeper.create('/brokers/topics/theirs', Buffer.from(JSON.stringify(assignment)), 'persistent');
  const describe = async (): Promise<unknown> =>
    JSON.parse(await control.query('broker-1', 'replication.describe', { topic: 'theirs', from: 0, max: 1, worst: 0 }, 60_000)) as unknown;
  await expect.poll(describe, { timeout: 30_000 }).toMatchObject({ partitions: [{ led: { minInsyncReplicas: 2 } }] });
});
