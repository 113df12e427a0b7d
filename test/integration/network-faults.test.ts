/**
 * Links are cut and mended while records are written: between a leader and its followers, and between a leader and all the others with
 * ZooKeeper. What was acknowledged stays, once and in order; what can go on goes on.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { NetworkClient } from '../../src/client/network-client.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { Metadata } from '../../src/protocol/generated/metadata.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/zookeeper-client.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';
import { consumeValues, SteadyProducer } from './support/kcat.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'orders';

async function start() {
  // Short, so that an ISR shrinks while the test looks.
  const cluster = await startTestCluster(cleanups, { config: { 'replica.lag.time.max.ms': '2000' } });
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: 3 }])).get(TOPIC));
  await untilInSync(admin, TOPIC, 3);
  const { leaderId } = await describePartition(admin, TOPIC);
  const others = [1, 2, 3].filter((id) => id !== leaderId);
  return { cluster, admin, leaderId, others };
}

/** Who leads, in the words of one broker: the one that is cut off answers clients too, and knows of nothing. */
async function leaderToldBy(cluster: RunningCluster, brokerId: number): Promise<number | undefined> {
  const client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'asker' });
  try {
    const node = { id: brokerId, host: 'localhost', port: cluster.broker(brokerId).status().port ?? 0 };
    const { topics } = await client.send(node, Metadata, { topics: [{ name: TOPIC }] }, { version: 8 });
    const leaderId = topics[0]?.partitions[0]?.leaderId ?? -1;
    return leaderId < 0 ? undefined : leaderId;
  } finally {
    await client.close();
  }
}

describe('a cluster with a cut network', () => {
  it('takes a follower that is cut off from its leader out of the ISR, and back when the link is mended', async () => {
    const { cluster, admin, leaderId, others } = await start();
    const [follower = 0] = others;
    const producer = new SteadyProducer({ bootstrapServers: cluster.bootstrapServers, topic: TOPIC });
    cleanups.add(() => producer.kill());
    await until('records are acknowledged', () => producer.acknowledged > 50);
    const cut = await cluster.broker(follower).cutOff([`broker-${leaderId}`]);
    expect(cut.cutOffFrom).toEqual([`broker-${leaderId}`]);
    await until('the follower is out of the ISR', async () => !(await describePartition(admin, TOPIC)).isr.includes(follower));
    const during = producer.acknowledged;
    await until('records are acknowledged without it', () => producer.acknowledged > during + 100);
    await cluster.broker(follower).cutOff([]);
    await untilInSync(admin, TOPIC, 3);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });

  it('elects another leader when one is cut off from ZooKeeper and all others, and acknowledges nothing there that is lost', async () => {
    const { cluster, admin, leaderId, others } = await start();
    const producer = new SteadyProducer({
      bootstrapServers: cluster.bootstrapServers,
      topic: TOPIC,
      settings: ['socket.timeout.ms=2000', 'reconnect.backoff.max.ms=200', 'topic.metadata.refresh.interval.ms=500'],
    });
    cleanups.add(() => producer.kill());
    await until('records are acknowledged', () => producer.acknowledged > 50);
    const broker = (id: number): string => `broker-${id}`;
    await cluster.broker(leaderId).cutOff(['zookeeper', ...others.map(broker)]);
    for (const other of others) await cluster.broker(other).cutOff([broker(leaderId)]);
    await until('another leads', async () => ![undefined, leaderId].includes(await leaderToldBy(cluster, others[0] ?? 0)));
    for (const id of [leaderId, ...others]) await cluster.broker(id).cutOff([]);
    await untilInSync(admin, TOPIC, 3);
    const after = producer.acknowledged;
    await until('records are acknowledged afterwards', () => producer.acknowledged > after + 100);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });

  it('takes a broker that can’t reach ZooKeeper off its books as soon as it is stopped', async () => {
    const { cluster, admin, others } = await start();
    const { controllerId } = await admin.describeCluster();
    const stopped = others.find((id) => id !== controllerId) ?? 0;
    const zookeeper = await connectZooKeeper({
      connectString: cluster.zookeeperConnect,
      sessionTimeoutMs: 10_000,
      runtime: createNodeRuntime(silentLogger),
      implementation: 'own',
    });
    cleanups.add(() => zookeeper.close());
    await cluster.broker(stopped).cutOff(['zookeeper']);
    await cluster.broker(stopped).stop();
    expect(await zookeeper.exists(`/brokers/ids/${stopped}`)).toBeUndefined();
  });
});
