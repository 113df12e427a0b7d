import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { goldenLogFolder } from '../../log-format/testing/log-folder.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { buildControlBatch, buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import { ClusterSession } from './cluster-session.ts';
import { FailureError } from './failures.ts';
import { batchRecords, segmentBatches } from './segment-batches.ts';
import { segmentFile } from './segment-files.ts';
import { segmentLookup } from './segment-lookup.ts';
import { replicaContents, replicaFolders } from './segments-service.ts';

let logDir: string;
let folder: string;
let session: ClusterSession;
let cluster: FakeCluster;

beforeEach(() => {
  logDir = mkdtempSync(join(tmpdir(), 'samsa-segments-'));
  folder = join(logDir, 'my-topic-0');
  mkdirSync(folder);
  const status: ControlStatus = {
    processes: [],
    bootstrapServers: 'x:1',
    zookeeperConnect: null,
    name: null,
    dataFolder: null,
    ephemeral: false,
    supervisorPid: 1,
    logDirs: new Map([[1, [logDir]]]),
    stopping: false,
  };
  const unused = (): never => {
    throw new Error('not used here');
  };
  const control: ClusterControl = {
    lastStatus: status,
    status: () => Promise.resolve(status),
    act: unused,
    cutOff: () => Promise.reject(new Error('nobody asked for this')),
    losePower: unused,
    configure: unused,
    query: unused,
    readSpec: () => Promise.reject(new Error('not asked here')),
    reshape: () => Promise.reject(new Error('not asked here')),
    logs: unused,
    onEvent: () => unused,
    close: () => Promise.resolve(),
  };
  cluster = new FakeCluster();
  cluster.addTopic('my-topic');
  const common = { id: 'local', name: 'Local', environment: 'local' as const, readOnly: false, color: 'teal' };
  session = new ClusterSession({ ...common, runtime: manualRuntime(), control, makeAdmin: () => cluster.admin() });
});

afterEach(() => rmSync(logDir, { recursive: true }));

const replica = { brokerId: 1, topic: 'my-topic', partition: 0 };
const batch = (baseOffset: number, count: number, codec: CompressionCodec = CompressionCodec.NONE): Buffer =>
  buildRecordBatch(
    Array.from({ length: count }, (_, at) => ({ timestamp: 1_000 + baseOffset + at, value: Buffer.from(`value ${baseOffset + at}`) })),
    { baseOffset, codec, partitionLeaderEpoch: 4 },
  );

function writeSegment(baseOffset: number, ...batches: Buffer[]): string {
  const path = join(folder, `${String(baseOffset).padStart(20, '0')}.log`);
  writeFileSync(path, Buffer.concat(batches));
  return path;
}

test('shows the folder as it is: files, and segments with their offsets', async () => {
  writeSegment(0, batch(0, 10), batch(10, 5));
  writeSegment(15, batch(15, 5), batch(20, 80, CompressionCodec.LZ4));
  writeFileSync(join(folder, '00000000000000000015.index'), Buffer.alloc(0));
  writeFileSync(join(folder, '00000000000000000007.log.deleted'), 'x');
  writeFileSync(join(folder, 'leader-epoch-checkpoint'), '0\n0\n');
  writeFileSync(join(folder, 'unknown'), '');
  const { files, segments } = await replicaContents(session, replica);
  expect(files.map(({ name, kind, baseOffset }) => [name, kind, baseOffset])).toEqual([
    ['00000000000000000000.log', 'log', 0],
    ['00000000000000000007.log.deleted', 'deleted', 7],
    ['00000000000000000015.index', 'index', 15],
    ['00000000000000000015.log', 'log', 15],
    ['leader-epoch-checkpoint', 'leaderEpochCheckpoint', null],
    ['unknown', 'other', null],
  ]);
  expect(
    segments.map(({ baseOffset, firstOffset, lastOffset, active, indexBytes }) => [
      baseOffset,
      firstOffset,
      lastOffset,
      active,
      indexBytes,
    ]),
  ).toEqual([
    [0, 0, 14, false, null],
    [15, 15, 99, true, 0],
  ]);
  const folders = await replicaFolders(session, 'my-topic');
  expect(folders.map(({ brokerId, onDisk, segments: count }) => [brokerId, onDisk, count])).toEqual([
    [1, true, 2],
    [2, false, null],
    [3, false, null],
  ]);
});

test('a segment that has changed is looked into again, one that has not is not', async () => {
  writeSegment(0, batch(0, 10));
  writeSegment(10, batch(10, 5));
  const firstOffsets = async (): Promise<(number | null)[]> =>
    (await replicaContents(session, replica)).segments.map(({ firstOffset }) => firstOffset);
  expect(await firstOffsets()).toEqual([0, 10]);
  const open = vi.spyOn(session.runtime.disk, 'open');
  expect(await firstOffsets()).toEqual([0, 10]);
  expect(open.mock.calls.filter(([path]) => path.includes('00000000000000000000.log'))).toEqual([]);
  open.mockRestore();
  // As compaction leaves it.
  writeSegment(0, batch(7, 1));
  expect(await firstOffsets()).toEqual([7, 10]);
});

test('an empty active segment has no offsets', async () => {
  writeSegment(0);
  expect((await replicaContents(session, replica)).segments).toMatchObject([{ firstOffset: null, lastOffset: null, sizeBytes: 0 }]);
});

test("pages through batches, checks each one's CRC and names a torn tail", async () => {
  const damaged = batch(2, 1);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  const path = writeSegment(0, batch(0, 1), batch(1, 1, CompressionCodec.ZSTD), damaged, batch(3, 1));
  appendFileSync(path, batch(4, 1).subarray(0, 70));
  const first = await segmentBatches(session, { ...replica, baseOffset: 0, position: 0, max: 3 });
  expect(
    first.batches.map(({ baseOffset, codec, crcValid, leaderEpoch, records }) => [baseOffset, codec, crcValid, leaderEpoch, records]),
  ).toEqual([
    [0, 'none', true, 4, 1],
    [1, 'zstd', true, 4, 1],
    [2, 'none', false, 4, 1],
  ]);
  expect(first.torn).toBeNull();
  const second = await segmentBatches(session, { ...replica, baseOffset: 0, position: first.nextPosition ?? -1, max: 3 });
  expect(second.batches.map(({ baseOffset }) => baseOffset)).toEqual([3]);
  expect(second.nextPosition).toBeNull();
  expect(second.torn?.position).toBe((second.batches[0]?.position ?? 0) + (second.batches[0]?.sizeBytes ?? 0));
});

test('a preallocated file has the size of its records, and its zeros are no torn tail', async () => {
  const records = [batch(0, 2), batch(2, 1)];
  const path = writeSegment(0, ...records);
  appendFileSync(path, Buffer.alloc(300_000));
  const sizeBytes = records[0]!.length + records[1]!.length;
  expect((await replicaContents(session, replica)).segments).toMatchObject([
    { sizeBytes, preallocatedBytes: 300_000, firstOffset: 0, lastOffset: 2 },
  ]);
  const page = await segmentBatches(session, { ...replica, baseOffset: 0, position: 0, max: 10 });
  expect(page.batches).toHaveLength(2);
  expect(page.torn).toEqual({ position: sizeBytes, reason: 'zeros', bytes: 300_000, isPreallocated: true });
  appendFileSync(path, 'x');
  const damaged = await segmentBatches(session, { ...replica, baseOffset: 0, position: 0, max: 10 });
  expect(damaged.torn).toMatchObject({ position: sizeBytes, isPreallocated: false });
});

test('opens a batch into records, from where it is told', async () => {
  const first = batch(0, 3);
  writeSegment(0, first, batch(3, 100, CompressionCodec.GZIP));
  const page = await batchRecords(session, { ...replica, baseOffset: 0, position: first.length, skip: 90, max: 5, previewBytes: 100 });
  expect(page.records.map(({ offset, value, codec }) => [offset, value?.data, codec])).toEqual(
    Array.from({ length: 5 }, (_, at) => [93 + at, `value ${93 + at}`, 'gzip']),
  );
  expect(page.more).toBe(true);
  expect(
    (await batchRecords(session, { ...replica, baseOffset: 0, position: first.length, skip: 95, max: 5, previewBytes: 100 })).more,
  ).toBe(false);
});

test.each([
  ['a topic that is a path', { ...replica, topic: '../../etc' }, 'invalid'],
  ['another broker', { ...replica, brokerId: 2 }, 'notFound'],
  ['another partition', { ...replica, partition: 9 }, 'notFound'],
])('%s is refused', async (_name, other, kind) => {
  const error: unknown = await replicaContents(session, other).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FailureError);
  expect((error as FailureError).failure.kind).toBe(kind);
});

test('a segment that is gone, and a position where no batch begins, are not found', async () => {
  writeSegment(0, batch(0, 1));
  for (const call of [
    segmentBatches(session, { ...replica, baseOffset: 7, position: 0, max: 1 }),
    batchRecords(session, { ...replica, baseOffset: 0, position: 3, skip: 0, max: 1, previewBytes: 16 }),
  ]) {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect((error as FailureError).failure.kind).toBe('notFound');
  }
});

describe('a file of the folder', () => {
  const open = (name: string, more: object = {}): ReturnType<typeof segmentFile> =>
    segmentFile(session, { ...replica, name, in: 'partition', from: 0, max: 500, ...more });

  beforeEach(() => {
    for (const [name, content] of goldenLogFolder()) if (!name.includes('/')) writeFileSync(join(folder, name), content);
  });

  test.each([
    ['00000000000000000000.index', ['slot', 'offset', 'position'], [0, 12, 131], 13],
    ['00000000000000000000.timeindex', ['slot', 'timestampMs', 'offset'], [0, 1_700_000_000_012, 12], 10],
    ['00000000000000000000.txnindex', ['slot', 'producerId', 'firstOffset', 'lastOffset', 'lastStableOffset'], [0, 4000, 45, 47, 48], 1],
    [
      '00000000000000000061.snapshot',
      ['producerId', 'producerEpoch', 'lastSequence', 'lastOffset', 'timestampMs', 'coordinatorEpoch', 'currentTxnFirstOffset'],
      [4000, 2, 5, 49, 1_700_000_000_049, 7, null],
      3,
    ],
    ['leader-epoch-checkpoint', ['epoch', 'startOffset'], [0, 0], 2],
    ['partition.metadata', ['name', 'value'], ['version', '0'], 2],
    [
      '00000000000000000000.log',
      ['position', 'hex', 'text'],
      [0, '00 00 00 00 00 00 00 00 00 00 00 77 00 00 00 00', '...........w....'],
      115,
    ],
  ])('%s is a table', async (name, fields, first, total) => {
    const page = await open(name);
    expect(page.fields).toEqual(fields);
    expect(page.rows[0]).toEqual(first);
    expect([page.total, page.problem]).toEqual([total, null]);
  });

  test('is read a page at a time, and of a preallocated index only what is written', async () => {
    const name = '00000000000000000000.index';
    const index = goldenLogFolder().get(name) as Buffer;
    writeFileSync(join(folder, name), Buffer.concat([index, Buffer.alloc(10 * 1024 * 1024)]));
    const page = await open(name, { from: 11, max: 5 });
    expect(page).toMatchObject({ total: 13, from: 11, zeroEntries: 1_310_720 });
    expect(page.rows.map(([slot]) => slot)).toEqual([11, 12]);
  });

  test('that is damaged is named, and its bytes are shown', async () => {
    const snapshot = goldenLogFolder().get('00000000000000000061.snapshot') as Buffer;
    writeFileSync(join(folder, '00000000000000000061.snapshot'), snapshot.subarray(0, 40));
    const page = await open('00000000000000000061.snapshot');
    expect(page.fields).toEqual(['position', 'hex', 'text']);
    expect(page.problem?.reason).toMatch(/announces 3 producers in 40 bytes/);
  });

  test('of the log dir can be opened too, and nothing outside of both', async () => {
    writeFileSync(join(logDir, 'recovery-point-offset-checkpoint'), '0\n2\nmy-topic 0 42\nother 1 7\n');
    const page = await open('recovery-point-offset-checkpoint', { in: 'logDir' });
    expect(page.rows).toEqual([
      ['my-topic', 0, 42],
      ['other', 1, 7],
    ]);
    for (const name of ['../recovery-point-offset-checkpoint', '/etc/passwd', '..', 'gone.log']) {
      const error: unknown = await open(name).catch((thrown: unknown) => thrown);
      expect((error as FailureError).failure.kind).toBe('notFound');
    }
  });

  test('and what the checkpoints say of the replica are its marks', async () => {
    writeFileSync(join(logDir, 'recovery-point-offset-checkpoint'), '0\n1\nmy-topic 0 42\n');
    writeFileSync(join(logDir, 'replication-offset-checkpoint'), '0\n1\nmy-topic 0 broken\n');
    const { marks, logDirFiles, brokerRuns } = await replicaContents(session, replica);
    expect(marks).toMatchObject({ recoveryPoint: 42, highWatermark: null, logStartOffset: null });
    expect(logDirFiles.map(({ kind }) => kind)).toEqual(['offsetCheckpoint', 'offsetCheckpoint']);
    expect(brokerRuns).toBe(false);
  });
});

describe('a look-up', () => {
  const lookup = (by: 'offset' | 'time', target: number): ReturnType<typeof segmentLookup> =>
    segmentLookup(session, { ...replica, by, target });

  beforeEach(() => {
    writeSegment(0, batch(0, 10), batch(10, 5), batch(15, 5));
    const position = batch(0, 10).length;
    const index = Buffer.alloc(8);
    index.writeInt32BE(14, 0);
    index.writeInt32BE(position, 4);
    writeFileSync(join(folder, '00000000000000000000.index'), index);
    writeSegment(20, batch(20, 80, CompressionCodec.LZ4));
  });

  test('of an offset goes by segment, index and batches to the record', async () => {
    const result = await lookup('offset', 16);
    expect(result).toMatchObject({ segmentCount: 2, firstOffset: 0, nextBaseOffset: 20 });
    const [segment] = result.segments;
    expect(segment?.indexes).toMatchObject([{ kind: 'offset', target: 16, entries: 1, found: { slot: 0, offset: 14 } }]);
    expect(segment?.scanned.map(({ baseOffset }) => baseOffset)).toEqual([10, 15]);
    expect(result.found).toMatchObject({ segment: 0, batch: { baseOffset: 15 }, record: { offset: 16, value: { data: 'value 16' } } });
  });

  test('of a time asks each segment for its largest timestamp first', async () => {
    const result = await lookup('time', 1_050);
    expect(result.segmentTimes).toEqual([
      { baseOffset: 0, largestTimestampMs: 1_019 },
      { baseOffset: 20, largestTimestampMs: 1_099 },
    ]);
    expect(result.segments[0]?.indexes.map(({ kind, entries }) => [kind, entries])).toEqual([
      ['time', null],
      ['offset', null],
    ]);
    expect(result.found?.record?.offset).toBe(50);
  });

  test('behind the end finds nothing', async () => {
    expect((await lookup('offset', 100)).found).toBeNull();
    expect((await lookup('time', 9_999)).found).toBeNull();
  });
});

test('a look-up by time over many segments keeps few files open', async () => {
  for (let at = 0; at < 100; at++) writeSegment(at * 10, batch(at * 10, 10));
  const { disk } = session.runtime;
  const original = disk.open.bind(disk);
  let isOpen = 0;
  let most = 0;
  const open = vi.spyOn(disk, 'open').mockImplementation((path, mode) => {
    const file = original(path, mode);
    most = Math.max(most, ++isOpen);
    const close = file.close.bind(file);
    file.close = () => {
      isOpen--;
      close();
    };
    return file;
  });
  const result = await segmentLookup(session, { ...replica, by: 'time', target: 1_995 });
  open.mockRestore();
  expect(result.segmentTimesCount).toBe(100);
  expect(result.found?.record?.offset).toBe(995);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(30);
  expect(isOpen).toBe(0);
});

test('records of internal topics and markers are told in words', async () => {
  const offsets = join(logDir, '__consumer_offsets-0');
  mkdirSync(offsets);
  writeFileSync(join(offsets, '00000000000000000000.log'), goldenLogFolder().get('offsets/00000000000000000000.log') ?? '');
  const query = { baseOffset: 0, position: 0, skip: 0, max: 10, previewBytes: 100 };
  const { records } = await batchRecords(session, { ...replica, ...query, topic: '__consumer_offsets' });
  expect(records[0]?.decoded).toEqual({
    key: '{"type":"1","data":{"group":"g","topic":"t","partition":2}}',
    value: '{"version":"3","data":{"offset":42,"leaderEpoch":5,"metadata":"m \\"x\\"","commitTimestamp":1700000000000}}',
  });
  expect(records[2]?.decoded?.value).toBe('<DELETE>');
  writeSegment(0, buildControlBatch({ type: 0, coordinatorEpoch: 7, producerId: 1, producerEpoch: 0, timestamp: 5 }));
  const marker = await batchRecords(session, { ...replica, ...query });
  expect(marker.records.map(({ kind, decoded }) => [kind, decoded])).toEqual([
    ['abortMarker', { key: 'ABORT', value: 'coordinatorEpoch: 7' }],
  ]);
});

test('a folder on a broker that is assigned no replica of it is shown as a stray', async () => {
  const [partition] = cluster.addTopic('my-topic');
  if (partition) [partition.leader, partition.replicas, partition.isr] = [2, [2], [2]];
  expect(await replicaFolders(session, 'my-topic')).toMatchObject([
    { brokerId: 2, role: 'leader', inSync: true, onDisk: false },
    { partition: 0, brokerId: 1, role: 'stray', inSync: null, onDisk: true, path: folder },
  ]);
});

test('with no broker to ask, the replicas are those whose folders are on the disk', async () => {
  writeSegment(0, batch(0, 10));
  mkdirSync(join(logDir, 'my-topic-2'));
  mkdirSync(join(logDir, 'my-topic-2.0123456789abcdef0123456789abcdef-delete'));
  cluster.unreachable = true;
  expect(await replicaFolders(session, 'my-topic')).toMatchObject([
    { partition: 0, brokerId: 1, role: 'unknown', inSync: null, onDisk: true, segments: 1 },
    { partition: 2, brokerId: 1, role: 'unknown', onDisk: true, segments: 0 },
  ]);
});
