import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import { ClusterSession } from './cluster-session.ts';
import { FailureError } from './failures.ts';
import { batchRecords, replicaContents, replicaFolders, segmentBatches } from './segments-service.ts';

let logDir: string;
let folder: string;
let session: ClusterSession;

beforeEach(() => {
  logDir = mkdtempSync(join(tmpdir(), 'samsa-segments-'));
  folder = join(logDir, 'my-topic-0');
  mkdirSync(folder);
  const status: ControlStatus = {
    processes: [],
    bootstrapServers: 'x:1',
    zookeeperConnect: null,
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
    losePower: unused,
    configure: unused,
    query: unused,
    logs: unused,
    onEvent: () => unused,
    close: () => Promise.resolve(),
  };
  const cluster = new FakeCluster();
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
