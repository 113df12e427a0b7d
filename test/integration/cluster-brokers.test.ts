/** A whole local cluster, real brokers and ZooKeeper, through the supervisor and our own client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import {
  adminOf,
  Cleanups,
  describePartition,
  endOffset,
  startAgain,
  startTestCluster,
  temporaryHome,
  untilKnown,
  valueOf,
} from './support/clusters.ts';
import { expiredSessions } from './support/zookeeper-under-test.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const partition = { topic: 'orders', partition: 0 };
const produce = (admin: Admin, value: string) =>
  produceBatch(admin.context, partition, buildRecordBatch([{ key: Buffer.from('k'), value: Buffer.from(value), timestamp: Date.now() }]));

async function valuesOf(admin: Admin): Promise<string[]> {
  const { records } = await new RecordReader(admin.context).fetchRecords(partition, 0);
  return records.map(({ value }) => String(value));
}

const isrOf = async (admin: Admin): Promise<number> => (await describePartition(admin, 'orders')).isr.length;

async function createOrders(admin: Admin): Promise<void> {
  valueOf((await admin.createTopics([{ name: 'orders' }])).get('orders'));
}

describe('a local cluster', () => {
  it('goes on without the leader that was killed, and takes it back', async () => {
    const cluster = await startTestCluster(cleanups);
    const admin = adminOf(cleanups, cluster.bootstrapServers);
    await untilKnown(admin, 3);
    await createOrders(admin);
    await produce(admin, 'before');
    const { leaderId, isr } = await describePartition(admin, 'orders');
    expect(isr).toHaveLength(3);
    await cluster.broker(leaderId).kill();
    await produce(admin, 'after');
    // The leader was missed at once, not when its session expired.
    expect(await expiredSessions(cluster.zookeeperConnect)).toBe(0);
    await expect.poll(() => isrOf(admin)).toBe(2);
    await cluster.broker(leaderId).start();
    await expect.poll(() => isrOf(admin)).toBe(3);
    expect(await valuesOf(admin)).toEqual(['before', 'after']);
    expect(await endOffset(admin, 'orders')).toBe(2);
  });

  it('has everything again after everything was killed at once', async () => {
    const home = temporaryHome(cleanups);
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'supervisor.ts'), home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.add(() => supervisor.kill('SIGKILL'));
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const { pids, bootstrapServers } = JSON.parse(line.toString()) as { pids: number[]; bootstrapServers: string };
    const first = adminOf(cleanups, bootstrapServers);
    await createOrders(first);
    for (const value of ['a', 'b', 'c']) await produce(first, value);
    for (const pid of [supervisor.pid ?? 0, ...pids]) process.kill(pid, 'SIGKILL');
    await first.close();
    const cluster = await startAgain(cleanups, home);
    expect(cluster.bootstrapServers).toBe(bootstrapServers);
    const second = adminOf(cleanups, cluster.bootstrapServers);
    await produce(second, 'd');
    expect(await valuesOf(second)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stops with every process ended by itself', async () => {
    const cluster = await startTestCluster(cleanups);
    const admin = adminOf(cleanups, cluster.bootstrapServers);
    await createOrders(admin);
    await produce(admin, 'x');
    await cluster.stop();
    expect(cluster.processes().map(({ lastExit }) => lastExit?.code)).toEqual([0, 0, 0, 0]);
  });
});
