/**
 * What a start after a kill costs, beside the bare work: reading each file in pieces of 1 MiB and computing the CRC-32C of each batch.
 * How much of it is the event loop's own, when several logs are recovered beside each other, against what a worker would cost first.
 * And the look-up of an offset: in an index that is in memory, and in one that has to be read.
 *
 *   node bench/log/recovery.ts [--mib 256] [--dir /tmp]
 */
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { cleanTask } from '../../src/broker/log/cleaner/clean-task.ts';
import type { CleanSliceInput } from '../../src/broker/log/cleaner/clean-slice.ts';
import { createLogContext } from '../../src/broker/log/log-context.ts';
import { createLog, loadLog } from '../../src/broker/log/log-loader.ts';
import type { UnifiedLog } from '../../src/broker/log/unified-log.ts';
import { crc32c } from '../../src/protocol/records/crc32c.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { NodeOffload } from '../../src/runtime/node/node-offload.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { runBundled } from '../support/bundled.ts';
import { atLeast, heading, print, printTable } from '../support/print.ts';

await runBundled(import.meta.url);

const { values } = parseArgs({ options: { mib: { type: 'string', default: '256' }, dir: { type: 'string', default: tmpdir() } } });
const MIB = 1024 * 1024;
const totalBytes = Number(values.mib) * MIB;
const directory = mkdtempSync(join(values.dir, 'samsa-bench-recovery-'));
const ROUNDS = 5;
const SHARE_BUDGET = 0.7;
const CONFIG = LogConfig.fromDefaults({ 'segment.bytes': String(64 * MIB) });

/** Refused by the task: only its modules are loaded. */
const NO_SLICE = {} as CleanSliceInput;

const context = createLogContext(createNodeRuntime(silentLogger), {
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

/** What workers could take over at most is the event loop's own part; the reads are on the thread pool already. */
async function besideEachOther(): Promise<void> {
  const logs: UnifiedLog[] = [];
  for (let count = 0; count < 4; count++) logs.push(await makeLog(16 * 1024));
  for (const log of logs) log.goOffline('killed');
  const open = async ({ topicPartition, directory: path }: UnifiedLog): Promise<void> => {
    const options = { topicPartition, directory: path, config: CONFIG, logStartOffset: 0, recoveryPoint: 0, hadCleanShutdown: false };
    (await loadLog(context, options)).goOffline('the round is over');
  };
  const gib = (totalBytes * logs.length) / 1024 / MIB;
  const rows: string[][] = [];
  for (const [name, run] of [
    ['one after the other', () => logs.reduce((before, log) => before.then(() => open(log)), Promise.resolve())],
    ['beside each other', () => Promise.all(logs.map(open))],
  ] as const) {
    await run();
    const thread = process.threadCpuUsage();
    const { cpuMs, wallMs } = await timed(run);
    const { user, system } = process.threadCpuUsage(thread);
    rows.push([name, ...[wallMs, cpuMs, (user + system) / 1000].map((ms) => `${(ms / gib).toFixed(0)} ms`)]);
  }
  const offload = new NodeOffload();
  const started = await timed(() => offload.run(cleanTask, NO_SLICE).catch(() => {}));
  await offload.close();
  printTable(['4 logs, each GiB', 'wall', 'CPU', 'CPU of the event loop'], rows);
  print(`A worker that has loaded the modules for it: ${started.wallMs.toFixed(0)} ms, ${started.cpuMs.toFixed(0)} ms of CPU.`);
  for (const log of logs) rmSync(log.directory, { recursive: true });
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
  await besideEachOther();
  await lookUps();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
