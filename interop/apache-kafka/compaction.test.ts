/**
 * The same log compacted twice: by Apache Kafka 3.9's cleaner and by ours. Each record that one keeps the other keeps too, batches have the same
 * headers, Kafka's dump tool finds our files sound, and each starts on what the other has compacted, cleaner-offset-checkpoint included.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { CompressionCodec } from '../../src/protocol/records/compression.ts';
import { iterateBatches, readBatchHeader } from '../../src/protocol/records/record-batch.ts';
import { adminOf, Cleanups, until, valueOf } from '../../test/integration/support/clusters.ts';
import { dumpLogs, logFiles } from '../support/apache-kafka/dump-log.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { ApacheBroker, startApacheZooKeeper } from '../support/apache-kafka/servers.ts';
import { runTool } from '../support/run-tool.ts';

const whyNot = whyNoApacheKafka();
const TOPIC = 'compacted';
const KEYS = 30;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const CLEANER_ON = { 'log.cleaner.enable': 'true', 'log.cleaner.backoff.ms': '100' };
const COMPACTED_MS = 60_000;

describe.skipIf(whyNot !== undefined)(`compaction${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const cleanups = new Cleanups();
  afterEach(() => cleanups.run());

  function makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'samsa-compaction-'));
    cleanups.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  async function startSamsa(home: string, config: Record<string, string>): Promise<RunningCluster> {
    const cluster = await startCluster({ brokers: 1, home, basePort: 0, config });
    cleanups.add(() => cluster.stopHard());
    return cluster;
  }

  /** Apache's ZooKeeper and broker on the folders and ports of a cluster that has stopped; a function that stops them. */
  async function startApache(cluster: RunningCluster, folder: string): Promise<() => Promise<void>> {
    const { zookeeper: spec, brokers } = cluster.spec;
    const [broker] = brokers;
    if (spec.kind !== 'embedded' || broker === undefined) throw new Error('not a cluster of one with a ZooKeeper of its own');
    const data = dataFolderAt(join(folder, 'home'));
    const zookeeper = await startApacheZooKeeper({ folder, dataDir: data.zookeeper, port: spec.port });
    cleanups.add(() => zookeeper.kill());
    const apache = new ApacheBroker({
      folder,
      brokerId: broker.id,
      port: broker.port,
      zookeeperConnect: `127.0.0.1:${spec.port}`,
      logDir: data.broker(broker.id),
      properties: { ...CLEANER_ON, 'log.cleaner.dedupe.buffer.size': '4000000', 'log.initial.task.delay.ms': '100' },
    });
    cleanups.add(() => apache.kill());
    await apache.start();
    return async () => {
      await apache.stop();
      await zookeeper.stop();
    };
  }

  async function produce(servers: string, lines: readonly string[], ...args: string[]): Promise<void> {
    const flags = ['-P', '-b', servers, '-t', TOPIC, '-p', '0', '-K', ':', '-X', 'batch.num.messages=20', '-X', 'acks=all', ...args];
    await runTool('kcat', flags, { input: lines.map((line) => `${line}\n`).join('') });
  }

  async function records(servers: string): Promise<string[]> {
    const args = ['-C', '-b', servers, '-t', TOPIC, '-p', '0', '-e', '-q', '-X', 'check.crcs=true', '-f', '%o %T %h %k=%s\n'];
    const { out } = await runTool('kcat', args);
    return out.toString().split('\n').slice(0, -1);
  }

  /** Until nothing is left to compact: each key once below the last filler. */
  function untilCompacted(servers: string): Promise<string[]> {
    return until(
      'the topic is compacted',
      async () => {
        const lines = (await records(servers)).filter((line) => line.includes(' key-'));
        return new Set(lines.map(keyOf)).size === lines.length ? lines : undefined;
      },
      COMPACTED_MS,
    );
  }

  const keyOf = (line: string): string => / (key-\d+)=/.exec(line)?.[1] ?? '';

  /** What the batches of the closed segments say of themselves. The base timestamp may differ, deltas make up for it. */
  function batchHeaders(folder: string): unknown[] {
    const directory = join(dataFolderAt(join(folder, 'home')).broker(1), `${TOPIC}-0`);
    const files = readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .toSorted();
    return files.slice(0, -1).flatMap((name) =>
      Array.from(iterateBatches(readFileSync(join(directory, name))), (batch) => {
        const header = readBatchHeader(batch, 0);
        const { baseOffset, lastOffset, recordCount, codec, producerId, producerEpoch, baseSequence, maxTimestamp, hasDeleteHorizon } =
          header;
        return { baseOffset, lastOffset, recordCount, codec, producerId, producerEpoch, baseSequence, maxTimestamp, hasDeleteHorizon };
      }),
    );
  }

  it('by ours and by Apache Kafka keeps the same records in the same batches, and each goes on with what the other left', async () => {
    const ours = makeFolder();
    const theirs = makeFolder();
    const first = await startSamsa(join(ours, 'home'), { 'log.cleaner.enable': 'false' });
    const admin = adminOf(cleanups, first.bootstrapServers);
    const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '30000', 'min.cleanable.dirty.ratio': '0.01' };
    valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: 1, configs }])).get(TOPIC));
    for (const [round, codec] of CODECS.entries()) {
      // Most keys come again in each round; some only in this one.
      const keyAt = (index: number): number => (index % 5 === 0 ? 100 + round * 10 + (index % 3) : (index * 7 + round) % KEYS);
      const lines = Array.from({ length: KEYS * 20 }, (_, index) => `key-${keyAt(index)}:${round}-${index} ${'x'.repeat(index % 90)}`);
      await produce(first.bootstrapServers, lines, '-z', codec, ...(round % 2 === 0 ? ['-X', 'enable.idempotence=true'] : []));
      await produce(first.bootstrapServers, [`key-${round}:`], '-Z');
    }
    await produce(
      first.bootstrapServers,
      Array.from({ length: 600 }, (_, index) => `filler:${index} ${'y'.repeat(100)}`),
    );
    const before = await records(first.bootstrapServers);
    await first.stop();
    cpSync(join(ours, 'home'), join(theirs, 'home'), { recursive: true });

    const stopApache = await startApache(first, theirs);
    const theirRecords = await untilCompacted(first.bootstrapServers);
    await stopApache();

    const second = await startSamsa(join(ours, 'home'), CLEANER_ON);
    const ourRecords = await untilCompacted(second.bootstrapServers);
    await second.stop();

    expect(before.length).toBeGreaterThan(3000);
    expect(ourRecords).toEqual(theirRecords);
    const headers = batchHeaders(ours);
    expect(headers).toEqual(batchHeaders(theirs));
    expect(headers.filter((header) => (header as { hasDeleteHorizon: boolean }).hasDeleteHorizon).length).toBeGreaterThan(0);
    expect(new Set(headers.map((header) => (header as { codec: CompressionCodec }).codec)).size).toBe(CODECS.length);
    const report = await dumpLogs(logFiles(join(dataFolderAt(join(ours, 'home')).broker(1))).filter((file) => file.includes(TOPIC)));
    // Gaps between offsets are what compaction makes.
    expect(report.complaints.filter((line) => !line.includes('Non-consecutive offsets'))).toEqual([]);

    // Each on the other's folder: nothing is lost, and a new value replaces an old one.
    const stopApacheOnOurs = await startApache(second, ours);
    expect(await untilCompacted(second.bootstrapServers)).toEqual(theirRecords);
    expect(readFileSync(join(dataFolderAt(join(ours, 'home')).broker(1), 'cleaner-offset-checkpoint'), 'utf8')).toContain(`${TOPIC} 0 `);
    await stopApacheOnOurs();
    const third = await startSamsa(join(theirs, 'home'), CLEANER_ON);
    expect(await untilCompacted(third.bootstrapServers)).toEqual(theirRecords);
    await produce(third.bootstrapServers, ['key-9:newest']);
    await produce(
      third.bootstrapServers,
      Array.from({ length: 600 }, (_, index) => `filler:${index} ${'y'.repeat(100)}`),
    );
    const last = await until('the old value is gone', async () => {
      const lines = (await records(third.bootstrapServers)).filter((line) => keyOf(line) === 'key-9');
      return lines.length === 1 ? lines[0] : undefined;
    });
    expect(last).toContain('key-9=newest');
  }, 240_000);
});
