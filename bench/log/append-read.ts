/**
 * Appending to and reading from a log, beside the bare work that it can't do without, in one run:
 *
 *   append   CRC-32C of each batch, a look at its header, a walk over its records, offsets set in place, one gathered write per turn;
 *            what the log does beside: a copy of small batches for the tail, index entries, answers
 *   read     pread of the same pieces into one buffer
 *
 *   node bench/log/append-read.ts [--mib 512] [--dir /tmp] [--only '1-KiB']
 *
 * Runs alternate between the two, and CPU time is measured, so that a busy machine is busy for both.
 */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writevSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { createLogContext } from '../../src/broker/log/log-context.ts';
import { createLog } from '../../src/broker/log/create-log.ts';
import type { UnifiedLog } from '../../src/broker/log/unified-log.ts';
import { readInt64Lossy, writeInt64 } from '../../src/protocol/int64.ts';
import { crc32c } from '../../src/protocol/records/crc32c.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { scanRecords } from '../../src/protocol/records/record-scan.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { runBundled } from '../support/bundled.ts';
import { atLeast, heading, printTable } from '../support/print.ts';

await runBundled(import.meta.url);

const { values } = parseArgs({
  options: { mib: { type: 'string', default: '512' }, dir: { type: 'string', default: tmpdir() }, only: { type: 'string', default: '' } },
});
const totalBytes = Number(values.mib) * 1024 * 1024;
const directory = mkdtempSync(join(values.dir, 'samsa-bench-log-'));
const ROUNDS = 5;
const SHARE_BUDGET = 0.85;
const KIB = 1024;

const runtime = createNodeRuntime(silentLogger);
let atEndOfTurn: (() => void) | undefined;
const context = createLogContext(
  {
    ...runtime,
    // The turn ends when the bench says so: no waiting for the event loop is measured.
    scheduler: { ...runtime.scheduler, endOfTurn: (callback) => (atEndOfTurn = callback) },
    // No write counts as slow: to lose the processor to others for 20 ms would make the log asynchronous for seconds.
    clock: { ...runtime.clock, monotonicMs: () => 0 },
  },
  {
    onFailure: (_directory, message) => {
      throw new Error(message);
    },
    onRecoveryPointLowered: () => Promise.resolve(),
  },
);

function endTurn(): void {
  const callback = atEndOfTurn;
  atEndOfTurn = undefined;
  callback?.();
}

function makeBatch(batchBytes: number, recordBytes: number): Buffer {
  const value = Buffer.alloc(recordBytes, 'v');
  const count = Math.max(1, Math.floor(batchBytes / (recordBytes + 16)));
  const now = Date.now();
  return buildRecordBatch(
    Array.from({ length: count }, (_, index) => ({ timestamp: now + index, key: Buffer.from(`key-${index}`), value })),
  );
}

let logs = 0;
function newLog(): UnifiedLog {
  const topicPartition = { topic: 'bench', partition: logs++ };
  return createLog(context, {
    topicPartition,
    directory: join(directory, `bench-${topicPartition.partition}`),
    config: LogConfig.fromDefaults(),
  });
}

/** MB per second of CPU that `run` takes for `bytes`: wall-clock time would measure the neighbours on a shared machine. */
async function rate(bytes: number, run: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return bytes / (user + system);
}

/** The file is made anew before and cut after the measured time, as the log's segment is. */
function bareAppend(fd: number, batches: readonly Buffer[], groups: number): void {
  let position = 0;
  let nextOffset = 0;
  for (let group = 0; group < groups; group++) {
    for (const batch of batches) {
      resetOffsets(batch);
      if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) throw new Error('wrong checksum');
      const offsets = batch.readInt32BE(23) + 1;
      if (batch[16] !== 2 || batch.readInt16BE(21) !== 0 || batch.readInt32BE(8) + 12 !== batch.length) throw new Error('bad header');
      if (batch.readInt32BE(57) !== offsets || readInt64Lossy(batch, 43) !== -1) throw new Error('bad header');
      const { fault, maxTimestampDelta } = scanRecords(batch, 61, batch.length, offsets);
      const maxTimestamp = readInt64Lossy(batch, 27) + maxTimestampDelta;
      if (fault !== undefined || maxTimestamp !== readInt64Lossy(batch, 35)) throw new Error('bad records');
      writeInt64(batch, nextOffset, 0);
      batch.writeInt32BE(1, 12);
      nextOffset += offsets;
    }
    position += writevSync(fd, batches, position);
  }
}

/** The batch as a client sends it: each is appended many times. */
function resetOffsets(batch: Buffer): void {
  batch.writeInt32BE(0, 0);
  batch.writeInt32BE(0, 4);
}

async function logAppend(log: UnifiedLog, batches: readonly Buffer[], groups: number): Promise<void> {
  let completed = 0;
  const onComplete = (): void => void completed++;
  for (let group = 0; group < groups; group++) {
    for (const batch of batches) {
      resetOffsets(batch);
      const result = log.appendAsLeader(batch, { leaderEpoch: 1, onComplete });
      if (!result.ok) throw new Error(result.message);
    }
    endTurn();
    // A slow write made the log go asynchronous.
    if (log.logEndOffset !== log.appendEndOffset) await log.settled();
  }
  if (completed !== groups * batches.length) throw new Error(`${completed} appends were answered`);
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const rows: string[][] = [];

function report(name: string, ours: number[], bare: number[]): void {
  const ratios = ours.map((value, index) => value / (bare[index] ?? 1));
  const share = median(ratios);
  const megabytes = (values: number[]): string => `${median(values).toFixed(0)} MB/s`;
  rows.push([name, megabytes(ours), megabytes(bare), `${(share * 100).toFixed(0)} %`, atLeast(share, SHARE_BUDGET)]);
}

async function compareAppend(name: string, batchBytes: number, recordBytes: number, perTurn: number): Promise<void> {
  if (!name.includes(values.only)) return;
  const batches = Array.from({ length: perTurn }, () => makeBatch(batchBytes, recordBytes));
  const groupBytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  const groups = Math.max(1, Math.floor(Math.min(totalBytes, batchBytes * 131_072) / groupBytes));
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const fd = openSync(join(directory, 'bare.log'), 'w+');
    const bareRate = await rate(groups * groupBytes, () => bareAppend(fd, batches, groups));
    ftruncateSync(fd, 0);
    closeSync(fd);
    const log = newLog();
    const logRate = await rate(groups * groupBytes, () => logAppend(log, batches, groups));
    log.goOffline('the round is over');
    rmSync(log.directory, { recursive: true });
    // The first round warms up.
    if (round === 0) continue;
    bare.push(bareRate);
    ours.push(logRate);
  }
  report(name, ours, bare);
}

async function compareRead(name: string, pieceBytes: number, tail: boolean): Promise<void> {
  if (!name.includes(values.only)) return;
  const log = newLog();
  const batches = Array.from({ length: 8 }, () => makeBatch(64 * KIB, 1000));
  const groupBytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  const logBytes = tail ? 768 * KIB : Math.min(totalBytes, 256 * KIB * KIB);
  // Distinct buffers: the tail keeps what it was given.
  for (let written = 0; written < logBytes; written += groupBytes)
    await logAppend(
      log,
      batches.map((batch) => Buffer.from(batch)),
      1,
    );
  const path = log.segments[0]?.path ?? '';
  const from = tail ? Math.max(0, log.logEndOffset - 400) : 0;
  const repeats = tail ? 2000 : 1;
  const readLog = (): number => {
    let total = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let offset = from; offset < log.logEndOffset;) {
        const read = log.read(offset, { maxBytes: pieceBytes, maxOffset: log.logEndOffset, minOneMessage: true });
        total += read.sizeBytes;
        // As Fetch does once it is sent.
        context.readBuffers.giveBack(read.records);
        offset += Math.max(1, Math.round(read.sizeBytes / (groupBytes / 8)) * 64);
        if (read.sizeBytes === 0) break;
      }
    }
    return total;
  };
  const bytes = readLog();
  const readBare = (): void => {
    const fd = openSync(path, 'r');
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    for (let left = bytes, position = 0; left > 0; left -= pieceBytes) {
      const read = readSync(fd, buffer, 0, Math.min(pieceBytes, left), position);
      position = position + read + pieceBytes > log.sizeBytes ? 0 : position + read;
    }
    closeSync(fd);
  };
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await rate(bytes, readBare));
    ours.push(await rate(bytes, () => void readLog()));
  }
  report(name, ours, bare);
  log.goOffline('the round is over');
}

heading('log');
try {
  await compareAppend('append 64-KiB batches of 1000-byte records, 8 a turn', 64 * KIB, 1000, 8);
  await compareAppend('append 64-KiB batches of 100-byte records, 8 a turn', 64 * KIB, 100, 8);
  await compareAppend('append 64-KiB batches of 1000-byte records, 1 a turn', 64 * KIB, 1000, 1);
  await compareAppend('append 1-KiB batches, 64 a turn', KIB, 900, 64);
  await compareAppend('append 1-KiB batches, 1 a turn', KIB, 900, 1);
  await compareRead('read 1 MiB at a time from the page cache', KIB * KIB, false);
  await compareRead('read 64 KiB at a time from the tail in memory', 64 * KIB, true);
  printTable(['of CPU time', 'log', 'bare', 'share', `budget ${SHARE_BUDGET * 100} %`], rows);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
