/**
 * Compacting a log, beside the bare work that it can't do without, in one run: the same bytes read, their checksums computed, and as many
 * bytes written and synced as the compaction writes.
 *
 *   node --expose-gc bench/log/compaction.ts [--mib 256] [--dir /tmp]
 *
 * Keys are drawn so that a fifth of the records stays. The cleaner works as in a broker: slices in a worker, swaps on the event loop, whose
 * longest turn is measured meanwhile: by the wall clock, beside that of a loop that does nothing next to a busy worker, and in the thread's own CPU time,
 * which the budget is about. MB/s are of input: the bytes of the segments that are cleaned.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { cleanableOffsets, logToClean } from '../../src/broker/log/cleaner/cleanable-offsets.ts';
import { Cleaner } from '../../src/broker/log/cleaner/cleaner.ts';
import type { CleaningRun } from '../../src/broker/log/cleaner/cleaner-stats.ts';
import { Throttler } from '../../src/broker/log/cleaner/throttler.ts';
import { createLogContext } from '../../src/broker/log/log-context.ts';
import { createLog } from '../../src/broker/log/create-log.ts';
import type { UnifiedLog } from '../../src/broker/log/unified-log.ts';
import { crc32c } from '../../src/protocol/records/crc32c.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { atLeast, atMost, heading, print, printTable } from '../support/print.ts';

const { values } = parseArgs({ options: { mib: { type: 'string', default: '256' }, dir: { type: 'string', default: tmpdir() } } });
const totalBytes = Number(values.mib) * 1024 * 1024;
const directory = mkdtempSync(join(values.dir, 'samsa-bench-compaction-'));
const BATCH_BYTES = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;
const KEPT_SHARE = 0.2;
const HELD_BUDGET_MS = 10;
const BUDGETS_MB = new Map([
  [100, 30],
  [1024, 100],
]);

const runtime = createNodeRuntime(silentLogger);
const context = createLogContext(runtime, {
  onFailure: (_directory, message) => {
    throw new Error(message);
  },
  onRecoveryPointLowered: () => Promise.resolve(),
});

let logs = 0;
async function filledLog(recordBytes: number): Promise<UnifiedLog> {
  const topicPartition = { topic: 'bench', partition: logs++ };
  const log = createLog(context, {
    topicPartition,
    directory: join(directory, `bench-${topicPartition.partition}`),
    config: LogConfig.fromDefaults({ 'cleanup.policy': 'compact', 'segment.bytes': String(64 * 1024 * 1024) }),
  });
  const value = Buffer.alloc(recordBytes, 'v');
  const perBatch = Math.max(1, Math.floor(BATCH_BYTES / (recordBytes + 24)));
  const keys = Math.ceil((totalBytes / (recordBytes + 24)) * KEPT_SHARE);
  const now = Date.now();
  for (let bytes = 0; bytes < totalBytes;) {
    const records = Array.from({ length: perBatch }, () => ({
      timestamp: now,
      key: Buffer.from(`key-${Math.floor(Math.random() * keys)}`),
      value,
    }));
    const batch = buildRecordBatch(records);
    bytes += batch.length;
    const result = log.appendAsLeader(batch, { leaderEpoch: 1 });
    if (!result.ok) throw new Error(result.message);
    await log.settled();
  }
  await log.roll();
  log.updateHighWatermark(log.logEndOffset);
  await log.flush();
  return log;
}

/** Reads the files, computes their checksums, writes `writtenBytes` and syncs them; MB/s of input. */
function bareWork(paths: readonly string[], writtenBytes: number): number {
  const start = performance.now();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const target = openSync(join(directory, 'bare'), 'w');
  let bytes = 0;
  let checksum = 0;
  let written = 0;
  // Twice, as compaction must: once for the keys, once for the copy.
  for (let pass = 0; pass < 2; pass++) {
    for (const path of paths) {
      const source = openSync(path, 'r');
      for (let read = readSync(source, buffer); read > 0; read = readSync(source, buffer)) {
        checksum ^= crc32c(buffer.subarray(0, read));
        if (pass === 0) continue;
        bytes += read;
        const due = Math.min(read, writtenBytes - written);
        if (due > 0) written += writeSync(target, buffer, 0, due);
      }
      closeSync(source);
    }
  }
  fsyncSync(target);
  closeSync(target);
  if (Number.isNaN(checksum)) throw new Error('no checksum');
  return bytes / 1000 / (performance.now() - start);
}

/** The longest wait of a loop that has nothing to do, beside a worker that is busy for `durationMs`: what the machine's other work makes of it. */
async function idleHeldMs(durationMs: number): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const worker = new Worker(`const end = Date.now() + ${durationMs}; while (Date.now() < end);`, { eval: true });
  await once(worker, 'exit');
  delay.disable();
  return delay.max / 1e6;
}

async function compact(
  log: UnifiedLog,
): Promise<{ run: CleaningRun; rate: number; cpuRate: number; heldMs: number; heldCpuMs: number; rssMb: number }> {
  const cleaner = new Cleaner({
    runtime,
    logger: silentLogger,
    limits: () => ({ dedupeBufferBytes: 134_217_728, loadFactor: 0.9, ioBufferBytes: 262_144 }),
    throttler: new Throttler(runtime, () => Number.MAX_VALUE),
    checkDone: () => {},
  });
  // What the filling left is not the compaction's to collect.
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  // Of the thread itself, between two ticks: on a shared machine the wall clock also counts the neighbours.
  let heldCpuMs = 0;
  let cpu = process.threadCpuUsage();
  const ticks = setInterval(() => {
    const { user, system } = process.threadCpuUsage(cpu);
    heldCpuMs = Math.max(heldCpuMs, (user + system) / 1000);
    cpu = process.threadCpuUsage();
  }, 1);
  let rssMb = 0;
  const sampler = setInterval(() => void (rssMb = Math.max(rssMb, process.memoryUsage.rss() / 1e6)), 50);
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const run = await cleaner.clean(logToClean(log, cleanableOffsets(log, 0, Date.now()), 0));
  const tookMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  delay.disable();
  clearInterval(sampler);
  clearInterval(ticks);
  return { run, rate: run.bytesRead / 1000 / tookMs, cpuRate: run.bytesRead / (user + system), heldMs: delay.max / 1e6, heldCpuMs, rssMb };
}

heading(`compaction of ${values.mib} MiB, uncompressed, a fifth of the records stays`);
const rows: string[][] = [];
try {
  for (const [recordBytes, budgetMb] of BUDGETS_MB) {
    const log = await filledLog(recordBytes);
    const paths = log.segments.slice(0, -1).map((segment) => segment.path);
    const bareBefore = bareWork(paths, Math.floor(totalBytes * KEPT_SHARE));
    const { run, rate, cpuRate, heldMs, heldCpuMs, rssMb } = await compact(log);
    const bareAfter = bareWork(
      log.segments.slice(0, -1).map((segment) => segment.path),
      run.bytesWritten,
    );
    rows.push([
      `${recordBytes} B`,
      `${rate.toFixed(0)} MB/s`,
      `${cpuRate.toFixed(0)} MB/s`,
      `${bareBefore.toFixed(0)} MB/s`,
      `${((rate / bareBefore) * 100).toFixed(0)} %`,
      atLeast(rate, budgetMb),
      `${heldMs.toFixed(1)} ms`,
      `${(await idleHeldMs(Math.round(run.durationMs))).toFixed(1)} ms`,
      `${heldCpuMs.toFixed(1)} ms`,
      atMost(heldCpuMs, HELD_BUDGET_MS),
      `${rssMb.toFixed(0)} MB`,
    ]);
    print(
      `${recordBytes} B: ${run.recordsRead} records became ${run.recordsWritten}, ${(run.indexDurationMs / 1000).toFixed(2)} s of ${(run.durationMs / 1000).toFixed(2)} s for the map; bare work again on the result: ${bareAfter.toFixed(0)} MB/s`,
    );
  }
  printTable(['record', 'compaction', 'of CPU', 'bare work', 'share', 'rate', 'loop held', 'an idle one', 'of CPU', 'budget', 'RSS'], rows);
} finally {
  await runtime.offload.close();
  rmSync(directory, { recursive: true, force: true });
}
