/**
 * Graduation: Samsa is stopped (or killed), Apache ZooKeeper and Apache Kafka 3.9 brokers start on its folders, and everything is there; they
 * write more, stop, and Samsa starts on the folders again. Kafka's own dump tool finds nothing wrong in any file on the way.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { ConfigResourceType, ConfigSource } from '../../src/client/admin/configs.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import { projectRoot } from '../../src/cluster/process-entry.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/zookeeper-client.ts';
import { adminOf, Cleanups, until, untilInSync, valueOf } from '../../test/integration/support/clusters.ts';
import { dumpLogs, logFiles } from '../support/apache-kafka/dump-log.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { ApacheBroker, startApacheZooKeeper } from '../support/apache-kafka/servers.ts';
import type { JavaProcess } from '../support/apache-kafka/java.ts';
import { runTool } from '../support/run-tool.ts';

const whyNot = whyNoApacheKafka();
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const IDS = [1, 2, 3];
const PATIENCE_MS = 120_000;

describe.skipIf(whyNot !== undefined)(`graduation${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const cleanups = new Cleanups();
  afterEach(() => cleanups.run());

  async function startSamsa(home: string): Promise<RunningCluster> {
    const cluster = await startCluster({ brokers: 3, home, basePort: 0, config: { 'offsets.topic.num.partitions': '4' } });
    cleanups.add(() => cluster.stopHard());
    return cluster;
  }

  interface ApacheCluster {
    readonly bootstrapServers: string;
    readonly brokers: readonly ApacheBroker[];
    readonly zookeeper: JavaProcess;
  }

  /** Apache's programs on the folders of `cluster`, which has stopped, with the files that `samsa graduate` writes. */
  async function startApache(cluster: RunningCluster, folder: string): Promise<ApacheCluster> {
    const { spec } = cluster;
    if (spec.zookeeper.kind !== 'embedded') throw new Error('the cluster has a ZooKeeper of its own');
    const { port } = spec.zookeeper;
    const data = dataFolderAt(join(folder, 'home'));
    const files = join(folder, 'apache-kafka');
    await runTool(process.execPath, [join(projectRoot(), 'bin', 'samsa.mjs'), 'graduate', '--home', data.home, '--to', files]);
    const propertiesFile = join(files, 'zookeeper.properties');
    const zookeeper = await startApacheZooKeeper({ folder, dataDir: data.zookeeper, port, propertiesFile });
    cleanups.add(() => zookeeper.kill());
    const brokers = spec.brokers.map(
      (broker) =>
        new ApacheBroker({
          folder,
          brokerId: broker.id,
          port: broker.port,
          zookeeperConnect: cluster.zookeeperConnect,
          logDir: data.broker(broker.id),
          propertiesFile: join(files, `server-${broker.id}.properties`),
        }),
    );
    for (const broker of brokers) cleanups.add(() => broker.kill());
    await untilNoSession(cluster.zookeeperConnect);
    await Promise.all(brokers.map((broker) => broker.start()));
    return { bootstrapServers: cluster.bootstrapServers, brokers, zookeeper };
  }

  function makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'samsa-graduate-'));
    if (process.env['SAMSA_KEEP'] === undefined) cleanups.add(() => rmSync(folder, { recursive: true, force: true }));
    else process.stdout.write(`kept: ${folder}\n`);
    return folder;
  }

  async function expectSoundFiles(folder: string): Promise<void> {
    const data = dataFolderAt(join(folder, 'home'));
    const report = await dumpLogs(IDS.flatMap((id) => logFiles(data.broker(id))));
    expect(report.complaints).toEqual([]);
    expect(report.files).toBeGreaterThan(50);
  }

  const produce = async (servers: string, topic: string, lines: readonly string[], settings: readonly string[] = []): Promise<void> => {
    const args = ['-P', '-b', servers, '-t', topic, '-K', ':', '-X', 'acks=all', ...settings.flatMap((setting) => ['-X', setting])];
    await runTool('kcat', args, { input: lines.map((line) => `${line}\n`).join('') });
  };

  /**
   * After a kill all replicas are in the ISR that ZooKeeper knows, and the leader's high watermark, up to which consumers read, is that of the last
   * checkpoint until the followers have fetched.
   */
  async function expectState(servers: string, topics: readonly string[], expected: Record<string, unknown>): Promise<void> {
    let found: Record<string, unknown> = {};
    await until('everything can be read again', async () => isDeepStrictEqual((found = await state(servers, topics)), expected)).catch(
      () => {},
    );
    expect(found).toEqual(expected);
  }

  /** Every record: partition, offset, timestamp, headers, key, value. */
  async function records(servers: string, topic: string): Promise<string[]> {
    const args = ['-C', '-b', servers, '-t', topic, '-e', '-q', '-X', 'check.crcs=true', '-f', '%p %o %T %h %k=%s\n'];
    const { out } = await runTool('kcat', args);
    return out.toString().split('\n').slice(0, -1).toSorted();
  }

  async function commit(servers: string, topic: string, group: string, count: number): Promise<void> {
    const args = ['-b', servers, '-G', group, '-c', String(count), '-X', 'auto.offset.reset=earliest', '-q', topic];
    await runTool('kcat', args);
  }

  async function state(servers: string, topics: readonly string[]): Promise<Record<string, unknown>> {
    const admin: Admin = adminOf(cleanups, servers);
    const configs = await admin.describeConfigs(topics.map((name) => ({ type: ConfigResourceType.TOPIC, name })));
    const described = await admin.describeTopics(topics);
    const groups = await admin.listGroupOffsets(new Map(['readers', 'others'].map((group) => [group, null])));
    const result: Record<string, unknown> = { cluster: (await admin.describeCluster()).clusterId };
    for (const topic of topics) await untilInSync(admin, topic, 3);
    const read = await Promise.all(topics.map((topic) => records(servers, topic)));
    for (const [index, topic] of topics.entries()) {
      const { topicId, partitions } = valueOf(described.get(topic));
      result[topic] = { topicId, replicas: partitions.map(({ replicas }) => replicas), records: read[index] };
    }
    for (const [key, entries] of configs)
      result[`config of ${key}`] = valueOf(entries)
        .filter(({ source }) => source === ConfigSource.DYNAMIC_TOPIC_CONFIG)
        .map(({ name, value }) => `${name}=${value}`)
        .toSorted();
    for (const [group, offsets] of groups)
      result[`group ${group}`] = [...valueOf(offsets)].map(([key, offset]) => `${key}: ${JSON.stringify(valueOf(offset))}`).toSorted();
    return result;
  }

  /** A variety of data; the topics made. */
  async function fill(servers: string, turn: string): Promise<string[]> {
    const admin = adminOf(cleanups, servers);
    const topics = [...CODECS.map((codec) => `${turn}-${codec}`), `${turn}-stamped`, `${turn}-compacted`];
    const configs = new Map<string, Record<string, string>>([
      [`${turn}-stamped`, { 'message.timestamp.type': 'LogAppendTime', 'segment.bytes': '20000', 'retention.ms': '-1' }],
      [`${turn}-compacted`, { 'cleanup.policy': 'compact', 'min.insync.replicas': '2' }],
      [`${turn}-none`, { 'segment.bytes': '30000', 'index.interval.bytes': '100' }],
    ]);
    const created = await admin.createTopics(
      topics.map((name) => ({ name, numPartitions: 2, replicationFactor: 3, configs: configs.get(name) ?? {} })),
    );
    for (const topic of topics) valueOf(created.get(topic));
    for (const topic of topics) await untilInSync(admin, topic, 3);
    const lines = Array.from({ length: 300 }, (_, index) => `key-${index % 40}:${turn} ${index} ${'abc '.repeat(index % 60)}`);
    await Promise.all(
      topics.map((topic) => {
        const codec = CODECS.find((candidate) => topic.endsWith(candidate)) ?? 'none';
        const small = ['batch.num.messages=7', `compression.codec=${codec}`, `enable.idempotence=${codec !== 'gzip'}`];
        return produce(servers, topic, lines, small);
      }),
    );
    await produce(servers, `${turn}-compacted`, ['key-1:', 'key-2:'], ['message.timeout.ms=10000']);
    return topics;
  }

  it('and back: topics, records, configurations, groups, ids; nothing is recovered after a clean stop', async () => {
    const folder = makeFolder();
    const home = join(folder, 'home');
    const samsa = await startSamsa(home);
    const servers = samsa.bootstrapServers;
    const topics = await fill(servers, 'samsa');
    await commit(servers, 'samsa-lz4', 'readers', 100);
    await commit(servers, 'samsa-none', 'others', 300);
    const before = await state(servers, topics);
    await samsa.stop();
    await expectSoundFiles(folder);

    const apache = await startApache(samsa, folder);
    expect(await state(servers, topics)).toEqual(before);
    for (const broker of apache.brokers) {
      expect(broker.output(), `broker ${broker.id}`).toContain('since clean shutdown file was found');
      expect(troubleWithLogs(broker), `broker ${broker.id}`).toEqual([]);
    }
    const more = await fill(servers, 'apache');
    await produce(servers, 'samsa-zstd', ['after:by Apache']);
    await commit(servers, 'samsa-lz4', 'readers', 50);
    const afterApache = await state(servers, [...topics, ...more]);
    for (const broker of apache.brokers) await broker.stop();
    await apache.zookeeper.stop();

    const again = await startSamsa(home);
    expect(await state(again.bootstrapServers, [...topics, ...more])).toEqual(afterApache);
    await produce(again.bootstrapServers, 'apache-zstd', ['after:by Samsa']);
    await again.stop();
    await expectSoundFiles(folder);
  });

  it('after SIGKILL of everything: Kafka recovers what ours left, and ours what Kafka left', async () => {
    const folder = makeFolder();
    const home = join(folder, 'home');
    const samsa = await startSamsa(home);
    const servers = samsa.bootstrapServers;
    const topics = await fill(servers, 'samsa');
    await commit(servers, 'samsa-lz4', 'readers', 100);
    const before = await state(servers, topics);
    await samsa.stopHard();
    const apache = await startApache(samsa, folder);
    await expectState(servers, topics, before);
    const more = await fill(servers, 'apache');
    const afterApache = await state(servers, [...topics, ...more]);
    await Promise.all([...apache.brokers.map((broker) => broker.kill()), apache.zookeeper.kill()]);
    const again = await startSamsa(home);
    await expectState(again.bootstrapServers, [...topics, ...more], afterApache);
    await again.stop();
    await expectSoundFiles(folder);
  });
});

/** Kafka doesn't start while the session of a broker that was killed still holds its id (docs/graduate.md says to wait). */
async function untilNoSession(connectString: string): Promise<void> {
  const runtime = createNodeRuntime(silentLogger);
  const client = await connectZooKeeper({
    connectString,
    sessionTimeoutMs: 6_000,
    connectTimeoutMs: PATIENCE_MS,
    runtime,
    implementation: 'own',
  });
  try {
    await until(
      'the sessions of killed brokers are gone',
      async () => (await client.getChildren('/brokers/ids')).children.length === 0,
      PATIENCE_MS,
    );
  } finally {
    await client.close();
  }
}

/** What the broker says of logs that it had to mend. */
function troubleWithLogs(broker: ApacheBroker): string[] {
  return broker
    .output()
    .split('\n')
    .filter(
      (line) =>
        /Recovering unflushed|[Cc]orrupt/.test(line) ||
        (/ (WARN|ERROR|FATAL) /.test(line) && /\((kafka\.log|org\.apache\.kafka\.storage)/.test(line)),
    );
}
