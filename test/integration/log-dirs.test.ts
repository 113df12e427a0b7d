/**
 * Partitions move between the log dirs of real brokers while records are written with acks=all, and a broker is killed meanwhile: what was
 * acknowledged is there once and in order, in the other folder, and the old folder is gone.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, temporaryHome, until, untilInSync, valueOf } from './support/clusters.ts';
import { consumeValues, SteadyProducer } from './support/kcat.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'moving';
const KEY = `${TOPIC}-0`;

async function start(): Promise<{ cluster: RunningCluster; admin: Admin; dirsOf: (brokerId: number) => readonly string[] }> {
  const home = temporaryHome(cleanups);
  const cluster = await startTestCluster(cleanups, {
    brokers: 3,
    home,
    logDirs: 2,
    config: { 'log.segment.delete.delay.ms': '500' },
  });
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  valueOf((await admin.createTopics([{ name: TOPIC, assignments: [[1, 2, 3]] }])).get(TOPIC));
  await untilInSync(admin, TOPIC, 3);
  const dirsOf = (brokerId: number): readonly string[] => dataFolderAt(home).logDirs(brokerId, 2);
  return { cluster, admin, dirsOf };
}

/** The log dir that holds the partition under its own name, when it is in one alone and on its way to none. */
function settledDir(dirs: readonly string[]): string | undefined {
  const folders = dirs.flatMap((dir) =>
    readdirSync(dir)
      .filter((name) => name.startsWith(`${TOPIC}-`))
      .map((name) => ({ dir, name })),
  );
  return folders.length === 1 && folders[0]?.name === KEY ? folders[0].dir : undefined;
}

async function move(admin: Admin, brokerId: number, logDir: string): Promise<void> {
  const results = await admin.alterReplicaLogDirs([{ brokerId, topic: TOPIC, partition: 0, logDir }]);
  expect(results.get(`${KEY}@${brokerId}`)).toBeUndefined();
}

/** After a start a broker has no replica until the controller has told it, and the ISR may be the one of before. */
async function moveWhenTold(admin: Admin, brokerId: number, logDir: string): Promise<void> {
  await until(`broker ${brokerId} takes the move`, async () => {
    await move(admin, brokerId, logDir);
    return true;
  });
}

it('the leader’s log and a follower’s move under load and back, also over a kill: nothing acknowledged is lost', async () => {
  const { cluster, admin, dirsOf } = await start();
  const producer = new SteadyProducer({ bootstrapServers: cluster.bootstrapServers, topic: TOPIC });
  cleanups.add(() => producer.kill());
  await until('records are acknowledged', () => producer.acknowledged > 100);
  for (const brokerId of [1, 2, 1]) {
    const [first = '', second = ''] = dirsOf(brokerId);
    const target = existsSync(join(first, KEY)) ? second : first;
    await move(admin, brokerId, target);
    await until(`broker ${brokerId} has it in ${target} alone`, () => settledDir(dirsOf(brokerId)) === target);
    const before = producer.acknowledged;
    await until('records are acknowledged after the move', () => producer.acknowledged > before + 50);
  }
  const [first = '', second = ''] = dirsOf(3);
  const target = existsSync(join(first, KEY)) ? second : first;
  await move(admin, 3, target);
  await cluster.broker(3).kill();
  await cluster.broker(3).start();
  await until('broker 3 is back', async () => (await describePartition(admin, TOPIC)).isr.includes(3));
  await moveWhenTold(admin, 3, target);
  await until('broker 3 has it there', () => settledDir(dirsOf(3)) === target);
  await producer.finish();
  expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(producer.acknowledgedValues());
});
