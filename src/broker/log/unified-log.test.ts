import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { LogConfig } from '../config/log-config.ts';
import { InconsistentTopicIdError, OffsetOutOfRangeError } from './log-errors.ts';
import {
  append,
  batchOf,
  DIRECTORY,
  inconsistencyOf,
  logFixture,
  newLog,
  openLog,
  readAll,
  until,
  appendMany,
  producerBatch,
  SMALL,
  values,
} from './testing/log-fixture.ts';

describe('leader epochs', () => {
  test('end where the next begins; the latest ends at the log end', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a', 'b']), 2);
    append(fixture, log, batchOf(['c']), 5);
    expect([0, 1, 2, 3, 4, 5, 6, -1].map((epoch) => log.endOffsetForEpoch(epoch))).toEqual([
      { epoch: 0, endOffset: 0 },
      { epoch: 1, endOffset: 0 },
      { epoch: 2, endOffset: 2 },
      { epoch: 2, endOffset: 2 },
      { epoch: 2, endOffset: 2 },
      { epoch: 5, endOffset: 3 },
      undefined,
      undefined,
    ]);
  });

  test('of a leadership that wrote nothing go when the log is cut to its end', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']), 2);
    log.maybeAssignEpochStartOffset(7, 1);
    expect(log.latestEpoch).toBe(7);
    await log.truncateTo(1);
    expect(log.latestEpoch).toBe(2);
  });

  test('are in the file once written in the background, together with those that follow within a second', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']), 2);
    await fixture.time.settle();
    expect(fixture.disk.exists(`${DIRECTORY}/leader-epoch-checkpoint`)).toBe(false);
    log.maybeAssignEpochStartOffset(7, 1);
    await fixture.time.advance(1000);
    await fixture.time.advance(1000);
    expect(fixture.disk.readFile(`${DIRECTORY}/leader-epoch-checkpoint`).toString()).toBe('0\n2\n2 0\n7 1\n');
  });

  test('that are removed are out of the file at once: recovery would believe it', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']), 2);
    log.maybeAssignEpochStartOffset(7, 1);
    await log.truncateTo(1);
    await fixture.time.advance(1000);
    expect(fixture.disk.readFile(`${DIRECTORY}/leader-epoch-checkpoint`).toString()).toBe('0\n1\n2 0\n');
  });
});

describe('truncation', () => {
  test('removes records, segments, index entries and producers above the offset, and goes on from there', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    for (let index = 0; index < 40; index++) append(fixture, log, producerBatch([`${index} ${'x'.repeat(60)}`], index));
    for (const offset of [33, 20, 7]) {
      expect(await log.truncateTo(offset)).toBe(true);
      expect([log.logEndOffset, log.activeProducers.get(7)?.lastSequence, inconsistencyOf(log)]).toEqual([offset, offset - 1, undefined]);
    }
    expect(log.appendAsLeader(producerBatch(['new'], 7), { leaderEpoch: 9 })).toMatchObject({ firstOffset: 7 });
    await fixture.time.settle();
    expect([values(log).at(-1), inconsistencyOf(log)]).toEqual(['new', undefined]);
  });

  test('happens at once where it can, behind what waits to be written', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']));
    log.appendAsLeader(batchOf(['b']), { leaderEpoch: 0 });
    void log.truncateTo(1);
    expect([log.logEndOffset, log.appendEndOffset]).toEqual([1, 1]);
  });

  test('below the recovery point lowers the checkpoint before anything is removed', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']));
    append(fixture, log, batchOf(['b', 'c']));
    await Promise.all([log.flush(), fixture.time.settle()]);
    expect(log.recoveryPoint).toBe(3);
    await Promise.all([log.truncateTo(2), fixture.time.settle()]);
    expect(fixture.lowered).toEqual([1]);
    expect([log.logEndOffset, log.recoveryPoint]).toEqual([1, 1]);
  });

  test('below the recovery point keeps it there until the cut is made, whatever is flushed meanwhile', async () => {
    const fixture = logFixture();
    let lowered = (): void => {};
    const context = { ...fixture.context, onRecoveryPointLowered: () => new Promise<void>((resolve) => (lowered = resolve)) };
    const log = newLog({ ...fixture, context });
    for (const value of ['a', 'b', 'c']) append(fixture, log, batchOf([value]));
    await Promise.all([log.flush(), fixture.time.settle()]);
    const cut = log.truncateTo(1);
    await fixture.time.settle();
    append(fixture, log, batchOf(['d']));
    const fsyncs = log.flushSummary.fsyncs;
    // A checkpoint that is written here must not say more.
    await Promise.all([log.flush(), fixture.time.settle()]);
    expect([log.recoveryPoint, log.flushSummary.fsyncs > fsyncs]).toEqual([1, true]);
    lowered();
    await Promise.all([cut, fixture.time.settle()]);
    append(fixture, log, batchOf(['e']));
    await Promise.all([log.flush(), fixture.time.settle()]);
    expect([log.logEndOffset, log.recoveryPoint]).toEqual([2, 2]);
  });

  test('holds back what is appended after it until the cut is on the device', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a', 'b']));
    void log.truncateTo(0);
    log.appendAsLeader(batchOf(['c']), { leaderEpoch: 0 });
    fixture.time.runTurnEnd();
    expect(log.logEndOffset).toBe(0);
    await fixture.time.settle();
    expect(log.logEndOffset).toBe(1);
  });

  test('of everything lets the log begin at any offset', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    appendMany(fixture, log, 30);
    await Promise.all([log.truncateFullyAndStartAt(100), fixture.time.settle()]);
    expect([log.logStartOffset, log.highWatermark, log.logEndOffset, log.numberOfSegments]).toEqual([100, 100, 100, 1]);
    append(fixture, log, batchOf(['x']));
    await fixture.time.settle();
    expect(readAll(log).map((record) => record.offset)).toEqual([100]);
    await fixture.time.advance(60_000);
    const deletedFiles = (): number => fixture.disk.list(DIRECTORY).filter((file) => file.name.endsWith('.deleted')).length;
    await until(fixture, () => deletedFiles() === 0);
  });
});

describe('high watermark and log start', () => {
  test('stay between the ends of the log', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a', 'b', 'c']));
    expect([log.updateHighWatermark(99), log.updateHighWatermark(-5), log.updateHighWatermark(2)]).toEqual([3, 0, 2]);
    expect(log.deleteRecordsTo(2)).toBe(2);
    expect(log.updateHighWatermark(0)).toBe(2);
    expect(() => log.deleteRecordsTo(3)).toThrow(OffsetOutOfRangeError);
  });

  test('raise the recovery point, as in Kafka: what is below is nothing to flush, and nothing to check', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a', 'b', 'c', 'd']));
    log.updateHighWatermark(4);
    log.deleteRecordsTo(3);
    expect([log.recoveryPoint, log.unflushedMessages, log.flushedOffset]).toEqual([3, 1, 0]);
    await Promise.all([log.truncateFullyAndStartAt(100), fixture.time.settle()]);
    expect([log.recoveryPoint, log.unflushedMessages]).toEqual([100, 0]);
    append(fixture, log, batchOf(['e']));
    expect([log.recoveryPoint, log.unflushedMessages]).toEqual([100, 1]);
  });

  test('let segments go only when the checkpoint says so, and none that a truncation has put above the start again', async () => {
    const fixture = logFixture();
    let written = (): void => {};
    const context = { ...fixture.context, beforeSegmentsGo: () => new Promise<void>((resolve) => (written = resolve)) };
    const log = newLog({ ...fixture, context }, SMALL);
    appendMany(fixture, log, 30);
    log.updateHighWatermark(30);
    const last = log.segments.at(-1)?.baseOffset ?? 0;
    log.deleteRecordsTo(last);
    const before = log.numberOfSegments;
    expect(log.deleteOldSegments()).toBe(before - 1);
    expect([log.numberOfSegments, log.deleteOldSegments()]).toEqual([before, 0]);
    const first = log.segments[1]?.baseOffset ?? 0;
    await Promise.all([log.truncateTo(first), fixture.time.settle()]);
    written();
    await fixture.time.settle();
    expect([log.logStartOffset, log.segments.map((segment) => segment.baseOffset), log.segmentsGoing]).toEqual([first, [first], undefined]);
  });

  test('deleted records take their segments with them at the next check, and their files after the delay', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { ...SMALL, 'file.delete.delay.ms': '5000' });
    appendMany(fixture, log, 40);
    log.updateHighWatermark(40);
    log.deleteRecordsTo(25);
    const before = log.numberOfSegments;
    expect(log.deleteOldSegments()).toBeGreaterThan(0);
    expect(log.numberOfSegments).toBeLessThan(before);
    expect([log.logStartOffset, log.read(24, { maxBytes: 1, maxOffset: 40 }).errorCode]).toEqual([25, ErrorCode.OFFSET_OUT_OF_RANGE]);
    const deleted = (): number => fixture.disk.list(DIRECTORY).filter((file) => file.name.endsWith('.deleted')).length;
    expect(deleted()).toBeGreaterThan(0);
    await fixture.time.advance(5000);
    expect([deleted(), values(log, 25).length]).toEqual([0, 15]);
  });
});

describe('retention', () => {
  test('by size keeps at least retention.bytes', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { ...SMALL, 'retention.bytes': '2500' });
    appendMany(fixture, log, 60);
    log.updateHighWatermark(60);
    log.deleteOldSegments();
    expect(log.sizeBytes).toBeGreaterThanOrEqual(2500);
    expect(log.sizeBytes).toBeLessThan(3600);
    expect(log.logStartOffset).toBe(log.segments[0]?.baseOffset);
  });

  test('by time removes the active segment too, and the log goes on at its end', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { ...SMALL, 'retention.ms': '1000' });
    appendMany(fixture, log, 20);
    log.updateHighWatermark(20);
    expect(log.deleteOldSegments()).toBe(0);
    await fixture.time.advance(2000);
    log.deleteOldSegments();
    expect([log.sizeBytes, log.logStartOffset, log.logEndOffset, log.numberOfSegments]).toEqual([0, 20, 20, 1]);
    expect(append(fixture, log, batchOf(['x'])).firstOffset).toBe(20);
  });

  test('never touches what is above the high watermark, nor a topic that is only compacted', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { ...SMALL, 'retention.ms': '1000' });
    appendMany(fixture, log, 20);
    log.updateHighWatermark(3);
    await fixture.time.advance(5000);
    expect(log.deleteOldSegments()).toBe(0);
    log.updateHighWatermark(20);
    log.updateConfig(LogConfig.fromDefaults({ ...SMALL, 'retention.ms': '1000', 'cleanup.policy': 'compact' }));
    expect(log.deleteOldSegments()).toBe(0);
  });
});

describe('rolls by time', () => {
  test('go by the first record’s timestamp, not by when the segment was made, and by the clock where records have none', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'segment.ms': '1000' });
    append(fixture, log, batchOf(['a'], { timestamp: 5000 }));
    await fixture.time.advance(100_000);
    append(fixture, log, batchOf(['b'], { timestamp: 6000 }));
    expect(log.numberOfSegments).toBe(1);
    append(fixture, log, batchOf(['c'], { timestamp: 6001 }));
    expect(log.numberOfSegments).toBe(2);
    const untimed = newLog(logFixture(), {});
    expect(untimed.segments[0]?.firstBatchTimestamp).toBe(-1);
    const other = logFixture();
    const none = newLog(other, { 'segment.ms': '1000' });
    append(other, none, batchOf(['a'], { timestamp: -1 }));
    await other.time.advance(1000);
    append(other, none, batchOf(['b'], { timestamp: -1 }));
    expect(none.numberOfSegments).toBe(1);
    await other.time.advance(1);
    append(other, none, batchOf(['c'], { timestamp: -1 }));
    expect(none.numberOfSegments).toBe(2);
  });

  test('come earlier by a jitter of each segment, which is never more than segment.ms', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'segment.ms': '1000', 'segment.jitter.ms': '1000000' });
    const jitters = new Set<number>();
    for (let index = 0; index < 200; index++) {
      append(fixture, log, batchOf(['x'], { timestamp: index * 500 }));
      const [jitter] = log.segments.slice(-1).map((segment) => segment.rollJitterMs);
      jitters.add(jitter ?? -1);
    }
    expect([...jitters].every((jitter) => jitter >= 0 && jitter < 1000)).toBe(true);
    expect(jitters.size).toBeGreaterThan(20);
    // None is so large that a record doesn't even fit with the one before it.
    expect(log.numberOfSegments).toBeLessThan(200);
  });
});

describe('flushing', () => {
  test('moves the recovery point only after everything is synced', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']));
    const flushed = log.flush();
    expect([log.recoveryPoint, log.unflushedMessages, log.unflushedBytes]).toEqual([0, 1, log.sizeBytes]);
    append(fixture, log, batchOf(['b']));
    await Promise.all([flushed, fixture.time.settle()]);
    expect([log.recoveryPoint >= 1, log.unflushedMessages <= 1]).toEqual([true, true]);
    fixture.disk.crash({ next: () => 0, int: () => 0, bytes: (n) => Buffer.alloc(n) }, 'lose');
    const again = await openLog(logFixture({ disk: fixture.disk }), {}, { recoveryPoint: 1 });
    expect(values(again)[0]).toBe('a');
  });

  test('flush.messages holds back the answer until the records are on the device, as Kafka does', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'flush.messages': '2' });
    const answered: number[] = [];
    log.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, onComplete: () => answered.push(log.recoveryPoint) });
    fixture.time.runTurnEnd();
    expect(answered).toEqual([0]);
    log.appendAsLeader(batchOf(['b']), { leaderEpoch: 0, onComplete: () => answered.push(log.recoveryPoint) });
    fixture.time.runTurnEnd();
    expect([answered, log.logEndOffset]).toEqual([[0], 2]);
    await until(fixture, () => answered.length === 2);
    expect(answered).toEqual([0, 2]);
  });

  test('a roll sends what is closed to the device in the background', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    appendMany(fixture, log, 30);
    const closedBelow = log.segments.at(-1)?.baseOffset ?? 0;
    await until(fixture, () => log.recoveryPoint === closedBelow);
    expect(log.recoveryPoint).toBe(closedBelow);
  });
});

describe('a failing disk', () => {
  test('a write that stops short fails its group, is cut off, and takes the folder offline', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']));
    const sizeBytes = log.sizeBytes;
    fixture.disk.setCapacity(fixture.disk.usedBytes + 20);
    const outcomes: (string | undefined)[] = [];
    for (const value of ['b', 'c'])
      log.appendAsLeader(batchOf([value]), { leaderEpoch: 0, onComplete: (error) => outcomes.push(error?.name) });
    fixture.time.runTurnEnd();
    expect(outcomes).toEqual(['LogStorageError', 'LogStorageError']);
    expect(fixture.failures).toHaveLength(1);
    expect(fixture.failures[0]).toContain('ENOSPC');
    expect(fixture.disk.stat(`${DIRECTORY}/00000000000000000000.log`)?.sizeBytes).toBe(sizeBytes);
    expect(log.logEndOffset).toBe(1);
    expect(log.appendAsLeader(batchOf(['d']), { leaderEpoch: 0 })).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
    expect(log.read(0, { maxBytes: 100, maxOffset: 1 }).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });

  test('an error at any call is told once and never lost, and the log opens again with what was answered', async () => {
    for (let call = 1; call < 60; call++) {
      const fixture = logFixture();
      const log = newLog(fixture, SMALL);
      fixture.disk.failAfter(call);
      const answered: string[] = [];
      for (let index = 0; index < 30; index++) {
        const value = `${index} ${'x'.repeat(60)}`;
        log.appendAsLeader(producerBatch([value], index), {
          leaderEpoch: 0,
          onComplete: (error) => error === undefined && answered.push(value),
        });
        if (index % 3 === 0) fixture.time.runTurnEnd();
      }
      fixture.time.runTurnEnd();
      await fixture.time.settle();
      await log.flush();
      expect(fixture.failures.length, `call ${call}`).toBeLessThanOrEqual(1);
      fixture.disk.heal();
      fixture.disk.crash({ next: () => 0, int: () => 0, bytes: (n) => Buffer.alloc(n) }, 'keep');
      const again = await openLog(logFixture({ disk: fixture.disk }), SMALL);
      expect(values(again).slice(0, answered.length), `call ${call}`).toEqual(answered);
      expect(inconsistencyOf(again), `call ${call}`).toBeUndefined();
    }
  });
});

describe('writes of a size or a disk that would hold the event loop', () => {
  test('go out asynchronously above 1 MiB, and what comes meanwhile behind them', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'max.message.bytes': '2000000' });
    const answered: string[] = [];
    log.appendAsLeader(batchOf(['x'.repeat(1_100_000)]), { leaderEpoch: 0, onComplete: () => answered.push('large') });
    fixture.time.runTurnEnd();
    expect(log.logEndOffset).toBe(0);
    log.appendAsLeader(batchOf(['small']), { leaderEpoch: 0, onComplete: () => answered.push('small') });
    fixture.time.runTurnEnd();
    expect([log.logEndOffset, answered]).toEqual([0, []]);
    await log.settled();
    expect([log.logEndOffset, answered, inconsistencyOf(log)]).toEqual([2, ['large', 'small'], undefined]);
  });
});

describe('topic id', () => {
  test('is kept in the folder and never changes', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    log.assignTopicId('AAAAAAAAAAAAAAAAAAAAAB');
    expect(() => log.assignTopicId('AAAAAAAAAAAAAAAAAAAAAC')).toThrow(InconsistentTopicIdError);
    await Promise.all([log.close(), fixture.time.settle()]);
    const again = await openLog(logFixture({ disk: fixture.disk }), {}, { hadCleanShutdown: true });
    expect(again.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAB');
  });
});
