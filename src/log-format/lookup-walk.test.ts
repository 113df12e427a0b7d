import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompressionCodec } from '../protocol/records/compression.ts';
import { buildRecordBatch } from '../protocol/records/record-batch-builder.ts';
import { IndexFile } from './index-file.ts';
import type { FileBytes } from './index-file.ts';
import { walkOffsetLookup, walkTimestampLookup } from './lookup-walk.ts';
import type { LookupWalk, WalkableSegment } from './lookup-walk.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

const fileOf = (bytes: Buffer): FileBytes => ({
  sizeBytes: bytes.length,
  readAt: (target, at, length, position) => bytes.copy(target, at, position, Math.min(bytes.length, position + length)),
});

function run(walk: Generator<undefined, LookupWalk, undefined>): LookupWalk {
  for (;;) {
    const { done, value } = walk.next();
    if (done === true) return value;
  }
}

/** Batches of the given sizes; each makes an index entry when `every` batches lie behind the last one. */
function segment(
  baseOffset: number,
  counts: readonly number[],
  every = 2,
  options: { readonly cutLog?: number; readonly noIndex?: boolean } = {},
): WalkableSegment {
  const index = new OffsetIndex(baseOffset);
  const times = new TimeIndex(baseOffset);
  const batches: Buffer[] = [];
  let position = 0;
  let offset = baseOffset;
  for (const [at, count] of counts.entries()) {
    const bytes = buildRecordBatch(
      Array.from({ length: count }, (_, record) => ({
        timestamp: 1_000 + (offset + record) * 10,
        value: Buffer.from(`v${offset + record}`),
      })),
      { baseOffset: offset, codec: at % 2 === 0 ? CompressionCodec.NONE : CompressionCodec.LZ4, partitionLeaderEpoch: 0 },
    );
    const lastOffset = offset + count - 1;
    if (at > 0 && at % every === 0) {
      index.append(lastOffset, position);
      times.maybeAppend(1_000 + lastOffset * 10, lastOffset);
    }
    batches.push(bytes);
    position += bytes.length;
    offset += count;
  }
  const log = Buffer.concat(batches);
  const files = {
    log: log.subarray(0, log.length - (options.cutLog ?? 0)),
    index: options.noIndex === true ? undefined : index.bytes,
    timeindex: options.noIndex === true ? undefined : times.bytes,
  };
  return { baseOffset, open: (file) => (files[file] === undefined ? undefined : fileOf(files[file])) };
}

describe('an offset look-up', () => {
  test('names the segment, the entries compared, the batches scanned and the record', () => {
    const log = [segment(0, [3, 3, 3, 3]), segment(12, [5, 5, 5, 5, 5])];
    const walk = run(walkOffsetLookup(log, 30));
    expect(walk.segments.map(({ baseOffset }) => baseOffset)).toEqual([12]);
    const [index] = walk.segments[0]?.indexes ?? [];
    expect(index?.entries).toBe(2);
    expect(index?.probes.map(({ low, high, entry, isAtOrBelow }) => [low, high, entry.slot, entry.offset, isAtOrBelow])).toEqual([
      [0, 2, 1, 36, false],
      [0, 1, 0, 26, true],
    ]);
    expect(index?.found?.offset).toBe(26);
    expect(walk.segments[0]?.scanFrom).toBe(index?.found?.position);
    expect(walk.segments[0]?.scanned.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
      [22, 26],
      [27, 31],
    ]);
    expect(walk.found?.record?.offset).toBe(30);
    expect(walk.found?.record?.value?.toString()).toBe('v30');
  });

  test('goes on in the next segment where the first has no such offset any more', () => {
    const walk = run(walkOffsetLookup([segment(0, [3]), segment(10, [3])], 7));
    expect(walk.segments.map(({ baseOffset, scannedCount }) => [baseOffset, scannedCount])).toEqual([
      [0, 1],
      [10, 1],
    ]);
    expect(walk.found?.record?.offset).toBe(10);
  });

  test('finds nothing below the first segment and behind the end, and names a torn tail', () => {
    expect(run(walkOffsetLookup([segment(5, [3])], 4))).toMatchObject({ segments: [], found: undefined });
    const torn = run(walkOffsetLookup([segment(0, [3, 3], 2, { cutLog: 4 })], 5));
    expect(torn.found).toBeUndefined();
    expect(torn.segments[0]?.damage?.reason).toMatch(/doesn't fit/);
  });

  test('reads the segment from its begin without an index', () => {
    const walk = run(walkOffsetLookup([segment(0, [3, 3, 3, 3, 3], 2, { noIndex: true })], 14));
    expect(walk.segments[0]).toMatchObject({ scanFrom: 0, scannedCount: 5, indexes: [{ entries: undefined }] });
  });
});

describe('a look-up by time', () => {
  test('asks each segment for its largest timestamp, then the time index, then the offset index', () => {
    const log = [segment(0, [3, 3, 3, 3]), segment(12, [5, 5, 5, 5, 5])];
    const walk = run(walkTimestampLookup(log, 1_000 + 300 - 5, 0));
    expect(walk.segmentTimes).toEqual([
      { baseOffset: 0, largestTimestamp: 1_110 },
      { baseOffset: 12, largestTimestamp: 1_360 },
    ]);
    expect(walk.segments[0]?.indexes.map(({ kind, target, found }) => [kind, target, found?.offset])).toEqual([
      ['time', 1_295, 26],
      ['offset', 26, 26],
    ]);
    expect(walk.found?.record?.offset).toBe(30);
  });

  test('finds nothing later than the last record, nor below the log start offset', () => {
    const log = [segment(0, [3, 3])];
    expect(run(walkTimestampLookup(log, 9_999, 0)).found).toBeUndefined();
    expect(run(walkTimestampLookup(log, 0, 4)).found?.record?.offset).toBe(4);
  });
});

test('ends where the indexes that the broker uses end, for any segment and offset', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(200),
      (counts, every, offset) => {
        const one = segment(0, counts, every);
        const file = one.open('index');
        const bytes = Buffer.alloc(file?.sizeBytes ?? 0);
        file?.readAt(bytes, 0, bytes.length, 0);
        const expected = OffsetIndex.fromFile(0, bytes).lookup(offset);
        const walk = run(walkOffsetLookup([one], offset));
        expect(walk.segments[0]?.scanFrom).toBe(expected.position);
        const end = counts.reduce((sum, count) => sum + count, 0);
        expect(walk.found?.record?.offset).toBe(offset < end ? offset : undefined);
        expect(run(walkTimestampLookup([one], 1_000 + offset * 10, 0)).found?.record?.offset).toBe(offset < end ? offset : undefined);
      },
    ),
  );
});

test('an index with a tail of zeros has the entries before it, and tells what is torn', () => {
  const entries = new OffsetIndex(100);
  for (let at = 1; at <= 5; at++) entries.append(100 + at * 7, at * 50);
  const index = new IndexFile('offset', 100, fileOf(Buffer.concat([entries.bytes, Buffer.alloc(8 * 1000 + 3)])));
  expect([index.count, index.zeroEntries, index.tornBytes]).toEqual([5, 1000, 3]);
  expect([...index.entries(3)].map(({ offset, position }) => [offset, position])).toEqual([
    [128, 200],
    [135, 250],
  ]);
});
