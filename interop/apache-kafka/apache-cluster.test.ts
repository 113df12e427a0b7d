/**
 * Two brokers of ours join a cluster of Apache's (Apache ZooKeeper with a chroot, two Apache Kafka 3.9 brokers), which is driven by Kafka's own
 * tools: the Java producer, consumer and AdminClient. What was acknowledged is there at the end, once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { adminOf, Cleanups, describePartition, until, untilInSync, valueOf } from '../../test/integration/support/clusters.ts';
import { consumeValues, SteadyProducer } from '../../test/integration/support/kcat.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { ApacheBroker, runKafkaTool, startApacheZooKeeper } from '../support/apache-kafka/servers.ts';
import { freePorts } from '../support/free-ports.ts';

const whyNot = whyNoApacheKafka();
const APACHE = [11, 12] as const;
const OURS = [1, 2] as const;

describe.skipIf(whyNot !== undefined)(`brokers of ours in an Apache cluster${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const everything = new Cleanups();
  const cleanups = new Cleanups();
  const apache: ApacheBroker[] = [];
  let folder = '';
  let samsa: RunningCluster;
  let admin: Admin;
  let servers = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'samsa-joins-'));
    if (process.env['SAMSA_KEEP'] === undefined) everything.add(() => rmSync(folder, { recursive: true, force: true }));
    else process.stdout.write(`kept: ${folder}\n`);
    const ports = await freePorts(APACHE.length);
    const zookeeper = await startApacheZooKeeper({ folder, dataDir: join(folder, 'zookeeper'), port: ports.zookeeper });
    everything.add(() => zookeeper.kill());
    const zookeeperConnect = `127.0.0.1:${ports.zookeeper}/kafka/one`;
    for (const [index, brokerId] of APACHE.entries()) {
      const broker = new ApacheBroker({
        folder,
        brokerId,
        port: ports.brokers[index] ?? 0,
        zookeeperConnect,
        logDir: join(folder, `broker-${brokerId}`),
        properties: {
          'offsets.topic.replication.factor': '2',
          'offsets.topic.num.partitions': '4',
          'auto.leader.rebalance.enable': 'false',
        },
      });
      apache.push(broker);
      everything.add(() => broker.kill());
    }
    await Promise.all(apache.map((broker) => broker.start()));
    samsa = await startCluster({
      brokers: OURS.length,
      home: join(folder, 'home'),
      basePort: 0,
      zookeeper: { connect: zookeeperConnect },
      // As the Apache brokers have it: whoever makes the topic decides, and Kafka believes its own setting until it starts anew.
      config: { 'offsets.topic.num.partitions': '4' },
    });
    everything.add(() => samsa.stopHard());
    servers = [...apache.map(({ address }) => address), samsa.bootstrapServers].join();
    admin = adminOf(everything, servers);
    await until('all four are registered', async () => (await admin.describeCluster()).brokers.length === 4);
  });
  afterEach(() => cleanups.run());
  afterAll(() => everything.run());

  const tool = (mainClass: string, ...args: string[]): Promise<string> => runKafkaTool(mainClass, ['--bootstrap-server', servers, ...args]);

  const untilLeader = (topic: string, leaders: readonly number[]): Promise<boolean> =>
    until(`${leaders.join(' or ')} leads ${topic}`, async () => leaders.includes((await describePartition(admin, topic)).leaderId));

  const untilIsr = (topic: string, isr: readonly number[]): Promise<boolean> =>
    until(
      `the ISR of ${topic} is ${isr.join()}`,
      async () => (await describePartition(admin, topic)).isr.toSorted((a, b) => a - b).join() === isr.join(),
    );

  it('lead, follow and take over the controller, with acknowledged records kept', async () => {
    valueOf((await admin.createTopics([{ name: 'steady', assignments: [[11, 1, 12, 2]] }])).get('steady'));
    await untilInSync(admin, 'steady', 4);
    const settings = ['reconnect.backoff.max.ms=500'];
    // It asks ours for metadata: an Apache broker that has just started knows no topic and no broker, and says so, which kcat believes.
    const producer = new SteadyProducer({ bootstrapServers: samsa.bootstrapServers, topic: 'steady', name: 'steady', settings });
    cleanups.add(() => producer.kill());
    const more = async (): Promise<void> => {
      const before = producer.acknowledged;
      await until('more records are acknowledged', () => producer.acknowledged >= before + 50).catch((error: unknown) => {
        throw new Error(`${String(error)}; ${producer.acknowledged} are: ${producer.errors}`);
      });
    };
    await more();
    await apache[0]?.killAndForget();
    await untilLeader('steady', [1]);
    await untilIsr('steady', [1, 2, 12]);
    await more();
    await apache[0]?.start();
    await untilIsr('steady', [1, 2, 11, 12]);
    await samsa.broker(1).stop();
    await untilIsr('steady', [2, 11, 12]);
    await more();
    await samsa.broker(1).start();
    await untilIsr('steady', [1, 2, 11, 12]);
    // Now only ours are there: one of them is the controller, and leads.
    await Promise.all(apache.map((broker) => broker.killAndForget()));
    await untilIsr('steady', [1, 2]);
    await expect.poll(async () => (await admin.describeCluster()).controllerId).toBeOneOf([...OURS]);
    await more();
    await Promise.all(apache.map((broker) => broker.start()));
    await untilIsr('steady', [1, 2, 11, 12]);
    await more();
    await producer.finish();
    expect(await consumeValues(servers, 'steady')).toEqual(producer.acknowledgedValues());
  });

  it('serve Kafka’s own tools: topics, configs, groups, reassignment, elections, the Java producer and consumer', async () => {
    await tool(
      'org.apache.kafka.tools.TopicCommand',
      '--create',
      '--topic',
      'tools',
      '--replica-assignment',
      '1:11,11:2,2:12',
      '--config',
      'retention.ms=100000',
    );
    await untilInSync(admin, 'tools', 2);
    const described = await tool('org.apache.kafka.tools.TopicCommand', '--describe', '--topic', 'tools');
    expect(described).toMatch(/PartitionCount: 3\s+ReplicationFactor: 2\s+Configs: .*retention\.ms=100000/);
    const produced = await tool('org.apache.kafka.tools.VerifiableProducer', '--topic', 'tools', '--max-messages', '500', '--acks', '-1');
    expect(produced).toContain('"acked":500');
    const consumed = await tool(
      'org.apache.kafka.tools.VerifiableConsumer',
      '--topic',
      'tools',
      '--group-id',
      'tool-readers',
      '--max-messages',
      '500',
      '--reset-policy',
      'earliest',
    );
    expect(countOf(consumed)).toBe(500);
    const groups = await tool(
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      '--describe',
      '--group',
      'tool-readers',
      // Five seconds by itself, after which it ends with 0 all the same.
      '--timeout',
      '120000',
    );
    // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …
    const rows = groups
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, topic]) => topic === 'tools');
    expect(rows.length, groups).toBeGreaterThan(0);
    expect(rows.map((row) => row[5])).toEqual(rows.map(() => '0'));
    expect(rows.reduce((sum, row) => sum + Number(row[3]), 0)).toBe(500);
    await tool(
      'kafka.admin.ConfigCommand',
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      'tools',
      '--add-config',
      'retention.ms=200000',
    );
    for (const server of [samsa.bootstrapServers, apache[0]?.address ?? '']) {
      const describe = (): Promise<string> =>
        runKafkaTool('kafka.admin.ConfigCommand', [
          '--bootstrap-server',
          server,
          '--describe',
          '--entity-type',
          'topics',
          '--entity-name',
          'tools',
        ]);
      // Brokers hear of it one after another.
      await expect.poll(describe).toContain('retention.ms=200000');
    }
    const plan = join(folder, 'plan.json');
    const partitions = [
      [12, 1],
      [1, 2],
      [11, 12],
    ].map((replicas, partition) => ({ topic: 'tools', partition, replicas }));
    writeFileSync(plan, JSON.stringify({ version: 1, partitions }));
    await tool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', '--execute', '--reassignment-json-file', plan);
    await until('the replicas are where the plan wants them', async () => {
      const now = valueOf((await admin.describeTopics(['tools'])).get('tools')).partitions.toSorted((a, b) => a.partition - b.partition);
      return now.every(({ replicas, isr, partition }) => replicas.join() === partitions[partition]?.replicas.join() && isr.length === 2);
    });
    const verified = await tool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', '--verify', '--reassignment-json-file', plan);
    expect(verified.match(/Reassignment of partition tools-\d is completed/g)).toHaveLength(3);
    await tool('org.apache.kafka.tools.LeaderElectionCommand', '--election-type', 'preferred', '--all-topic-partitions');
    const leaders = async (): Promise<number[]> => {
      const now = valueOf((await admin.describeTopics(['tools'])).get('tools')).partitions;
      return now.toSorted((a, b) => a.partition - b.partition).map(({ leaderId }) => leaderId);
    };
    await expect.poll(leaders).toEqual([12, 1, 11]);
    const again = await tool(
      'org.apache.kafka.tools.VerifiableConsumer',
      '--topic',
      'tools',
      '--group-id',
      'other-readers',
      '--max-messages',
      '500',
      '--reset-policy',
      'earliest',
    );
    expect(countOf(again)).toBe(500);
    await tool('org.apache.kafka.tools.TopicCommand', '--delete', '--topic', 'tools');
    await until('the topic is gone', async () => !(await admin.listTopics()).has('tools'));
  });
});

/** How many records a VerifiableConsumer says that it has read. */
function countOf(output: string): number {
  return output
    .split('\n')
    .filter((line) => line.includes('"records_consumed"'))
    .reduce((sum, line) => sum + Number(/"count":(\d+)/.exec(line)?.[1] ?? 0), 0);
}
