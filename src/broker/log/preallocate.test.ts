/** `preallocate`: a segment's file has its full length from the start, and is cut to what was written when it gets no more. */
import { describe, expect, test } from 'vitest';
import { segmentFileName } from '../../log-format/file-names.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import type { LogRecovered } from './log-events.ts';
import {
  append,
  appendMany,
  batchOf,
  DIRECTORY,
  inconsistencyOf,
  logFixture,
  newLog,
  openLog,
  readAll,
  values,
} from './testing/log-fixture.ts';
import type { LogFixture } from './testing/log-fixture.ts';

const SEGMENT_BYTES = 2000;
const CONFIG = { preallocate: 'true', 'segment.bytes': String(SEGMENT_BYTES), 'index.interval.bytes': '200' };

const fileBytes = ({ disk }: LogFixture, baseOffset: number): number | undefined =>
  disk.stat(`${DIRECTORY}/${segmentFileName(baseOffset, '.log')}`)?.sizeBytes;

describe('preallocate', () => {
  test("gives a new segment's file segment.bytes, which are no part of the log", () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    expect(fileBytes(fixture, 0)).toBe(SEGMENT_BYTES);
    expect(log.sizeBytes).toBe(0);
    appendMany(fixture, log, 5);
    expect(fileBytes(fixture, 0)).toBe(SEGMENT_BYTES);
    expect(log.sizeBytes).toBeLessThan(SEGMENT_BYTES);
    expect(log.segments[0]?.sizeBytes).toBe(log.sizeBytes);
    expect(values(log)).toHaveLength(5);
    expect(inconsistencyOf(log)).toBeUndefined();
  });

  test('is given back at a roll, at a truncation and at an end in order; a start sets nothing aside before the next roll', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    appendMany(fixture, log, 20);
    const [first, second] = log.segments;
    expect(fileBytes(fixture, 0)).toBe(first?.sizeBytes);
    expect(first?.sizeBytes).toBeLessThanOrEqual(SEGMENT_BYTES);
    const active = log.segments.at(-1)?.baseOffset ?? 0;
    expect(second).toBeDefined();
    expect(fileBytes(fixture, active)).toBe(SEGMENT_BYTES);
    await log.truncateTo(log.logEndOffset - 1);
    expect(fileBytes(fixture, active)).toBe(log.segments.at(-1)?.sizeBytes);
    await log.roll();
    append(fixture, log, batchOf(['after the roll']));
    const last = log.segments.at(-1)?.baseOffset ?? 0;
    expect(fileBytes(fixture, last)).toBe(SEGMENT_BYTES);
    await Promise.all([log.close(), fixture.time.settle()]);
    const again = await openLog(fixture, CONFIG, { hadCleanShutdown: true, recoveryPoint: log.logEndOffset });
    expect(fileBytes(fixture, last)).toBe(again.segments.at(-1)?.sizeBytes);
    expect(values(again).at(-1)).toBe('after the roll');
  });

  test('after a kill the zeros are cut off, and nothing is said to be lost', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    appendMany(fixture, log, 20);
    const written = readAll(log);
    const last = log.segments.at(-1)?.baseOffset ?? 0;
    fixture.disk.crash(new SeededRandom(1), 'keep');
    const restarted = logFixture({ disk: fixture.disk, time: fixture.time });
    const told: LogRecovered[] = [];
    const again = await openLog(restarted, CONFIG, { onRecovered: (event) => told.push(event) });
    expect(readAll(again)).toEqual(written);
    expect(fileBytes(restarted, last)).toBe(again.segments.at(-1)?.sizeBytes);
    expect(told).toMatchObject([{ truncatedBytes: 0, reason: 'every batch is whole' }]);
    append(restarted, again, batchOf(['goes on']));
    await restarted.time.settle();
    await again.settled();
    expect(values(again).at(-1)).toBe('goes on');
    expect(inconsistencyOf(again)).toBeUndefined();
  });

  test('bytes behind the zeros that are none are a loss as ever', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    appendMany(fixture, log, 3);
    const path = `${DIRECTORY}/${segmentFileName(0, '.log')}`;
    fixture.disk.crash(new SeededRandom(1), 'keep');
    const file = fixture.disk.open(path, 'read-write');
    file.write(Buffer.from('left behind'), 0, 11, SEGMENT_BYTES - 11);
    file.close();
    const told: LogRecovered[] = [];
    const again = await openLog(logFixture({ disk: fixture.disk }), CONFIG, { onRecovered: (event) => told.push(event) });
    expect(values(again)).toHaveLength(3);
    expect(told[0]?.truncatedBytes).toBe(SEGMENT_BYTES - again.sizeBytes);
  });

  test("a roll's cut that the power took back is made again, also where all was flushed before it", async () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    appendMany(fixture, log, 4);
    const firstBytes = log.sizeBytes;
    await Promise.all([log.flush(), fixture.time.settle()]);
    await log.roll();
    fixture.disk.syncDirectory(DIRECTORY);
    for (let start = 0; start < 2; start++) {
      fixture.disk.crash(new SeededRandom(1), 'lose');
      if (start === 0) expect(fileBytes(fixture, 0)).toBe(SEGMENT_BYTES);
      const again = await openLog(logFixture({ disk: fixture.disk }), CONFIG, { recoveryPoint: 4 });
      expect(fileBytes(fixture, 0)).toBe(firstBytes);
      expect(again.logEndOffset).toBe(4);
      expect(values(again)).toHaveLength(4);
    }
  });

  test("the next flush of the log syncs a roll's cut", async () => {
    const fixture = logFixture();
    const log = newLog(fixture, CONFIG);
    appendMany(fixture, log, 4);
    const firstBytes = log.sizeBytes;
    await Promise.all([log.flush(), fixture.time.settle()]);
    await log.roll();
    append(fixture, log, batchOf(['in the second']));
    await Promise.all([log.flush(), fixture.time.settle()]);
    fixture.disk.crash(new SeededRandom(1), 'lose');
    expect(fileBytes(fixture, 0)).toBe(firstBytes);
  });
});
