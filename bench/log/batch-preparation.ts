/**
 * What validating a batch that must be opened or compressed costs the event loop: in place, and handed to a worker. The sizes from which a
 * worker takes them (src/broker/log/batch-preparation.ts) come from here.
 *
 *   node bench/log/batch-preparation.ts
 *
 * Medians of wall-clock time, the two alternating: a busy machine is busy for both.
 */
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { appendConfigOf } from '../../src/broker/log/append-config.ts';
import { isWorkForWorker, prepareInWorker } from '../../src/broker/log/batch-preparation.ts';
import { validateLeaderBatch } from '../../src/broker/log/log-validator.ts';
import { compressionByName } from '../../src/protocol/records/compression.ts';
import type { CompressionCodec } from '../../src/protocol/records/compression.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../src/protocol/records/record-batch-builder.ts';
import { NodeOffload } from '../../src/runtime/node/node-offload.ts';
import { heading, milliseconds, printTable } from '../support/print.ts';

const KIB = 1024;
const ROUNDS = 40;
const offload = new NodeOffload();

/** JSON that shrinks to about a quarter. */
function batchOf(plainBytes: number, codec: CompressionCodec): Buffer {
  const records: RecordInput[] = [];
  for (let bytes = 0; bytes < plainBytes;) {
    const value = Buffer.from(
      JSON.stringify({
        id: records.length,
        hash: ((records.length * 2_654_435_761) >>> 0).toString(16),
        note: 'some text that is often the same',
      }),
    );
    records.push({ timestamp: Date.now(), key: Buffer.from(`key-${records.length}`), value });
    bytes += value.length + 16;
  }
  return buildRecordBatch(records, { codec });
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

heading('validating a batch in place, and by a worker');
const rows: string[][] = [];
for (const [what, source, overrides] of [
  ['open for its keys', 'lz4', { 'cleanup.policy': 'compact' }],
  ['open for its keys', 'zstd', { 'cleanup.policy': 'compact' }],
  ['compress', 'none', { 'compression.type': 'lz4' }],
  ['compress at level 12', 'none', { 'compression.type': 'lz4', 'compression.lz4.level': '12' }],
  ['compress', 'none', { 'compression.type': 'zstd' }],
  ['compress', 'none', { 'compression.type': 'gzip' }],
  ['another codec', 'lz4', { 'compression.type': 'zstd' }],
] as const) {
  for (const kib of [16, 64, 256, 1024]) {
    const records = batchOf(kib * KIB, compressionByName(source) ?? 0);
    const config = appendConfigOf(LogConfig.fromDefaults({ ...overrides, 'max.message.bytes': '10000000' }));
    const inPlace: number[] = [];
    const held: number[] = [];
    const latency: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const copy = Buffer.from(records);
      let start = performance.now();
      if (!validateLeaderBatch(copy, { config, origin: 'client', nowMs: Date.now() }).ok) throw new Error('refused');
      inPlace.push(performance.now() - start);
      start = performance.now();
      const work = prepareInWorker(offload, records, config, Date.now());
      held.push(performance.now() - start);
      if (!(await work).ok) throw new Error('refused');
      latency.push(performance.now() - start);
    }
    const target = 'compression.type' in overrides ? overrides['compression.type'] : source;
    rows.push([
      `${what}, ${source} → ${target}`,
      `${kib} KiB`,
      `${(records.length / KIB).toFixed(0)} KiB`,
      milliseconds(median(inPlace)),
      milliseconds(median(held)),
      milliseconds(median(latency)),
      isWorkForWorker(records, config) ? 'worker' : 'in place',
    ]);
  }
}
printTable(['work', 'records', 'as sent', 'in place', 'handed over: loop', 'answer after', 'goes to'], rows);
await offload.close();
