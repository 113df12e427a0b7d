/**
 * Many idle partitions: what one costs in memory, how long they take to make, to close in order, and to open again after a clean end and
 * after a kill.
 *
 *   node bench/log/open-logs.ts [--partitions 2000] [--records 20] [--dir /tmp]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LogConfig } from '../../src/broker/config/log-config.ts';
import { LogManager } from '../../src/broker/log/log-manager.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { heading, print } from '../support/print.ts';

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '2000' },
    records: { type: 'string', default: '20' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const partitions = Number(values.partitions);
const directory = mkdtempSync(join(values.dir, 'samsa-bench-open-'));
const config = LogConfig.fromDefaults();

function newManager(): LogManager {
  return new LogManager({
    runtime: createNodeRuntime(silentLogger),
    config: () => ({
      brokerId: 1,
      logDirs: [directory],
      logFlushSchedulerIntervalMs: 60_000,
      logFlushOffsetCheckpointIntervalMs: 60_000,
      logFlushStartOffsetCheckpointIntervalMs: 60_000,
      logRetentionCheckIntervalMs: 300_000,
      logInitialTaskDelayMs: 30_000,
      producerIdExpirationMs: 86_400_000,
      numRecoveryThreadsPerDataDir: 1,
      producerIdExpirationCheckIntervalMs: 600_000,
      logCleanerEnable: true,
      logCleanerThreads: 1,
      logCleanerDedupeBufferSize: 134_217_728,
      logCleanerIoBufferSize: 524_288,
      logCleanerIoBufferLoadFactor: 0.9,
      logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
      logCleanerBackoffMs: 15_000,
    }),
    clusterId: 'vPeOCWypqUOSepEvx0cbog',
    topicConfig: () => config,
    pid: process.pid,
    socketDirectory: tmpdir(),
  });
}

async function timed(name: string, run: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - start;
  print(
    `${name.padEnd(44)} ${wallMs.toFixed(0).padStart(6)} ms wall, ${((user + system) / 1000).toFixed(0).padStart(6)} ms CPU, ${((wallMs / partitions) * 1000).toFixed(0)} us each`,
  );
}

function heldBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

heading('many logs');
try {
  let manager = newManager();
  await manager.startup();
  const before = heldBytes();
  await timed(`make ${partitions} logs`, async () => {
    for (let partition = 0; partition < partitions; partition++) manager.getOrCreateLog({ topic: 'idle', partition }, { isNew: true });
  });
  print(`memory per new log: ${((heldBytes() - before) / partitions / 1024).toFixed(1)} KiB`);
  await timed(`append ${values.records} batches to each`, async () => {
    for (const log of manager.allLogs) {
      for (let index = 0; index < Number(values.records); index++) {
        log.appendAsLeader(buildRecordBatch([{ timestamp: Date.now(), value: Buffer.alloc(200) }]), { leaderEpoch: 0 });
      }
    }
    for (const log of manager.allLogs) await log.settled();
  });
  await timed('close in order (with fsync)', () => manager.shutdown());

  manager = newManager();
  const empty = heldBytes();
  await timed('open after a clean end', () => manager.startup());
  print(`memory per idle log: ${((heldBytes() - empty) / partitions / 1024).toFixed(1)} KiB`);
  // As a kill leaves it: the lock's socket goes with the process.
  rmSync(join(directory, '.lock.sock'));
  const killed = newManager();
  await timed('open after a kill', () => killed.startup());
  print(`scanned ${killed.progress.scannedBytes} bytes`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
