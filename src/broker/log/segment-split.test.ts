/** Segments whose offsets overflow their index, as cleaners before Kafka 2.0 made them: split at load, whatever the disk does meanwhile. */
import { expect, test } from 'vitest';
import { segmentFileName } from '../../log-format/file-names.ts';
import { ControlRecordType, buildControlBatch } from '../../protocol/records/record-batch-builder.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import type { CrashMode } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { batchOf, DIRECTORY, inconsistencyOf, LOG_DIR, logFixture, openLog, readAll } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

/** One more than an index entry can say. */
const FAR = 2 ** 31;
const COMPACT = { 'cleanup.policy': 'compact', 'index.interval.bytes': '100' };
/** Of the segment at 0: the third doesn't fit it, the fifth fits no piece before it. The second segment follows. */
const OVERFLOWING = [0, 5, FAR + 3, FAR + 4, 3 * FAR, 3 * FAR + 1];
const FOLLOWING = [3 * FAR + 2, 3 * FAR + 9];

const at = (offset: number): Buffer => batchOf([`value ${offset} ${'x'.repeat(100)}`], { baseOffset: offset, partitionLeaderEpoch: 0 });

/** A folder on the device with these segments, and no index that says anything. */
function folder(segments: Readonly<Record<number, readonly Buffer[]>>): MemoryDisk {
  const disk = new MemoryDisk();
  logFixture({ disk });
  disk.makeDirectory(DIRECTORY);
  for (const [baseOffset, batches] of Object.entries(segments)) {
    for (const suffix of ['.log', '.index', '.timeindex'] as const) {
      const file = disk.open(`${DIRECTORY}/${segmentFileName(Number(baseOffset), suffix)}`, 'create');
      file.writeGathered(suffix === '.log' ? batches : [], 0);
      file.sync();
      file.close();
    }
  }
  disk.syncDirectory(DIRECTORY);
  disk.syncDirectory(LOG_DIR);
  return disk;
}

const legacy = (): MemoryDisk => folder({ 0: OVERFLOWING.map(at), [3 * FAR + 2]: FOLLOWING.map(at) });
const offsetsOf = (log: UnifiedLog): number[] => readAll(log).map((record) => record.offset);
const basesOf = (log: UnifiedLog): number[] => log.segments.map((segment) => segment.baseOffset);

test.each([
  ['a kill', false],
  ['an end in order', true],
])('an overflowing segment is split into such that fit, and nothing is lost, after %s', async (_end, hadCleanShutdown) => {
  for (const [disk, expected] of [
    [legacy(), [...OVERFLOWING, ...FOLLOWING]],
    [folder({ 0: OVERFLOWING.map(at) }), OVERFLOWING],
  ] as const) {
    const log = await openLog(logFixture({ disk }), COMPACT, { hadCleanShutdown });
    expect(offsetsOf(log)).toEqual(expected);
    expect(basesOf(log).slice(0, 3)).toEqual([0, 6, 3 * FAR]);
    expect(inconsistencyOf(log)).toBeUndefined();
    expect(disk.list(DIRECTORY).filter(({ name }) => /swap|cleaned|deleted/.test(name))).toEqual([]);
  }
});

test('below the recovery point, too', async () => {
  const log = await openLog(logFixture({ disk: legacy() }), COMPACT, { recoveryPoint: FOLLOWING.at(-1) ?? 0 });
  expect([basesOf(log), offsetsOf(log)]).toEqual([
    [0, 6, 3 * FAR, 3 * FAR + 2],
    [...OVERFLOWING, ...FOLLOWING],
  ]);
});

test('a segment that is followed by a large gap and fits isn’t scanned after an end in order', async () => {
  let scannedBytes = 0;
  const onBytes = (bytes: number): void => void (scannedBytes += bytes);
  const log = await openLog(logFixture({ disk: folder({ 0: [at(0), at(9)], [2 * FAR]: [at(2 * FAR)] }) }), COMPACT, {
    hadCleanShutdown: true,
    onBytes,
  });
  expect([offsetsOf(log), scannedBytes]).toEqual([[0, 9, 2 * FAR], 0]);
});

test('a first batch that is too far from its segment leaves an empty segment in front of it', async () => {
  const disk = folder({ 0: [at(FAR + 5), at(FAR + 6)] });
  const log = await openLog(logFixture({ disk }), COMPACT);
  expect([basesOf(log), offsetsOf(log)]).toEqual([
    [0, FAR + 5],
    [FAR + 5, FAR + 6],
  ]);
  expect([log.logStartOffset, log.logEndOffset]).toEqual([0, FAR + 7]);
});

test('aborted transactions are those of the piece that has their marker', async () => {
  const transactional = (offset: number, baseSequence: number): Buffer =>
    batchOf(['t'], { baseOffset: offset, producerId: 7, producerEpoch: 0, baseSequence, isTransactional: true, partitionLeaderEpoch: 0 });
  const abort = buildControlBatch({
    type: ControlRecordType.ABORT,
    coordinatorEpoch: 1,
    producerId: 7,
    producerEpoch: 0,
    timestamp: 1_700_000_000_000,
    baseOffset: FAR + 1,
    partitionLeaderEpoch: 0,
  });
  const disk = folder({ 0: [transactional(5, 0), transactional(FAR, 1), abort] });
  const log = await openLog(logFixture({ disk }), COMPACT);
  expect(log.segments.map((segment) => segment.indexes.abortedTxns.map((txn) => [txn.firstOffset, txn.lastOffset]))).toEqual([
    [],
    [[5, FAR + 1]],
  ]);
});

test('a torn end behind the overflow is cut off all the same', async () => {
  const disk = folder({ 0: [...OVERFLOWING.map(at), at(3 * FAR + 2).subarray(0, 70)] });
  const log = await openLog(logFixture({ disk }), COMPACT);
  expect(offsetsOf(log)).toEqual(OVERFLOWING);
});

test.each([
  ['the batch behind it has a lower one', { 0: [at(0), at(FAR + 5), at(6)] }, COMPACT],
  ['the next segment has a lower one', { 0: [at(0), at(FAR + 5)], 6: [at(6)] }, COMPACT],
  ['no cleaner has made such a gap', { 0: [at(0), at(FAR + 5)] }, {}],
])('an offset that is too far is damage, and cut off, where %s', async (_why, segments, config) => {
  const log = await openLog(logFixture({ disk: folder(segments) }), config);
  expect(offsetsOf(log)).toEqual([0]);
});

test('a failure of the disk at any call of the split, and another while it is finished, cost no record', async () => {
  const expected = [...OVERFLOWING, ...FOLLOWING];
  const pattern = legacy();
  const before = pattern.calls;
  await openLog(logFixture({ disk: pattern }), COMPACT);
  const calls = pattern.calls - before;
  let run = 0;
  for (let call = 1; call <= calls; call++) {
    for (const mode of ['keep', 'tear', 'lose'] satisfies CrashMode[]) {
      const random = new SeededRandom(run++);
      const disk = legacy();
      disk.failAfter(call);
      await openLog(logFixture({ disk }), COMPACT).catch(() => undefined);
      disk.crash(random, mode);
      disk.failAfter(1 + random.int(40));
      await openLog(logFixture({ disk }), COMPACT).catch(() => undefined);
      disk.crash(random, mode);
      const log = await openLog(logFixture({ disk }), COMPACT);
      const what = `call ${call}, ${mode}`;
      expect(offsetsOf(log), what).toEqual(expected);
      expect(inconsistencyOf(log), what).toBeUndefined();
    }
  }
  expect(run).toBeGreaterThan(100);
}, 60_000);
