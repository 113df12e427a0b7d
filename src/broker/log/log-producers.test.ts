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
