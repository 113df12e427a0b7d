/**
 * Partitions move between the brokers of a real cluster while records are written with acks=all, and processes die meanwhile: what was
 * acknowledged is there once and in order, on the new replicas, and the old ones' folders are gone.
 */
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { AlterConfigOp, ConfigResourceType } from '../../src/client/admin/configs.ts';
import type { ConfigResource } from '../../src/client/admin/configs.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, temporaryHome, until, untilInSync, valueOf } from './support/clusters.ts';
import { consumeValues, kcat, SteadyProducer } from './support/kcat.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'moving';
const KEY = `${TOPIC}-0`;

async function start(): Promise<{ cluster: RunningCluster; admin: Admin; home: string }> {
  const home = temporaryHome(cleanups);
  const cluster = await startTestCluster(cleanups, { brokers: 4, home });
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  valueOf((await admin.createTopics([{ name: TOPIC, assignments: [[1, 2, 3]] }])).get(TOPIC));
  await untilInSync(admin, TOPIC, 3);
  return { cluster, admin, home };
}

function produceSteadily(bootstrapServers: string): SteadyProducer {
  const producer = new SteadyProducer({ bootstrapServers, topic: TOPIC });
  cleanups.add(() => producer.kill());
  return producer;
}

async function move(admin: Admin, replicas: readonly number[] | null): Promise<void> {
  const result = (await admin.alterPartitionReassignments([{ topic: TOPIC, partition: 0, replicas }])).get(KEY);
  if (result instanceof KafkaError) throw result;
}

function untilMoved(admin: Admin, replicas: readonly number[]): Promise<boolean> {
  return until(`${KEY} is on [${replicas.join(',')}]`, async () => {
    if ((await admin.listPartitionReassignments()).length > 0) return false;
    const partition = await describePartition(admin, TOPIC);
    return partition.replicas.join() === replicas.join() && replicas.every((replica) => partition.isr.includes(replica));
  });
}

/** Folders of the partition, those marked as deleted left out, by broker. */
function hosts(home: string): number[] {
  return [1, 2, 3, 4].filter((id) => readdirSync(dataFolderAt(home).broker(id)).includes(KEY));
}

describe('a partition under load', () => {
  it('moves, leader first, and back, and a move is given up: nothing acknowledged is lost, the old folders go', async () => {
    const { cluster, admin, home } = await start();
    const producer = produceSteadily(cluster.bootstrapServers);
    await until('records are acknowledged', () => producer.acknowledged > 50);
    for (const replicas of [
      [4, 2, 3],
      [2, 1, 4],
      [3, 4],
      [1, 2, 3],
    ]) {
      const startedMs = performance.now();
      await move(admin, replicas);
      await untilMoved(admin, replicas);
      process.stdout.write(`moved to [${replicas.join(',')}] in ${Math.round(performance.now() - startedMs)} ms\n`);
      await until('only the replicas have a folder', () => hosts(home).join() === replicas.toSorted((a, b) => a - b).join());
      expect(replicas).toContain((await describePartition(admin, TOPIC)).leaderId);
      const before = producer.acknowledged;
      await until('records are acknowledged after the move', () => producer.acknowledged > before + 50);
    }
    // One that can't come to its end: the target can't fetch.
    await cluster.broker(4).cutOff(['broker-1', 'broker-2', 'broker-3']);
    await move(admin, [4, 2, 3]);
    expect(await admin.listPartitionReassignments()).toMatchObject([{ addingReplicas: [4], removingReplicas: [1] }]);
    await move(admin, null);
    await cluster.broker(4).cutOff([]);
    await untilMoved(admin, [2, 3, 1]);
    await until('the added replica has no folder', () => hosts(home).join() === '1,2,3');
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });

  it('comes to its new replicas although the controller, the leader and the target’s broker are killed in turn', async () => {
    const { cluster, admin } = await start();
    const producer = produceSteadily(cluster.bootstrapServers);
    await until('records are acknowledged', () => producer.acknowledged > 50);
    const victims: (() => Promise<number>)[] = [
      async () => (await admin.describeCluster()).controllerId,
      async () => (await describePartition(admin, TOPIC)).leaderId,
      () => Promise.resolve(4),
    ];
    let target = [4, 2, 3];
    for (const victimOf of victims) {
      const victim = await victimOf();
      await move(admin, target);
      await cluster.broker(victim).kill();
      await until('another leads, and there is a controller', async () => {
        const { controllerId } = await admin.describeCluster();
        const { leaderId } = await describePartition(admin, TOPIC);
        return controllerId >= 0 && controllerId !== victim && leaderId >= 0 && leaderId !== victim;
      });
      await cluster.broker(victim).start();
      await untilMoved(admin, target);
      target = target[0] === 4 ? [1, 2, 3] : [4, 2, 3];
    }
    const before = producer.acknowledged;
    await until('records are acknowledged afterwards', () => producer.acknowledged > before + 50);
    await producer.finish();
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
  });
});

describe('a broker that is down while its replica is moved away', () => {
  it('does not bring the old records into a topic that is made again under the name', async () => {
    const { cluster, admin, home } = await start();
    const { code } = await kcat(['-P', '-b', cluster.bootstrapServers, '-t', TOPIC, '-p', '0', '-X', 'acks=all'], 'old-1\nold-2\n');
    expect(code).toBe(0);
    await cluster.broker(3).kill();
    await until('it is missed', async () => !(await describePartition(admin, TOPIC)).isr.includes(3));
    await move(admin, [1, 2, 4]);
    await untilMoved(admin, [1, 2, 4]);
    expect((await admin.deleteTopics([TOPIC])).get(TOPIC)).toBeUndefined();
    await until('the topic can be made again', async () => {
      const created = (await admin.createTopics([{ name: TOPIC, assignments: [[1, 2]] }], { timeoutMs: 500 })).get(TOPIC);
      return created !== undefined && !(created instanceof KafkaError);
    });
    expect(hosts(home)).toContain(3);
    expect(await kcat(['-P', '-b', cluster.bootstrapServers, '-t', TOPIC, '-p', '0'], 'new-1\n')).toMatchObject({ code: 0 });
    await cluster.broker(3).start();
    await move(admin, [3, 1, 2]);
    await untilMoved(admin, [3, 1, 2]);
    await cluster.broker(1).kill();
    await cluster.broker(2).kill();
    await until('broker 3 leads', async () => (await describePartition(admin, TOPIC)).leaderId === 3);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(['new-1']);
  });
});

describe('a throttle', () => {
  it('holds a move back, and letting go of it lets the move end', async () => {
    const { cluster, admin } = await start();
    const lines = Array.from({ length: 4_000 }, (_, index) => String(index).padEnd(2_047, 'x'));
    const { code, error } = await kcat(
      ['-P', '-b', cluster.bootstrapServers, '-t', TOPIC, '-p', '0', '-X', 'acks=all'],
      `${lines.join('\n')}\n`,
    );
    expect([code, error]).toEqual([0, '']);
    await untilInSync(admin, TOPIC, 3);
    const topic = { type: ConfigResourceType.TOPIC, name: TOPIC };
    const brokers = { type: ConfigResourceType.BROKER, name: '' };
    await configure(admin, topic, {
      'leader.replication.throttled.replicas': '0:1,0:2,0:3',
      'follower.replication.throttled.replicas': '0:4',
    });
    // After the first answer (replica.fetch.max.bytes) the rate is exceeded for all windows that are kept.
    const rates = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate'];
    await configure(admin, brokers, Object.fromEntries(rates.map((name) => [name, '1'])));
    await until('every broker knows the rate', async () => {
      const described = await admin.describeConfigs([1, 2, 3, 4].map((id) => ({ type: ConfigResourceType.BROKER, name: String(id) })));
      return [...described.values()].every((entries) => valueOf(entries).some(({ name, value }) => name === rates[0] && value === '1'));
    });
    await move(admin, [4, 2, 3]);
    const sizeOn4 = async (): Promise<number> => {
      const dirs = valueOf((await admin.describeLogDirs([4])).get('4'));
      const replicas = [...dirs.values()].flatMap((dir) => valueOf(dir).replicas);
      return replicas.find((replica) => replica.topic === TOPIC)?.sizeBytes ?? 0;
    };
    await until('something has come', async () => (await sizeOn4()) > 0);
    expect(await sizeOn4()).toBeLessThan(4_000_000);
    expect((await describePartition(admin, TOPIC)).isr).not.toContain(4);
    await configure(admin, brokers, Object.fromEntries(rates.map((name) => [name, null])));
    await untilMoved(admin, [4, 2, 3]);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(lines);
  });
});

async function configure(admin: Admin, resource: ConfigResource, settings: Readonly<Record<string, string | null>>): Promise<void> {
  const changes = Object.entries(settings).map(([name, value]) => ({
    name,
    op: value === null ? AlterConfigOp.DELETE : AlterConfigOp.SET,
    value,
  }));
  for (const result of (await admin.incrementalAlterConfigs([{ resource, changes }])).values())
    if (result instanceof KafkaError) throw result;
}
