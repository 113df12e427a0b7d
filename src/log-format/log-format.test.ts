/** The bytes of Kafka's files, against vectors that Apache Kafka's own classes wrote, and against anything at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCleanShutdown, encodeCleanShutdown } from './clean-shutdown.ts';
import { decodeEpochCheckpoint, decodeOffsetCheckpoint, encodeEpochCheckpoint, encodeOffsetCheckpoint } from './checkpoint.ts';
import { logDirName, markedDirName, parsePartitionDirName, parseSegmentFileName, segmentFileName } from './file-names.ts';
import { LogFormatError } from './log-format-error.ts';
import { decodeMetaProperties, encodeMetaProperties } from './meta-properties.ts';
import { OffsetIndex } from './offset-index.ts';
import { decodePartitionMetadata, encodePartitionMetadata } from './partition-metadata.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts';
import { TimeIndex } from './time-index.ts';
import { decodeTxnIndex, encodeAbortedTxn } from './txn-index.ts';

const T = 1_700_000_000_000;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Runs `decode` on any bytes: it must answer or throw LogFormatError. */
function survives(decode: (bytes: Buffer) => unknown): void {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decode(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(LogFormatError);
      }
    }),
    { numRuns: 300 },
  );
}

describe('offset index', () => {
  test('writes the bytes that Kafka writes', () => {
    const index = new OffsetIndex(0);
    index.append(3, 92);
    index.append(4, 162);
    expect(index.bytes.toString('hex')).toBe('000000030000005c00000004000000a2');
  });

  test('finds the last entry at or below an offset', () => {
    const index = OffsetIndex.fromFile(100, hex('000000030000005c00000007000000a2'));
    expect([99, 102, 103, 106, 107, 500].map((offset) => index.lookupPosition(offset))).toEqual([0, 0, 92, 92, 162, 162]);
    expect([0, 91, 92, 161, 162, 999].map((position) => index.lastPositionAtOrBelow(position))).toEqual([0, 0, 92, 92, 162, 162]);
  });

  test('stops at the zeros of a preallocated file, and keeps an entry of a batch at position 0 with one record', () => {
    const bytes = Buffer.alloc(80);
    hex('000000030000005c').copy(bytes);
    expect(OffsetIndex.fromFile(0, bytes).count).toBe(1);
  });

  test('refuses a torn entry and offsets that do not grow', () => {
    expect(() => OffsetIndex.fromFile(0, hex('000000030000005c0000'))).toThrow(LogFormatError);
    expect(() => OffsetIndex.fromFile(0, hex('000000030000005c00000003000000a2'))).toThrow(LogFormatError);
    expect(() => OffsetIndex.fromFile(0, hex('000000030000005c00000004000000a200000000000000000000000500000100'))).toThrow(LogFormatError);
  });

  test('truncates to the entries below an offset and goes on from there', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 100 }), fc.integer({ min: 0, max: 3000 }), (steps, cut) => {
        const index = new OffsetIndex(10);
        let offset = 10;
        const kept: number[] = [];
        for (const step of steps) {
          offset += step;
          index.append(offset, offset * 7);
          if (offset < cut) kept.push(offset);
        }
        index.truncateTo(cut);
        expect(Array.from({ length: index.count }, (_, slot) => index.entry(slot).offset)).toEqual(kept);
        expect(OffsetIndex.fromFile(10, Buffer.from(index.bytes)).lastOffset).toBe(index.lastOffset);
      }),
      { numRuns: 100 },
    );
  });

  test('answers or refuses whatever it reads', () => survives((bytes) => OffsetIndex.fromFile(0, bytes)));
});

describe('time index', () => {
  test('writes the bytes that Kafka writes', () => {
    const index = new TimeIndex(0);
    index.maybeAppend(T + 3, 3);
    index.maybeAppend(T + 4, 4);
    expect(index.bytes.toString('hex')).toBe('0000018bcfe56803000000030000018bcfe5680400000004');
  });

  test('takes only timestamps above the last one', () => {
    const index = new TimeIndex(0);
    expect([index.maybeAppend(T, 1), index.maybeAppend(T, 2), index.maybeAppend(T - 1, 3), index.maybeAppend(T + 1, 4)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(index.count).toBe(2);
  });

  test('finds the last entry at or below a time', () => {
    const index = TimeIndex.fromFile(0, hex('0000018bcfe56803000000030000018bcfe5680400000004'));
    expect(index.lookup(T + 2)).toEqual({ timestamp: -1, offset: 0 });
    expect(index.lookup(T + 3)).toEqual({ timestamp: T + 3, offset: 3 });
    expect(index.lookup(T + 99)).toEqual({ timestamp: T + 4, offset: 4 });
    index.truncateTo(4);
    expect(index.lastEntry).toEqual({ timestamp: T + 3, offset: 3 });
  });

  test('answers or refuses whatever it reads', () => survives((bytes) => TimeIndex.fromFile(0, bytes)));
});

describe('transaction index', () => {
  const golden = '000000000000000003e8000000000000000300000000000000040000000000000005';

  test('writes and reads the bytes that Kafka writes', () => {
    const txn = { producerId: 1000, firstOffset: 3, lastOffset: 4, lastStableOffset: 5 };
    expect(encodeAbortedTxn(txn).toString('hex')).toBe(golden);
    expect(decodeTxnIndex(hex(golden))).toEqual([txn]);
  });

  test('refuses a torn entry, another version, and markers out of order', () => {
    expect(() => decodeTxnIndex(hex(golden.slice(2)))).toThrow(LogFormatError);
    expect(() => decodeTxnIndex(hex(`0001${golden.slice(4)}`))).toThrow(LogFormatError);
    expect(() => decodeTxnIndex(hex(golden + golden))).toThrow(LogFormatError);
  });

  test('answers or refuses whatever it reads', () => survives(decodeTxnIndex));
});

describe('producer snapshot', () => {
  const open = '00017102652a0000000100000000000003e80000000000000000000000000003000000000000018bcfe56803ffffffff0000000000000003';
  const aborted = '000127dc42100000000100000000000003e80000000000000000000000000003000000000000018bcfe5680400000007ffffffffffffffff';
  const entry = { producerId: 1000, producerEpoch: 0, lastSequence: 0, lastOffset: 3, offsetDelta: 0 };

  test('reads and writes the bytes that Kafka writes', () => {
    const whileOpen = { ...entry, timestamp: T + 3, coordinatorEpoch: -1, currentTxnFirstOffset: 3 };
    const afterAbort = { ...entry, timestamp: T + 4, coordinatorEpoch: 7, currentTxnFirstOffset: -1 };
    expect(decodeProducerSnapshot(hex(open))).toEqual([whileOpen]);
    expect(decodeProducerSnapshot(hex(aborted))).toEqual([afterAbort]);
    expect(encodeProducerSnapshot([whileOpen], 1).toString('hex')).toBe(open);
    expect(encodeProducerSnapshot([afterAbort], 1).toString('hex')).toBe(aborted);
  });

  test('refuses every single flipped bit', () => {
    for (let bit = 0; bit < (open.length / 2) * 8; bit++) {
      const bytes = hex(open);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeProducerSnapshot(bytes)).toThrow(LogFormatError);
    }
  });

  test('answers or refuses whatever it reads', () => survives(decodeProducerSnapshot));
});

describe('checkpoints', () => {
  test('read and write topics, partitions and offsets', () => {
    const entries = [
      { topicPartition: { topic: 'a-b.c_d', partition: 12 }, offset: 42 },
      { topicPartition: { topic: '__consumer_offsets', partition: 0 }, offset: 9_007_199_254_740_991 },
    ];
    const text = '0\n2\na-b.c_d 12 42\n__consumer_offsets 0 9007199254740991\n';
    expect(encodeOffsetCheckpoint(entries)).toBe(text);
    expect(decodeOffsetCheckpoint(text)).toEqual(entries);
    expect(encodeEpochCheckpoint([{ epoch: 3, startOffset: 100 }])).toBe('0\n1\n3 100\n');
    expect(decodeEpochCheckpoint('0\n0\n')).toEqual([]);
  });

  test('refuse a count that lies, another version and a line that is cut', () => {
    for (const text of ['', '0', '1\n0\n', '0\n2\na 0 1\n', '0\n1\na 0\n', '0\n1\na 0 1\nb 0 2\n', '0\n1\na x 1\n']) {
      expect(() => decodeOffsetCheckpoint(text), JSON.stringify(text)).toThrow(LogFormatError);
    }
  });

  test('answer or refuse whatever they read', () => survives((bytes) => decodeOffsetCheckpoint(bytes.toString('latin1'))));
});

describe('names', () => {
  test('of segment files carry the base offset in 20 digits', () => {
    expect(segmentFileName(42, '.timeindex')).toBe('00000000000000000042.timeindex');
    expect(parseSegmentFileName('00000000000000000042.log.deleted')).toEqual({ offset: 42, suffix: '.log', state: '.deleted' });
    expect(parseSegmentFileName('leader-epoch-checkpoint')).toBeUndefined();
    expect(parseSegmentFileName('.log')).toBeUndefined();
  });

  test('of folders give back the partition, also of a topic with dashes', () => {
    const topicPartition = { topic: 'orders-eu-1', partition: 7 };
    const id = '0123456789abcdef0123456789abcdef';
    expect(parsePartitionDirName(logDirName(topicPartition))).toEqual({ topicPartition, kind: 'current' });
    for (const kind of ['delete', 'future', 'stray'] as const) {
      expect(parsePartitionDirName(markedDirName(topicPartition, id, `-${kind}`))).toEqual({ topicPartition, kind });
    }
    for (const name of ['lost+found', 'orders', 'orders-', '-3', 'orders-x', 'meta.properties'])
      expect(parsePartitionDirName(name), name).toBeUndefined();
  });

  test('of deleted folders fit a file name whatever the topic', () => {
    const name = markedDirName({ topic: 't'.repeat(249), partition: 123_456 }, 'f'.repeat(32), '-delete');
    expect(name).toHaveLength(255);
    expect(parsePartitionDirName(name)?.kind).toBe('delete');
  });
});

describe('small files', () => {
  test('meta.properties is read as Java writes it', () => {
    const text =
      '#\n#Fri Nov 24 10:00:00 UTC 2023\nbroker.id=1\nversion=0\ncluster.id=vPeOCWypqUOSepEvx0cbog\ndirectory.id=5v2NLSJ8T2mHFZXSLYd-Ug\n';
    expect(decodeMetaProperties(text)).toEqual({ brokerId: 1, clusterId: 'vPeOCWypqUOSepEvx0cbog', directoryId: '5v2NLSJ8T2mHFZXSLYd-Ug' });
    expect(encodeMetaProperties({ brokerId: 1, clusterId: 'vPeOCWypqUOSepEvx0cbog' }, 'Fri Nov 24 10:00:00 UTC 2023')).toBe(
      text.slice(0, text.indexOf('directory.id')),
    );
    expect(decodeMetaProperties('version = 0\r\ncluster.id : a\\=b\n')).toEqual({ clusterId: 'a=b' });
  });

  test('meta.properties of KRaft, or with a broker id that is none, is refused', () => {
    expect(() => decodeMetaProperties('version=1\nnode.id=1\n')).toThrow(/version 1/);
    expect(() => decodeMetaProperties('version=0\nbroker.id=one\n')).toThrow(LogFormatError);
  });

  test('partition.metadata has no line break at its end', () => {
    const id = 'vPeOCWypqUOSepEvx0cbog';
    expect(encodePartitionMetadata(id)).toBe(`version: 0\ntopic_id: ${id}`);
    expect(decodePartitionMetadata(`version: 0\ntopic_id: ${id}`)).toBe(id);
    expect(() => decodePartitionMetadata('version: 0\ntopic_id: short')).toThrow(LogFormatError);
    survives((bytes) => decodePartitionMetadata(bytes.toString('latin1')));
  });

  test('the mark of a clean shutdown tells the broker epoch where it has one', () => {
    expect(encodeCleanShutdown(42)).toBe('{"version":0,"brokerEpoch":42}');
    expect(['{"version":0,"brokerEpoch":42}', '', '{', 'null', '{"brokerEpoch":"x"}'].map(decodeCleanShutdown)).toEqual([
      42, -1, -1, -1, -1,
    ]);
  });
});
