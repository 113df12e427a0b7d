import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../errors.ts';
import { goldenBatch, T } from '../testing/golden-batches.ts';
import { CompressionCodec, type CompressionCodec as Codec } from './compression.ts';
import {
  buildControlBatch,
  buildRecordBatch,
  ControlRecordType,
  readEndTransactionMarker,
  type RecordInput,
} from './record-batch-builder.ts';
import {
  ATTRIBUTES_OFFSET,
  batchSizeAt,
  computeBatchCrc,
  CRC_OFFSET,
  hasValidCrc,
  incrementSequence,
  iterateBatches,
  lastSequence,
  MAGIC_OFFSET,
  readBatchHeader,
  RECORD_COUNT_OFFSET,
  setBaseOffsetAndLeaderEpoch,
  setMaxTimestamp,
} from './record-batch.ts';
import { forEachRecord, iterateRecords, type KafkaRecord } from './record-reader.ts';
import { scanRecords } from './record-scan.ts';
import { validateBatch } from './validate-batch.ts';

const LIMIT = 1 << 20;
const text = (value: string): Buffer => Buffer.from(value);

describe('batches that Apache Kafka made', () => {
  it('are built byte for byte from the same records', () => {
    const records: RecordInput[] = [
      { timestamp: T, key: text('k'), value: text('v1'), headers: [{ key: 'h', value: text('x') }] },
      { timestamp: T + 1, value: text('v2') },
      { timestamp: T + 2, key: text('k') },
    ];
    expect(buildRecordBatch(records, { partitionLeaderEpoch: 0 }).toString('hex')).toBe(goldenBatch('threeRecords').toString('hex'));
    const transactional = buildRecordBatch([{ timestamp: T + 3, key: text('a'), value: text('b') }], {
      baseOffset: 3,
      partitionLeaderEpoch: 0,
      producerId: 1000,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    });
    expect(transactional.toString('hex')).toBe(goldenBatch('transactional').toString('hex'));
  });

  it.each([
    ['abortMarker', ControlRecordType.ABORT, 4],
    ['commitMarker', ControlRecordType.COMMIT, 5],
  ] as const)('%s is built byte for byte and read back', (name, type, offset) => {
    const built = buildControlBatch({
      type,
      coordinatorEpoch: 7,
      producerId: 1000,
      producerEpoch: 0,
      timestamp: T + offset,
      baseOffset: offset,
      partitionLeaderEpoch: 0,
    });
    expect(built.toString('hex')).toBe(goldenBatch(name).toString('hex'));
    const [record] = [...iterateRecords(built, LIMIT)];
    expect(readEndTransactionMarker(record!)).toEqual({ type, coordinatorEpoch: 7 });
  });

  it.each(['snappy', 'lz4', 'gzip'] as const)('%s: checksum, header and record are read', (name) => {
    const batch = goldenBatch(name);
    expect(hasValidCrc(batch, 0)).toBe(true);
    const records = [...iterateRecords(batch, LIMIT)];
    expect(records).toEqual([{ offset: 0, timestamp: T, key: text('k'), value: Buffer.alloc(32, 'v'), headers: [] }]);
    const outcome = validateBatch(batch, 0, { fromClient: true, openCompressed: true });
    expect(outcome).toMatchObject({ ok: true, scan: { nullKeys: 0, maxTimestampDelta: 0 } });
  });

  it('have the header that was written', () => {
    expect(readBatchHeader(goldenBatch('transactional'), 0)).toMatchObject({
      baseOffset: 3,
      lastOffset: 3,
      sizeInBytes: 70,
      partitionLeaderEpoch: 0,
      magic: 2,
      codec: 0,
      timestampType: 'CreateTime',
      isTransactional: true,
      isControl: false,
      baseTimestamp: T + 3,
      maxTimestamp: T + 3,
      producerId: 1000,
      producerEpoch: 0,
      baseSequence: 0,
      recordCount: 1,
    });
    expect(readBatchHeader(goldenBatch('abortMarker'), 0)).toMatchObject({ isControl: true, baseSequence: -1 });
  });
});

describe('changes in place', () => {
  it('base offset and leader epoch leave the checksum right', () => {
    const batch = goldenBatch('threeRecords');
    setBaseOffsetAndLeaderEpoch(batch, 0, 2 ** 40 + 5, 17);
    expect(hasValidCrc(batch, 0)).toBe(true);
    expect(readBatchHeader(batch, 0)).toMatchObject({ baseOffset: 2 ** 40 + 5, lastOffset: 2 ** 40 + 7, partitionLeaderEpoch: 17 });
  });

  it('LogAppendTime sets flag and time, computes the checksum anew, and gives each record that time', () => {
    const batch = goldenBatch('threeRecords');
    setMaxTimestamp(batch, 0, 'LogAppendTime', T + 99);
    expect(hasValidCrc(batch, 0)).toBe(true);
    expect([...iterateRecords(batch, LIMIT)].map((record) => record.timestamp)).toEqual([T + 99, T + 99, T + 99]);
    setMaxTimestamp(batch, 0, 'CreateTime', T + 2);
    expect(batch.equals(goldenBatch('threeRecords'))).toBe(true);
  });
});

describe('sequences', () => {
  it('go round from 2^31 - 1 to 0', () => {
    expect(incrementSequence(0x7fffffff, 1)).toBe(0);
    expect(incrementSequence(0x7ffffffe, 3)).toBe(1);
    expect(incrementSequence(5, 0)).toBe(5);
    expect(lastSequence({ baseSequence: -1, baseOffset: 0, lastOffset: 9 })).toBe(-1);
    expect(lastSequence({ baseSequence: 0x7fffffff, baseOffset: 10, lastOffset: 11 })).toBe(0);
  });
});

describe('several batches in one buffer', () => {
  const all = Buffer.concat([goldenBatch('threeRecords'), goldenBatch('transactional'), goldenBatch('abortMarker')]);

  it('are found one after the other', () => {
    expect([...iterateBatches(all)].map((batch) => readBatchHeader(batch, 0).baseOffset)).toEqual([0, 3, 4]);
  });

  it('end before a partial batch, wherever it is cut', () => {
    const whole = goldenBatch('threeRecords').length + goldenBatch('transactional').length;
    for (let cut = whole; cut < all.length; cut++) expect([...iterateBatches(all.subarray(0, cut))]).toHaveLength(2);
  });

  it('end before an impossible length', () => {
    for (const length of [-1, -(2 ** 31), 0, 4, 2 ** 31 - 1]) {
      const damaged = Buffer.from(all);
      damaged.writeInt32BE(length, goldenBatch('threeRecords').length + 8);
      expect([...iterateBatches(damaged)]).toHaveLength(1);
    }
    expect(batchSizeAt(Buffer.alloc(11), 0)).toBeUndefined();
  });
});

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const nullableBytes = fc.option(bytes, { nil: null });
const recordArbitrary: fc.Arbitrary<RecordInput> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 45 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 35, T)),
  key: nullableBytes,
  value: nullableBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: nullableBytes }), { maxLength: 3 }),
});
const codecs = Object.entries(CompressionCodec) as [string, Codec][];

describe.each(codecs)('with codec %s', (_name, codec) => {
  it('what was built is read back, and is valid', () => {
    fc.assert(
      fc.property(
        fc.array(recordArbitrary, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 2 ** 52 }),
        (records, baseOffset) => {
          const batch = buildRecordBatch(records, { baseOffset, codec });
          const expected = records.map((record, index) => ({ ...record, offset: baseOffset + index }));
          expect([...iterateRecords(batch, LIMIT)]).toEqual(expected);
          const outcome = validateBatch(batch, 0, { fromClient: true, openCompressed: true });
          expect(outcome).toMatchObject({ ok: true, scan: { nullKeys: records.filter((record) => record.key === null).length } });
          if (!outcome.ok || outcome.scan === undefined) return;
          const newest = Math.max(...records.map((record) => record.timestamp));
          expect(readBatchHeader(batch, 0).baseTimestamp + outcome.scan.maxTimestampDelta).toBe(newest);
          expect(records[outcome.scan.offsetDeltaOfMaxTimestamp]!.timestamp).toBe(newest);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a batch with any byte changed is refused or the change lies outside the checksum', () => {
    const batch = buildRecordBatch([{ timestamp: T, key: text('key'), value: Buffer.alloc(300, 'value') }], { codec });
    for (let position = MAGIC_OFFSET; position < batch.length; position++) {
      const damaged = Buffer.from(batch);
      damaged[position] = damaged[position]! ^ 0x41;
      expect(validateBatch(damaged, 0, { fromClient: true })).toMatchObject({ ok: false });
    }
  });

  it('damaged records under a right checksum end in a KafkaError or in records, never otherwise', () => {
    const batch = buildRecordBatch([{ timestamp: T, key: text('key'), value: Buffer.alloc(300, 'value') }], { codec });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: RECORD_COUNT_OFFSET, max: batch.length - 1 }), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const damaged = Buffer.from(batch);
          for (const [position, value] of changes) damaged[position] = value;
          damaged.writeUInt32BE(computeBatchCrc(damaged, 0), CRC_OFFSET);
          validateBatch(damaged, 0, { fromClient: true, openCompressed: true, maxDecompressedBytes: LIMIT });
          try {
            forEachRecord(damaged, LIMIT, () => undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(KafkaError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('records at the edges of their varints', () => {
  const lengths = [0, 1, 63, 64, 8191, 8192, 1_048_575, 1_048_576];
  const deltas = [0, -1, 63, 64, -64, -65, 8191, 8192, 1_048_575, 1_048_576, 2 ** 27 - 1, 2 ** 27, 2 ** 34, -(2 ** 34), 2 ** 45];

  it('are walked and read alike', () => {
    const records: RecordInput[] = [
      ...deltas.map((delta) => ({ timestamp: T + delta })),
      ...lengths.map((length) => ({ timestamp: T, key: Buffer.alloc(length), value: null })),
      ...lengths.map((length) => ({ timestamp: T, key: null, value: Buffer.alloc(length, 1) })),
    ];
    const batch = buildRecordBatch(records);
    expect(validateBatch(batch, 0, { fromClient: true })).toMatchObject({
      ok: true,
      scan: {
        nullKeys: deltas.length + lengths.length,
        minTimestampDelta: -(2 ** 34),
        maxTimestampDelta: 2 ** 45,
        offsetDeltaOfMaxTimestamp: deltas.length - 1,
      },
    });
    const read = [...iterateRecords(batch, batch.length)];
    expect(read.map((record) => [record.timestamp, record.key?.length, record.value?.length])).toEqual(
      records.map((record) => [record.timestamp, record.key?.length, record.value?.length]),
    );
  });

  it('are walked alike by the thousand, whose offset deltas grow over the edges', () => {
    const records = Array.from({ length: 20_000 }, (_, index) => ({ timestamp: T + (index % 7) }));
    const batch = buildRecordBatch(records);
    const scan = { nullKeys: 20_000, maxTimestampDelta: 6, offsetDeltaOfMaxTimestamp: 6 };
    expect(validateBatch(batch, 0, { fromClient: true })).toMatchObject({ ok: true, scan });
  });

  it('lengths of -2 and less, which mean nothing, are refused', () => {
    // length 6, attributes, timestamp delta, offset delta, key length, value length, header count
    for (const body of ['0c000000030100', '0c000000010300', '0c00000000017f', '0c000000010101']) {
      const records = Buffer.from(body, 'hex');
      expect(scanRecords(records, 0, records.length, 1).fault).toBeDefined();
    }
    const plain = Buffer.from('0c000000010100', 'hex');
    expect(scanRecords(plain, 0, plain.length, 1)).toMatchObject({ fault: undefined, nullKeys: 1 });
  });

  it('behind the end of what may be looked at are not seen', () => {
    const two = Buffer.from('0c0000000101000c000002010100', 'hex');
    expect(scanRecords(two, 0, 14, 2).fault).toBeUndefined();
    for (let end = 0; end < 14; end++)
      expect(scanRecords(two, 0, end, 2)).toMatchObject({ fault: expect.any(String) as string, faultIndex: end < 7 ? 0 : 1 });
  });
});

describe('a batch is refused', () => {
  const base = (): Buffer => goldenBatch('threeRecords');
  const resealed = (change: (batch: Buffer) => void): Buffer => {
    const batch = base();
    change(batch);
    batch.writeUInt32BE(computeBatchCrc(batch, 0), CRC_OFFSET);
    return batch;
  };

  it.each([
    ['cut off', base().subarray(0, 91), ErrorCode.CORRUPT_MESSAGE],
    ['empty', Buffer.alloc(0), ErrorCode.CORRUPT_MESSAGE],
    ['shorter than a header by its length', resealedLength(48), ErrorCode.CORRUPT_MESSAGE],
    ['of a negative length', resealedLength(-20), ErrorCode.CORRUPT_MESSAGE],
    ['of format 1', Buffer.from(base().fill(1, MAGIC_OFFSET, MAGIC_OFFSET + 1)), ErrorCode.INVALID_RECORD],
    ['of format 3', Buffer.from(base().fill(3, MAGIC_OFFSET, MAGIC_OFFSET + 1)), ErrorCode.CORRUPT_MESSAGE],
    ['with a lying count above', resealed((batch) => batch.writeInt32BE(4, RECORD_COUNT_OFFSET)), ErrorCode.INVALID_RECORD],
    ['with a lying count below', resealed((batch) => batch.writeInt32BE(2, RECORD_COUNT_OFFSET)), ErrorCode.INVALID_RECORD],
    ['with a negative count', resealed((batch) => batch.writeInt32BE(-3, RECORD_COUNT_OFFSET)), ErrorCode.INVALID_RECORD],
    ['with an unknown codec', resealed((batch) => batch.writeInt16BE(5, ATTRIBUTES_OFFSET)), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
    ['that is a control batch', resealed((batch) => batch.writeInt16BE(0x20, ATTRIBUTES_OFFSET)), ErrorCode.INVALID_RECORD],
    [
      'that is transactional without a producer',
      resealed((batch) => batch.writeInt16BE(0x10, ATTRIBUTES_OFFSET)),
      ErrorCode.INVALID_RECORD,
    ],
    [
      'with a producer and no sequence',
      buildRecordBatch([{ timestamp: T }], { producerId: 5, producerEpoch: 0 }),
      ErrorCode.INVALID_RECORD,
    ],
    ['with a gap in its offsets', buildRecordBatch([{ timestamp: T }, { timestamp: T, offset: 2 }]), ErrorCode.INVALID_RECORD],
  ] as const)('%s', (_what, batch, errorCode) => {
    expect(validateBatch(batch, 0, { fromClient: true })).toMatchObject({ ok: false, errorCode });
  });

  function resealedLength(length: number): Buffer {
    const batch = base();
    batch.writeInt32BE(length, 8);
    return batch;
  }

  it('without keys where the topic is compacted, compressed or not', () => {
    for (const [, codec] of codecs) {
      const batch = buildRecordBatch([{ timestamp: T, value: text('v') }], { codec });
      expect(validateBatch(batch, 0, { fromClient: true, requireKeys: true })).toMatchObject({
        ok: false,
        errorCode: ErrorCode.INVALID_RECORD,
      });
      expect(validateBatch(batch, 0, { fromClient: true })).toMatchObject({ ok: true });
    }
  });

  it('that decompresses to more than is allowed', () => {
    for (const codec of [1, 2, 3, 4] as const) {
      const batch = buildRecordBatch([{ timestamp: T, value: Buffer.alloc(LIMIT) }], { codec });
      const outcome = validateBatch(batch, 0, { fromClient: true, openCompressed: true, maxDecompressedBytes: LIMIT });
      expect(outcome).toMatchObject({ ok: false, errorCode: ErrorCode.MESSAGE_TOO_LARGE });
    }
  });
});

describe('a batch that compaction left behind', () => {
  it('may have gaps, fewer records than offsets, and none at all', () => {
    const gaps = buildRecordBatch(
      [
        { timestamp: T, key: text('a'), offset: 12 },
        { timestamp: T, key: text('b'), offset: 15 },
      ],
      { baseOffset: 10, lastOffset: 19, deleteHorizonMs: T + 5 },
    );
    expect(readBatchHeader(gaps, 0)).toMatchObject({ baseOffset: 10, lastOffset: 19, hasDeleteHorizon: true, baseTimestamp: T + 5 });
    expect(validateBatch(gaps, 0, { fromClient: false })).toMatchObject({ ok: true });
    const read: KafkaRecord[] = [...iterateRecords(gaps, LIMIT)];
    expect(read.map((record) => [record.offset, record.timestamp])).toEqual([
      [12, T],
      [15, T],
    ]);
    const empty = buildRecordBatch([], { baseOffset: 10, lastOffset: 19 });
    expect(validateBatch(empty, 0, { fromClient: false })).toMatchObject({ ok: true, scan: { maxTimestampDelta: -Infinity } });
    expect(readBatchHeader(empty, 0)).toMatchObject({ recordCount: 0, lastOffset: 19 });
  });
});
