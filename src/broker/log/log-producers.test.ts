import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import {
  append,
  batchOf,
  DIRECTORY,
  logFixture,
  newLog,
  openLog,
  appendMany,
  marker,
  producerBatch,
  SMALL,
} from './testing/log-fixture.ts';

describe('idempotent producers', () => {
  test('get the offsets of the first time for any of the last five batches, and nothing is written', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    for (let sequence = 0; sequence < 6; sequence++) append(fixture, log, producerBatch(['x'], sequence));
    const sizeBytes = log.sizeBytes;
    for (let sequence = 1; sequence < 6; sequence++) {
      expect(log.appendAsLeader(producerBatch(['x'], sequence), { leaderEpoch: 0 })).toMatchObject({
        ok: true,
        isDuplicate: true,
        firstOffset: sequence,
        lastOffset: sequence,
      });
    }
    expect(log.appendAsLeader(producerBatch(['x'], 0), { leaderEpoch: 0 })).toMatchObject({
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
    fixture.time.runTurnEnd();
    expect([log.sizeBytes, log.logEndOffset]).toEqual([sizeBytes, 6]);
  });

  test('a repeated batch is answered only when the first one is written', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const answered: string[] = [];
    log.appendAsLeader(producerBatch(['x'], 0), { leaderEpoch: 0, onComplete: () => answered.push(`first at ${log.logEndOffset}`) });
    log.appendAsLeader(producerBatch(['x'], 0), { leaderEpoch: 0, onComplete: () => answered.push(`again at ${log.logEndOffset}`) });
    expect(answered).toEqual([]);
    fixture.time.runTurnEnd();
    expect(answered).toEqual(['first at 1', 'again at 1']);
  });

  test('must go on where they were, and begin a new epoch with sequence 0', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const code = (batch: Buffer): number => {
      const result = log.appendAsLeader(batch, { leaderEpoch: 0 });
      return result.ok ? 0 : result.errorCode;
    };
    expect([
      code(producerBatch(['a', 'b'], 5)), // unknown producer: any sequence
      code(producerBatch(['c'], 8)), // 7 is missing
      code(producerBatch(['c'], 7)),
      code(producerBatch(['d'], 3, { epoch: 1 })), // a new epoch begins with 0
      code(producerBatch(['d'], 0, { epoch: 1 })),
      code(producerBatch(['e'], 8)), // the old epoch
    ]).toEqual([0, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 0, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 0, ErrorCode.INVALID_PRODUCER_EPOCH]);
  });

  test('may go round from 2^31 - 1 to 0', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, producerBatch(['a', 'b'], 0x7fff_fffe));
    append(fixture, log, producerBatch(['c'], 0));
    expect(log.appendAsLeader(producerBatch(['a', 'b'], 0x7fff_fffe), { leaderEpoch: 0 })).toMatchObject({
      isDuplicate: true,
      firstOffset: 0,
      lastOffset: 1,
    });
  });

  test('are known after the log was opened again, also by what the log alone says', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    for (let sequence = 0; sequence < 30; sequence++) append(fixture, log, producerBatch(['x'.repeat(50)], sequence));
    await Promise.all([log.close(), fixture.time.settle()]);
    for (const hadCleanShutdown of [true, false]) {
      for (const file of fixture.disk.list(DIRECTORY))
        if (!hadCleanShutdown && file.name.endsWith('.snapshot')) fixture.disk.remove(`${DIRECTORY}/${file.name}`);
      const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), SMALL, { hadCleanShutdown });
      expect(again.appendAsLeader(producerBatch(['x'.repeat(50)], 29), { leaderEpoch: 0 })).toMatchObject({
        isDuplicate: true,
        firstOffset: 29,
      });
    }
  });

  test.each([
    ['in one segment', {}],
    ['in several segments', SMALL],
  ])('are known by their last five batches also where a snapshot tells only the last (%s)', async (_, config) => {
    const fixture = logFixture();
    const log = newLog(fixture, config);
    for (let sequence = 0; sequence < 60; sequence += 2) {
      append(fixture, log, producerBatch(['x'.repeat(20), 'y'], sequence));
      append(fixture, log, batchOf(['of another']));
      append(fixture, log, producerBatch(['of another'], sequence / 2, { producerId: 2 }));
    }
    await Promise.all([log.close(), fixture.time.settle()]);
    const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), config, {
      hadCleanShutdown: true,
      recoveryPoint: 120,
    });
    expect([...again.activeProducers.values()].map(({ batches }) => batches.length)).toEqual([1, 1]);
    const { logEndOffset } = again;
    for (const sequence of [52, 58, 50, 54, 56]) {
      expect(again.appendAsLeader(producerBatch(['x'.repeat(20), 'y'], sequence), { leaderEpoch: 0 })).toMatchObject({
        ok: true,
        isDuplicate: true,
        firstOffset: sequence * 2,
        lastOffset: sequence * 2 + 1,
      });
    }
    // The sixth, one that isn't there, and one that is too far ahead.
    for (const batch of [producerBatch(['a', 'b'], 48), producerBatch(['a'], 52), producerBatch(['a'], 62)])
      expect(again.appendAsLeader(batch, { leaderEpoch: 0 })).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER });
    fixture.time.runTurnEnd();
    expect(again.logEndOffset).toBe(logEndOffset);
    expect(append(fixture, again, producerBatch(['z'], 60)).firstOffset).toBe(logEndOffset);
    expect(again.appendAsLeader(producerBatch(['x'.repeat(20), 'y'], 52), { leaderEpoch: 0 })).toMatchObject({ isDuplicate: true });
  });

  test('of another epoch than the last are not looked for', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    for (let sequence = 0; sequence < 3; sequence++) append(fixture, log, producerBatch(['x'], sequence));
    append(fixture, log, producerBatch(['x'], 0, { epoch: 1 }));
    await Promise.all([log.close(), fixture.time.settle()]);
    const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), {}, { hadCleanShutdown: true, recoveryPoint: 4 });
    const code = (batch: Buffer): unknown => {
      const result = again.appendAsLeader(batch, { leaderEpoch: 0 });
      return result.ok ? `at ${result.firstOffset}` : result.errorCode;
    };
    expect([
      code(producerBatch(['x'], 2)),
      code(producerBatch(['x'], 2, { epoch: 1 })),
      code(producerBatch(['x'], 0, { epoch: 1 })),
    ]).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'at 3']);
  });

  test('may go round from 2^31 - 1 to 0 also where a snapshot tells only the last batch', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, producerBatch(['a', 'b'], 0x7fff_fffc));
    append(fixture, log, producerBatch(['c', 'd'], 0x7fff_fffe));
    append(fixture, log, producerBatch(['e'], 0));
    await Promise.all([log.close(), fixture.time.settle()]);
    const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), {}, { hadCleanShutdown: true, recoveryPoint: 5 });
    expect(again.appendAsLeader(producerBatch(['a', 'b'], 0x7fff_fffc), { leaderEpoch: 0 })).toMatchObject({
      isDuplicate: true,
      firstOffset: 0,
    });
    expect(again.appendAsLeader(producerBatch(['c', 'd'], 0x7fff_fffe), { leaderEpoch: 0 })).toMatchObject({
      isDuplicate: true,
      firstOffset: 2,
    });
  });

  test('are forgotten after producer.id.expiration.ms, but not with an open transaction', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, producerBatch(['x'], 0, { producerId: 1 }));
    append(fixture, log, producerBatch(['x'], 0, { producerId: 2, transactional: true }));
    log.removeExpiredProducers(1_700_000_000_000 + 86_400_000);
    expect([...log.activeProducers.keys()]).toEqual([2]);
  });
});

describe('transactions', () => {
  test('hold the last stable offset until they are decided and the decision is committed', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['before']));
    append(fixture, log, producerBatch(['in'], 0, { transactional: true }));
    append(fixture, log, batchOf(['after']));
    log.updateHighWatermark(3);
    expect(log.lastStableOffset).toBe(1);
    expect(log.appendAsLeader(marker(ControlRecordType.COMMIT), { leaderEpoch: 0, origin: 'coordinator' }).ok).toBe(true);
    fixture.time.runTurnEnd();
    log.updateHighWatermark(3);
    expect(log.lastStableOffset).toBe(1);
    log.updateHighWatermark(4);
    expect(log.lastStableOffset).toBe(4);
  });

  test('that were aborted are told to readers of what they overlap with, and to no others', () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    appendMany(fixture, log, 5);
    append(fixture, log, producerBatch(['gone'], 0, { transactional: true }));
    appendMany(fixture, log, 20);
    log.appendAsLeader(marker(ControlRecordType.ABORT, 3), { leaderEpoch: 0, origin: 'coordinator' });
    fixture.time.runTurnEnd();
    appendMany(fixture, log, 20);
    const aborted = (from: number, maxBytes: number): unknown =>
      log.read(from, { maxBytes, maxOffset: log.logEndOffset, includeAbortedTransactions: true }).abortedTransactions;
    expect(aborted(0, 200)).toEqual([]);
    expect(aborted(3, 900)).toMatchObject([{ producerId: 7, firstOffset: 5 }]);
    expect(aborted(12, 500)).toMatchObject([{ producerId: 7, firstOffset: 5 }]);
    expect(aborted(30, 500)).toEqual([]);
  });

  test('refuse a write outside of them and the marker of an old coordinator', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, producerBatch(['in'], 0, { transactional: true }));
    expect(log.appendAsLeader(producerBatch(['out'], 1), { leaderEpoch: 0 })).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE });
    log.appendAsLeader(marker(ControlRecordType.ABORT, 5), { leaderEpoch: 0, origin: 'coordinator' });
    expect(log.appendAsLeader(marker(ControlRecordType.COMMIT, 4), { leaderEpoch: 0, origin: 'coordinator' })).toMatchObject({
      errorCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    });
  });
});
