/**
 * What a start after a kill costs, beside the bare work: reading each file in pieces of 1 MiB and computing the CRC-32C of each batch.
 * The same by workers: one log and several, what is left for the event loop, and what a worker costs before it begins.
 * And the look-up of an offset: in an index that is in memory, and in one that has to be read.
 *
 *   node bench/log/recovery.ts [--mib 256] [--dir /tmp]
 */
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { createLogContext } from '../../src/broker/log/log-context.ts';
import { createLog } from '../../src/broker/log/create-log.ts';
import { loadLog } from '../../src/broker/log/log-loader.ts';
import { ProducerStateManager } from '../../src/broker/log/producer-state-manager.ts';
import { RecoveryWorkers } from '../../src/broker/log/recovery-workers.ts';
import { scanTask } from '../../src/broker/log/segment-scan-task.ts';
import type { SegmentScanInput } from '../../src/broker/log/segment-scan-task.ts';
import type { UnifiedLog } from '../../src/broker/log/unified-log.ts';
import { crc32c } from '../../src/protocol/records/crc32c.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { NodeOffload } from '../../src/runtime/node/node-offload.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { runBundled } from '../support/bundled.ts';
import { atLeast, heading, print, printTable } from '../support/print.ts';

await runBundled(import.meta.url, ['src/broker/log/segment-scan-worker.ts']);

const { values } = parseArgs({ options: { mib: { type: 'string', default: '256' }, dir: { type: 'string', default: tmpdir() } } });
const MIB = 1024 * 1024;
const totalBytes = Number(values.mib) * MIB;
const directory = mkdtempSync(join(values.dir, 'samsa-bench-recovery-'));
const ROUNDS = 5;
const SHARE_BUDGET = 0.7;
const CONFIG = LogConfig.fromDefaults({ 'segment.bytes': String(64 * MIB) });

/** Only the modules are loaded. */
const NOTHING_TO_SCAN: SegmentScanInput = {
  path: '/nothing',
  target: { baseOffset: 0, fileBytes: 0, indexIntervalBytes: 4096, endOffset: Infinity, mayHaveGaps: false },
  producers: new ProducerStateManager().toNumbers(),
  progress: new Int32Array(1),
};

const runtime = createNodeRuntime(silentLogger);
const context = createLogContext(runtime, {
  onFailure: (_directory, message) => {
    throw new Error(message);
  },
  onRecoveryPointLowered: () => Promise.resolve(),
});
let logs = 0;

async function makeLog(batchBytes: number): Promise<UnifiedLog> {
  const topicPartition = { topic: 'bench', partition: logs++ };
  const log = createLog(context, { topicPartition, directory: join(directory, `bench-${topicPartition.partition}`), config: CONFIG });
  const value = Buffer.alloc(Math.min(batchBytes, 1024) - 24, 'v');
  const count = Math.max(1, Math.floor(batchBytes / 1024));
  const batch = buildRecordBatch(Array.from({ length: count }, () => ({ timestamp: Date.now(), key: Buffer.from('key'), value })));
  for (let written = 0; written < totalBytes;) {
    for (let turn = 0; turn < MIB && written < totalBytes; turn += batch.length) {
      log.appendAsLeader(Buffer.from(batch), { leaderEpoch: 1 });
      written += batch.length;
    }
    await log.settled();
  }
  return log;
}

function bareScan(log: UnifiedLog): number {
  const buffer = Buffer.allocUnsafeSlow(MIB);
  let batches = 0;
  for (const name of readdirSync(log.directory).filter((file) => file.endsWith('.log'))) {
    const fd = openSync(join(log.directory, name), 'r');
    let position = 0;
    for (;;) {
      const read = readSync(fd, buffer, 0, MIB, position);
      let at = 0;
      while (at + 61 <= read) {
        const size = buffer.readInt32BE(at + 8) + 12;
        if (at + size > read) break;
        if (crc32c(buffer.subarray(at + 21, at + size)) !== buffer.readUInt32BE(at + 17)) throw new Error('wrong checksum');
        batches++;
        at += size;
      }
      position += at;
      if (at === 0) break;
    }
    closeSync(fd);
  }
  return batches;
}

/** CPU milliseconds and wall milliseconds. */
async function timed(run: () => unknown): Promise<{ cpuMs: number; wallMs: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - start };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function compareRecovery(name: string, batchBytes: number): Promise<string[]> {
  const log = await makeLog(batchBytes);
  log.goOffline('killed');
  const shares: number[] = [];
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const bareTime = await timed(() => bareScan(log));
    const { topicPartition } = log;
    const options = {
      topicPartition,
      directory: log.directory,
      config: CONFIG,
      logStartOffset: 0,
      recoveryPoint: 0,
      hadCleanShutdown: false,
    };
    const ourTime = await timed(async () => {
      const opened = await loadLog(context, options);
      opened.goOffline('the round is over');
    });
    // The first round warms up.
    if (round === 0) continue;
    shares.push(bareTime.cpuMs / ourTime.cpuMs);
    ours.push(totalBytes / 1000 / ourTime.cpuMs);
    bare.push(totalBytes / 1000 / bareTime.cpuMs);
  }
  rmSync(log.directory, { recursive: true });
  const share = median(shares);
  return [
    name,
    `${median(ours).toFixed(0)} MB/s`,
    `${median(bare).toFixed(0)} MB/s`,
    `${(share * 100).toFixed(0)} %`,
    atLeast(share, SHARE_BUDGET),
  ];
}

/** One log and several, on the event loop and by workers, beside the bare work on one core. What the event loop does of it is what a broker is held by. */
async function byWorkers(): Promise<void> {
  const made: UnifiedLog[] = [];
  for (let count = 0; count < 4; count++) made.push(await makeLog(16 * 1024));
  for (const log of made) log.goOffline('killed');
  const offload = new NodeOffload();
  const started = await timed(() => offload.run(scanTask, NOTHING_TO_SCAN));
  await offload.close();
  const open = (workers: RecoveryWorkers | undefined) => async (log: UnifiedLog) => {
    const { topicPartition, directory: path } = log;
    const options = { topicPartition, directory: path, config: CONFIG, logStartOffset: 0, recoveryPoint: 0, hadCleanShutdown: false };
    (await loadLog(context, workers === undefined ? options : { ...options, workers })).goOffline('the round is over');
  };
  const rows: string[][] = [];
  for (const logsAtOnce of [made.slice(0, 1), made]) {
    const ways: [string, () => Promise<unknown>][] = [
      ['read + CRC-32C, one after the other', async () => logsAtOnce.map(bareScan)],
      ['on the event loop', () => Promise.all(logsAtOnce.map(open(undefined)))],
    ];
    for (const threadsPerDir of logsAtOnce.length === 1 ? [1] : [1, 2]) {
      ways.push([
        `by workers, ${threadsPerDir} at a time`,
        async () => {
          // As at a broker's start: no worker is there yet.
          const fresh = new NodeOffload();
          const workers = new RecoveryWorkers({ runtime: { ...runtime, offload: fresh }, threadsPerDir, worthWorkersBytes: 0 });
          await Promise.all(logsAtOnce.map(open(workers)));
          void fresh.close();
        },
      ]);
    }
    const times = new Map<string, { wallMs: number; cpuMs: number; loopMs: number }[]>(ways.map(([name]) => [name, []]));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, run] of ways) {
        const thread = process.threadCpuUsage();
        const { wallMs, cpuMs } = await timed(run);
        const { user, system } = process.threadCpuUsage(thread);
        if (round > 0) times.get(name)?.push({ wallMs, cpuMs, loopMs: (user + system) / 1000 });
      }
    }
    const bareMs = median((times.get(ways[0]?.[0] ?? '') ?? []).map(({ wallMs }) => wallMs));
    for (const [name, measured] of times) {
      const of = (key: 'wallMs' | 'cpuMs' | 'loopMs'): number => median(measured.map((each) => each[key]));
      const figures = [of('wallMs'), of('cpuMs'), of('loopMs')].map((ms) => `${ms.toFixed(0)} ms`);
      rows.push([`${logsAtOnce.length} × ${values.mib} MiB`, name, ...figures, (of('wallMs') / bareMs).toFixed(2)]);
    }
  }
  printTable(['logs', 'scanned', 'wall', 'CPU', 'CPU of the event loop', 'wall / bare'], rows);
  print(`A worker that has loaded the modules for it: ${started.wallMs.toFixed(0)} ms, ${started.cpuMs.toFixed(0)} ms of CPU.`);
  for (const log of made) rmSync(log.directory, { recursive: true });
}

async function lookUps(): Promise<void> {
  const log = await makeLog(1024);
  const [segment] = log.segments;
  if (segment === undefined) throw new Error('the log has no segment');
  await log.flush();
  const end = log.segments[1]?.baseOffset ?? log.logEndOffset;
  const offsets = Array.from({ length: 1000 }, (_, index) => Math.floor(((index * 7919) % 1000) * (end / 1000)));
  const index = segment.indexes.offsetIndex;
  const inMemory = await timed(() => {
    for (let round = 0; round < 1000; round++) for (const offset of offsets) index.lookupPosition(offset);
  });
  const withHeaders = await timed(() => {
    for (let round = 0; round < 20; round++) for (const offset of offsets) segment.findBatch(offset);
  });
  const cold = await timed(() => {
    for (let round = 0; round < 100; round++) {
      segment.indexes.unloadIndexes();
      segment.indexes.offsetIndex.lookupPosition(offsets[round] ?? 0);
    }
  });
  print(`An offset in an index of ${index.count} entries, of CPU time:`);
  print(`- in memory: ${((inMemory.cpuMs * 1e6) / 1e6).toFixed(0)} ns`);
  print(`- and its batch in the file (page cache): ${((withHeaders.cpuMs * 1e6) / 20_000).toFixed(0)} ns`);
  print(`- the index read from its file first: ${((cold.cpuMs * 1e6) / 100).toFixed(0)} ns`);
  log.goOffline('the end');
}

heading('recovery');
try {
  const rows = [
    await compareRecovery('64-KiB batches', 64 * 1024),
    await compareRecovery('16-KiB batches', 16 * 1024),
    await compareRecovery('1-KiB batches', 1024),
  ];
  printTable(['of CPU time', 'recovery', 'read + CRC-32C', 'share', `budget ${SHARE_BUDGET * 100} %`], rows);
  await byWorkers();
  await lookUps();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
