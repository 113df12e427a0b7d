import { describe, expect, test } from 'vitest';
import { lastOffsetAt, sizeAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { crc32c } from '../../protocol/records/crc32c.ts';
import { buildControlBatch, buildRecordBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import { hasValidCrc, readBatchHeader } from '../../protocol/records/record-batch.ts';
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
  readBatches,
  until,
} from './testing/log-fixture.ts';
import type { LogFixture } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const SMALL = { 'segment.bytes': '1000', 'index.interval.bytes': '100' };

function values(log: UnifiedLog, from = log.logStartOffset): (string | null)[] {
  return readAll(log, { from }).map((record) => record.value);
}

function appendMany(fixture: LogFixture, log: UnifiedLog, count: number): void {
  for (let index = 0; index < count; index++)
    append(fixture, log, batchOf([`value ${index} ${'x'.repeat(60)}`], { timestamp: fixture.time.wallMs() + index }));
}

/** Each write takes longer than what makes a log write asynchronously from then on. */
function slowWrites({ disk, time }: LogFixture): void {
  const write = disk.write.bind(disk);
  const monotonicMs = time.monotonicMs.bind(time);
  let spentMs = 0;
  time.monotonicMs = () => monotonicMs() + spentMs;
  disk.write = (...args) => {
    spentMs += 30;
    return write(...args);
  };
}

function producerBatch(
  values_: string[],
  sequence: number,
  options: { epoch?: number; transactional?: boolean; producerId?: number } = {},
): Buffer {
  return batchOf(values_, {
    producerId: options.producerId ?? 7,
    producerEpoch: options.epoch ?? 0,
    baseSequence: sequence,
    isTransactional: options.transactional ?? false,
  });
}

function marker(type: ControlRecordType, coordinatorEpoch = 0, producerId = 7): Buffer {
  return buildControlBatch({ type, coordinatorEpoch, producerId, producerEpoch: 0, timestamp: 1_700_000_000_000 });
}

describe('appending as leader', () => {
  test('gives offsets at once and moves the log end offset only when the bytes are written', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const completed: number[] = [];
    const first = log.appendAsLeader(batchOf(['a', 'b']), { leaderEpoch: 5, onComplete: () => completed.push(1) });
    const second = log.appendAsLeader(batchOf(['c']), { leaderEpoch: 5, onComplete: () => completed.push(2) });
    expect([first, second]).toMatchObject([
      { ok: true, firstOffset: 0, lastOffset: 1 },
      { ok: true, firstOffset: 2, lastOffset: 2 },
    ]);
    expect([log.logEndOffset, log.appendEndOffset, completed]).toEqual([0, 3, []]);
    expect(log.read(0, { maxBytes: 1000, maxOffset: 3 }).records).toEqual([]);
    fixture.time.runTurnEnd();
    expect([log.logEndOffset, log.appendEndOffset, completed]).toEqual([3, 3, [1, 2]]);
    expect(readAll(log)).toMatchObject([
      { offset: 0, value: 'a', leaderEpoch: 5 },
      { offset: 1, value: 'b' },
      { offset: 2, value: 'c' },
    ]);
  });

  test('writes all of a turn in one gathered write', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['first']));
    const before = fixture.disk.calls;
    for (let index = 0; index < 50; index++) log.appendAsLeader(batchOf([`value ${index}`]), { leaderEpoch: 0 });
    fixture.time.runTurnEnd();
    expect(fixture.disk.calls - before).toBe(1);
    expect(log.logEndOffset).toBe(51);
  });

  // A group that ends within the call that begins it was noted as being written for good: every later append hung, and settled() spun.
  test('goes on after a group without bytes (a duplicate) while the disk is slow', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    slowWrites(fixture);
    append(fixture, log, producerBatch(['first'], 0));
    const answered: string[] = [];
    log.appendAsLeader(producerBatch(['first'], 0), { leaderEpoch: 0, onComplete: () => answered.push('duplicate') });
    fixture.time.runTurnEnd();
    await fixture.time.settle();
    log.appendAsLeader(producerBatch(['second'], 1), { leaderEpoch: 0, onComplete: () => answered.push('second') });
    fixture.time.runTurnEnd();
    await fixture.time.settle();
    expect(answered).toEqual(['duplicate', 'second']);
    expect(log.logEndOffset).toBe(2);
    await log.settled();
  });

  test('tells all that waits when a slow disk fails at the roll of a segment', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    slowWrites(fixture);
    append(fixture, log, batchOf(['x'.repeat(700)]));
    fixture.disk.failAfter(1);
    const answered: boolean[] = [];
    for (let count = 0; count < 2; count++) {
      const result = log.appendAsLeader(batchOf(['x'.repeat(700)]), {
        leaderEpoch: 0,
        onComplete: (error) => answered.push(error === undefined),
      });
      if (!result.ok) answered.push(false);
      fixture.time.runTurnEnd();
      await fixture.time.settle();
    }
    expect(answered).toEqual([false, false]);
    await log.settled();
  });

  test('tells listeners once a group, before the appends are answered', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const heard: string[] = [];
    log.addListener({ onLogEndOffsetMoved: (moved) => heard.push(`end ${moved.logEndOffset}`) });
    for (let index = 0; index < 3; index++) log.appendAsLeader(batchOf(['x']), { leaderEpoch: 0, onComplete: () => heard.push('done') });
    fixture.time.runTurnEnd();
    expect(heard).toEqual(['end 3', 'done', 'done', 'done']);
  });

  test('goes to a new segment in the middle of a group, each with its own index and a producer snapshot of that offset', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    for (let index = 0; index < 40; index++) {
      expect(log.appendAsLeader(producerBatch([`${index} ${'x'.repeat(60)}`], index), { leaderEpoch: 0 }).ok).toBe(true);
    }
    fixture.time.runTurnEnd();
    expect(log.numberOfSegments).toBeGreaterThan(4);
    expect(log.segments.every((segment) => segment.sizeBytes <= 1000)).toBe(true);
    expect(values(log)).toHaveLength(40);
    expect(inconsistencyOf(log)).toBeUndefined();
    const second = log.segments[1]?.baseOffset ?? -1;
    fixture.disk.crash({ next: () => 0, int: () => 0, bytes: (n) => Buffer.alloc(n) }, 'keep');
    const reopened = await openLog(logFixture({ disk: fixture.disk }), SMALL, { recoveryPoint: second });
    expect(reopened.activeProducers.get(7)?.lastSequence).toBe(39);
  });

  test.each([
    ['a wrong checksum', ErrorCode.CORRUPT_MESSAGE, (batch: Buffer): Buffer => ((batch[65] = (batch[65] ?? 0) ^ 1), batch)],
    ['two batches', ErrorCode.INVALID_RECORD, (batch: Buffer): Buffer => Buffer.concat([batch, batchOf(['y'])])],
    ['half a batch', ErrorCode.CORRUPT_MESSAGE, (batch: Buffer): Buffer => batch.subarray(0, batch.length - 3)],
    ['no batch', ErrorCode.CORRUPT_MESSAGE, (): Buffer => Buffer.alloc(3)],
    ['a base offset that is not 0', ErrorCode.INVALID_RECORD, (): Buffer => batchOf(['x'], { baseOffset: 4 })],
    ['a control batch', ErrorCode.INVALID_RECORD, (): Buffer => marker(ControlRecordType.COMMIT)],
    ['a timestamp type of LogAppendTime', ErrorCode.INVALID_TIMESTAMP, (): Buffer => batchOf(['x'], { logAppendTime: 5 })],
    ['more than max.message.bytes', ErrorCode.MESSAGE_TOO_LARGE, (): Buffer => batchOf(['x'.repeat(600)])],
    ['more than segment.bytes', ErrorCode.RECORD_LIST_TOO_LARGE, (): Buffer => batchOf(['x'.repeat(350)])],
  ])('refuses %s and keeps nothing of it', (_what, errorCode, change) => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'max.message.bytes': '500', 'segment.bytes': '400' });
    const result = log.appendAsLeader(change(batchOf(['x'])), { leaderEpoch: 0 });
    expect(result).toMatchObject({ ok: false, errorCode });
    expect(log.appendEndOffset).toBe(0);
    expect(append(fixture, log, batchOf(['fine'])).firstOffset).toBe(0);
  });

  test('refuses records without a key in a compacted topic, compressed ones too', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'cleanup.policy': 'compact' });
    for (const codec of [CompressionCodec.NONE, CompressionCodec.ZSTD]) {
      expect(log.appendAsLeader(batchOf(['x'], { key: null, codec }), { leaderEpoch: 0 })).toMatchObject({
        errorCode: ErrorCode.INVALID_RECORD,
      });
      expect(log.appendAsLeader(batchOf(['x'], { codec }), { leaderEpoch: 0 }).ok).toBe(true);
    }
  });

  test('names the records without a key', () => {
    const log = newLog(logFixture(), { 'cleanup.policy': 'compact' });
    const keys = ['a', null, 'b', null].map((key) => (key === null ? null : Buffer.from(key)));
    for (const codec of [CompressionCodec.NONE, CompressionCodec.ZSTD]) {
      const result = log.appendAsLeader(
        buildRecordBatch(
          keys.map((key) => ({ timestamp: 5, key, value: null })),
          { codec },
        ),
        {
          leaderEpoch: 0,
        },
      );
      expect(result.ok ? [] : result.recordErrors.map((error) => error.batchIndex)).toEqual([1, 3]);
    }
  });

  test('refuses a record that is too old beside one without a timestamp', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'message.timestamp.before.max.ms': '1000' });
    const batch = (timestamps: readonly number[]): Buffer =>
      buildRecordBatch(timestamps.map((timestamp) => ({ timestamp, value: Buffer.from('x') })));
    const nowMs = fixture.time.wallMs();
    const result = log.appendAsLeader(batch([nowMs, -1, 5]), { leaderEpoch: 0 });
    expect(result).toMatchObject({ errorCode: ErrorCode.INVALID_TIMESTAMP, recordErrors: [{ batchIndex: 2 }] });
    expect(log.appendAsLeader(batch([nowMs, -1]), { leaderEpoch: 0 }).ok).toBe(true);
  });

  test('refuses timestamps outside of the limits and names the records', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '1000' });
    const nowMs = fixture.time.wallMs();
    const batch = buildRecordBatch([nowMs, nowMs - 5000, nowMs + 2000].map((timestamp) => ({ timestamp, value: Buffer.from('x') })));
    const result = log.appendAsLeader(batch, { leaderEpoch: 0 });
    expect(result).toMatchObject({ errorCode: ErrorCode.INVALID_TIMESTAMP });
    expect(result.ok ? [] : result.recordErrors.map((error) => error.batchIndex)).toEqual([1, 2]);
    expect(log.appendAsLeader(batchOf(['x'], { timestamp: nowMs + 2000, codec: CompressionCodec.GZIP }), { leaderEpoch: 0 })).toMatchObject(
      {
        errorCode: ErrorCode.INVALID_TIMESTAMP,
      },
    );
    expect(log.appendAsLeader(batchOf(['x'], { timestamp: nowMs }), { leaderEpoch: 0 }).ok).toBe(true);
  });

  test('stamps the append time with a right checksum when the topic says LogAppendTime', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'message.timestamp.type': 'LogAppendTime' });
    const result = log.appendAsLeader(batchOf(['a', 'b'], { timestamp: 5 }), { leaderEpoch: 0 });
    expect(result).toMatchObject({ logAppendTimeMs: fixture.time.wallMs() });
    fixture.time.runTurnEnd();
    const [batch] = readBatches(log);
    expect(batch === undefined ? false : hasValidCrc(batch, 0)).toBe(true);
    expect(readAll(log).map((record) => record.timestamp)).toEqual([fixture.time.wallMs(), fixture.time.wallMs()]);
  });

  test('mends a wrong maximum timestamp in the header', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const batch = batchOf(['a'], { timestamp: 1000 });
    batch.writeBigInt64BE(9_999_999n, 35);
    // The checksum must be right for the lie to get this far.
    const lying = Buffer.from(batch);
    lying.writeUInt32BE(crc32c(lying.subarray(21)), 17);
    expect(log.appendAsLeader(lying, { leaderEpoch: 0 })).toMatchObject({ ok: true });
    expect([readBatchHeader(lying, 0).maxTimestamp, hasValidCrc(lying, 0)]).toEqual([1000, true]);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'])('compresses anew when compression.type is %s', (type) => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'compression.type': type });
    append(fixture, log, producerBatch(['a'.repeat(200), 'b'], 0));
    append(fixture, log, batchOf(['c'], { codec: CompressionCodec.LZ4 }));
    const codec = { gzip: 1, snappy: 2, lz4: 3, zstd: 4, uncompressed: 0 }[type] ?? -1;
    expect([...readBatches(log)].map((batch) => readBatchHeader(batch, 0))).toMatchObject([
      { codec, producerId: 7, baseSequence: 0, baseOffset: 0, lastOffset: 1 },
      { codec, baseOffset: 2 },
    ]);
    expect(values(log)).toEqual(['a'.repeat(200), 'b', 'c']);
  });

  test('keeps a compressed batch as it came otherwise', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const batch = batchOf(['x'.repeat(100), 'y'], { codec: CompressionCodec.SNAPPY });
    const records = Buffer.from(batch.subarray(21));
    append(fixture, log, batch);
    expect([...readBatches(log)][0]?.subarray(21)).toEqual(records);
  });
});

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

describe('appending as follower', () => {
  function leaderBytes(count: number, overrides: Record<string, string> = {}): Buffer {
    const leader = logFixture();
    const log = newLog(leader, overrides);
    for (let index = 0; index < count; index++) append(leader, log, producerBatch([`value ${index}`], index), 3 + Math.floor(index / 10));
    return Buffer.concat([...readBatches(log)]);
  }

  test('keeps offsets and epochs, and knows the producers', () => {
    const fixture = logFixture();
    const log = newLog(fixture, { ...SMALL, 'segment.bytes': '500' });
    const bytes = leaderBytes(25);
    expect(log.appendAsFollower(bytes)).toMatchObject({ ok: true, firstOffset: 0, lastOffset: 24 });
    fixture.time.runTurnEnd();
    expect(log.epochEntries).toEqual([
      { epoch: 3, startOffset: 0 },
      { epoch: 4, startOffset: 10 },
      { epoch: 5, startOffset: 20 },
    ]);
    expect([log.activeProducers.get(7)?.lastSequence, log.numberOfSegments > 3, inconsistencyOf(log)]).toEqual([24, true, undefined]);
  });

  test('leaves out a batch that is cut short, and goes on with it whole', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const bytes = leaderBytes(4);
    expect(log.appendAsFollower(bytes.subarray(0, bytes.length - 1))).toMatchObject({ lastOffset: 2 });
    fixture.time.runTurnEnd();
    const rest = bytes.subarray([...Array(3).keys()].reduce((at) => at + sizeAt(bytes, at), 0));
    expect(log.appendAsFollower(rest)).toMatchObject({ firstOffset: 3, lastOffset: 3 });
    fixture.time.runTurnEnd();
    expect(values(log)).toHaveLength(4);
    let answered = false;
    expect(log.appendAsFollower(Buffer.alloc(5), { onComplete: () => (answered = true) })).toMatchObject({
      ok: true,
      firstOffset: 4,
      lastOffset: 3,
    });
    fixture.time.runTurnEnd();
    expect(answered).toBe(true);
  });

  test('refuses offsets that the log has, and damaged batches', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const bytes = leaderBytes(3);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
    expect(log.appendAsFollower(damaged)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE });
    expect(log.appendEndOffset).toBe(0);
    expect(log.appendAsFollower(bytes).ok).toBe(true);
    expect(log.appendAsFollower(bytes)).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD });
  });

  test('an empty log whose start lies inside the first batch begins with that batch', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const leader = logFixture();
    const leaderLog = newLog(leader);
    append(leader, leaderLog, batchOf(['a', 'b', 'c', 'd']));
    await log.truncateFullyAndStartAt(2);
    await fixture.time.settle();
    const bytes = Buffer.concat([...readBatches(leaderLog)]);
    expect(log.appendAsFollower(bytes)).toMatchObject({ ok: true, firstOffset: 0, lastOffset: 3 });
    await fixture.time.settle();
    expect([log.logStartOffset, log.logEndOffset]).toEqual([2, 4]);
    expect(readAll(log).map((record) => record.offset)).toEqual([0, 1, 2, 3]);
  });
});

describe('reading', () => {
  test('finds every offset in every segment, from memory and from the files alike', () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    for (let index = 0; index < 60; index++) append(fixture, log, batchOf([`${index}a`, `${index}b ${'x'.repeat(40)}`]));
    for (const kind of ['tail', 'file']) {
      if (kind === 'file') fixture.context.tail.expire(Infinity);
      for (let offset = 0; offset < 120; offset++) {
        const read = log.read(offset, { maxBytes: 1, maxOffset: 120, minOneMessage: true });
        expect(read.records[0] === undefined ? -1 : lastOffsetAt(read.records[0], 0), `${kind} ${offset}`).toBe(offset | 1);
      }
    }
    expect(fixture.context.stats.fileReads.count).toBeGreaterThan(100);
  });

  test('gives whole batches up to the bytes asked for and below the bound', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    const sizeBytes = batchOf(['x']).length;
    for (let index = 0; index < 10; index++) append(fixture, log, batchOf(['x']));
    for (const kind of ['tail', 'file']) {
      if (kind === 'file') fixture.context.tail.expire(Infinity);
      const size = (from: number, maxBytes: number, maxOffset: number): number => log.read(from, { maxBytes, maxOffset }).sizeBytes;
      expect(
        [size(0, sizeBytes * 3 + 5, 10), size(2, 10_000, 5), size(5, 10_000, 5), size(7, 10_000, 5), size(10, 10_000, 10)],
        kind,
      ).toEqual([sizeBytes * 3, sizeBytes * 3, 0, 0, 0]);
    }
  });

  test('gives a first batch larger than asked for only when told to', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['x'.repeat(500)]));
    for (const kind of ['tail', 'file']) {
      if (kind === 'file') fixture.context.tail.expire(Infinity);
      expect(log.read(0, { maxBytes: 10, maxOffset: 1 }), kind).toMatchObject({ sizeBytes: 0, firstEntryIncomplete: true });
      expect(log.read(0, { maxBytes: 10, maxOffset: 1, minOneMessage: true }).sizeBytes, kind).toBe(log.sizeBytes);
    }
  });

  test('from disk, nothing is read of a large batch that would be cut short', () => {
    const fixture = logFixture({ limits: { maxTailBytes: 0 } });
    const log = newLog(fixture);
    for (let index = 0; index < 12; index++) append(fixture, log, batchOf(['x'.repeat(20_000)]));
    const batchBytes = log.sizeBytes / 12;
    const read = (from: number, maxBytes: number) => log.read(from, { maxBytes, maxOffset: 12, minOneMessage: true });
    // Of the buffer that was read into, what is returned is all: half a batch more was allowed.
    const [piece] = read(3, batchBytes * 2.5).records;
    expect([piece?.length, piece?.buffer.byteLength]).toEqual([batchBytes * 2, batchBytes * 2]);
    expect([0, 2, 4, 6, 8, 10].map((offset) => read(offset, batchBytes * 2.5).sizeBytes)).toEqual(Array(6).fill(batchBytes * 2));
    expect([read(11, batchBytes * 5).sizeBytes, read(0, 1).sizeBytes]).toEqual([batchBytes, batchBytes]);
  });

  test('refuses offsets outside of the log', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    await log.truncateFullyAndStartAt(10);
    await fixture.time.settle();
    append(fixture, log, batchOf(['x']));
    const code = (offset: number): number => log.read(offset, { maxBytes: 100, maxOffset: 99 }).errorCode;
    expect([code(9), code(10), code(11), code(12)]).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, 0, 0, ErrorCode.OFFSET_OUT_OF_RANGE]);
  });

  test('counts the bytes between two offsets, across segments', () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    appendMany(fixture, log, 30);
    let expected = 0;
    for (const batch of readBatches(log, { from: 4, to: 27 })) expected += batch.length;
    expect(log.bytesBetween(4, 27)).toBe(expected);
    expect([log.bytesBetween(0, 30), log.bytesBetween(8, 8), log.bytesBetween(9, 8)]).toEqual([log.sizeBytes, 0, 0]);
  });

  test('reads on while what it gave is overwritten by nothing: views stay valid after more appends', () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['first']));
    const read = log.read(0, { maxBytes: 1000, maxOffset: 1 });
    const copy = Buffer.concat(read.records);
    for (let index = 0; index < 300; index++) append(fixture, log, batchOf([`later ${index}`]));
    expect(Buffer.concat(read.records)).toEqual(copy);
  });
});

describe('looking up by time', () => {
  test('finds the first record at or after a time, inside batches, compressed ones too', () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    for (let index = 0; index < 50; index++) {
      const records = [0, 1, 2].map((step) => ({ timestamp: 1000 + index * 30 + step * 10, value: Buffer.from('x'.repeat(30)) }));
      append(fixture, log, buildRecordBatch(records, { codec: index % 2 === 0 ? CompressionCodec.NONE : CompressionCodec.LZ4 }), 2);
    }
    for (let timestamp = 995; timestamp < 2490; timestamp += 7) {
      const offset = Math.max(0, Math.ceil((timestamp - 1000) / 10));
      expect(log.fetchOffsetByTimestamp(timestamp)).toEqual({ timestamp: 1000 + offset * 10, offset, leaderEpoch: 2 });
    }
    expect(log.fetchOffsetByTimestamp(2491)).toBeUndefined();
  });

  test('answers the special times', () => {
    const fixture = logFixture();
    const log = newLog(fixture, SMALL);
    expect(log.fetchOffsetByTimestamp(-3)).toBeUndefined();
    for (const timestamp of [50, 90, 70, 90, 20]) append(fixture, log, batchOf(['x', 'y'], { timestamp }), 4);
    expect(log.fetchOffsetByTimestamp(-1)).toEqual({ timestamp: -1, offset: 10, leaderEpoch: 4 });
    expect(log.fetchOffsetByTimestamp(-2)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: 4 });
    expect(log.fetchOffsetByTimestamp(-3)).toEqual({ timestamp: 90, offset: 2, leaderEpoch: 4 });
    log.updateHighWatermark(10);
    log.deleteRecordsTo(5);
    expect(log.fetchOffsetByTimestamp(-2)).toEqual({ timestamp: -1, offset: 5, leaderEpoch: 4 });
    expect(log.fetchOffsetByTimestamp(60)).toMatchObject({ timestamp: 70, offset: 5 });
  });
});

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
