/**
 * What each flush setting keeps, shown by real kills: a SIGKILL keeps all that was written, whatever the settings; a power loss (SIGKILL, and
 * the log files cut back to what fsync had confirmed) keeps what flush.messages and flush.ms have sent to the device, and no more.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { AlterConfigOp, ConfigResourceType } from '../../src/client/admin/configs.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import type { LogFlushAnswer, ReplicaFlush } from '../../src/introspection/answers/log-flush.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';
import { consumeValues, kcat } from './support/kcat.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'lab';

async function start(brokers: number, configs: Record<string, string>): Promise<{ cluster: RunningCluster; admin: Admin }> {
  const cluster = await startTestCluster(cleanups, { brokers, config: { 'log.flush.scheduler.interval.ms': '100' } });
  const admin = adminOf(cleanups, cluster.bootstrapServers);
  valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: brokers, configs }])).get(TOPIC));
  await untilInSync(admin, TOPIC, brokers);
  return { cluster, admin };
}

async function flushState(cluster: RunningCluster, brokerId: number): Promise<ReplicaFlush> {
  const answer = JSON.parse(await cluster.query(`broker-${brokerId}`, 'log.flush', { topic: TOPIC, max: 100 })) as LogFlushAnswer;
  const [replica] = answer.replicas;
  if (replica === undefined) throw new Error(`broker ${brokerId} has no replica of ${TOPIC}`);
  return replica;
}

/** Each acknowledged by the in-sync replicas before the next. */
async function produce(cluster: RunningCluster, values: readonly string[]): Promise<void> {
  const args = [
    '-P',
    '-b',
    cluster.bootstrapServers,
    '-t',
    TOPIC,
    '-p',
    '0',
    '-X',
    'acks=all',
    '-X',
    'max.in.flight=1',
    '-X',
    'batch.num.messages=1',
  ];
  const { code, error } = await kcat(args, values.map((value) => `${value}\n`).join(''));
  if (code !== 0) throw new Error(error);
}

const values = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `v${from + index}`);

async function restart(cluster: RunningCluster, admin: Admin, brokerId: number): Promise<ReplicaFlush> {
  await cluster.broker(brokerId).start();
  await until('the partition has a leader', async () => (await describePartition(admin, TOPIC)).leaderId >= 0);
  return flushState(cluster, brokerId);
}

describe('SIGKILL', () => {
  it('keeps all that was written, also when nothing was ever flushed: the kernel has it', async () => {
    const { cluster, admin } = await start(1, {});
    await produce(cluster, values(0, 20));
    expect(await flushState(cluster, 1)).toMatchObject({
      recoveryPoint: 0,
      logEndOffset: 20,
      unflushedMessages: 20,
      flushes: { flushes: 0 },
    });
    await cluster.broker(1).kill();
    const after = await restart(cluster, admin, 1);
    expect(after).toMatchObject({ logEndOffset: 20, recovery: { truncatedBytes: 0, logEndOffset: 20, recoveryPoint: 0 } });
    expect(after.recovery?.scannedBytes).toBeGreaterThan(0);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(values(0, 20));
  });
});

describe('a power loss', () => {
  it('takes all with the default settings', async () => {
    const { cluster, admin } = await start(1, {});
    await produce(cluster, values(0, 20));
    const before = await flushState(cluster, 1);
    const lost = await cluster.broker(1).losePower();
    expect(lost.logs.find(({ topic }) => topic === TOPIC)).toMatchObject({
      recoveryPoint: 0,
      logEndOffset: 20,
      lostBytes: before.unflushedBytes,
    });
    expect(cluster.broker(1).status().state).toBe('stopped');
    expect(await restart(cluster, admin, 1)).toMatchObject({ logEndOffset: 0 });
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual([]);
  });

  it('takes nothing that was acknowledged with flush.messages=1', async () => {
    const { cluster, admin } = await start(1, { 'flush.messages': '1' });
    await produce(cluster, values(0, 20));
    const before = await flushState(cluster, 1);
    expect(before).toMatchObject({ recoveryPoint: 20, unflushedMessages: 0, unflushedBytes: 0 });
    expect(before.flushes.byReason['flush.messages']).toBeGreaterThan(0);
    expect(before.flushes.fsyncs).toBeGreaterThanOrEqual(before.flushes.flushes);
    const lost = await cluster.broker(1).losePower();
    expect(lost.logs.filter(({ topic }) => topic === TOPIC)).toEqual([]);
    expect(await restart(cluster, admin, 1)).toMatchObject({ logEndOffset: 20 });
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(values(0, 20));
  });

  it('takes what came after the last flush with flush.ms, a setting that holds from its change on', async () => {
    const { cluster, admin } = await start(1, {});
    await produce(cluster, values(0, 20));
    await alter(admin, { 'flush.ms': '50' });
    await until('the scheduler has flushed', async () => (await flushState(cluster, 1)).recoveryPoint === 20);
    expect((await flushState(cluster, 1)).flushes.last).toMatchObject({ reason: 'flush.ms', messages: 20 });
    await alter(admin, { 'flush.ms': '3600000' });
    await until('the broker has heard of it', async () => (await flushState(cluster, 1)).flushMs === 3_600_000);
    await produce(cluster, values(20, 35));
    expect(await flushState(cluster, 1)).toMatchObject({ recoveryPoint: 20, logEndOffset: 35, unflushedMessages: 15 });
    await cluster.broker(1).losePower();
    expect(await restart(cluster, admin, 1)).toMatchObject({ logEndOffset: 20 });
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(values(0, 20));
  });

  it('of one of three costs nothing that acks=all has acknowledged: the others bring it back', async () => {
    const { cluster, admin } = await start(3, {});
    await produce(cluster, values(0, 20));
    const { leaderId } = await describePartition(admin, TOPIC);
    const lost = await cluster.broker(leaderId).losePower();
    expect(lost.logs.find(({ topic }) => topic === TOPIC)?.lostBytes).toBeGreaterThan(0);
    await until('another leads', async () => ![leaderId, -1].includes((await describePartition(admin, TOPIC)).leaderId));
    const after = await restart(cluster, admin, leaderId);
    // What recovery found is what this broker had left; replication may have begun to bring back the rest.
    expect(after.recovery?.logEndOffset ?? 0).toBe(0);
    await until('it has all again', async () => (await flushState(cluster, leaderId)).logEndOffset === 20);
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(values(0, 20));
  });

  it('is refused for what does not run, and changes nothing', async () => {
    const { cluster, admin } = await start(1, {});
    await produce(cluster, values(0, 5));
    await cluster.broker(1).kill();
    await expect(cluster.broker(1).losePower()).rejects.toMatchObject({ code: 'refused' });
    expect(await restart(cluster, admin, 1)).toMatchObject({ logEndOffset: 5 });
  });
});

describe('dynamic settings', () => {
  it('of all brokers, of one, and of a topic hold at once, the nearer over the farther', async () => {
    const { cluster, admin } = await start(1, {});
    const settings = async (): Promise<number[]> => {
      const { flushMessages, flushMs } = await flushState(cluster, 1);
      return [flushMessages, flushMs];
    };
    expect((await settings()).every((value) => value >= Number.MAX_SAFE_INTEGER)).toBe(true);
    const becomes = (expected: number[]) =>
      until(`the settings are ${expected.join(', ')}`, async () => String(await settings()) === String(expected));
    await alter(admin, { 'log.flush.interval.messages': '100', 'log.flush.interval.ms': '9000' }, ConfigResourceType.BROKER, '');
    await becomes([100, 9_000]);
    await alter(admin, { 'log.flush.interval.messages': '50' }, ConfigResourceType.BROKER, '1');
    await becomes([50, 9_000]);
    await alter(admin, { 'flush.messages': '3' });
    await becomes([3, 9_000]);
    await produce(cluster, values(0, 3));
    expect(await flushState(cluster, 1)).toMatchObject({ recoveryPoint: 3, flushes: { flushes: 1, byReason: { 'flush.messages': 1 } } });
    await alter(admin, { 'flush.messages': null });
    await becomes([50, 9_000]);
  });

  it.each(['log.flush.scheduler.interval.ms', 'log.flush.offset.checkpoint.interval.ms', 'log.flush.start.offset.checkpoint.interval.ms'])(
    'refuse %s, which Kafka reads at its start only',
    async (key) => {
      const { admin } = await start(1, {});
      await expect(alter(admin, { [key]: '1000' }, ConfigResourceType.BROKER, '1')).rejects.toThrow(
        /Cannot update these configs dynamically/,
      );
    },
  );
});

async function alter(
  admin: Admin,
  configs: Record<string, string | null>,
  type: ConfigResourceType = ConfigResourceType.TOPIC,
  name = TOPIC,
): Promise<void> {
  const changes = Object.entries(configs).map(([key, value]) => ({
    name: key,
    value,
    op: value === null ? AlterConfigOp.DELETE : AlterConfigOp.SET,
  }));
  const results = await admin.incrementalAlterConfigs([{ resource: { type, name }, changes }]);
  for (const result of results.values()) if (result instanceof KafkaError) throw result;
}

describe('static settings of a local cluster', () => {
  it('are changed by restarting its brokers with them, and kept', async () => {
    const { cluster, admin } = await start(2, {});
    await produce(cluster, values(0, 5));
    const pids = [1, 2].map((id) => cluster.broker(id).pid);
    await cluster.configure({ 'log.flush.offset.checkpoint.interval.ms': '1234' });
    expect([1, 2].map((id) => cluster.broker(id).pid)).not.toEqual(pids);
    expect(await brokerSetting(admin, 1, 'log.flush.offset.checkpoint.interval.ms')).toBe('1234');
    await cluster.configure({ 'log.flush.offset.checkpoint.interval.ms': null });
    expect(await brokerSetting(admin, 2, 'log.flush.offset.checkpoint.interval.ms')).toBe('60000');
    expect(await consumeValues(cluster.bootstrapServers, TOPIC)).toEqual(values(0, 5));
  });

  it('that a broker does not start with are taken back, and the broker runs', async () => {
    const { cluster, admin } = await start(1, {});
    await expect(cluster.configure({ 'log.flush.offset.checkpoint.interval.ms': '-7' })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/-7.*log\.flush\.offset\.checkpoint\.interval\.ms/),
    });
    await until('it runs', () => cluster.broker(1).status().state === 'running');
    expect(await brokerSetting(admin, 1, 'log.flush.offset.checkpoint.interval.ms')).toBe('60000');
    await expect(cluster.configure({ 'log.dirs': '/elsewhere' })).rejects.toMatchObject({ code: 'bad-request' });
  });
});

async function brokerSetting(admin: Admin, brokerId: number, key: string): Promise<string | null | undefined> {
  const described = await admin.describeConfigs([{ type: ConfigResourceType.BROKER, name: String(brokerId) }], { keys: [key] });
  return valueOf(described.get(`broker:${brokerId}`)).find(({ name }) => name === key)?.value;
}
