/**
 * Processes die while records are written: the leader of a partition, the controller's broker, ZooKeeper. What was acknowledged
 * stays, once and in order, and writing goes on.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';
import { consumeValues, SteadyProducer } from './support/kcat.ts';
import { expiredSessions } from './support/zookeeper-under-test.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'orders';

async function start() {
  const cluster = await startTestCluster(cleanups);
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: 3 }])).get(TOPIC));
  await untilInSync(admin, TOPIC, 3);
  return { cluster, admin };
}

function produceSteadily(bootstrapServers: string, name = 'record', settings: readonly string[] = []): SteadyProducer {
  const producer = new SteadyProducer({ bootstrapServers, topic: TOPIC, name, settings });
  cleanups.add(() => producer.kill());
  return producer;
}

const report = (what: string, figures: readonly number[]): void => {
  process.stdout.write(`${what}: ${figures.map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`);
};

describe('a cluster that loses', () => {
  it('the leader of a partition: the next write is acknowledged soon, and each acknowledged record is there once', async () => {
    const { cluster, admin } = await start();
    const gaps: number[] = [];
    const elections: number[] = [];
    const rejoins: number[] = [];
    const expected: string[] = [];
    for (let round = 0; round < 3; round++) {
      // A new one each time: librdkafka waits up to 10 s before it goes back to a broker that was down before.
      const producer = produceSteadily(cluster.bootstrapServers, `round-${round}`);
      await until('records are acknowledged', () => producer.acknowledged > 100);
      const { leaderId } = await describePartition(admin, TOPIC);
      const killedMs = performance.now();
      await cluster.broker(leaderId).kill();
      const after = await until('another leads, and two are in sync', async () => {
        const now = await describePartition(admin, TOPIC);
        return now.isr.length === 2 && now.leaderId !== leaderId ? now : undefined;
      });
      elections.push(performance.now() - killedMs);
      expect(after.isr).not.toContain(leaderId);
      gaps.push(await until('a write after the kill is acknowledged', () => producer.gapSince(killedMs)));
      const restartMs = performance.now();
      await cluster.broker(leaderId).start();
      await untilInSync(admin, TOPIC, 3);
      rejoins.push(performance.now() - restartMs);
      await producer.finish();
      expected.push(...producer.acknowledgedValues());
    }
    report('leader killed to the next one known to a client', elections);
    report('leader killed to next acknowledged write', gaps);
    report('restart to back in the ISR', rejoins);
    // Missed at once, not when their sessions expired.
    expect(await expiredSessions(cluster.zookeeperConnect)).toBe(0);
    expect(expected.length).toBeGreaterThan(300);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(expected);
  });

  it('the controller’s broker: another takes over and creates topics', async () => {
    const { cluster, admin } = await start();
    const producer = produceSteadily(cluster.bootstrapServers);
    await until('records are acknowledged', () => producer.acknowledged > 50);
    const { controllerId } = await admin.describeCluster();
    const killedMs = performance.now();
    await cluster.broker(controllerId).kill();
    const next = await until('another controller', async () => {
      const { controllerId: now } = await admin.describeCluster();
      return now >= 0 && now !== controllerId ? now : undefined;
    });
    report('controller killed to the next one known', [performance.now() - killedMs]);
    expect(next).not.toBe(controllerId);
    valueOf((await admin.createTopics([{ name: 'after', numPartitions: 3, replicationFactor: 2 }])).get('after'));
    report('controller killed to a topic created', [performance.now() - killedMs]);
    await untilInSync(admin, 'after', 2);
    report('… a write acknowledged', [await until('a write is acknowledged', () => producer.gapSince(killedMs))]);
    await cluster.broker(controllerId).start();
    await untilInSync(admin, TOPIC, 3);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });

  it('ZooKeeper, for a while: writing and reading go on before, during and after', async () => {
    const { cluster, admin } = await start();
    const producer = produceSteadily(cluster.bootstrapServers);
    await until('records are acknowledged', () => producer.acknowledged > 50);
    await cluster.zookeeper?.kill();
    const during = producer.acknowledged;
    await until('records are acknowledged without ZooKeeper', () => producer.acknowledged > during + 100);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC, { count: during + 100 })).toHaveLength(during + 100);
    await cluster.zookeeper?.start();
    const backMs = performance.now();
    // A session survives this, so that nothing moves; the cluster changes again.
    valueOf((await admin.createTopics([{ name: 'after', numPartitions: 3, replicationFactor: 3 }])).get('after'));
    report('ZooKeeper back to a topic created', [performance.now() - backMs]);
    await untilInSync(admin, 'after', 3);
    const after = producer.acknowledged;
    await until('records are acknowledged afterwards', () => producer.acknowledged > after + 100);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });

  it('a leader that is frozen: its session expires, another leads, and when it thaws it registers again and follows', async () => {
    const { cluster, admin } = await start();
    // The in-flight requests to the frozen leader are given up after the socket's time-out.
    const producer = produceSteadily(cluster.bootstrapServers, 'record', ['socket.timeout.ms=2000']);
    await until('records are acknowledged', () => producer.acknowledged > 50);
    const { leaderId } = await describePartition(admin, TOPIC);
    const frozenMs = performance.now();
    await cluster.broker(leaderId).freeze();
    const other = adminOf(cleanups, serversWithout(cluster, leaderId));
    await until('another leads', async () => (await describePartition(other, TOPIC)).leaderId !== leaderId);
    report('leader frozen to the next one known to a client', [performance.now() - frozenMs]);
    report('leader frozen to next acknowledged write', [await until('a write is acknowledged', () => producer.gapSince(frozenMs))]);
    const thawedMs = performance.now();
    await cluster.broker(leaderId).thaw();
    await untilInSync(other, TOPIC, 3);
    report('thawed to back in the ISR', [performance.now() - thawedMs]);
    expect((await describePartition(admin, TOPIC)).leaderId).not.toBe(leaderId);
    const after = producer.acknowledged;
    await until('records are acknowledged afterwards', () => producer.acknowledged > after + 100);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });
});

function serversWithout(cluster: RunningCluster, brokerId: number): string {
  const others = cluster.spec.brokers.filter(({ id }) => id !== brokerId);
  return others.map(({ port }) => `localhost:${port}`).join(',');
}
