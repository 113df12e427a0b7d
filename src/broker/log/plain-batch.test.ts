import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { computeBatchCrc, CRC_OFFSET, MAX_TIMESTAMP_OFFSET } from '../../protocol/records/record-batch.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { LogConfig } from '../config/log-config.ts';
import { appendConfigOf } from './append-config.ts';
import type { AppendConfig } from './append-config.ts';
import { validateLeaderBatch } from './log-validator.ts';
import { plainBatchTimestamp } from './plain-batch.ts';

const NOW_MS = 1_700_000_000_000;
const configOf = (overrides: Record<string, string> = {}): AppendConfig => appendConfigOf(LogConfig.fromDefaults(overrides));
const batchOf = (
  timestamps: readonly number[],
  options: Parameters<typeof buildRecordBatch>[1] = {},
  record: { headers?: { key: string; value: Buffer }[] } = {},
): Buffer =>
  buildRecordBatch(
    timestamps.map((timestamp) => ({ timestamp, key: null, value: Buffer.from('value'), ...record })),
    options,
  );

function withBytes(batch: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const changed = Buffer.from(batch);
  for (const [position, value] of changes) changed[position % changed.length] = value;
  return changed;
}

function withCrc(batch: Buffer): Buffer {
  if (batch.length > CRC_OFFSET + 4) batch.writeUInt32BE(computeBatchCrc(batch, 0), CRC_OFFSET);
  return batch;
}

/** What the long way makes of it: the largest timestamp when the bytes stay as they came. */
function judged(batch: Buffer, config: AppendConfig): number | undefined {
  const copy = Buffer.from(batch);
  const outcome = validateLeaderBatch(copy, { config, origin: 'client', nowMs: NOW_MS });
  return outcome.ok && outcome.batch.equals(batch) ? outcome.maxTimestamp : undefined;
}

describe('the short way', () => {
  test.each([
    ['one record', batchOf([NOW_MS])],
    ['many', batchOf([NOW_MS, NOW_MS + 70, NOW_MS - 9000])],
    ['a producer that is idempotent', batchOf([NOW_MS], { producerId: 7, producerEpoch: 1, baseSequence: 0 })],
    ['a transaction', batchOf([NOW_MS], { producerId: 2 ** 40, producerEpoch: 1, baseSequence: 5, isTransactional: true })],
  ])('takes %s', (_name, batch) => {
    expect(plainBatchTimestamp(batch, configOf(), NOW_MS)).toBe(judged(batch, configOf()));
    expect(plainBatchTimestamp(batch, configOf(), NOW_MS)).toBeGreaterThan(0);
  });

  test.each([
    ['another codec', batchOf([NOW_MS], { codec: CompressionCodec.LZ4 }), configOf()],
    ['headers', batchOf([NOW_MS], {}, { headers: [{ key: 'h', value: Buffer.from('v') }] }), configOf()],
    ['a compacted topic', batchOf([NOW_MS]), configOf({ 'cleanup.policy': 'compact' })],
    ['a topic with a codec', batchOf([NOW_MS]), configOf({ 'compression.type': 'zstd' })],
    ['LogAppendTime', batchOf([NOW_MS]), configOf({ 'message.timestamp.type': 'LogAppendTime' })],
    ['a record without a timestamp where old ones are refused', batchOf([-1]), configOf({ 'message.timestamp.before.max.ms': '1000' })],
    ['what is too large', batchOf([NOW_MS]), configOf({ 'max.message.bytes': '20' })],
    ['what is too new', batchOf([NOW_MS + 10_000]), configOf({ 'message.timestamp.after.max.ms': '1000' })],
    ['what is too old', batchOf([NOW_MS - 10_000, NOW_MS]), configOf({ 'message.timestamp.before.max.ms': '1000' })],
    ['two batches', Buffer.concat([batchOf([NOW_MS]), batchOf([NOW_MS])]), configOf()],
    ['an offset', batchOf([NOW_MS], { baseOffset: 5 }), configOf()],
    ['a control batch', batchOf([NOW_MS], { producerId: 1, producerEpoch: 0, baseSequence: 0, isControl: true }), configOf()],
    ['a wrong largest timestamp', withCrc(withBytes(batchOf([NOW_MS]), [[MAX_TIMESTAMP_OFFSET + 7, 1]])), configOf()],
    ['nothing', Buffer.alloc(0), configOf()],
  ])('leaves %s to the long way', (_name, batch, config) => {
    expect(plainBatchTimestamp(batch, config, NOW_MS)).toBeNaN();
  });

  test('accepts no batch that the long way refuses or changes, whatever its bytes', () => {
    const shapes = fc.oneof(
      fc.constant(batchOf([NOW_MS, NOW_MS + 1, NOW_MS + 2])),
      fc.constant(batchOf([NOW_MS], { producerId: 9, producerEpoch: 1, baseSequence: 3, isTransactional: true })),
    );
    const changes = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 3 });
    let accepted = 0;
    fc.assert(
      fc.property(shapes, changes, fc.boolean(), fc.nat(3), (shape, changed, checksum, cut) => {
        const bytes = withBytes(shape, changed);
        const whole = checksum && bytes.readInt32BE(8) === bytes.length - 12 ? withCrc(bytes) : bytes;
        const batch = cut === 0 ? whole.subarray(0, whole.length - 1) : whole;
        const timestamp = plainBatchTimestamp(batch, configOf(), NOW_MS);
        if (Number.isNaN(timestamp)) return;
        accepted++;
        expect(timestamp).toBe(judged(batch, configOf()));
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
