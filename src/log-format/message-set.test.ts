import { describe, expect, test } from 'vitest';
import { BatchScanner } from './batch-scanner.ts';
import { readLogBatch, readLogRecords } from './log-batch.ts';
import { LogFormatError } from './log-format-error.ts';
import { goldenMessage, goldenMessageNames } from './testing/golden-messages.ts';

const T = 1_700_000_000_000;

function scan(bytes: Buffer): BatchScanner {
  return new BatchScanner((target, at, length, position) => bytes.copy(target, at, position, position + length), {
    from: 0,
    to: bytes.length,
    bodies: true,
    legacy: true,
  });
}

describe.each(goldenMessageNames)("Kafka's own messages, %s", (name) => {
  const magic = name.startsWith('v0') ? 0 : 1;
  const isCompressed = name.length > 2;

  test('are read with their offsets, times and checksums', () => {
    const scanner = scan(goldenMessage(name));
    const batches = [];
    const records = [];
    for (let scanned = scanner.next(); scanned !== undefined; scanned = scanner.next()) {
      const batch = readLogBatch(scanned);
      batches.push([batch.magic, batch.lastOffset, batch.isValid, batch.codec, batch.timestampType]);
      records.push(...readLogRecords(scanned, batch));
    }
    const type = magic === 0 ? 'NoTimestampType' : 'CreateTime';
    expect(batches).toEqual(
      isCompressed ? [[magic, 12, true, name.slice(2), type]] : [10, 11, 12].map((offset) => [magic, offset, true, 'none', type]),
    );
    expect(scanner.end?.kind).toBe('complete');
    const time = (at: number): number => (magic === 0 ? -1 : T + at);
    expect(
      records.map(({ offset, timestamp, key, value, checksum }) => [
        offset,
        timestamp,
        key?.toString(),
        value?.toString(),
        checksum?.isValid,
      ]),
    ).toEqual([
      [10, time(0), 'k1', 'v1', true],
      [11, time(1), undefined, 'v2', true],
      [12, time(2), 'k3', undefined, true],
    ]);
  });

  test('with any byte changed give records or a typed error', () => {
    const golden = goldenMessage(name);
    for (let at = 0; at < golden.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(golden);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const scanner = scan(bytes);
        try {
          for (let scanned = scanner.next(); scanned !== undefined; scanned = scanner.next())
            for (const record of readLogRecords(scanned, readLogBatch(scanned))) expect(record).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(LogFormatError);
        }
      }
    }
  });
});
