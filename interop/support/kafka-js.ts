/** KafkaJS, which knows only gzip by itself, with the other codecs, and its records in the shape of these tests. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { Kafka } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import snappy from 'snappy';
import type { ConsumedRecord } from './expectations.ts';

const { CompressionCodecs, CompressionTypes, logLevel } = kafkajs;

type CodecType = keyof typeof CompressionCodecs;

interface Encoder {
  readonly buffer: Buffer;
}

function register(type: CodecType, compress: (data: Buffer) => Buffer, decompress: (data: Buffer) => Buffer): void {
  CompressionCodecs[type] = () => ({
    compress: (encoder: Encoder) => Promise.resolve(compress(encoder.buffer)),
    decompress: (data: Buffer) => Promise.resolve(decompress(data)),
  });
}

const XERIAL_MAGIC = Buffer.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);
const XERIAL_HEADER_SIZE = 16;

/** Java clients write xerial's frames, librdkafka one raw block. */
function uncompressSnappy(data: Buffer): Buffer {
  if (!data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappy.uncompressSync(data) as Buffer;
  const blocks: Buffer[] = [];
  for (let position = XERIAL_HEADER_SIZE; position < data.length;) {
    const end = position + 4 + data.readInt32BE(position);
    blocks.push(snappy.uncompressSync(data.subarray(position + 4, end)) as Buffer);
    position = end;
  }
  return Buffer.concat(blocks);
}

export function registerKafkaJsCodecs(): void {
  register(CompressionTypes.Snappy, (data) => snappy.compressSync(data), uncompressSnappy);
  register(CompressionTypes.LZ4, (data) => compressFrameSync(data), decompressFrameSync);
  register(
    CompressionTypes.ZSTD,
    (data) => zstdCompressSync(data),
    (data) => zstdDecompressSync(data),
  );
}

export function kafkaJs(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({
    clientId: 'interop-kafkajs',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    // A busy machine may take its time: by itself it takes a second for a connection, and gives up after five tries.
    connectionTimeout: 30_000,
    requestTimeout: 60_000,
    retry: { initialRetryTime: 50, maxRetryTime: 2_000, retries: 30 },
  });
}

export interface GroupReading {
  readonly records: ConsumedRecord[];
  /** How many records each member read. */
  readonly readByMember: readonly number[];
}

/**
 * A group of `members` consumers reads the topic until each partition's end (`endOffsets`) has been reached, commits, and leaves.
 * A member reads only once all have partitions, so that each has its share.
 */
export async function readWithKafkaJsGroup(
  kafka: Kafka,
  options: { groupId: string; topic: string; members: number; endOffsets: ReadonlyMap<number, number> },
): Promise<GroupReading> {
  const { groupId, topic, members, endOffsets } = options;
  const records: ConsumedRecord[] = [];
  const readByMember = Array.from({ length: members }, () => 0);
  const memberCounts = new Map<number, number>();
  const remaining = new Set([...endOffsets].filter(([, end]) => end > 0).map(([partition]) => partition));
  const everyone = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const consumers = Array.from({ length: members }, () =>
    kafka.consumer({ groupId, heartbeatInterval: 200, sessionTimeout: 30_000, rebalanceTimeout: 30_000, maxWaitTimeInMs: 100 }),
  );
  try {
    await Promise.all(
      consumers.map(async (consumer, index) => {
        consumer.on('consumer.group_join', ({ payload }) => {
          memberCounts.set(index, Object.values(payload.memberAssignment).flat().length);
          const assigned = [...memberCounts.values()];
          if (
            assigned.length === members &&
            assigned.reduce((sum, count) => sum + count, 0) === endOffsets.size &&
            assigned.every((count) => count > 0)
          )
            everyone.resolve();
        });
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          partitionsConsumedConcurrently: 2,
          eachBatch: async (payload) => {
            const { batch } = payload;
            while (!(await settledWithin(everyone.promise, 100))) {
              await payload.heartbeat();
              if (!payload.isRunning() || payload.isStale()) return;
            }
            for (const { offset, key, value } of batch.messages) {
              records.push({
                partition: batch.partition,
                offset: Number(offset),
                key: key?.toString() ?? '',
                value: value ?? Buffer.alloc(0),
              });
              payload.resolveOffset(offset);
            }
            readByMember[index] = (readByMember[index] ?? 0) + batch.messages.length;
            await payload.heartbeat();
            if (Number(batch.lastOffset()) + 1 >= (endOffsets.get(batch.partition) ?? 0)) remaining.delete(batch.partition);
            if (remaining.size === 0) finished.resolve();
          },
        });
      }),
    );
    await Promise.race([
      finished.promise,
      failAfter(180_000, () => `partitions ${[...remaining].join(', ')} of ${topic} were not read to their end`),
    ]);
  } finally {
    // What a member has read and not yet committed is committed when it stops.
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
  }
  return { records, readByMember };
}

async function settledWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const settled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return settled;
}

function failAfter(timeoutMs: number, what: () => string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error(`not within ${timeoutMs} ms: ${what()}`)), timeoutMs).unref();
  return promise;
}
