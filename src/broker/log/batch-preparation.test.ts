import { afterAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { readBatchHeader } from '../../protocol/records/record-batch.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import { NodeOffload } from '../../runtime/node/node-offload.ts';
import { LogConfig } from '../config/log-config.ts';
import { appendConfigOf } from './append-config.ts';
import type { AppendConfig } from './append-config.ts';
import { isWorkForWorker, prepareInWorker } from './batch-preparation.ts';
import { validateLeaderBatch } from './log-validator.ts';

const NOW_MS = 1_700_000_000_000;
const configOf = (overrides: Record<string, string>): AppendConfig => appendConfigOf(LogConfig.fromDefaults(overrides));

/** About so many bytes once compressed, as random values are not. */
function batch(bytes: number, options: { codec?: CompressionCodec; key?: string | null } = {}): Buffer {
  const { codec = CompressionCodec.NONE, key = 'k' } = options;
  let seed = 1;
  const noise = Buffer.from(Array.from({ length: Math.floor(bytes / 10) }, () => (seed = (seed * 48271) % 0x7fffffff) & 0xff));
  const values = Array.from({ length: 10 }, (_, index) => Buffer.concat([noise, Buffer.from(String(index))]));
  if (codec !== CompressionCodec.NONE)
    for (const value of values) for (let at = 0; at < value.length; at++) value[at] = (seed = (seed * 48271) % 0x7fffffff) & 0xff;
  return buildRecordBatch(
    values.map((value) => ({ timestamp: NOW_MS, key: key === null ? null : Buffer.from(key), value })),
    { codec },
  );
}

describe('what goes to a worker', () => {
  const compact = configOf({ 'cleanup.policy': 'compact' });
  const gzip = configOf({ 'compression.type': 'gzip' });
  const zstd = configOf({ 'compression.type': 'zstd' });

  test('a large compressed batch for a compacted topic, whose keys must be looked at', () => {
    expect(isWorkForWorker(batch(60_000, { codec: CompressionCodec.LZ4 }), compact)).toBe(true);
    expect(isWorkForWorker(batch(20_000, { codec: CompressionCodec.LZ4 }), compact)).toBe(false);
    expect(isWorkForWorker(batch(1_000_000), compact)).toBe(false);
  });

  test('a large one that gets another codec, gzip sooner than others', () => {
    expect(isWorkForWorker(batch(20_000), gzip)).toBe(true);
    expect(isWorkForWorker(batch(20_000), zstd)).toBe(false);
    expect(isWorkForWorker(batch(70_000), zstd)).toBe(true);
    expect(isWorkForWorker(batch(40_000, { codec: CompressionCodec.LZ4 }), zstd)).toBe(true);
    expect(isWorkForWorker(batch(40_000, { codec: CompressionCodec.ZSTD }), zstd)).toBe(false);
  });

  test("LZ4's high compression as soon as gzip, its fast one later", () => {
    expect(isWorkForWorker(batch(20_000), configOf({ 'compression.type': 'lz4', 'compression.lz4.level': '4' }))).toBe(true);
    expect(isWorkForWorker(batch(20_000), configOf({ 'compression.type': 'lz4' }))).toBe(false);
  });

  test('nothing that is stored as it came', () => {
    expect(isWorkForWorker(batch(1_000_000, { codec: CompressionCodec.ZSTD }), configOf({}))).toBe(false);
  });
});

describe('in a worker', () => {
  const offload = new NodeOffload();
  afterAll(() => offload.close());

  test('a batch is opened and compressed as on the event loop, and the bytes that came stay as they are', async () => {
    const config = configOf({ 'compression.type': 'zstd', 'message.timestamp.type': 'LogAppendTime' });
    const records = batch(100_000);
    const before = Buffer.from(records);
    const prepared = await prepareInWorker(offload, records, config, NOW_MS + 5);
    expect(records.equals(before)).toBe(true);
    const here = validateLeaderBatch(records, { config, origin: 'client', nowMs: NOW_MS + 5 });
    if (!prepared.ok || !here.ok) throw new Error('refused');
    expect(prepared.batch.equals(here.batch)).toBe(true);
    expect(readBatchHeader(prepared.batch, 0)).toMatchObject({ codec: CompressionCodec.ZSTD, maxTimestamp: NOW_MS + 5, recordCount: 10 });
    expect([...iterateRecords(prepared.batch, 1e7)]).toHaveLength(10);
  });

  test('what is refused is refused with the same words', async () => {
    const config = configOf({ 'cleanup.policy': 'compact' });
    const refused = await prepareInWorker(offload, batch(50_000, { codec: CompressionCodec.GZIP, key: null }), config, NOW_MS);
    expect(refused).toMatchObject({ ok: false, errorCode: ErrorCode.INVALID_RECORD, message: expect.stringContaining('without a key') });
    const damaged = batch(50_000, { codec: CompressionCodec.GZIP });
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    expect(await prepareInWorker(offload, damaged, config, NOW_MS)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE });
  });
});
