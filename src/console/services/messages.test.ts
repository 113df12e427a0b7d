import { beforeEach, describe, expect, test } from 'vitest';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { ControlRecordType, buildControlBatch, buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import type { MessageRow } from '../contract/messages.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import { ClusterSession } from './cluster-session.ts';
import { FailureError } from './failures.ts';
import { payloadOf } from './message-rows.ts';
import { PayloadCache, openRead } from './messages-service.ts';
import type { ReadInput } from './messages-service.ts';

let cluster: FakeCluster;
let session: ClusterSession;

beforeEach(() => {
  cluster = new FakeCluster();
  const common = { id: 'dev', name: 'Dev', environment: 'dev' as const, readOnly: false, color: 'teal' };
  session = new ClusterSession({ ...common, runtime: manualRuntime(), bootstrapServers: 'x:1', makeAdmin: () => cluster.admin() });
});

const defaults = {
  topic: 'orders',
  partitions: undefined,
  limit: 1000,
  previewBytes: 32,
  isolation: 'readUncommitted' as const,
  includeControl: true,
};

async function readAll(input: Pick<ReadInput, 'seek'> & Partial<ReadInput>): Promise<MessageRow[]> {
  const { reader } = await openRead(session, cluster, { ...defaults, ...input });
  const rows: MessageRow[] = [];
  for (let page = await reader.next(100, 1000); ; page = await reader.next(100, 1000)) {
    rows.push(...page.messages);
    if (page.done) return rows;
  }
}

/** `count` records from `baseOffset`, one millisecond apart from `atMs`. */
function records(baseOffset: number, count: number, atMs = baseOffset): Buffer {
  const inputs = Array.from({ length: count }, (_, at) => ({
    timestamp: atMs + at,
    key: Buffer.from(`k${baseOffset + at}`),
    value: Buffer.from(`v${baseOffset + at}`),
  }));
  return buildRecordBatch(inputs, { baseOffset });
}

describe('reading forward', () => {
  test("gives each record of all partitions once, in each one's order, and ends at the snapshot", async () => {
    cluster.addTopic('orders', 3);
    for (let partition = 0; partition < 3; partition++)
      for (let batch = 0; batch < 40; batch++) cluster.append('orders', partition, records(batch * 25, 25));
    const rows = await readAll({ seek: { from: 'start' }, limit: 100_000 });
    expect(rows).toHaveLength(3000);
    for (let partition = 0; partition < 3; partition++) {
      const offsets = rows.filter((row) => row.partition === partition).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: 1000 }, (_, offset) => offset));
    }
  });

  test('begins in the middle of a batch and does not read past the end it saw when it opened', async () => {
    cluster.addTopic('orders');
    cluster.append('orders', 0, records(0, 100));
    const { reader } = await openRead(session, cluster, { ...defaults, seek: { from: 'offset', offset: 95 } });
    cluster.append('orders', 0, records(100, 50));
    const page = await reader.next(100, 1000);
    expect(page.messages.map(({ offset }) => offset)).toEqual([95, 96, 97, 98, 99]);
    expect(page.done).toBe(true);
    expect(page.progress).toMatchObject({ records: 5, offsetsPassed: 5, offsetsInScope: 5 });
  });

  test('stops at its limit', async () => {
    cluster.addTopic('orders', 2);
    for (let partition = 0; partition < 2; partition++) cluster.append('orders', partition, records(0, 500));
    expect(await readAll({ seek: { from: 'start' }, limit: 7 })).toHaveLength(7);
  });

  test('ends on a partition whose tail was compacted away', async () => {
    const [partition] = cluster.addTopic('orders');
    cluster.append('orders', 0, records(0, 3));
    if (partition) partition.end = 50;
    expect((await readAll({ seek: { from: 'start' } })).map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  test('of an empty topic is done at once, without a fetch', async () => {
    cluster.addTopic('orders', 6);
    expect(await readAll({ seek: { from: 'start' } })).toEqual([]);
    expect(cluster.calls.filter((call) => call.startsWith('fetch'))).toEqual([]);
  });

  test('goes on with the other partitions when one has no leader, and says why', async () => {
    const [first] = cluster.addTopic('orders', 2);
    cluster.append('orders', 1, records(0, 3));
    if (first) first.leader = -1;
    const { reader } = await openRead(session, cluster, { ...defaults, seek: { from: 'start' } });
    const page = await reader.next(100, 1000);
    expect(page.messages).toHaveLength(3);
    expect(page.failures).toMatchObject([{ partition: 0, name: 'LEADER_NOT_AVAILABLE', api: 'ListOffsets' }]);
  });

  test('begins at a time', async () => {
    cluster.addTopic('orders');
    cluster.append('orders', 0, records(0, 10, 1000), records(10, 10, 2000));
    expect((await readAll({ seek: { from: 'time', timestampMs: 1500 } }))[0]?.offset).toBe(10);
    expect(await readAll({ seek: { from: 'time', timestampMs: 9999 } })).toEqual([]);
  });
});

describe('the last N', () => {
  test('are the newest of all partitions, oldest first', async () => {
    cluster.addTopic('orders', 3);
    // Partition 2 has all of the newest; 0 and 1 are old.
    cluster.append('orders', 0, records(0, 400, 1_000));
    cluster.append('orders', 1, records(0, 400, 2_000));
    for (let batch = 0; batch < 16; batch++) cluster.append('orders', 2, records(batch * 25, 25, 100_000 + batch * 25));
    const rows = await readAll({ seek: { from: 'last', count: 300 } });
    expect(rows).toHaveLength(300);
    expect(rows.every(({ partition }) => partition === 2)).toBe(true);
    expect(rows.map(({ offset }) => offset)).toEqual(Array.from({ length: 300 }, (_, at) => 100 + at));
  });

  test('are all there are when there are fewer, and read nothing twice', async () => {
    cluster.addTopic('orders', 2);
    cluster.append('orders', 0, records(0, 5, 10));
    cluster.append('orders', 1, records(0, 5, 12));
    const rows = await readAll({ seek: { from: 'last', count: 100 } });
    expect(rows.map(({ partition, offset }) => `${partition}@${offset}`)).toEqual([
      '0@0',
      '0@1',
      '0@2',
      '1@0',
      '0@3',
      '1@1',
      '0@4',
      '1@2',
      '1@3',
      '1@4',
    ]);
  });

  test('find records behind a gap at the end', async () => {
    const [partition] = cluster.addTopic('orders');
    cluster.append('orders', 0, records(0, 30));
    if (partition) partition.end = 5_000;
    expect((await readAll({ seek: { from: 'last', count: 10 } })).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 10 }, (_, at) => 20 + at),
    );
  });
});

describe('what a row shows', () => {
  test('marks tombstones and the markers of transactions, and can leave those out', async () => {
    cluster.addTopic('orders');
    const producer = { producerId: 7, producerEpoch: 0, timestamp: 5 };
    cluster.append(
      'orders',
      0,
      buildRecordBatch([{ timestamp: 1, key: Buffer.from('k'), value: null }], { baseOffset: 0 }),
      buildControlBatch({ ...producer, type: ControlRecordType.COMMIT, coordinatorEpoch: 1, baseOffset: 1 }),
      buildControlBatch({ ...producer, type: ControlRecordType.ABORT, coordinatorEpoch: 1, baseOffset: 2 }),
    );
    expect((await readAll({ seek: { from: 'start' } })).map(({ kind }) => kind)).toEqual(['tombstone', 'commitMarker', 'abortMarker']);
    expect((await readAll({ seek: { from: 'start' }, includeControl: false })).map(({ kind }) => kind)).toEqual(['tombstone']);
  });

  test('leaves out records of aborted transactions when only committed ones are wanted', async () => {
    const [partition] = cluster.addTopic('orders');
    const transactional = (producerId: number, baseOffset: number): Buffer =>
      buildRecordBatch([{ timestamp: 1, value: Buffer.from(`p${producerId}`) }], {
        baseOffset,
        producerId,
        producerEpoch: 0,
        baseSequence: 0,
        isTransactional: true,
      });
    const marker = (producerId: number, baseOffset: number, type: 0 | 1): Buffer =>
      buildControlBatch({ producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1, baseOffset, type });
    cluster.append(
      'orders',
      0,
      transactional(1, 0),
      transactional(2, 1),
      marker(1, 2, ControlRecordType.ABORT),
      marker(2, 3, ControlRecordType.COMMIT),
      transactional(1, 4),
      marker(1, 5, ControlRecordType.COMMIT),
    );
    partition?.aborted.push({ producerId: 1, firstOffset: 0 });
    const rows = await readAll({ seek: { from: 'start' }, isolation: 'readCommitted', includeControl: false });
    expect(rows.map(({ offset, value }) => [offset, value?.data])).toEqual([
      [1, 'p2'],
      [4, 'p1'],
    ]);
  });

  test.each([CompressionCodec.NONE, CompressionCodec.GZIP, CompressionCodec.SNAPPY, CompressionCodec.LZ4, CompressionCodec.ZSTD])(
    'opens codec %i',
    async (codec) => {
      cluster.addTopic('orders');
      cluster.append(
        'orders',
        0,
        buildRecordBatch(
          [
            {
              timestamp: 1,
              value: Buffer.from('x'.repeat(2000)),
              headers: [
                { key: 'h', value: null },
                { key: 'h', value: Buffer.from('2') },
              ],
            },
          ],
          { codec },
        ),
      );
      const [row] = await readAll({ seek: { from: 'start' } });
      expect(row?.value).toMatchObject({ sizeBytes: 2000, truncated: true, encoding: 'text', data: 'x'.repeat(32) });
      expect(row?.headers.map(({ key, value }) => [key, value?.data ?? null])).toEqual([
        ['h', null],
        ['h', '2'],
      ]);
      expect(row?.key).toBeNull();
      expect(row?.codec).toBe(['none', 'gzip', 'snappy', 'lz4', 'zstd'][codec]);
    },
  );

  test('a preview is text where it can be read as such, cut between characters, else base64', () => {
    expect(payloadOf(Buffer.from('aé€😀'), 100)).toEqual({ sizeBytes: 10, encoding: 'text', data: 'aé€😀', truncated: false });
    for (let cut = 1; cut < 10; cut++) {
      const payload = payloadOf(Buffer.from('aé€😀'), cut);
      expect(payload?.encoding).toBe('text');
      expect('aé€😀'.startsWith(payload?.data ?? 'x')).toBe(true);
      expect(payload?.truncated).toBe(true);
    }
    expect(payloadOf(Buffer.from([0, 1, 2]), 100)).toMatchObject({ encoding: 'base64', data: 'AAEC' });
    expect(payloadOf(Buffer.from([0xff, 0xfe]), 100)).toMatchObject({ encoding: 'base64' });
    expect(payloadOf(Buffer.alloc(0), 100)).toEqual({ sizeBytes: 0, encoding: 'text', data: '', truncated: false });
    expect(payloadOf(null, 100)).toBeNull();
  });

  test('a batch that is damaged inside fails its partition and no other', async () => {
    cluster.addTopic('orders', 2);
    const bad = records(0, 3);
    bad.fill(0xff, 61);
    cluster.append('orders', 0, bad);
    cluster.append('orders', 1, records(0, 3));
    const { reader } = await openRead(session, cluster, { ...defaults, seek: { from: 'start' } });
    const page = await reader.next(100, 1000);
    expect(page.messages.map(({ partition }) => partition)).toEqual([1, 1, 1]);
    expect(page.failures).toMatchObject([{ partition: 0, kind: 'kafka', name: 'INVALID_RECORD' }]);
    expect(page.done).toBe(true);
  });
});

describe('a whole value', () => {
  const place = { topic: 'orders', partition: 0, offset: 1, part: { of: 'value' as const } };

  test('comes in pieces by one fetch', async () => {
    cluster.addTopic('orders');
    const value = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
    cluster.append(
      'orders',
      0,
      buildRecordBatch(
        [
          { timestamp: 1, value: Buffer.from('small') },
          { timestamp: 2, value },
        ],
        { codec: CompressionCodec.GZIP },
      ),
    );
    const cache = new PayloadCache();
    const pieces: Uint8Array[] = [];
    for (let position = 0; position < value.length;) {
      const piece = await cache.piece(session, cluster, place, position, 524_288);
      expect(piece.sizeBytes).toBe(value.length);
      pieces.push(piece.bytes);
      position += piece.bytes.length;
    }
    expect(Buffer.concat(pieces).equals(value)).toBe(true);
    expect(cluster.calls.filter((call) => call.startsWith('fetch'))).toHaveLength(1);
  });

  test('that is gone, or null, is not found', async () => {
    const [partition] = cluster.addTopic('orders');
    cluster.append('orders', 0, records(0, 1), buildRecordBatch([{ timestamp: 2, value: null }], { baseOffset: 1 }));
    if (partition) partition.end = 10;
    const cache = new PayloadCache();
    for (const offset of [1, 5]) {
      const error: unknown = await cache.piece(session, cluster, { ...place, offset }, 0, 10).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FailureError);
      expect((error as FailureError).failure.kind).toBe('notFound');
    }
  });
});
