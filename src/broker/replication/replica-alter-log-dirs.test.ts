import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { inconsistencyOf } from '../log/testing/log-fixture.ts';
import { DIR_A, DIR_B, DIR_C, LogDirsFixture } from './testing/log-dirs-fixture.ts';
import { batchOf, TP } from './testing/replication-fixture.ts';

const SMALL_SEGMENTS = { 'segment.bytes': '700', 'index.interval.bytes': '150', 'file.delete.delay.ms': '1000' };

function elsewhere(fixture: LogDirsFixture): string {
  return fixture.log.logDir === DIR_A ? DIR_B : DIR_A;
}

const numbered = (count: number, text = 'value'): string[] => Array.from({ length: count }, (_, offset) => `${text} ${offset}`);

describe('a move to another log dir', () => {
  test('ends with the same records, epochs, producers and offsets in the other folder, and the old one goes', async () => {
    const fixture = await LogDirsFixture.start({ topic: SMALL_SEGMENTS });
    fixture.lead(1);
    fixture.append(20);
    fixture.lead(3);
    fixture.append(20, 'value', { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    fixture.log.maybeIncrementLogStartOffset(5);
    // An epoch without a record.
    fixture.lead(4);
    const before = fixture.log;
    const target = elsewhere(fixture);
    expect(fixture.moves.alter(TP, target)).toBe(ErrorCode.NONE);
    expect(fixture.folders()).toHaveLength(2);
    await fixture.advance(100);
    expect(fixture.log).not.toBe(before);
    expect([fixture.log.logDir, fixture.log.logStartOffset, fixture.log.highWatermark, fixture.log.logEndOffset]).toEqual([
      target,
      5,
      40,
      40,
    ]);
    expect(fixture.log.epochEntries).toEqual(before.epochEntries);
    expect(fixture.log.latestEpoch).toBe(4);
    expect(fixture.log.activeProducers.get(7)?.lastSequence).toBe(0);
    expect(fixture.values()).toEqual(numbered(40).slice(5));
    expect(inconsistencyOf(fixture.log)).toBeUndefined();
    expect([before.isOffline, fixture.replaced]).toEqual([true, ['orders-0']]);
    fixture.append(1);
    expect(fixture.log.highWatermark).toBe(41);
    await fixture.advance(2000);
    expect(fixture.folders()).toEqual([`${target}/orders-0`]);
    expect(fixture.failures).toEqual([]);
  });

  test('catches up with a partition that is written to in every turn', async () => {
    const fixture = await LogDirsFixture.start({ topic: SMALL_SEGMENTS });
    fixture.lead();
    fixture.append(30);
    const target = elsewhere(fixture);
    fixture.moves.alter(TP, target);
    const load = fixture.time.every(1, () => fixture.append(2));
    await fixture.advance(60);
    expect(fixture.log.logDir).toBe(target);
    load.cancel();
    const end = fixture.log.logEndOffset;
    expect(end).toBeGreaterThan(100);
    expect(fixture.values()).toEqual(numbered(end));
  });

  test('copies what is written while more waits for a disk that can’t keep up, and takes over when nothing does', async () => {
    const fixture = await LogDirsFixture.start();
    fixture.lead();
    fixture.append(10);
    let endWait = (): void => {};
    fixture.log.holdFirstWrite(new Promise<void>((resolve) => (endWait = resolve)));
    fixture.append(1);
    fixture.moves.alter(TP, DIR_B);
    await fixture.advance(100);
    expect([fixture.log.logDir, fixture.logManager.futureLog(TP)?.logEndOffset]).toEqual([DIR_A, 10]);
    endWait();
    await fixture.advance(100);
    expect([fixture.log.logDir, fixture.values()]).toEqual([DIR_B, numbered(11)]);
  });

  test('is held up by its throttle', async () => {
    const fixture = await LogDirsFixture.start();
    fixture.lead();
    for (let batch = 0; batch < 30; batch++) fixture.append(1, 'x'.repeat(100_000));
    fixture.quota.updateQuota(1_000_000);
    const target = elsewhere(fixture);
    fixture.moves.alter(TP, target);
    await fixture.advance(500);
    expect(fixture.log.logDir).not.toBe(target);
    const copied = fixture.logManager.futureLog(TP)?.sizeBytes ?? 0;
    expect(copied).toBeGreaterThan(500_000);
    expect(copied).toBeLessThan(2_100_000);
    await fixture.advance(5000);
    expect(fixture.log.logDir).toBe(target);
  });

  test('cuts what it has copied where the partition’s log is cut, and takes the new records', async () => {
    const fixture = await LogDirsFixture.start();
    fixture.lead();
    fixture.append(20, 'old');
    fixture.quota.updateQuota(1);
    const target = elsewhere(fixture);
    fixture.moves.alter(TP, target);
    await fixture.advance(1);
    expect(fixture.logManager.futureLog(TP)?.logEndOffset).toBe(20);
    // More to copy, so that the throttle holds it.
    fixture.append(1, 'old');
    await fixture.log.truncateTo(10);
    fixture.lead(2);
    fixture.append(15, 'new');
    fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
    await fixture.advance(100);
    expect(fixture.log.logDir).toBe(target);
    expect(fixture.values()).toEqual([...numbered(10, 'old'), ...numbered(25, 'new').slice(10)]);
    expect(fixture.log.epochEntries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 10 },
    ]);
  });

  test('begins anew where the partition’s log begins, when that has moved past what was copied', async () => {
    const fixture = await LogDirsFixture.start({ topic: SMALL_SEGMENTS });
    fixture.lead();
    fixture.append(5);
    fixture.quota.updateQuota(1);
    fixture.moves.alter(TP, elsewhere(fixture));
    await fixture.advance(1);
    fixture.append(30);
    fixture.log.maybeIncrementLogStartOffset(25);
    fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
    await fixture.advance(100);
    expect([fixture.log.logDir, fixture.log.logStartOffset, fixture.values()]).toEqual([DIR_B, 25, numbered(35).slice(25)]);
  });

  test.each([0, 15])(
    'begins anew where the partition’s log was cut below its own start, as at the word of an unclean leader (%d new records)',
    async (count) => {
      const fixture = await LogDirsFixture.start();
      fixture.lead();
      fixture.append(30, 'old');
      fixture.log.maybeIncrementLogStartOffset(25);
      fixture.quota.updateQuota(1);
      fixture.moves.alter(TP, elsewhere(fixture));
      await fixture.advance(1);
      expect(fixture.logManager.futureLog(TP)?.logStartOffset).toBe(25);
      // More to copy, so that the throttle holds it.
      fixture.append(1, 'old');
      await fixture.log.truncateTo(20);
      fixture.lead(2);
      fixture.append(count, 'new');
      fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
      await fixture.advance(100);
      expect([fixture.log.logDir, fixture.log.logStartOffset]).toEqual([DIR_B, 20]);
      expect(fixture.values()).toEqual(numbered(20 + count, 'new').slice(20));
    },
  );

  test('waits for an append that flush.messages holds back: it is answered, once, without an error', async () => {
    const fixture = await LogDirsFixture.start({ topic: { 'flush.messages': '1' } });
    const partition = fixture.lead();
    fixture.append(3);
    await fixture.advance(1);
    const answers: unknown[] = [];
    fixture.moves.alter(TP, elsewhere(fixture));
    const load = fixture.time.every(1, () => {
      partition.appendRecordsToLeader(batchOf(['x']), { origin: 'client', requiredAcks: 1, onWritten: (error) => answers.push(error) });
    });
    await fixture.advance(200);
    load.cancel();
    await fixture.advance(10);
    expect(fixture.log.logDir).toBe(DIR_B);
    expect(answers.length).toBe(fixture.log.logEndOffset - 3);
    expect(answers.filter((answer) => answer !== undefined)).toEqual([]);
  });

  test('is given up for a move back, and when the partition is deleted', async () => {
    const fixture = await LogDirsFixture.start({ topic: SMALL_SEGMENTS });
    fixture.lead();
    fixture.append(10);
    fixture.quota.updateQuota(1);
    fixture.moves.alter(TP, elsewhere(fixture));
    await fixture.advance(1);
    fixture.append(1);
    expect(fixture.moves.alter(TP, fixture.log.logDir)).toBe(ErrorCode.NONE);
    await fixture.advance(2000);
    expect([fixture.folders(), fixture.moves.movingCount]).toEqual([['/a/orders-0'], 0]);
    fixture.moves.alter(TP, elsewhere(fixture));
    await fixture.advance(1);
    fixture.partition?.delete();
    fixture.moves.cancel(TP);
    await fixture.logManager.asyncDelete(TP);
    await fixture.advance(2000);
    expect(fixture.folders()).toEqual([]);
  });

  test('lets the cleaner have the partition again, which goes on where it was', async () => {
    const fixture = await LogDirsFixture.start({
      topic: { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' },
    });
    fixture.lead();
    fixture.quota.updateQuota(1);
    fixture.append(1);
    fixture.moves.alter(TP, elsewhere(fixture));
    await fixture.advance(1);
    fixture.append(1);
    const state = (): string | undefined => fixture.logManager.describeCleaner().partitions[0]?.state;
    expect(state()).toBe('paused');
    fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
    await fixture.advance(100);
    expect([fixture.log.logDir, state()]).toEqual([DIR_B, 'idle']);
  });
});

describe('a move is refused', () => {
  test('to a folder that is none of log.dirs, or offline, and for a topic whose future folder could not be read back', async () => {
    const fixture = await LogDirsFixture.start();
    fixture.lead();
    expect(fixture.moves.alter(TP, '/elsewhere')).toBe(ErrorCode.LOG_DIR_NOT_FOUND);
    expect(fixture.moves.alter({ topic: 't'.repeat(240), partition: 0 }, DIR_B)).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    fixture.logManager.handleLogDirFailure(DIR_B, new Error('EIO'));
    expect(fixture.moves.alter(TP, DIR_B)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(fixture.moves.alter(TP, `${DIR_A}/`)).toBe(ErrorCode.NONE);
  });

  test('for a partition that is not here yet, which is then made in that folder', async () => {
    for (const dir of [DIR_A, DIR_B]) {
      const fixture = await LogDirsFixture.start();
      expect(fixture.moves.alter(TP, dir)).toBe(ErrorCode.REPLICA_NOT_AVAILABLE);
      fixture.lead();
      expect(fixture.log.logDir).toBe(dir);
    }
  });
});

describe('a disk that fails', () => {
  test('under the copy takes only its own folder offline; the partition goes on', async () => {
    const fixture = await LogDirsFixture.start();
    fixture.lead();
    fixture.append(5);
    fixture.disk.failAfter(3, { code: 'EIO', below: DIR_B });
    fixture.moves.alter(TP, DIR_B);
    await fixture.advance(100);
    expect([fixture.failures, fixture.moves.movingCount, fixture.log.logDir]).toEqual([[DIR_B], 0, DIR_A]);
    fixture.append(1);
    expect(fixture.values()).toHaveLength(6);
  });
});

describe('a move whose folder has failed while it waited', () => {
  test('gives way to one to another folder, after which the partition is cleaned again', async () => {
    const topic = { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' };
    const fixture = await LogDirsFixture.start({ topic, logDirs: [DIR_A, DIR_B, DIR_C] });
    fixture.lead();
    fixture.append(20);
    fixture.quota.updateQuota(1);
    fixture.quota.record(100_000);
    fixture.moves.alter(TP, DIR_B);
    fixture.logManager.handleLogDirFailure(DIR_B, new Error('gone'));
    expect(fixture.moves.alter(TP, DIR_C)).toBe(ErrorCode.NONE);
    fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
    await fixture.advance(1000);
    expect([fixture.log.logDir, fixture.moves.movingCount]).toEqual([DIR_C, 0]);
    await fixture.advance(60_000);
    expect(fixture.values().length).toBeLessThan(20);
  });
});

describe('a broker that dies at any call of the disk while a partition moves', () => {
  test.each(['keep', 'lose', 'tear'] as const)('has every flushed record when it comes back, and ends the move (%s)', async (mode) => {
    const total = await callsOfMove();
    expect(total).toBeGreaterThan(30);
    for (let call = 0; call <= total; call++) {
      const { fixture, move } = await prepared();
      fixture.disk.failAfter(call);
      await move().catch(() => {});
      fixture.disk.crash(new SeededRandom(call), mode);
      const after = await LogDirsFixture.start({ disk: fixture.disk, topic: SMALL_SEGMENTS, seed: 2 });
      expect(after.failures, `call ${call}`).toEqual([]);
      after.lead(9);
      expect(after.values(), `call ${call}`).toEqual(numbered(25));
      after.moves.alter(TP, DIR_B);
      await after.advance(3000);
      expect(after.folders(), `call ${call}`).toEqual(['/b/orders-0']);
      expect(after.values(), `call ${call}`).toEqual(numbered(25));
      expect(inconsistencyOf(after.log)).toBeUndefined();
    }
  });

  async function prepared(): Promise<{ fixture: LogDirsFixture; move: () => Promise<void> }> {
    const fixture = await LogDirsFixture.start({ topic: SMALL_SEGMENTS });
    fixture.lead();
    fixture.append(25);
    await fixture.log.flush();
    await fixture.logManager.checkpointRecoveryPoints();
    const move = async (): Promise<void> => {
      fixture.moves.alter(TP, DIR_B);
      await fixture.advance(2000);
    };
    return { fixture, move };
  }

  async function callsOfMove(): Promise<number> {
    const { fixture, move } = await prepared();
    const before = fixture.disk.calls;
    await move();
    expect(fixture.log.logDir).toBe(DIR_B);
    return fixture.disk.calls - before;
  }
});
