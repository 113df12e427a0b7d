import { describe, expect, test } from 'vitest';
import { lastOffsetAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { append, batchOf, logFixture, newLog, readBatches, appendMany, SMALL } from './testing/log-fixture.ts';

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
