/**
 * Topics with everything that a log folder of Kafka can hold, written to an Apache Kafka broker by KafkaJS and our Admin, and what must be found
 * in them. Used live (`golden-folders.test.ts`) and to make the folders that unit tests open (`make-golden-folders.ts`).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import type { Producer } from 'kafkajs';
import type { Admin } from '../../src/client/admin/admin.ts';
import { IsolationLevel, OffsetSpec } from '../../src/client/admin/offsets.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import { baseOffsetAt, lastOffsetAt, sizeAt } from '../../src/log-format/batch-fields.ts';
import { topicPartitionKey } from '../../src/protocol/topic-partition.ts';
import { kafkaJs, registerKafkaJsCodecs } from '../support/kafka-js.ts';
import { createTopic, until, valueOf } from '../support/expectations.ts';

const { CompressionTypes } = kafkajs;

/** Settings of the broker that these contents want. */
export const CONTENT_BROKER_PROPERTIES = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'log.cleaner.backoff.ms': '100',
  // The smallest: folders stay small, also after SIGKILL, when Kafka's preallocated indexes are not cut.
  'log.index.size.max.bytes': '1024',
  'log.initial.task.delay.ms': '100',
  // What DeleteRecords left behind the log start goes soon: a search by time stops at such a segment.
  'log.retention.check.interval.ms': '300',
  // A minute by default, after which SIGKILL doesn't lose it.
  'log.flush.start.offset.checkpoint.interval.ms': '300',
} as const;

const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  codecs: {},
  stamped: { 'message.timestamp.type': 'LogAppendTime' },
  segments: { 'segment.bytes': '2000', 'index.interval.bytes': '100' },
  transactions: {},
  open: {},
  compacted: {
    'cleanup.policy': 'compact',
    'segment.bytes': '1000',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '3600000',
  },
  cut: { 'segment.bytes': '2000' },
};
const COMPRESSED = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;
const CUT_AT = 37;
/** Of `compacted`, as written: 12 rounds, tombstones, 4 late rounds. */
const UNCLEANED_BATCHES = 17;

export const CONTENT_TOPICS: readonly string[] = Object.keys(TOPICS);

/** Writes everything; `stop` disconnects the producers, one of which has a transaction open. `restart` raises the leader epochs. */
export async function writeContent(servers: string, admin: Admin, restart: () => Promise<void>): Promise<void> {
  registerKafkaJsCodecs();
  const kafka = kafkaJs(servers.split(','));
  const open: Producer[] = [];
  const producer = async (options: Parameters<typeof kafka.producer>[0]): Promise<Producer> => {
    const made = kafka.producer({ ...options, retry: { retries: 20, initialRetryTime: 50 } });
    await made.connect();
    open.push(made);
    return made;
  };
  try {
    for (const [name, configs] of Object.entries(TOPICS)) await createTopic(admin, name, { partitions: 1, replicas: 1, configs });
    const plain = await producer({});
    for (const topic of ['codecs', 'stamped']) await writeEachCodec(plain, topic);
    for (let index = 0; index < 60; index++)
      await plain.send({ topic: index % 2 === 0 ? 'segments' : 'cut', messages: [0, 1, 2].map((n) => keyed(`k${index}-${n}`)) });
    await restart();
    await until('the broker is the controller again', async () => (await admin.describeCluster()).controllerId >= 0);
    const idempotent = await producer({ idempotent: true, maxInFlightRequests: 1 });
    for (let index = 0; index < 9; index++)
      await idempotent.send({ topic: 'segments', acks: -1, messages: [keyed(`i${index}`), keyed(`j${index}`)] });
    await writeTransactions(await producer({ transactionalId: 'golden', idempotent: true, maxInFlightRequests: 1 }));
    await writeCompacted(plain);
    valueOfCut(await admin.deleteRecords([{ topic: 'cut', partition: 0, offset: CUT_AT }]));
    await until('segments before the log start are gone', async () => (await readContent(admin, 'cut')).offsetsByTime[0] === CUT_AT);
    await commitOffsets(kafka);
    const never = await producer({ transactionalId: 'never-ended', idempotent: true, maxInFlightRequests: 1, transactionTimeout: 600_000 });
    const transaction = await never.transaction();
    await plain.send({ topic: 'open', messages: [keyed('before')] });
    await transaction.send({ topic: 'open', messages: [keyed('open-1'), keyed('open-2')] });
    await plain.send({ topic: 'open', messages: [keyed('after')] });
  } finally {
    await Promise.all(open.map((client) => client.disconnect()));
  }
}

const keyed = (key: string): { key: string; value: string } => ({ key, value: `value of ${key} ${'.'.repeat(key.length * 3)}` });

function valueOfCut(deleted: Awaited<ReturnType<Admin['deleteRecords']>>): void {
  for (const [, lowWatermark] of deleted)
    if (valueOf(lowWatermark) !== CUT_AT) throw new Error(`the log begins at ${String(lowWatermark)}`);
}

async function writeEachCodec(producer: Producer, topic: string): Promise<void> {
  for (const [name, compression] of COMPRESSED) {
    await producer.send({
      topic,
      compression,
      messages: [
        { key: name, value: `${name} `.repeat(50), headers: { codec: name, twice: ['a', 'b'], empty: '' } },
        { key: `${name}-tombstone`, value: null },
        { key: null, value: '' },
        { key: '', value: 'ends 2001-09-09', timestamp: '1000000000000' },
      ],
    });
  }
}

async function writeTransactions(producer: Producer): Promise<void> {
  for (const [index, end] of ['commit', 'abort', 'commit', 'abort', 'abort'].entries()) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'transactions', messages: [keyed(`t${index}-a`), keyed(`t${index}-b`)] });
    await transaction.send({ topic: 'transactions', messages: [keyed(`t${index}-c`)] });
    await (end === 'commit' ? transaction.commit() : transaction.abort());
  }
}

/** Keys written over and over, and tombstones; the cleaner makes something of it later. */
async function writeCompacted(producer: Producer): Promise<void> {
  for (let round = 0; round < 12; round++) {
    const messages = Array.from({ length: 8 }, (_, index) => ({
      key: `key-${(round + index) % 11}`,
      value: `round ${round} ${'x'.repeat(40)}`,
    }));
    await producer.send({ topic: 'compacted', messages });
  }
  await producer.send({ topic: 'compacted', messages: ['key-1', 'key-4'].map((key) => ({ key, value: null })) });
  for (let round = 0; round < 4; round++)
    await producer.send({ topic: 'compacted', messages: Array.from({ length: 6 }, (_, index) => keyed(`late-${index}`)) });
}

async function commitOffsets(kafka: ReturnType<typeof kafkaJs>): Promise<void> {
  const consumer = kafka.consumer({ groupId: 'golden-readers', maxWaitTimeInMs: 100 });
  const admin = kafka.admin();
  await admin.connect();
  await admin.setOffsets({ groupId: 'golden-admin', topic: 'segments', partitions: [{ partition: 0, offset: '11' }] });
  await admin.disconnect();
  let read = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: ['codecs'], fromBeginning: true });
  await consumer.run({ eachMessage: async () => void read++ });
  await until('the group has read', () => read >= 20);
  await consumer.disconnect();
}

export interface PartitionContent {
  readonly start: number;
  readonly end: number;
  readonly lastStableOffset: number;
  readonly sizeBytes: number;
  /** SHA-256 of the batches from the first that holds `start` on. */
  readonly digest: string;
  readonly batches: readonly string[];
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** Records by their timestamps: of 10^12 and of the last. */
  readonly offsetsByTime: readonly number[];
}

/** What a broker of either kind says that partition 0 of `topic` holds. */
export async function readContent(admin: Admin, topic: string): Promise<PartitionContent> {
  const partition = { topic, partition: 0 };
  const key = topicPartitionKey(partition);
  const offsetOf = async (timestamp: number, isolationLevel: IsolationLevel = IsolationLevel.READ_UNCOMMITTED): Promise<number> =>
    valueOf((await admin.listOffsets([{ ...partition, timestamp }], { isolationLevel })).get(key)).offset;
  const start = await offsetOf(OffsetSpec.EARLIEST);
  const end = await offsetOf(OffsetSpec.LATEST);
  const reader = new RecordReader(admin.context);
  const pieces: Buffer[] = [];
  for (let offset = start; offset < end;) {
    const { records } = await reader.fetchBatches(partition, offset, { maxBytes: 1 << 20 });
    let at = 0;
    while (at + 12 <= records.length && at + sizeAt(records, at) <= records.length) {
      offset = lastOffsetAt(records, at) + 1;
      at += sizeAt(records, at);
    }
    if (at === 0) throw new Error(`${key} has nothing at ${offset} of ${end}`);
    pieces.push(records.subarray(0, at));
  }
  const { abortedTransactions, lastStableOffset } = await reader.fetchBatches(partition, start, {
    maxBytes: 1 << 20,
    isolationLevel: IsolationLevel.READ_COMMITTED,
  });
  const bytes = Buffer.concat(pieces);
  return {
    start,
    end,
    lastStableOffset,
    ...describeBatches(bytes),
    abortedTransactions: abortedTransactions.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
    offsetsByTime: [await offsetOf(1_000_000_000_000), await offsetOf(OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)],
  };
}

/** Waits until the cleaner has been there and is at rest, and what a killed broker would forget is on disk. */
export async function untilContentIsAtRest(admin: Admin, logDir: string): Promise<void> {
  await until('the cleaner has been there', async () => (await readContent(admin, 'compacted')).batches.length < UNCLEANED_BATCHES);
  let last = '';
  await until('the compacted log stays as it is', async () => {
    const before = last;
    last = (await readContent(admin, 'compacted')).digest;
    return before === last;
  });
  const checkpoint = join(logDir, 'log-start-offset-checkpoint');
  await until('the log start offset is on disk', () => readFileSync(checkpoint, 'utf8').includes(`cut 0 ${CUT_AT}`));
}

export function describeBatches(bytes: Buffer): Pick<PartitionContent, 'sizeBytes' | 'digest' | 'batches'> {
  const batches: string[] = [];
  for (let at = 0; at < bytes.length; at += sizeAt(bytes, at))
    batches.push(`${baseOffsetAt(bytes, at)}..${lastOffsetAt(bytes, at)} ${sizeAt(bytes, at)} B`);
  return { sizeBytes: bytes.length, digest: createHash('sha256').update(bytes).digest('hex'), batches };
}
