import { describe, expect, test } from 'vitest';
import { segmentFileName } from '../../log-format/file-names.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { append, batchOf, DIRECTORY, inconsistencyOf, logFixture, newLog, openLog, readAll, readBatches } from './testing/log-fixture.ts';
import type { LogRecovered } from './log-events.ts';
import type { LogFixture } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const SMALL = { 'segment.bytes': '1000', 'index.interval.bytes': '100' };
const random = new SeededRandom(1);
/** Near the tests' time: producers that have been silent for a day are forgotten. */
const T = 1_700_000_000_000;

/** A log of `count` records whose broker has died, or ended in order. */
async function left(count: number, options: { clean?: boolean; config?: Record<string, string> } = {}): Promise<LogFixture> {
  const { clean = false, config = SMALL } = options;
  const fixture = logFixture();
  const log = newLog(fixture, config);
  for (let index = 0; index < count; index++) {
    append(
      fixture,
      log,
      batchOf([`value ${index} ${'x'.repeat(60)}`], { producerId: 5, producerEpoch: 0, baseSequence: index, timestamp: T + index }),
      Math.floor(index / 10),
    );
  }
  if (clean) {
    await Promise.all([log.close(), fixture.time.settle()]);
  } else await fixture.time.advance(1000);
  fixture.disk.crash(random, 'keep');
  return fixture;
}

function reopen(
  fixture: LogFixture,
  options: { hadCleanShutdown?: boolean; recoveryPoint?: number; logStartOffset?: number; onBytes?: (bytes: number) => void } = {},
): Promise<UnifiedLog> {
  return openLog(logFixture({ disk: fixture.disk, time: fixture.time }), SMALL, options);
}

const offsets = (log: UnifiedLog): number[] => readAll(log).map((record) => record.offset);
const upTo = (end: number): number[] => Array.from({ length: end }, (_, offset) => offset);
const path = (baseOffset: number, suffix: Parameters<typeof segmentFileName>[1]): string =>
  `${DIRECTORY}/${segmentFileName(baseOffset, suffix)}`;

describe('after a clean end', () => {
  test('nothing is scanned and everything is there', async () => {
    const fixture = await left(50, { clean: true });
    let scanned = 0;
    const log = await reopen(fixture, { hadCleanShutdown: true, recoveryPoint: 0, onBytes: (bytes) => (scanned += bytes) });
    expect([scanned, log.logEndOffset, log.recoveryPoint, log.unflushedBytes]).toEqual([0, 50, 50, 0]);
    expect([offsets(log), inconsistencyOf(log)]).toEqual([upTo(50), undefined]);
  });

  test.each(['.index', '.timeindex'] as const)(
    'a missing or damaged %s is built again, of the last segment or any other',
    async (suffix) => {
      for (const which of [0, 1, -1]) {
        for (const damage of ['remove', 'tear', 'garbage']) {
          const fixture = await left(50, { clean: true });
          const bases = (await reopen(fixture, { hadCleanShutdown: true })).segments.map((segment) => segment.baseOffset);
          fixture.disk.crash(random, 'keep');
          const file = path(bases.at(which) ?? 0, suffix);
          if (damage === 'remove') fixture.disk.remove(file);
          else fixture.disk.writeFile(file, damage === 'tear' ? fixture.disk.readFile(file).subarray(0, 5) : Buffer.alloc(240, 7));
          const log = await reopen(fixture, { hadCleanShutdown: true });
          expect(offsets(log), `${which} ${damage}`).toEqual(upTo(50));
          expect(log.fetchOffsetByTimestamp(T + 20)?.offset, `${which} ${damage}`).toBe(20);
          expect(inconsistencyOf(log), `${which} ${damage}`).toBeUndefined();
        }
      }
    },
  );

  test('indexes that Kafka preallocated and filled with zeros are read to their last entry and go on there', async () => {
    const fixture = await left(8, { clean: true });
    for (const suffix of ['.index', '.timeindex'] as const) {
      const bytes = fixture.disk.readFile(path(0, suffix));
      fixture.disk.writeFile(path(0, suffix), Buffer.concat([bytes, Buffer.alloc(2400 - bytes.length)]));
    }
    const second = logFixture({ disk: fixture.disk, time: fixture.time });
    const log = await openLog(second, { ...SMALL, 'segment.bytes': '5000' }, { hadCleanShutdown: true });
    for (let index = 8; index < 30; index++)
      append(second, log, batchOf([`value ${index} ${'x'.repeat(60)}`], { timestamp: T + index }), 0);
    log.persistIndexes();
    expect(inconsistencyOf(log)).toBeUndefined();
    expect(fixture.disk.readFile(path(0, '.index')).length).toBe((log.segments[0]?.indexes.offsetIndex.count ?? 0) * 8);
  });
});

describe('after an unclean end', () => {
  test('only segments from the recovery point on are scanned', async () => {
    const fixture = await left(50);
    const bases = (await reopen(fixture)).segments.map((segment) => segment.baseOffset);
    const from = bases.at(-2) ?? 0;
    fixture.disk.crash(random, 'keep');
    let scanned = 0;
    const log = await reopen(fixture, { recoveryPoint: from, onBytes: (bytes) => (scanned += bytes) });
    const expected = log.segments.slice(-2).reduce((sum, segment) => sum + segment.sizeBytes, 0);
    expect([scanned, log.logEndOffset]).toEqual([expected, 50]);
  });

  test('a tail torn at any byte is cut back to the last whole batch', async () => {
    const fixture = await left(5);
    const log = await reopen(fixture);
    const ends: number[] = [0];
    for (const batch of readBatches(log)) ends.push((ends.at(-1) ?? 0) + batch.length);
    const whole = fixture.disk.readFile(path(0, '.log'));
    for (let length = 0; length <= whole.length; length++) {
      const disk = new MemoryDisk();
      const torn = logFixture({ disk });
      disk.makeDirectory(DIRECTORY);
      disk.writeFile(path(0, '.log'), whole.subarray(0, length));
      const recovered = await openLog(torn, SMALL);
      const kept = ends.filter((end) => end <= length).length - 1;
      expect(recovered.logEndOffset, `${length} bytes`).toBe(kept);
      expect(disk.stat(path(0, '.log'))?.sizeBytes, `${length} bytes`).toBe(ends[kept]);
    }
  });

  test('a flipped bit anywhere above the recovery point costs no record in front of it and lets no wrong one through', async () => {
    const fixture = await left(6);
    const whole = fixture.disk.readFile(path(0, '.log'));
    const reference = readAll(await reopen(fixture)).map((record) => record.value);
    const batchBytes = whole.length / 6;
    for (let bit = 0; bit < whole.length * 8; bit += 5) {
      const disk = new MemoryDisk();
      const flipped = logFixture({ disk });
      disk.makeDirectory(DIRECTORY);
      disk.writeFile(path(0, '.log'), whole);
      disk.flipBit(path(0, '.log'), bit);
      const recovered = await openLog(flipped, SMALL);
      const values = readAll(recovered).map((record) => record.value);
      expect(values, `bit ${bit}`).toEqual(reference.slice(0, values.length));
      expect(values.length, `bit ${bit}`).toBeGreaterThanOrEqual(Math.floor(bit / 8 / batchBytes));
    }
  });

  test('a segment behind one that was cut is thrown away', async () => {
    const fixture = await left(50);
    const bases = (await reopen(fixture)).segments.map((segment) => segment.baseOffset);
    fixture.disk.crash(random, 'keep');
    const middle = bases[2] ?? 0;
    fixture.disk.flipBit(path(middle, '.log'), 90 * 8);
    const log = await reopen(fixture);
    expect(log.segments.map((segment) => segment.baseOffset)).toEqual(bases.slice(0, 3));
    expect([log.logEndOffset, inconsistencyOf(log)]).toEqual([middle, undefined]);
    expect(fixture.disk.exists(path(bases[3] ?? 0, '.log'))).toBe(false);
  });

  test('what recovery found is told: how much was scanned and cut off, and why', async () => {
    const fixture = await left(50);
    const bases = (await reopen(fixture)).segments.map((segment) => segment.baseOffset);
    fixture.disk.crash(random, 'keep');
    const told: LogRecovered[] = [];
    const onRecovered = (recovered: LogRecovered): void => void told.push(recovered);
    const open = (): Promise<UnifiedLog> =>
      openLog(logFixture({ disk: fixture.disk, time: fixture.time }), SMALL, { onRecovered, recoveryPoint: bases[1] ?? 0 });
    await open();
    const sizes = bases.map((base) => fixture.disk.stat(path(base, '.log'))?.sizeBytes ?? 0);
    const sum = (from: number): number => sizes.slice(from).reduce((total, bytes) => total + bytes, 0);
    expect(told).toMatchObject([{ truncatedBytes: 0, scannedBytes: sum(1), logEndOffset: 50, reason: 'every batch is whole' }]);
    fixture.disk.flipBit(path(bases[2] ?? 0, '.log'), 90 * 8);
    await open();
    expect(told[1]).toEqual({
      kind: 'log-recovered',
      topic: 'orders-eu',
      partition: 3,
      truncatedBytes: sum(2),
      scannedBytes: sizes[1],
      logEndOffset: bases[2],
      recoveryPoint: bases[1],
      reason: 'a wrong checksum',
      tookMs: 0,
    });
  });

  test('segments behind a hole are thrown away, but not in a compacted topic', async () => {
    const fixture = await left(50);
    const bases = (await reopen(fixture)).segments.map((segment) => segment.baseOffset);
    fixture.disk.crash(random, 'keep');
    const bytes = fixture.disk.readFile(path(bases[1] ?? 0, '.log'));
    const without = bytes.subarray(0, bytes.length - bytes.length / ((bases[2] ?? 0) - (bases[1] ?? 0)));
    fixture.disk.writeFile(path(bases[1] ?? 0, '.log'), without);
    const compacted = await openLog(logFixture({ disk: fixture.disk }), { ...SMALL, 'cleanup.policy': 'compact' });
    expect(compacted.logEndOffset).toBe(50);
    fixture.disk.crash(random, 'keep');
    const log = await reopen(fixture);
    expect(log.logEndOffset).toBe((bases[2] ?? 0) - 1);
  });

  test.each([
    ['missing', undefined],
    ['torn', '0\n3\n0 0\n1'],
    ['empty', ''],
    ['of before a cut that the crash lost', '0\n4\n0 0\n1 10\n2 20\n9 30\n'],
  ])('leader epochs whose file is %s are taken from the batches', async (_what, content) => {
    const fixture = await left(35);
    if (content === undefined) fixture.disk.remove(`${DIRECTORY}/leader-epoch-checkpoint`);
    else fixture.disk.writeFile(`${DIRECTORY}/leader-epoch-checkpoint`, content);
    const log = await reopen(fixture, { recoveryPoint: 30 });
    expect(log.epochEntries).toEqual([0, 1, 2, 3].map((epoch) => ({ epoch, startOffset: epoch * 10 })));
  });

  test('a damaged topic id or snapshot is thrown away, and the producers are known all the same', async () => {
    const fixture = await left(35, { clean: true });
    fixture.disk.writeFile(`${DIRECTORY}/partition.metadata`, 'version: 0\n');
    for (const file of fixture.disk.list(DIRECTORY)) {
      if (file.name.endsWith('.snapshot')) fixture.disk.flipBit(`${DIRECTORY}/${file.name}`, 100);
    }
    const log = await reopen(fixture);
    expect([log.topicId, log.activeProducers.get(5)?.lastSequence, inconsistencyOf(log)]).toEqual([undefined, 34, undefined]);
  });

  test('a producer that had several batches under way can send all of them again', async () => {
    const fixture = await left(50);
    const log = await reopen(fixture);
    for (const baseSequence of [45, 46, 49]) {
      const again = batchOf([`value ${baseSequence} ${'x'.repeat(60)}`], {
        producerId: 5,
        producerEpoch: 0,
        baseSequence,
        timestamp: T + baseSequence,
      });
      expect(append(fixture, log, again), `${baseSequence}`).toMatchObject({ firstOffset: baseSequence, lastOffset: baseSequence });
    }
    expect(log.logEndOffset).toBe(50);
  });

  test('a log that ends below its log start offset begins anew there', async () => {
    const fixture = await left(5);
    const log = await reopen(fixture, { logStartOffset: 100 });
    expect([log.logStartOffset, log.logEndOffset]).toEqual([100, 100]);
  });
});

describe('what a crash interrupted', () => {
  test('deletions are finished, unfinished cleaning is thrown away, an index without its log too', async () => {
    const fixture = await left(20);
    const before = fixture.disk.list(DIRECTORY).length;
    for (const name of [
      '00000000000000000000.log.deleted',
      '00000000000000000003.log.cleaned',
      '00000000000000000900.index',
      'leader-epoch-checkpoint.tmp',
    ]) {
      fixture.disk.writeFile(`${DIRECTORY}/${name}`, 'x');
    }
    const log = await reopen(fixture);
    expect([log.logEndOffset, fixture.disk.list(DIRECTORY).length - before]).toEqual([20, 1]); // one snapshot more
  });

  test('a finished replacement is put in the place of all segments that it covers', async () => {
    const fixture = await left(30);
    const whole = await reopen(fixture);
    const [first, second, third] = whole.segments;
    const merged = Buffer.concat([first, second].map((segment) => segment?.read(0, segment.sizeBytes) ?? Buffer.alloc(0)));
    fixture.disk.crash(random, 'keep');
    fixture.disk.writeFile(`${path(0, '.log')}.swap`, merged);
    fixture.disk.writeFile(`${path(0, '.index')}.swap`, '');
    const log = await reopen(fixture);
    expect(log.segments.slice(0, 2).map((segment) => segment.baseOffset)).toEqual([0, third?.baseOffset]);
    expect([offsets(log), inconsistencyOf(log)]).toEqual([upTo(30), undefined]);
  });

  test('a replacement of which a part was not finished is undone', async () => {
    const fixture = await left(30);
    fixture.disk.writeFile(`${path(8, '.log')}.swap`, 'x');
    fixture.disk.writeFile(`${path(0, '.log')}.cleaned`, 'x');
    const log = await reopen(fixture);
    expect([offsets(log), inconsistencyOf(log)]).toEqual([upTo(30), undefined]);
  });
});
