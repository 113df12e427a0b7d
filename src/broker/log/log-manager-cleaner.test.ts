/** The log manager and the cleaner: who deletes what, what waits for what. On a real disk, with the cleaner's slices in place. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { InPlaceOffload } from '../../runtime/offload.ts';
import type { Offload } from '../../runtime/offload.ts';
import { LogConfig } from '../config/log-config.ts';
import { LogManager } from './log-manager.ts';
import { batchOf } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const TP = { topic: 'orders', partition: 0 };
const OLD = 1_600_000_000_000;

let root = '';
let manager: LogManager;
let topic: Record<string, string>;
/** Slices wait for it. */
let gate: Promise<void>;
let open: () => void;
let slices = 0;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'samsa-cleaner-'));
  topic = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' };
  slices = 0;
  gate = Promise.resolve();
});

afterEach(async () => {
  open?.();
  await manager.shutdown();
  rmSync(root, { recursive: true, force: true });
});

async function start(settings: { cleaner?: boolean } = {}): Promise<void> {
  const runtime = createNodeRuntime(silentLogger);
  const inPlace = new InPlaceOffload(runtime.disk);
  const offload: Offload = {
    run: async (task, input) => {
      slices++;
      await gate;
      return inPlace.run(task, input);
    },
    close: () => Promise.resolve(),
  };
  manager = new LogManager({
    runtime: { ...runtime, offload },
    config: () => ({
      brokerId: 1,
      logDirs: [root],
      logFlushSchedulerIntervalMs: 2 ** 63,
      logFlushOffsetCheckpointIntervalMs: 60_000,
      logFlushStartOffsetCheckpointIntervalMs: 60_000,
      logRetentionCheckIntervalMs: 300_000,
      logInitialTaskDelayMs: 30_000,
      producerIdExpirationMs: 86_400_000,
      numRecoveryThreadsPerDataDir: 1,
      producerIdExpirationCheckIntervalMs: 600_000,
      logCleanerEnable: settings.cleaner ?? true,
      logCleanerThreads: 1,
      logCleanerDedupeBufferSize: 4_000_000,
      logCleanerIoBufferSize: 524_288,
      logCleanerIoBufferLoadFactor: 0.9,
      logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
      logCleanerBackoffMs: 10,
    }),
    clusterId: 'vPeOCWypqUOSepEvx0cbog',
    topicConfig: () => LogConfig.fromDefaults(topic),
    pid: 4242,
    socketDirectory: tmpdir(),
  });
  await manager.startup();
}

/** The next slices wait until `open` is called. */
function close(): void {
  gate = new Promise((resolve) => (open = resolve));
}

const until = (condition: () => boolean): Promise<void> => expect.poll(condition, { interval: 1 }).toBe(true);

/** Closed segments, each with the same key. */
async function filled(segments = 3): Promise<UnifiedLog> {
  const log = manager.getOrCreateLog(TP, { isNew: true });
  for (let index = 0; index < segments; index++) {
    const result = log.appendAsLeader(batchOf([`value ${index}`], { timestamp: OLD }), { leaderEpoch: 0 });
    if (!result.ok) throw new Error(result.message);
    await log.roll();
  }
  log.updateHighWatermark(log.logEndOffset);
  await log.flush();
  return log;
}

const checkpoint = (): string => readFileSync(join(root, 'cleaner-offset-checkpoint'), 'utf8');

test('a compacted log is cleaned, and the end of the broker waits for the slice under way', async () => {
  await start();
  const log = await filled();
  await until(() => log.segments.length === 2);
  await until(() => existsSync(join(root, 'cleaner-offset-checkpoint')) && checkpoint().includes('orders 0 3'));
  close();
  await log.roll();
  log.appendAsLeader(batchOf(['more']), { leaderEpoch: 0 });
  await log.roll();
  log.updateHighWatermark(log.logEndOffset);
  await log.flush();
  const before = slices;
  await until(() => slices > before);
  let isDown = false;
  const down = manager.shutdown().then(() => (isDown = true));
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  expect(isDown).toBe(false);
  open();
  await down;
  expect(readdirSync(join(root, 'orders-0')).filter((name) => /cleaned|swap/.test(name))).toEqual([]);
});

test('a truncation waits for the slice under way, and what was cut off counts as dirty', async () => {
  await start();
  close();
  const log = await filled();
  await until(() => slices > 0);
  let isCut = false;
  const cut = log.truncateTo(1).then(() => (isCut = true));
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  expect(isCut).toBe(false);
  expect(manager.describeCleaner().partitions[0]?.state).toBe('aborted');
  open();
  await cut;
  expect(log.logEndOffset).toBe(1);
  expect(manager.describeCleaner().partitions[0]?.state).not.toBe('paused');
});

test('a truncation within the active segment waits for nothing', async () => {
  await start();
  close();
  const log = await filled();
  await until(() => slices > 0);
  await log.truncateTo(log.logEndOffset);
  expect(manager.describeCleaner().partitions[0]?.state).toBe('in-progress');
});

test('a deletion does not wait; the log made anew under its name is not touched by what was under way', async () => {
  await start();
  close();
  await filled();
  await until(() => slices > 0);
  await manager.asyncDelete(TP);
  const again = manager.getOrCreateLog(TP, { isNew: true });
  open();
  await until(() => manager.describeCleaner().partitions[0]?.state === 'idle');
  expect(manager.describeCleaner().partitions[0]).toMatchObject({ firstDirtyOffset: 0, uncleanableReason: undefined });
  expect(again.isOffline).toBe(false);
  expect(manager.liveLogDirs).toEqual([root]);
});

test('a topic that is compacted no longer is not cleaned on, and retention leaves it alone until then', async () => {
  await start();
  close();
  const log = await filled();
  await until(() => slices > 0);
  topic = { 'cleanup.policy': 'delete', 'retention.ms': '1000' };
  manager.updateTopicConfig('orders', LogConfig.fromDefaults(topic));
  expect(manager.deleteOldSegments()).toBe(0);
  expect(log.segments).toHaveLength(4);
  open();
  await until(() => manager.deleteOldSegments() > 0);
  await until(() => log.numberOfSegments === 1);
  expect(manager.describeCleaner().partitions).toEqual([]);
});

test('without the cleaner, compacted logs grow, but compact,delete loses what is too old', async () => {
  await start({ cleaner: false });
  const log = await filled();
  expect(manager.deleteOldSegments()).toBe(0);
  expect(log.segments).toHaveLength(4);
  expect(manager.describeCleaner()).toMatchObject({ isEnabled: false, partitions: [] });
  topic = { 'cleanup.policy': 'compact,delete', 'retention.ms': '1000' };
  manager.updateTopicConfig('orders', LogConfig.fromDefaults(topic));
  expect(manager.deleteOldSegments()).toBeGreaterThan(0);
});
