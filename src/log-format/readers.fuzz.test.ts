/** Whatever is in a file: each reader ends, with a value or with a LogFormatError. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchScanner } from './batch-scanner.ts';
import { decodeEpochCheckpoint, decodeOffsetCheckpoint } from './checkpoint.ts';
import { decodeCleanShutdown } from './clean-shutdown.ts';
import { IndexFile, txnIndexEntries } from './index-file.ts';
import type { FileBytes } from './index-file.ts';
import { decodeOffsetsRecord, decodeTransactionRecord } from './internal-topic-records.ts';
import { MAX_BATCH_BYTES, readLogBatch, readLogRecords } from './log-batch.ts';
import { LogFormatError } from './log-format-error.ts';
import { walkOffsetLookup, walkTimestampLookup } from './lookup-walk.ts';
import { decodeMetaProperties } from './meta-properties.ts';
import { OffsetIndex } from './offset-index.ts';
import { decodePartitionMetadata } from './partition-metadata.ts';
import { decodeProducerSnapshot } from './producer-snapshot.ts';
import { goldenBatchesOfLog, goldenLogFolder } from './testing/log-folder.ts';
import { TimeIndex } from './time-index.ts';
import { decodeTxnIndex } from './txn-index.ts';

const fileOf = (bytes: Buffer): FileBytes => ({
  sizeBytes: bytes.length,
  readAt: (target, at, length, position) =>
    bytes.copy(target, at, Math.min(position, bytes.length), Math.min(bytes.length, position + length)),
});

function readLog(bytes: Buffer): void {
  const scanner = new BatchScanner(fileOf(bytes).readAt, {
    from: 0,
    to: bytes.length,
    bodies: true,
    legacy: true,
    maxBatchBytes: MAX_BATCH_BYTES,
  });
  for (let scanned = scanner.next(); scanned !== undefined; scanned = scanner.next())
    for (const _ of readLogRecords(scanned, readLogBatch(scanned)));
}

function drain(steps: Iterator<unknown>): void {
  while (steps.next().done !== true);
}

const readers: readonly ((bytes: Buffer) => void)[] = [
  readLog,
  (bytes) => [...new IndexFile('offset', 7, fileOf(bytes)).entries()],
  (bytes) => new IndexFile('time', 7, fileOf(bytes)).lookup(1e12),
  (bytes) => [...txnIndexEntries(fileOf(bytes))],
  (bytes) => OffsetIndex.fromFile(7, bytes),
  (bytes) => TimeIndex.fromFile(7, bytes),
  (bytes) => decodeTxnIndex(bytes),
  (bytes) => decodeProducerSnapshot(bytes),
  (bytes) => decodeOffsetCheckpoint(bytes.toString('utf8')),
  (bytes) => decodeEpochCheckpoint(bytes.toString('utf8')),
  (bytes) => decodePartitionMetadata(bytes.toString('utf8')),
  (bytes) => decodeMetaProperties(bytes.toString('utf8')),
  (bytes) => decodeCleanShutdown(bytes.toString('utf8')),
  (bytes) => decodeOffsetsRecord({ offset: 1, key: bytes, value: bytes }),
  (bytes) => decodeTransactionRecord({ offset: 1, key: bytes, value: bytes }),
  (bytes) => drain(walkOffsetLookup([{ baseOffset: 0, open: () => fileOf(bytes) }], 5)),
  (bytes) => drain(walkTimestampLookup([{ baseOffset: 0, open: () => fileOf(bytes) }], 5, 0)),
];

function expectTyped(read: () => void): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(LogFormatError);
  }
}

test('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
      for (const read of readers) expectTyped(() => read(Buffer.from(array)));
    }),
    { numRuns: 500 },
  );
});

test('files of a real folder with some of their bytes changed, cut anywhere', () => {
  const contents = [...goldenLogFolder().values()].map((content) => Buffer.from(content)).filter(({ length }) => length > 0);
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.constantFrom(...contents), fc.array(change, { maxLength: 4 }), fc.nat(), (content, changes, cut) => {
      const bytes = Buffer.from(content);
      for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
      const file = bytes.subarray(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length);
      for (const read of readers) expectTyped(() => read(file));
    }),
    { numRuns: 500 },
  );
});

test('every kind of batch with one byte changed', () => {
  for (const batch of goldenBatchesOfLog()) {
    for (let at = 0; at < batch.length; at++) {
      const bytes = Buffer.from(batch);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      expectTyped(() => readLog(bytes));
    }
  }
});
