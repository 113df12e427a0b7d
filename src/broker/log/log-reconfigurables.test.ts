/** The log's settings that change while the broker runs, cluster-wide or for one broker: which they are, what is refused, and that each takes effect. */
import { describe, expect, test } from 'vitest';
import { attributesAt, maxTimestampAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { InPlaceOffload } from '../../runtime/offload.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { propertyNameOf } from '../config/config-def.ts';
import { DynamicBrokerConfig } from '../config/dynamic-config.ts';
import { brokerKeys, parseKafkaConfig } from '../config/kafka-config.ts';
import { serverSynonyms } from '../config/keys/topic-keys.ts';
import { logKeys } from '../config/keys/log-keys.ts';
import { logReconfigurables } from './log-reconfigurables.ts';
import type { LogManager } from './log-manager.ts';
import { batchOf, readBatches } from './testing/log-fixture.ts';
import { DIRS, memoryLogManager, whileTimeGoesOn } from './testing/memory-log-manager.ts';
import type { UnifiedLog } from './unified-log.ts';

type Texts = Record<string, string>;

interface Broker {
  readonly time: ManualTime;
  readonly dynamic: DynamicBrokerConfig;
  readonly manager: LogManager;
  readonly log: UnifiedLog;
}

/** A broker's log manager with a log of a topic with `topic`; its configuration is a dynamic one. */
async function start(options: { topic?: Texts; broker?: Texts } = {}): Promise<Broker> {
  const { topic = {}, broker = {} } = options;
  const time = new ManualTime();
  const disk = new MemoryDisk({ nowMs: () => time.wallMs() });
  for (const directory of DIRS) disk.makeDirectory(directory);
  const dynamic = new DynamicBrokerConfig(parseKafkaConfig({ 'zookeeper.connect': 'zk:2181', 'broker.id': '1', ...broker }), silentLogger);
  const offload = new InPlaceOffload(disk);
  const manager = memoryLogManager({ disk, time, topic, brokerConfig: () => dynamic.current, offload });
  for (const reconfigurable of logReconfigurables(manager)) dynamic.addReconfigurable(reconfigurable);
  await whileTimeGoesOn(time, manager.startup());
  return { time, dynamic, manager, log: manager.getOrCreateLog({ topic: 'orders', partition: 0 }, { isNew: true }) };
}

async function append(
  { time, log }: Broker,
  count: number,
  batch: () => Buffer = () => batchOf(['x'.repeat(60)], { timestamp: time.wallMs() }),
) {
  for (let index = 0; index < count; index++) {
    const result = log.appendAsLeader(batch(), { leaderEpoch: 0 });
    if (!result.ok) return result.errorCode;
    await time.settle();
  }
  log.updateHighWatermark(log.logEndOffset);
  return ErrorCode.NONE;
}

/** Per default of topics: a value that isn't the default. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'log.segment.bytes': '5000',
  'log.roll.ms': '7001',
  'log.roll.jitter.ms': '702',
  'log.index.size.max.bytes': '4096',
  'log.flush.interval.messages': '704',
  'log.flush.interval.ms': '7005',
  'log.retention.bytes': '70006',
  'log.retention.ms': '70007',
  'message.max.bytes': '70008',
  'log.index.interval.bytes': '709',
  'log.cleaner.delete.retention.ms': '7010',
  'log.cleaner.min.compaction.lag.ms': '7011',
  'log.cleaner.max.compaction.lag.ms': '7012',
  'log.segment.delete.delay.ms': '7013',
  'log.cleaner.min.cleanable.ratio': '0.25',
  'log.cleanup.policy': 'compact',
  'unclean.leader.election.enable': 'true',
  'min.insync.replicas': '2',
  'compression.type': 'gzip',
  'compression.gzip.level': '4',
  'compression.lz4.level': '5',
  'compression.zstd.level': '6',
  'log.preallocate': 'true',
  'log.message.timestamp.type': 'LogAppendTime',
  'log.message.timestamp.difference.max.ms': '7014',
  'log.message.timestamp.before.max.ms': '7015',
  'log.message.timestamp.after.max.ms': '7016',
  'log.local.retention.ms': '7017',
  'log.local.retention.bytes': '718',
  'log.message.downconversion.enable': 'false',
};
const topicKeyOf = new Map(Object.entries(serverSynonyms).map(([topic, synonyms]) => [synonyms[0]?.brokerKey ?? '', topic]));

const textIn = (log: UnifiedLog, brokerKey: string): string | undefined => log.config.texts[topicKeyOf.get(brokerKey) ?? ''];

test('what may change while a broker runs is what may change on a broker of Apache Kafka 3.9', () => {
  const cleaner = ['threads', 'dedupe.buffer.size', 'io.buffer.load.factor', 'io.buffer.size', 'io.max.bytes.per.second', 'backoff.ms'];
  const threads = ['num.io.threads', 'num.replica.fetchers', 'num.recovery.threads.per.data.dir', 'background.threads'];
  const kafkas = new Set([...Object.keys(DEFAULTS), ...threads, ...cleaner.map((key) => `log.cleaner.${key}`)]);
  const ours = Object.keys(brokerKeys).filter(
    (key) => (Object.hasOwn(logKeys, key) || kafkas.has(key)) && brokerKeys[key]?.dynamic === 'cluster-wide',
  );
  expect(ours.toSorted()).toEqual([...kafkas].toSorted());
});

describe('a default of topics', () => {
  test.each(Object.entries(DEFAULTS))(
    '%s takes effect on logs that are open, cluster-wide and for one broker, unless their topic says otherwise',
    async (key, value) => {
      const broker = await start();
      const { dynamic, log } = broker;
      const initial = textIn(log, key);
      expect(initial).not.toBe(value);
      dynamic.validate({ [key]: value }, false);
      dynamic.updateDefaultConfig({ [key]: value });
      expect(textIn(log, key)).toBe(value);
      dynamic.validate({ [key]: initial ?? '' }, true);
      dynamic.updateBrokerConfig({ [key]: initial ?? '' });
      expect(textIn(log, key)).toBe(initial);
      dynamic.updateBrokerConfig({});
      expect(textIn(log, key)).toBe(value);
      const future = broker.manager.getOrCreateLog({ topic: 'new', partition: 0 }, { isNew: true });
      expect(textIn(future, key)).toBe(value);
      dynamic.updateDefaultConfig({});
      expect(textIn(log, key)).toBe(initial);

      const topicKey = topicKeyOf.get(key) ?? '';
      const other = await start({ topic: { [topicKey]: initial ?? '' } });
      other.dynamic.updateDefaultConfig({ [key]: value });
      expect(textIn(other.log, key)).toBe(initial);
    },
  );

  test('log.segment.bytes: the next segments are smaller', async () => {
    const broker = await start();
    await append(broker, 10);
    broker.dynamic.updateDefaultConfig({ 'log.segment.bytes': '300' });
    await append(broker, 10);
    expect(broker.log.numberOfSegments).toBeGreaterThan(3);
  });

  test('log.roll.ms: a segment is closed at that age', async () => {
    const broker = await start();
    await append(broker, 1);
    broker.dynamic.updateDefaultConfig({ 'log.roll.ms': '1000' });
    await broker.time.advance(2000);
    await append(broker, 1);
    expect(broker.log.numberOfSegments).toBe(2);
  });

  test.each([
    ['log.retention.bytes', '400'],
    ['log.retention.ms', '5'],
  ])('%s: the next look at the logs goes by it', async (key, value) => {
    const broker = await start({ broker: { 'log.segment.bytes': '300' } });
    await append(broker, 20);
    await broker.time.advance(50);
    expect(broker.manager.deleteOldSegments()).toBe(0);
    broker.dynamic.updateDefaultConfig({ [key]: value });
    expect(broker.manager.deleteOldSegments()).toBeGreaterThan(0);
  });

  test('message.max.bytes, log.cleanup.policy and the timestamps’ limits: what is appended from then on is refused', async () => {
    const broker = await start();
    const refusals: Texts = {
      'message.max.bytes': '100',
      'log.message.timestamp.before.max.ms': '10',
      'log.message.timestamp.after.max.ms': '10',
    };
    const batches: Record<string, () => Buffer> = {
      'message.max.bytes': () => batchOf(['x'.repeat(200)], { timestamp: broker.time.wallMs() }),
      'log.message.timestamp.before.max.ms': () => batchOf(['x'], { timestamp: broker.time.wallMs() - 1000 }),
      'log.message.timestamp.after.max.ms': () => batchOf(['x'], { timestamp: broker.time.wallMs() + 1000 }),
    };
    for (const [key, batch] of Object.entries(batches)) {
      expect(await append(broker, 1, batch), key).toBe(ErrorCode.NONE);
      broker.dynamic.updateDefaultConfig({ [key]: refusals[key] ?? '' });
      expect(await append(broker, 1, batch), key).toBe(
        key === 'message.max.bytes' ? ErrorCode.MESSAGE_TOO_LARGE : ErrorCode.INVALID_TIMESTAMP,
      );
    }
    broker.dynamic.updateDefaultConfig({ 'log.message.timestamp.difference.max.ms': '10' });
    const old = batches['log.message.timestamp.before.max.ms'] ?? (() => Buffer.alloc(0));
    expect(await append(broker, 1, old)).toBe(ErrorCode.INVALID_TIMESTAMP);
    const keyless = (): Buffer => batchOf(['x'], { key: null, timestamp: broker.time.wallMs() });
    broker.dynamic.updateDefaultConfig({ 'log.cleanup.policy': 'compact' });
    expect(await append(broker, 1, keyless)).toBe(ErrorCode.INVALID_RECORD);
  });

  test('compression.type and log.message.timestamp.type: batches are stored so from then on', async () => {
    const broker = await start();
    await append(broker, 1);
    broker.dynamic.updateDefaultConfig({ 'compression.type': 'gzip', 'log.message.timestamp.type': 'LogAppendTime' });
    await broker.time.advance(500);
    await append(broker, 1, () => batchOf(['x'.repeat(500)], { timestamp: 7 }));
    const [before, after] = [...readBatches(broker.log)].map((batch) => [attributesAt(batch, 0), maxTimestampAt(batch, 0)]);
    expect(before?.[0]).toBe(0);
    expect(after).toEqual([1 | 8, broker.time.wallMs()]);
  });

  test('log.flush.interval.messages: the answer waits for the device from then on', async () => {
    const broker = await start();
    await append(broker, 2);
    expect(broker.log.flushedOffset).toBe(0);
    broker.dynamic.updateDefaultConfig({ 'log.flush.interval.messages': '1' });
    await append(broker, 1);
    await broker.time.advance(5);
    expect(broker.log.flushedOffset).toBe(3);
  });

  test('log.cleanup.policy: the topic is the cleaner’s from then on, and back', async () => {
    const broker = await start({ broker: { 'log.cleaner.enable': 'true' } });
    expect(broker.manager.describeCleaner().partitions).toEqual([]);
    broker.dynamic.updateDefaultConfig({ 'log.cleanup.policy': 'compact' });
    expect(broker.manager.describeCleaner().partitions.map(({ topic }) => topic)).toEqual(['orders']);
    broker.dynamic.updateDefaultConfig({});
    expect(broker.manager.describeCleaner().partitions).toEqual([]);
  });

  test('log.local.retention.* must not be more than what is kept in all', async () => {
    const { dynamic } = await start();
    expect(() => dynamic.validate({ 'log.retention.ms': '100', 'log.local.retention.ms': '101' }, false)).toThrow(/log.local.retention.ms/);
    expect(() => dynamic.validate({ 'log.retention.ms': '100', 'log.local.retention.ms': '-1' }, true)).toThrow(/must not be -1/);
    expect(() => dynamic.validate({ 'log.retention.bytes': '100', 'log.local.retention.bytes': '101' }, false)).toThrow(/must not be more/);
    dynamic.validate({ 'log.retention.ms': '100', 'log.local.retention.ms': '100', 'log.local.retention.bytes': '-1' }, false);
  });
});

describe('the cleaner', () => {
  test('has as many threads as log.cleaner.threads says, and rests as long as log.cleaner.backoff.ms', async () => {
    const { dynamic, manager } = await start({ broker: { 'log.cleaner.enable': 'true', 'log.cleaner.threads': '2' } });
    expect(manager.describeCleaner()).toMatchObject({ threads: 2, backoffMs: 15_000 });
    dynamic.updateDefaultConfig({ 'log.cleaner.threads': '4', 'log.cleaner.backoff.ms': '99' });
    expect(manager.describeCleaner()).toMatchObject({ threads: 4, backoffMs: 99 });
    dynamic.updateBrokerConfig({ 'log.cleaner.threads': '1' });
    expect(manager.describeCleaner()).toMatchObject({ threads: 1, backoffMs: 99 });
  });

  test('looks again at once when its settings change, and goes by the new ones', async () => {
    const broker = await start({
      broker: {
        'log.cleaner.enable': 'true',
        'log.cleaner.backoff.ms': '1000000',
        'log.segment.bytes': '300',
        'log.cleanup.policy': 'compact',
      },
    });
    await append(broker, 20);
    await whileTimeGoesOn(broker.time, broker.log.flush());
    expect(broker.manager.describeCleaner().partitions[0]?.lastRun).toBeUndefined();
    broker.dynamic.updateDefaultConfig({ 'log.cleaner.dedupe.buffer.size': '2000000', 'log.cleaner.io.max.bytes.per.second': '1000' });
    await broker.time.advance(100);
    expect(broker.manager.describeCleaner().partitions[0]?.lastRun).toBeUndefined();
    await broker.time.advance(60_000);
    const run = broker.manager.describeCleaner().partitions[0]?.lastRun;
    // 1000 bytes a second, read and written.
    expect(run?.durationMs).toBeGreaterThan(1000);
    expect(run?.recordsWritten).toBeLessThan(run?.recordsRead ?? 0);
  });
});

test.each(['log.cleaner.threads', 'num.recovery.threads.per.data.dir'])(
  '%s can be at most doubled and halved in one step, and not be 0',
  async (key) => {
    const { dynamic } = await start({ broker: { [key]: '4' } });
    for (const perBroker of [true, false]) {
      expect(() => dynamic.validate({ [key]: '9' }, perBroker)).toThrow(/double/);
      expect(() => dynamic.validate({ [key]: '1' }, perBroker)).toThrow(/half/);
      expect(() => dynamic.validate({ [key]: '0' }, perBroker)).toThrow(/at least 1/);
      for (const value of ['2', '3', '8']) dynamic.validate({ [key]: value }, perBroker);
    }
    dynamic.updateDefaultConfig({ [key]: '8' });
    expect((dynamic.current as unknown as Record<string, number>)[propertyNameOf(key)]).toBe(8);
    dynamic.validate({ [key]: '16' }, false);
  },
);

test('producer.id.expiration.ms: who has been silent for longer is forgotten at the next look', async () => {
  const broker = await start();
  await append(broker, 1, () => batchOf(['x'], { timestamp: broker.time.wallMs(), producerId: 7, producerEpoch: 0, baseSequence: 0 }));
  await broker.time.advance(700_000);
  expect(broker.log.activeProducers.size).toBe(1);
  expect(() => broker.dynamic.validate({ 'producer.id.expiration.ms': '-1' }, false)).toThrow(/producer.id.expiration.ms/);
  broker.dynamic.updateDefaultConfig({ 'producer.id.expiration.ms': '60000' });
  await broker.time.advance(600_000);
  expect(broker.log.activeProducers.size).toBe(0);
});
