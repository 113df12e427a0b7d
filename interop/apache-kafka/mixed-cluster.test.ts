/**
 * An Apache Kafka 3.9 broker as broker 4 of our cluster, with our ZooKeeper: as a follower, a leader, the controller and a coordinator,
 * with acks=all writes going on. What was acknowledged is read back from either side, once and in order.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { adminOf, Cleanups, describePartition, until, untilInSync, valueOf } from '../../test/integration/support/clusters.ts';
import { consumeValues, kcat, SteadyProducer } from '../../test/integration/support/kcat.ts';
import { coordinatorPartition } from '../../src/protocol/records/partitioner.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { ApacheBroker } from '../support/apache-kafka/servers.ts';
import { freePorts } from '../support/free-ports.ts';

const APACHE = 4;
const OURS = [1, 2, 3] as const;
const whyNot = whyNoApacheKafka();

describe.skipIf(whyNot !== undefined)(`an Apache Kafka broker in our cluster${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const everything = new Cleanups();
  const cleanups = new Cleanups();
  let cluster: RunningCluster;
  let apache: ApacheBroker;
  let admin: Admin;
  let servers = '';

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'samsa-mixed-'));
    if (process.env['SAMSA_KEEP'] === undefined) everything.add(() => rmSync(folder, { recursive: true, force: true }));
    else process.stdout.write(`kept: ${folder}\n`);
    cluster = await startCluster({ brokers: 3, home: join(folder, 'home'), basePort: 0, config: { 'offsets.topic.num.partitions': '8' } });
    everything.add(() => cluster.stopHard());
    const port = (await freePorts(1)).brokers[0] ?? 0;
    apache = new ApacheBroker({
      folder,
      brokerId: APACHE,
      port,
      zookeeperConnect: cluster.zookeeperConnect,
      logDir: join(folder, 'broker-4'),
      properties: {
        'default.replication.factor': '3',
        'offsets.topic.replication.factor': '3',
        'offsets.topic.num.partitions': '8',
        'auto.leader.rebalance.enable': 'false',
      },
    });
    await apache.start();
    everything.add(() => apache.kill());
    servers = `${cluster.bootstrapServers},${apache.address}`;
    admin = adminOf(everything, servers);
  });
  afterEach(() => cleanups.run());
  afterAll(() => everything.run());

  /** A topic of one partition on these brokers, the first leading. */
  async function createTopic(name: string, replicas: readonly number[], configs: Record<string, string> = {}): Promise<void> {
    valueOf((await admin.createTopics([{ name, assignments: [replicas], configs }])).get(name));
    await untilInSync(admin, name, replicas.length);
  }

  function writeSteadily(topic: string): SteadyProducer {
    // A broker that was away is tried again soon: librdkafka's default is up to 10 s.
    const settings = ['reconnect.backoff.max.ms=500'];
    // It asks ours for metadata: an Apache broker that has just started knows no topic and no broker, and says so, which kcat believes.
    const producer = new SteadyProducer({ bootstrapServers: cluster.bootstrapServers, topic, name: topic, settings });
    cleanups.add(() => producer.kill());
    return producer;
  }

  const moreOf = async (producer: SteadyProducer, count = 50): Promise<void> => {
    const before = producer.acknowledged;
    await until(`${count} more records of ${producer.acknowledged} are acknowledged`, () => producer.acknowledged >= before + count);
  };

  const untilLeader = (topic: string, leader: number): Promise<boolean> =>
    until(`${leader} leads ${topic}`, async () => (await describePartition(admin, topic)).leaderId === leader);

  const untilIsr = (topic: string, isr: readonly number[]): Promise<boolean> =>
    until(
      `the ISR of ${topic} is ${isr.join(', ')}`,
      async () => (await describePartition(admin, topic)).isr.toSorted((a, b) => a - b).join() === isr.join(),
    );

  async function expectAcknowledged(topic: string, producer: SteadyProducer): Promise<void> {
    await producer.finish();
    const values = producer.acknowledgedValues();
    expect(values.length).toBeGreaterThan(50);
    expect(await consumeValues(servers, topic)).toEqual(values);
  }

  /** Our brokers away until the Apache one is the controller, then back. */
  async function makeApacheController(): Promise<void> {
    for (const id of OURS) await cluster.broker(id).kill();
    const other = adminOf(cleanups, apache.address);
    await until('the Apache broker is the controller', async () => (await other.describeCluster()).controllerId === APACHE);
    for (const id of OURS) await cluster.broker(id).start();
    await until('all are registered', async () => (await other.describeCluster()).brokers.length === 4);
  }

  it('follows: it is in sync, leaves when it is killed or stopped, and comes back', async () => {
    await createTopic('follows', [1, APACHE, 2]);
    const producer = writeSteadily('follows');
    await moreOf(producer);
    await apache.killAndForget();
    await untilIsr('follows', [1, 2]);
    await moreOf(producer);
    await apache.start();
    await untilIsr('follows', [1, 2, APACHE]);
    await moreOf(producer);
    await apache.stop();
    await untilIsr('follows', [1, 2]);
    await moreOf(producer);
    await apache.start();
    await untilIsr('follows', [1, 2, APACHE]);
    await moreOf(producer);
    // It alone has the records now, and leads.
    await cluster.broker(1).stop();
    await cluster.broker(2).stop();
    await untilLeader('follows', APACHE);
    await moreOf(producer);
    await cluster.broker(1).start();
    await cluster.broker(2).start();
    await untilIsr('follows', [1, 2, APACHE]);
    await expectAcknowledged('follows', producer);
  });

  it('leads: ours are in sync, one of ours takes over, and it follows afterwards', async () => {
    await createTopic('leads', [APACHE, 1, 2]);
    const producer = writeSteadily('leads');
    await moreOf(producer);
    await cluster.broker(1).kill();
    await untilIsr('leads', [2, APACHE]);
    await moreOf(producer);
    await cluster.broker(1).start();
    await untilIsr('leads', [1, 2, APACHE]);
    await apache.killAndForget();
    await untilIsr('leads', [1, 2]);
    await moreOf(producer);
    await apache.start();
    await untilIsr('leads', [1, 2, APACHE]);
    await moreOf(producer);
    await expectAcknowledged('leads', producer);
  });

  it('is the controller: ours lead and follow by its word, ask it for ISR changes, producer ids and their own controlled shutdown', async () => {
    await createTopic('controlled', [1, 2, 3, APACHE]);
    const producer = writeSteadily('controlled');
    await moreOf(producer);
    await makeApacheController();
    await untilIsr('controlled', [1, 2, 3, APACHE]);
    await moreOf(producer);
    await createTopic('made-by-apache', [2, 3, 1], { 'retention.ms': '86400000' });
    expect((await kcat(['-P', '-b', servers, '-t', 'made-by-apache', '-X', 'enable.idempotence=true'], 'a\nb\n')).code).toBe(0);
    const log = cluster.folder.log('broker-2');
    const before = readFileSync(log).length;
    await cluster.broker(2).stop();
    expect(readFileSync(log).subarray(before).toString()).not.toContain('No controller took the request for a controlled shutdown');
    await untilLeader('made-by-apache', 3);
    await untilIsr('made-by-apache', [1, 3]);
    await cluster.broker(2).start();
    await untilIsr('made-by-apache', [1, 2, 3]);
    expect(await consumeValues(servers, 'made-by-apache')).toEqual(['a', 'b']);
    expect((await admin.createPartitions([{ topic: 'made-by-apache', count: 3 }])).get('made-by-apache')).toBeUndefined();
    await untilInSync(admin, 'made-by-apache', 3);
    // A topic that one of ours is asked for by name: it asks the controller.
    const auto = await kcat(['-P', '-b', cluster.bootstrapServers, '-t', 'automatic'], 'x\n');
    expect(auto.code).toBe(0);
    expect(await consumeValues(servers, 'automatic')).toEqual(['x']);
    for (const topic of ['made-by-apache', 'automatic']) {
      expect((await admin.deleteTopics([topic])).get(topic)).toBeUndefined();
      await until(`${topic} is gone`, async () => !(await admin.listTopics()).has(topic));
    }
    // The name is free when the logs are gone, which is later.
    await until('the topic can be made again', async () => (await createTopic('made-by-apache', [APACHE, 2]), true));
    await moreOf(producer);
    await expectAcknowledged('controlled', producer);
    // The controller goes in order: one of ours takes over what it began.
    await apache.stop();
    await until('one of ours is the controller', async () => [1, 2, 3].includes((await admin.describeCluster()).controllerId));
    await apache.start();
    await untilIsr('controlled', [1, 2, 3, APACHE]);
    expect((await admin.deleteTopics(['made-by-apache'])).get('made-by-apache')).toBeUndefined();
    await until('its log is gone', () => !readdirSync(apache.logDir).includes('made-by-apache-0'));
  });

  it('coordinates groups, and takes over and hands over their offsets', async () => {
    await createTopic('read', [1, 2, APACHE]);
    expect((await kcat(['-P', '-b', servers, '-t', 'read', '-p', '0'], '1\n2\n3\n')).code).toBe(0);
    const groups = Array.from({ length: 8 }, (_, index) => `group-${index}`);
    const readOnce = (group: string, servers: string): Promise<{ code: number | null; out: string; error: string }> =>
      kcat(['-b', servers, '-G', group, '-c', '3', '-X', 'auto.offset.reset=earliest', '-q', '-f', '%s,', 'read']);
    for (const group of groups) {
      const { code, out, error } = await readOnce(group, servers);
      expect([group, code, out, error]).toEqual([group, 0, '1,2,3,', '']);
    }
    const leaders = valueOf((await admin.describeTopics(['__consumer_offsets'])).get('__consumer_offsets')).partitions.map(
      ({ leaderId }) => leaderId,
    );
    const coordinators = new Set(groups.map((group) => leaders[coordinatorPartition(group, leaders.length)]));
    expect([...coordinators]).toContain(APACHE);
    expect(coordinators.size).toBeGreaterThan(1);
    const committed = async (): Promise<(number | undefined)[]> => {
      const partition = { topic: 'read', partition: 0 };
      const all = await admin.listGroupOffsets(new Map(groups.map((group) => [group, [partition]])));
      return groups.map((group) => valueOf(valueOf(all.get(group)).get('read-0')).offset);
    };
    const expected = groups.map(() => 3);
    expect(await committed()).toEqual(expected);
    // Ours load what it wrote.
    await apache.stop();
    expect(await committed()).toEqual(expected);
    await apache.start();
    await untilInSync(admin, '__consumer_offsets', 3);
    // It loads what ours wrote.
    for (const id of OURS) await cluster.broker(id).stop();
    const alone = adminOf(cleanups, apache.address);
    expect((await alone.listOffsets([{ topic: 'read', partition: 0, timestamp: OffsetSpec.LATEST }])).size).toBe(1);
    for (const id of OURS) await cluster.broker(id).start();
    await untilInSync(admin, '__consumer_offsets', 3);
    expect(await committed()).toEqual(expected);
  });
});
