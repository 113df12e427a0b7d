import { describe, expect, test } from 'vitest';
import { sizeAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { crc32c } from '../../protocol/records/crc32c.ts';
import { buildRecordBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import { hasValidCrc, readBatchHeader } from '../../protocol/records/record-batch.ts';
import {
  append,
  batchOf,
  inconsistencyOf,
  logFixture,
  newLog,
  openLog,
  readAll,
  readBatches,
  marker,
  producerBatch,
  SMALL,
  values,
} from './testing/log-fixture.ts';
import type { LogFixture } from './testing/log-fixture.ts';

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

test('the first append after a start says that the disk fails, which it asks when the segment began', async () => {
  const fixture = logFixture();
  const before = newLog(fixture);
  append(fixture, before, batchOf(['a']));
  await before.close();
  const log = await openLog(fixture);
  fixture.disk.failAfter(0, { code: 'EIO' });
  expect(log.appendAsLeader(batchOf(['b']), { leaderEpoch: 5 })).toMatchObject({ ok: false, errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
  expect(log.isOffline).toBe(true);
});

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

  test("compresses with LZ4 at the topic's level, of which 9 is the fast one", () => {
    const text = Array.from({ length: 400 }, (_, id) =>
      JSON.stringify({ id, name: `user ${(id * 7919) % 1000}`, amount: (id * 31.7) % 977 }),
    );
    const sizes = ['9', '1', '12'].map((level) => {
      const fixture = logFixture();
      const log = newLog(fixture, { 'compression.type': 'lz4', 'compression.lz4.level': level });
      append(fixture, log, batchOf(text));
      expect(values(log)).toEqual(text);
      return log.sizeBytes;
    });
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(sizes).size).toBe(3);
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
