/**
 * What no client sends, on the brokers' and ZooKeeper's ports: it closes that connection or gets Kafka's error code; the processes
 * live, and another client notices nothing.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { NetworkClient } from '../../src/client/network-client.ts';
import type { Node } from '../../src/client/network-client.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { ErrorCode, errorByCode } from '../../src/protocol/errors.ts';
import { encodeRequest } from '../../src/protocol/frames.ts';
import { ApiVersions } from '../../src/protocol/generated/api-versions.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { compress, CompressionCodec } from '../../src/protocol/records/compression.ts';
import {
  BATCH_LENGTH_OFFSET,
  computeBatchCrc,
  CRC_OFFSET,
  LAST_OFFSET_DELTA_OFFSET,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_OFFSET,
} from '../../src/protocol/records/record-batch.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';
import { aboutOurs, onApacheZooKeeper } from './support/zookeeper-under-test.ts';

const TOPIC = 'target';
const TP = { topic: TOPIC, partition: 0 };
/** Opened: compressed batches of a compacted topic are looked into. */
const COMPACTED = 'compacted';

const cleanups = new Cleanups();
let cluster: RunningCluster;
let admin: Admin;
let leader: Node;
let client: NetworkClient;
let pids: (number | null)[];
/** A client that goes on all the while. */
let bystander: { stop(): Promise<{ written: number; failures: unknown[]; slowestMs: number }> };

beforeAll(async () => {
  cluster = await startTestCluster(cleanups, { brokers: 1, config: { 'connections.max.idle.ms': '600000' } });
  admin = adminOf(cleanups, cluster.bootstrapServers);
  client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'garbage' });
  cleanups.add(() => client.close());
  valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: 1 }])).get(TOPIC));
  const compacted = { name: COMPACTED, numPartitions: 1, replicationFactor: 1, configs: { 'cleanup.policy': 'compact' } };
  valueOf((await admin.createTopics([compacted])).get(COMPACTED));
  await untilInSync(admin, TOPIC, 1);
  const [broker] = (await admin.describeCluster()).brokers;
  if (broker === undefined) throw new Error('no broker');
  leader = broker;
  expect((await describePartition(admin, TOPIC)).leaderId).toBe(leader.id);
  pids = cluster.processes().map(({ pid }) => pid);
  bystander = startBystander();
});
afterAll(async () => {
  const { written, failures, slowestMs } = await bystander.stop();
  process.stdout.write(`bystander: ${written} records, the slowest in ${Math.round(slowestMs)} ms\n`);
  const alive = cluster.processes().map(({ pid }) => pid);
  await cleanups.run();
  expect(failures).toEqual([]);
  expect(written).toBeGreaterThan(10);
  expect(alive).toEqual(pids);
});

/** Writes and reads back on another topic, one record at a time, over connections of its own. */
function startBystander(): typeof bystander {
  const own = adminOf(cleanups, cluster.bootstrapServers);
  const failures: unknown[] = [];
  let written = 0;
  let slowestMs = 0;
  const state = { isStopped: false };
  const run = async (): Promise<void> => {
    valueOf((await own.createTopics([{ name: 'bystander', numPartitions: 1, replicationFactor: 1 }])).get('bystander'));
    const partition = { topic: 'bystander', partition: 0 };
    const reader = new RecordReader(own.context);
    while (!state.isStopped) {
      const startMs = performance.now();
      try {
        const { baseOffset } = await produceBatch(
          own.context,
          partition,
          buildRecordBatch([{ key: null, value: Buffer.from(String(written)), timestamp: 1 }]),
        );
        const { records } = await reader.fetchRecords(partition, baseOffset);
        if (String(records[0]?.value) !== String(written)) failures.push(`read ${String(records[0]?.value)} for ${written}`);
        written++;
        // Waits at the end of the log, which sets the pace.
        await reader.fetchRecords(partition, baseOffset + 1, { maxWaitMs: 20 });
      } catch (error) {
        failures.push(error);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    }
  };
  const running = run();
  return {
    stop: async () => {
      state.isStopped = true;
      await running;
      return { written, failures, slowestMs };
    },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received(): Buffer;
}

function dial(port: number): Connection {
  const socket = connect({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, closed, received: () => Buffer.concat(chunks) };
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value | 0);
  return buffer;
}

/** Sends `bytes`; resolves when the peer has closed. */
async function untilClosed(port: number, bytes: Buffer): Promise<void> {
  const { socket, closed } = dial(port);
  socket.write(bytes);
  await closed;
}

/** Sends `bytes` and that there are no more; resolves when the peer has had its say and closed. */
async function sayAndLeave(port: number, bytes: Buffer): Promise<void> {
  const { socket, closed } = dial(port);
  socket.resume().end(bytes);
  await closed;
}

/** A request header of version 1 behind its size. */
function request(apiKey: number, apiVersion: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(10);
  header.writeInt16BE(apiKey, 0);
  header.writeInt16BE(apiVersion, 2);
  header.writeInt32BE(77, 4);
  header.writeInt16BE(-1, 8);
  return Buffer.concat([int32(header.length + body.length), header, body]);
}

describe('a broker’s port', () => {
  const port = (): number => leader.port;

  it.each([
    ['a length of 2 GiB', int32(0x7fffffff)],
    ['a negative length', int32(-1)],
    ['a length below a header', Buffer.concat([int32(3), Buffer.alloc(3)])],
    ['an API key that nobody has', request(999, 0)],
    ['a negative API key', request(-5, 0)],
    ['an API that brokers do not serve', request(52, 0)],
    ['a version above all', request(Produce.key, 99)],
    ['a negative version', request(Produce.key, -1)],
    ['a body that ends too soon', request(Produce.key, 7, Buffer.from([0]))],
    ['a body with an array of two thousand million', request(3, 1, int32(2_000_000_000))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100f1010000ed0303', 'hex')],
  ])('closes the connection after %s', async (_what, bytes) => {
    await untilClosed(port(), bytes);
  });

  it('answers ApiVersions of a version above all with its own range, and the connection goes on (KIP-511)', async () => {
    const connection = dial(port());
    connection.socket.write(request(ApiVersions.key, 99));
    await until('an answer', () => connection.received().length > 10);
    expect(connection.received().readInt16BE(8)).toBe(ErrorCode.UNSUPPORTED_VERSION);
    const before = connection.received().length;
    connection.socket.write(request(ApiVersions.key, 0));
    await until('the next answer', () => connection.received().length > before);
    connection.socket.destroy();
  });

  it('outlives a hundred connections of random bytes', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, index) => sayAndLeave(port(), randomBytes(1 + index * 13))));
  });

  it('outlives requests that are cut off anywhere', async () => {
    const whole = Buffer.concat(encodeRequest(Produce, 7, 1, 'x', produceBody(good())));
    for (let end = 0; end < whole.length; end += 7) {
      const { socket, closed } = dial(port());
      socket.write(whole.subarray(0, end), () => socket.resetAndDestroy());
      await closed;
    }
  });

  it('outlives requests with bytes turned over, and closes or answers each', async () => {
    const whole = Buffer.concat(encodeRequest(Produce, 9, 1, 'x', produceBody(good())));
    for (let at = 4; at < whole.length; at += 5) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      const connection = dial(port());
      connection.socket.write(broken);
      await until('an answer or the end', () => connection.received().length > 0 || connection.socket.destroyed);
      connection.socket.destroy();
    }
  });

  it('outlives two thousand connections that say half a word', async () => {
    const connections: Connection[] = [];
    for (let index = 0; index < 2_000; index++) {
      const connection = dial(port());
      connection.socket.write(index % 2 === 0 ? int32(1_000) : Buffer.from([0, 0]));
      connections.push(connection);
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const fresh = adminOf(cleanups, cluster.bootstrapServers);
    expect((await fresh.describeCluster()).brokers).toHaveLength(1);
    for (const { socket } of connections) socket.destroy();
  });
});

const good = (): Buffer =>
  buildRecordBatch(['a', 'b', 'c'].map((value) => ({ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1 })));

function produceBody(records: Buffer, name = TOPIC) {
  return { acks: 1, timeoutMs: 1_000, topicData: [{ name, partitionData: [{ index: 0, records: [records] }] }] };
}

/** With the CRC of what it says now: so that more than the CRC is looked at. */
function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(computeBatchCrc(batch, 0), CRC_OFFSET);
  return batch;
}

function changed(change: (batch: Buffer) => void): Buffer {
  const batch = good();
  change(batch);
  return sealed(batch);
}

/** A batch whose body says to be compressed with `codec`. */
function withBody(codec: number, body: Buffer, count = 1): Buffer {
  const batch = Buffer.concat([good().subarray(0, RECORD_BATCH_OVERHEAD), body]);
  batch.writeInt32BE(batch.length - 12, BATCH_LENGTH_OFFSET);
  batch.writeInt16BE(codec, 21);
  batch.writeInt32BE(count - 1, LAST_OFFSET_DELTA_OFFSET);
  batch.writeInt32BE(count, RECORD_COUNT_OFFSET);
  return sealed(batch);
}

const BOMB_BYTES = 300 << 20;

async function produce(records: Buffer, name = TOPIC): Promise<string> {
  const response = await client.send(leader, Produce, produceBody(records, name), { version: 9, timeoutMs: 60_000 });
  return errorByCode(response.responses[0]?.partitionResponses[0]?.errorCode ?? -99).name;
}

describe('a produce request', () => {
  it.each([
    ['a bad CRC', 'CORRUPT_MESSAGE', () => changed(() => {}).fill(9, CRC_OFFSET, CRC_OFFSET + 4)],
    ['more records than it says', 'INVALID_RECORD', () => changed((b) => b.writeInt32BE(2, RECORD_COUNT_OFFSET))],
    ['fewer records than it says', 'INVALID_RECORD', () => changed((b) => b.writeInt32BE(4_000_000, RECORD_COUNT_OFFSET))],
    ['a negative count', 'INVALID_RECORD', () => changed((b) => b.writeInt32BE(-1, RECORD_COUNT_OFFSET))],
    ['a last offset that does not fit its count', 'INVALID_RECORD', () => changed((b) => b.writeInt32BE(9, LAST_OFFSET_DELTA_OFFSET))],
    ['a record longer than the batch', 'INVALID_RECORD', () => changed((b) => b.writeUInt8(0x7e, RECORD_BATCH_OVERHEAD))],
    ['a codec that does not exist', 'UNSUPPORTED_COMPRESSION_TYPE', () => changed((b) => b.writeInt16BE(7, 21))],
    ['the mark of a control batch', 'INVALID_RECORD', () => changed((b) => b.writeInt16BE(0x20, 21))],
    ['magic 1', 'INVALID_RECORD', () => changed((b) => b.writeInt8(1, 16))],
    ['a length beyond the request', 'CORRUPT_MESSAGE', () => changed((b) => b.writeInt32BE(1 << 30, BATCH_LENGTH_OFFSET))],
    ['a negative length', 'CORRUPT_MESSAGE', () => changed((b) => b.writeInt32BE(-7, BATCH_LENGTH_OFFSET))],
    ['two batches', 'INVALID_RECORD', () => Buffer.concat([good(), good()])],
    ['half a header', 'CORRUPT_MESSAGE', () => good().subarray(0, 40)],
    ['nothing', 'CORRUPT_MESSAGE', () => Buffer.alloc(0)],
  ])('with %s is answered %s', async (_what, code, make) => {
    expect(await produce(make())).toBe(code);
  });

  it.each([
    ['gzip', CompressionCodec.GZIP, () => gzipSync(Buffer.alloc(BOMB_BYTES), { level: 9 })],
    ['zstd', CompressionCodec.ZSTD, () => zstdCompressSync(Buffer.alloc(BOMB_BYTES))],
    ['lz4', CompressionCodec.LZ4, () => compress(CompressionCodec.LZ4, Buffer.alloc(BOMB_BYTES))],
    ['snappy', CompressionCodec.SNAPPY, () => compress(CompressionCodec.SNAPPY, Buffer.alloc(8 << 20))],
  ])('with a bomb in %s is refused where it is opened', async (_name, codec, make) => {
    expect(await produce(withBody(codec, make()), COMPACTED)).not.toBe('NONE');
  });

  it.each(Object.entries(CompressionCodec).filter(([, codec]) => codec !== CompressionCodec.NONE))(
    'with a body that is no %s at all is refused where it is opened',
    async (_name, codec) => {
      expect(await produce(withBody(codec, randomBytes(200)), COMPACTED)).not.toBe('NONE');
      const torn = compress(codec, good().subarray(RECORD_BATCH_OVERHEAD));
      expect(await produce(withBody(codec, torn.subarray(0, torn.length >> 1), 3), COMPACTED)).not.toBe('NONE');
      expect(await produce(withBody(codec, Buffer.alloc(0)), COMPACTED)).not.toBe('NONE');
    },
  );

  it('with acks=0 and a fault has its connection closed, the only sign there is', async () => {
    const bytes = Buffer.concat(encodeRequest(Produce, 9, 1, 'x', { ...produceBody(good().fill(9, CRC_OFFSET, CRC_OFFSET + 4)), acks: 0 }));
    await untilClosed(leader.port, bytes);
  });

  it('of the good sort still goes through, and nothing of the others is in the log', async () => {
    const { baseOffset } = await produceBatch(admin.context, TP, good());
    // The requests with bytes turned over may have named this partition and been in order: values are not checked by a broker, and a
    // DeleteRecords may have taken what was there before.
    const { records } = await new RecordReader(admin.context).fetchRecords(TP, baseOffset, { maxDecompressedBytes: 1 << 20 });
    expect(records.at(-1)).toMatchObject({ offset: baseOffset + 2, value: Buffer.from('c') });
  });
});

const MARSHALLING_ERROR = -5;

describe.skipIf(onApacheZooKeeper)(aboutOurs('ZooKeeper’s port'), () => {
  const port = (): number => Number(cluster.zookeeperConnect.split(':').at(-1)?.split('/')[0]);
  const connectRequest = Buffer.concat([int32(44), Buffer.alloc(12), int32(6_000), Buffer.alloc(8), int32(16), Buffer.alloc(16)]);

  it.each([
    ['a length of 2 GiB', int32(0x7fffffff)],
    ['a negative length', int32(-2)],
    ['a connect request that is too short', Buffer.concat([int32(5), Buffer.alloc(5)])],
    ['a password longer than the frame', Buffer.concat([connectRequest.subarray(0, 28), int32(0x7ffffff0), Buffer.alloc(16)])],
    ['a request before the handshake', Buffer.concat([int32(8), int32(1), int32(3)])],
    ['an operation that nobody has', Buffer.concat([connectRequest, int32(8), int32(1), int32(4711)])],
  ])('closes the connection after %s', async (_what, bytes) => {
    await untilClosed(port(), bytes);
  });

  it('answers a path longer than the frame with an error', async () => {
    const connection = dial(port());
    connection.socket.write(Buffer.concat([connectRequest, int32(12), int32(1), int32(4), int32(1 << 20)]));
    // 4 + 36 bytes of the handshake's answer, then size, xid, zxid, error.
    await until('two answers', () => connection.received().length >= 60);
    expect(connection.received().readInt32BE(56)).toBe(MARSHALLING_ERROR);
    connection.socket.destroy();
  });

  it('outlives random bytes, cut-off requests and half-open connections', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => sayAndLeave(port(), randomBytes(1 + index * 7))));
    for (let end = 1; end < connectRequest.length; end += 5) {
      const { socket, closed } = dial(port());
      socket.write(connectRequest.subarray(0, end), () => socket.resetAndDestroy());
      await closed;
    }
    valueOf((await admin.createTopics([{ name: 'after-garbage', numPartitions: 1, replicationFactor: 1 }])).get('after-garbage'));
  });
});
