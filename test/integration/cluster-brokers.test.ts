/** A whole local cluster, real brokers and ZooKeeper, through the supervisor and our own client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Admin } from '../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { testEntries } from './support/zookeeper-under-test.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function temporaryHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'samsa-brokers-'));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

function adminOf(bootstrapServers: string): Admin {
  const admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers, retryBackoffMs: 20 });
  cleanups.push(() => admin.close());
  return admin;
}

const partition = { topic: 'orders', partition: 0 };
const produce = (admin: Admin, value: string) =>
  produceBatch(admin.context, partition, buildRecordBatch([{ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1 }]));

async function valuesOf(admin: Admin): Promise<string[]> {
  const { records } = await new RecordReader(admin.context).fetchRecords(partition, 0);
  return records.map(({ value }) => String(value));
}

async function describeOrders(admin: Admin) {
  const topic = (await admin.describeTopics(['orders'])).get('orders');
  if (topic === undefined || topic instanceof KafkaError) throw topic ?? new Error('no answer');
  const [first] = topic.partitions;
  if (first === undefined) throw new Error('a topic has partitions');
  return first;
}

describe('a local cluster', () => {
  it('goes on without the leader that was killed, and takes it back', async () => {
    const cluster = await startCluster({ brokers: 3, ephemeral: true, basePort: 0, entries: testEntries });
    cleanups.push(() => cluster.stopHard());
    const admin = adminOf(cluster.bootstrapServers);
    expect((await admin.describeCluster()).brokers.map(({ id }) => id)).toEqual([1, 2, 3]);
    await admin.createTopics([{ name: 'orders' }]);
    await produce(admin, 'before');
    const { leaderId, isr } = await describeOrders(admin);
    expect(isr).toHaveLength(3);
    const killed = performance.now();
    await cluster.broker(leaderId).kill();
    await produce(admin, 'after');
    expect(performance.now() - killed).toBeLessThan(2_000);
    await expect.poll(async () => (await describeOrders(admin)).isr.length).toBe(2);
    await cluster.broker(leaderId).start();
    await expect.poll(async () => (await describeOrders(admin)).isr.length).toBe(3);
    expect(await valuesOf(admin)).toEqual(['before', 'after']);
    const ends = await admin.listOffsets([{ ...partition, timestamp: OffsetSpec.LATEST }]);
    expect(ends.get('orders-0')).toMatchObject({ offset: 2 });
  });

  it('has everything again after everything was killed at once', async () => {
    const home = temporaryHome();
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'supervisor.ts'), home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => supervisor.kill('SIGKILL'));
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const { pids, bootstrapServers } = JSON.parse(line.toString()) as { pids: number[]; bootstrapServers: string };
    const first = adminOf(bootstrapServers);
    await first.createTopics([{ name: 'orders' }]);
    for (const value of ['a', 'b', 'c']) await produce(first, value);
    for (const pid of [supervisor.pid ?? 0, ...pids]) process.kill(pid, 'SIGKILL');
    await first.close();
    const cluster = await startCluster({ home, entries: testEntries });
    cleanups.push(() => cluster.stopHard());
    expect(cluster.bootstrapServers).toBe(bootstrapServers);
    const second = adminOf(cluster.bootstrapServers);
    await produce(second, 'd');
    expect(await valuesOf(second)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('stops within seconds, with every process ended by itself', async () => {
    const cluster = await startCluster({ brokers: 3, ephemeral: true, basePort: 0, entries: testEntries });
    cleanups.push(() => cluster.stopHard());
    const admin = adminOf(cluster.bootstrapServers);
    await admin.createTopics([{ name: 'orders' }]);
    await produce(admin, 'x');
    const begun = performance.now();
    await cluster.stop();
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(cluster.processes().map(({ lastExit }) => lastExit?.code)).toEqual([0, 0, 0, 0]);
  });
});
