/**
 * Folders that Apache Kafka 3.9 wrote, stopped in order and killed: our broker opens them and serves the same bytes, offsets, transactions and
 * groups, appends to them, and Kafka takes them back.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { adminOf, Cleanups, untilInSync, valueOf } from '../../test/integration/support/clusters.ts';
import { dumpLogs, logFiles } from '../support/apache-kafka/dump-log.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { ApacheBroker, startApacheZooKeeper } from '../support/apache-kafka/servers.ts';
import { freePorts } from '../support/free-ports.ts';
import { CONTENT_BROKER_PROPERTIES, CONTENT_TOPICS, readContent, untilContentIsAtRest, writeContent } from './kafka-content.ts';
import type { PartitionContent } from './kafka-content.ts';

const whyNot = whyNoApacheKafka();

describe.skipIf(whyNot !== undefined)(`a folder that Apache Kafka wrote${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const cleanups = new Cleanups();
  afterEach(() => cleanups.run());

  async function contents(admin: Admin): Promise<Map<string, PartitionContent>> {
    const all = new Map<string, PartitionContent>();
    for (const topic of CONTENT_TOPICS) {
      await untilInSync(admin, topic, 1);
      all.set(topic, await readContent(admin, topic));
    }
    return all;
  }

  async function committed(admin: Admin): Promise<Record<string, unknown>> {
    const groups = await admin.listGroupOffsets(new Map(['golden-readers', 'golden-admin'].map((group) => [group, null])));
    return Object.fromEntries(Array.from(groups, ([group, offsets]) => [group, [...valueOf(offsets)]]));
  }

  async function append(admin: Admin, topic: string, value: string): Promise<void> {
    const batch = buildRecordBatch([{ timestamp: Date.now(), key: Buffer.from('ours'), value: Buffer.from(value) }], {});
    await produceBatch(admin.context, { topic, partition: 0 }, batch);
  }

  it.each(['stop', 'kill'] as const)('and left by %s is served by us as by Kafka, and by Kafka again after us', async (ending) => {
    const folder = mkdtempSync(join(tmpdir(), 'samsa-golden-'));
    if (process.env['SAMSA_KEEP'] === undefined) cleanups.add(() => rmSync(folder, { recursive: true, force: true }));
    else process.stdout.write(`kept: ${folder}\n`);
    const data = dataFolderAt(join(folder, 'home'));
    const ports = await freePorts(1);
    const zookeeper = await startApacheZooKeeper({ folder, dataDir: join(folder, 'zookeeper'), port: ports.zookeeper });
    cleanups.add(() => zookeeper.kill());
    const zookeeperConnect = `127.0.0.1:${ports.zookeeper}`;
    const logDir = data.broker(1);
    const port = ports.brokers[0] ?? 0;
    const kafka = new ApacheBroker({ folder, brokerId: 1, port, zookeeperConnect, logDir, properties: CONTENT_BROKER_PROPERTIES });
    cleanups.add(() => kafka.kill());
    await kafka.start();
    const admin = adminOf(cleanups, kafka.address);
    await writeContent(kafka.address, admin, async () => {
      await kafka.stop();
      await kafka.start();
    });
    await untilContentIsAtRest(admin, logDir);
    const expected = await contents(admin);
    const groups = await committed(admin);
    await (ending === 'stop' ? kafka.stop() : kafka.killAndForget());

    const samsa = await startCluster({
      brokers: 1,
      home: join(folder, 'home'),
      basePort: port,
      zookeeper: { connect: zookeeperConnect },
      config: { 'log.cleaner.enable': 'false' },
    });
    cleanups.add(() => samsa.stopHard());
    const ours = adminOf(cleanups, samsa.bootstrapServers);
    expect(await contents(ours)).toEqual(expected);
    expect(await committed(ours)).toEqual(groups);
    for (const topic of CONTENT_TOPICS) await append(ours, topic, 'appended by Samsa');
    const withOurs = await contents(ours);
    for (const [topic, { end, batches }] of withOurs) {
      expect(end, topic).toBe((expected.get(topic)?.end ?? 0) + 1);
      expect(batches.length, topic).toBe((expected.get(topic)?.batches.length ?? 0) + 1);
    }
    await (ending === 'stop' ? samsa.stop() : samsa.stopHard());
    const report = await dumpLogs(logFiles(logDir));
    expect(report.complaints).toEqual([]);
    expect(report.files).toBeGreaterThan(30);

    await kafka.start();
    const back = await contents(adminOf(cleanups, kafka.address));
    // Kafka's cleaner goes on with it.
    for (const topic of CONTENT_TOPICS.filter((name) => name !== 'compacted')) expect(back.get(topic), topic).toEqual(withOurs.get(topic));
    expect(await committed(admin)).toEqual(groups);
  });
});
