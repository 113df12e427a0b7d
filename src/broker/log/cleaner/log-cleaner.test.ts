import { describe, expect, test } from 'vitest';
import { InPlaceOffload } from '../../../runtime/offload.ts';
import type { Offload } from '../../../runtime/offload.ts';
import type { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import type { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { LogConfig } from '../../config/log-config.ts';
import type { LogContext } from '../log-context.ts';
import { createLog } from '../create-log.ts';
import { LOG_DIR, logFixture } from '../testing/log-fixture.ts';
import type { UnifiedLog } from '../unified-log.ts';
import { cleanableOffsets } from './cleanable-offsets.ts';
import { LogCleaner } from './log-cleaner.ts';
import type { LogCleanerConfig } from './log-cleaner.ts';
import { contents, pairs } from './testing/cleaner-fixture.ts';
import type { Pair } from './testing/cleaner-fixture.ts';

const COMPACT = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1', 'file.delete.delay.ms': '1000' };
const CHECKPOINT = `${LOG_DIR}/cleaner-offset-checkpoint`;

/** Several logs and a cleaner that looks after them. */
class Setup {
  readonly disk: MemoryDisk;
  readonly time: ManualTime;
  readonly context: LogContext;
  readonly logs = new Map<string, UnifiedLog>();
  readonly failures: string[] = [];
  readonly cleaned: string[] = [];
  readonly config: { -readonly [K in keyof LogCleanerConfig]: LogCleanerConfig[K] } = {
    logCleanerThreads: 1,
    logCleanerDedupeBufferSize: 4_000_000,
    logCleanerIoBufferSize: 16_384,
    logCleanerIoBufferLoadFactor: 0.9,
    logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
    logCleanerBackoffMs: 1000,
  };
  /** Set: slices wait for it. */
  gate: Promise<void> | undefined;
  slices = 0;
  readonly #fixture = logFixture();
  cleaner: LogCleaner;

  constructor() {
    ({ disk: this.disk, time: this.time, context: this.context } = this.#fixture);
    this.cleaner = this.newCleaner();
  }

  newCleaner(): LogCleaner {
    const inPlace = new InPlaceOffload(this.context.disk);
    const offload: Offload = {
      run: async (task, input) => {
        this.slices++;
        if (this.gate !== undefined) await this.gate;
        return inPlace.run(task, input);
      },
      close: () => inPlace.close(),
    };
    return new LogCleaner({
      runtime: { ...this.context, offload },
      config: () => this.config,
      logDirs: [LOG_DIR],
      logs: () => this.logs.values(),
      onLogDirFailure: (directory, error) => void this.failures.push(`${directory}: ${String(error)}`),
      onCleaned: (log) => void this.cleaned.push(log.topicPartition.topic),
    });
  }

  /** A log with one closed segment of these batches and an active one, all committed and flushed. */
  async log(topic: string, batches: readonly (readonly Pair[])[], overrides: Record<string, string> = {}): Promise<UnifiedLog> {
    const log = createLog(this.context, {
      topicPartition: { topic, partition: 0 },
      directory: `${LOG_DIR}/${topic}-0`,
      config: LogConfig.fromDefaults({ ...COMPACT, ...overrides }),
    });
    this.logs.set(topic, log);
    for (const batch of batches) await this.append(log, batch);
    return log;
  }

  async append(log: UnifiedLog, batch: readonly Pair[], timestamp = this.time.wallMs()): Promise<void> {
    const result = log.appendAsLeader(pairs(batch, { timestamp }), { leaderEpoch: 0, origin: 'coordinator' });
    if (!result.ok) throw new Error(result.message);
    this.time.runTurnEnd();
    await log.roll();
    log.updateHighWatermark(log.logEndOffset);
    await log.flush();
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 30; round++) await this.time.settle();
  }

  start(): Promise<void> {
    this.cleaner.startup();
    return this.settle();
  }

  metric(name: string): unknown {
    return this.context.metrics.snapshot().find((sample) => sample.name.endsWith(`name=${name}`))?.value;
  }
}

const twice = (key: string): Pair[][] => [[[key, '1']], [[key, '2']]];

describe('which part of a log may be cleaned', () => {
  async function offsetsOf(overrides: Record<string, string>, checkpoint?: number): Promise<ReturnType<typeof cleanableOffsets>> {
    const setup = new Setup();
    const log = await setup.log('orders', [], overrides);
    for (const key of ['a', 'b', 'c']) {
      await setup.append(log, [[key, '1']]);
      await setup.time.advance(1000);
    }
    return cleanableOffsets(log, checkpoint, setup.time.wallMs());
  }

  test('from the log start to the active segment', async () => {
    expect(await offsetsOf({})).toMatchObject({ firstDirtyOffset: 0, firstUncleanableDirtyOffset: 3, boundBy: 'active-segment' });
  });

  test('from the checkpoint', async () => {
    expect(await offsetsOf({}, 2)).toMatchObject({ firstDirtyOffset: 2, firstUncleanableDirtyOffset: 3 });
  });

  test('from the log start when the checkpoint is beyond the end, with a word about it', async () => {
    const offsets = await offsetsOf({}, 9);
    expect(offsets).toMatchObject({ firstDirtyOffset: 0 });
    expect(offsets.resetReason).toMatch(/9 is above the log end offset 3/);
  });

  test('not what is younger than min.compaction.lag.ms', async () => {
    expect(await offsetsOf({ 'min.compaction.lag.ms': '1500' })).toMatchObject({
      firstUncleanableDirtyOffset: 2,
      boundBy: 'min-compaction-lag',
    });
    expect(await offsetsOf({ 'min.compaction.lag.ms': '100000' })).toMatchObject({ firstUncleanableDirtyOffset: 0 });
  });

  test('not what is above the high watermark', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    log.appendAsLeader(pairs([['a', '3']]), { leaderEpoch: 0 });
    setup.time.runTurnEnd();
    await log.roll();
    await log.flush();
    expect(cleanableOffsets(log, undefined, 0)).toMatchObject({ firstUncleanableDirtyOffset: 2, boundBy: 'last-stable-offset' });
  });

  test('not what is not on the device yet: the cleaner asks for that', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', [[['a', '1']]]);
    log.appendAsLeader(pairs([['a', '2']]), { leaderEpoch: 0 });
    setup.time.runTurnEnd();
    const flushed = log.recoveryPoint;
    await log.roll();
    log.updateHighWatermark(2);
    if (log.recoveryPoint === flushed)
      expect(cleanableOffsets(log, undefined, 0)).toMatchObject({ firstUncleanableDirtyOffset: 1, boundBy: 'unflushed' });
    await setup.start();
    await setup.time.advance(2000);
    await setup.settle();
    expect(contents(log)).toEqual(['1:a=2']);
  });
});

describe('which log is cleaned', () => {
  test('the one with the largest dirty share first, none below min.cleanable.dirty.ratio', async () => {
    const setup = new Setup();
    const half = await setup.log('half', twice('a'));
    await setup.log('whole', twice('b'));
    await setup.log('clean', twice('c'), { 'min.cleanable.dirty.ratio': '1' });
    await setup.log('plain', twice('d'), { 'cleanup.policy': 'delete' });
    // Half of it is clean already.
    setup.disk.writeFile(CHECKPOINT, '0\n1\nhalf 0 1\n');
    expect(half.logEndOffset).toBe(2);
    await setup.start();
    expect(setup.cleaned).toEqual(['whole', 'half']);
    expect(setup.metric('max-dirty-percent')).toBe(100);
  });

  test('below the ratio, but with a record older than max.compaction.lag.ms', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'), { 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '5000' });
    await setup.start();
    expect(setup.cleaned).toEqual([]);
    const { dueMs } = setup.cleaner.describePartition(log);
    expect(dueMs).toBe(setup.time.wallMs() + 5000);
    await setup.time.advance(4000);
    await setup.settle();
    expect(setup.cleaned).toEqual([]);
    await setup.time.advance(4000);
    await setup.settle();
    expect(setup.cleaned).toEqual(['orders']);
  });

  test('after a rest of log.cleaner.backoff.ms it is looked for again', async () => {
    const setup = new Setup();
    await setup.start();
    const log = await setup.log('orders', twice('a'));
    await setup.settle();
    expect(setup.cleaned).toEqual([]);
    await setup.time.advance(1000);
    await setup.settle();
    expect(contents(log)).toEqual(['1:a=2']);
  });
});

describe('checkpoints', () => {
  test('a cleaning is noted in cleaner-offset-checkpoint, and the next broker goes on from there', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    await setup.start();
    await setup.cleaner.shutdown();
    expect(setup.disk.readFile(CHECKPOINT).toString()).toBe('0\n1\norders 0 2\n');
    setup.cleaner = setup.newCleaner();
    setup.cleaner.manager.load();
    expect(setup.cleaner.manager.checkpointOf(log)).toBe(2);
  });

  test('one below the log start offset is set to it', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', [...twice('a'), ...twice('b')]);
    setup.disk.writeFile(CHECKPOINT, '0\n1\norders 0 1\n');
    log.deleteRecordsTo(3);
    setup.cleaner.manager.load();
    expect(await setup.cleaner.manager.grabFilthiestCompactedLog()).toMatchObject({ firstDirtyOffset: 3 });
    expect(setup.cleaner.manager.checkpointOf(log)).toBe(3);
  });

  test('a log that is cut back is clean no further than its active segment', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', [...twice('a'), ...twice('b')]);
    await setup.start();
    expect(setup.cleaner.manager.checkpointOf(log)).toBe(4);
    const pause = setup.cleaner.pauseForCut(log);
    expect(pause.settled).toBeUndefined();
    await log.truncateTo(2);
    pause.resume();
    expect(setup.cleaner.manager.checkpointOf(log)).toBe(log.segments.at(-1)?.baseOffset);
  });

  test("a deleted log's is removed", async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    await setup.start();
    setup.logs.delete('orders');
    setup.cleaner.onLogDeleted(log);
    await setup.cleaner.shutdown();
    expect(setup.disk.readFile(CHECKPOINT).toString()).toBe('0\n0\n');
  });
});

describe('states', () => {
  test('a pause waits for the slice under way, leaves the log as it was, and counts', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    let open = (): void => {};
    setup.gate = new Promise((resolve) => (open = resolve));
    await setup.start();
    expect(setup.slices).toBe(1);
    expect(setup.cleaner.describePartition(log).state).toBe('in-progress');
    let paused = 0;
    const first = setup.cleaner.pauseForCut(log);
    const second = setup.cleaner.pauseForCut(log);
    void first.settled?.then(() => paused++);
    void second.settled?.then(() => paused++);
    await setup.settle();
    expect([paused, setup.cleaner.describePartition(log).state]).toEqual([0, 'aborted']);
    setup.gate = undefined;
    open();
    await setup.settle();
    expect([paused, setup.cleaner.describePartition(log).state]).toEqual([2, 'paused']);
    expect(contents(log)).toEqual(['0:a=1', '1:a=2']);
    await setup.time.advance(5000);
    await setup.settle();
    first.resume();
    await setup.time.advance(5000);
    await setup.settle();
    expect(setup.cleaned).toEqual([]);
    second.resume();
    await setup.time.advance(5000);
    await setup.settle();
    expect(setup.cleaned).toEqual(['orders']);
    expect(() => second.resume()).toThrow(/not paused/);
  });

  test('a log that goes offline or is closed while it is cleaned is neither set aside nor a failure of its disk', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    let open = (): void => {};
    setup.gate = new Promise((resolve) => (open = resolve));
    await setup.start();
    log.goOffline('gone');
    setup.logs.delete('orders');
    open();
    await setup.settle();
    expect([setup.failures, setup.cleaned, setup.cleaner.manager.uncleanablePartitions(LOG_DIR)]).toEqual([[], [], []]);
  });

  test('a shutdown ends what is under way at its slice', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    let open = (): void => {};
    setup.gate = new Promise((resolve) => (open = resolve));
    await setup.start();
    let isDown = false;
    const down = setup.cleaner.shutdown().then(() => (isDown = true));
    await setup.settle();
    expect(isDown).toBe(false);
    open();
    await down;
    expect(contents(log)).toEqual(['0:a=1', '1:a=2']);
    expect(setup.metric('max-dirty-percent')).toBeUndefined();
  });
});

describe('what can not be cleaned', () => {
  async function damaged(): Promise<{ setup: Setup; log: UnifiedLog }> {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    await setup.log('others', twice('b'));
    const file = setup.disk.open(log.segments[0]?.path ?? '', 'read-write');
    file.writeGathered([Buffer.from([0xff])], 66);
    file.close();
    await setup.start();
    return { setup, log };
  }

  test('is set aside with the reason, and others are cleaned', async () => {
    const { setup, log } = await damaged();
    expect(setup.cleaned).toEqual(['others']);
    const described = setup.cleaner.describe();
    expect(described.partitions.find(({ topic }) => topic === 'orders')).toMatchObject({
      state: 'uncleanable',
      isDue: false,
      cleanableBytes: log.sizeBytes,
    });
    expect(described.partitions[0]?.uncleanableReason).toMatch(/orders-0\/0+\.log at 0: a wrong checksum/);
    expect([setup.metric('uncleanable-partitions-count'), setup.metric('uncleanable-bytes')]).toEqual([1, log.sizeBytes]);
    expect(setup.failures).toEqual([]);
  });

  test('is forgotten with its log', async () => {
    const { setup } = await damaged();
    setup.logs.delete('orders');
    await setup.time.advance(1000);
    await setup.settle();
    expect(setup.metric('uncleanable-partitions-count')).toBe(0);
  });

  test('a log that can not be looked at is a failure of its disk, and the thread goes on', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'));
    await setup.log('others', twice('b'));
    const error = Object.assign(new Error('EIO: read'), { code: 'EIO', syscall: 'read' });
    Object.defineProperty(log, 'lastStableOffset', {
      get: () => {
        throw error;
      },
    });
    await setup.start();
    expect(setup.failures[0]).toBe('/data: Error: EIO: read');
    expect(setup.cleaned).toEqual(['others']);
    setup.logs.delete('orders');
    expect(setup.cleaner.describe()).toMatchObject({ threads: 1, deadThreads: 0 });
  });

  test('a disk that fails is reported as its folder, once', async () => {
    const setup = new Setup();
    await setup.log('orders', twice('a'));
    setup.disk.failAfter(6);
    await setup.start();
    expect(setup.failures.length).toBeGreaterThan(0);
    expect(setup.failures[0]).toMatch(/^\/data: Error: EIO/);
    expect(setup.cleaner.manager.uncleanablePartitions(LOG_DIR)).toEqual([]);
  });
});

describe('limits', () => {
  test('log.cleaner.io.max.bytes.per.second holds all reading and writing back', async () => {
    const setup = new Setup();
    const value = 'x'.repeat(1000);
    const log = await setup.log(
      'orders',
      Array.from({ length: 40 }, (_, index): Pair[] => [[`k${index % 4}`, value]]),
    );
    setup.config.logCleanerIoMaxBytesPerSecond = 10_000;
    await setup.start();
    expect(setup.cleaned).toEqual([]);
    // 40 KB for the map, 40 KB for the copy, 4 KB written.
    await setup.time.advance(7000);
    await setup.settle();
    expect(setup.cleaned).toEqual([]);
    await setup.time.advance(3000);
    await setup.settle();
    expect(setup.cleaned).toEqual(['orders']);
    expect(setup.cleaner.describePartition(log).lastRun).toMatchObject({ recordsRead: 40, recordsWritten: 4 });
  });

  test('a shutdown does not wait for the throttle', async () => {
    const setup = new Setup();
    await setup.log(
      'orders',
      Array.from({ length: 40 }, (): Pair[] => [['k', 'x'.repeat(1000)]]),
    );
    setup.config.logCleanerIoMaxBytesPerSecond = 1;
    await setup.start();
    let isDown = false;
    void setup.cleaner.shutdown().then(() => (isDown = true));
    await setup.time.advance(300);
    await setup.settle();
    expect([isDown, setup.slices]).toEqual([true, 1]);
  });

  test('the number of threads may change while they run', async () => {
    const setup = new Setup();
    let open = (): void => {};
    setup.gate = new Promise((resolve) => (open = resolve));
    await setup.log('a', twice('a'));
    await setup.log('b', twice('b'));
    await setup.log('c', twice('c'));
    await setup.start();
    expect(setup.slices).toBe(1);
    setup.config.logCleanerThreads = 2;
    setup.cleaner.reconfigure();
    await setup.settle();
    expect([setup.slices, setup.cleaner.describe().threads]).toEqual([2, 2]);
    setup.config.logCleanerThreads = 1;
    setup.cleaner.reconfigure();
    setup.gate = undefined;
    open();
    await setup.settle();
    expect(setup.cleaner.describe().threads).toBe(1);
    await setup.time.advance(1000);
    await setup.settle();
    expect(setup.cleaned.toSorted()).toEqual(['a', 'b', 'c']);
    expect(setup.metric('DeadThreadCount')).toBe(0);
  });
});

describe('many logs', () => {
  test('are looked at some hundred in a turn, and the dirtiest of all is found', async () => {
    const setup = new Setup();
    const clean = { 'min.cleanable.dirty.ratio': '1' };
    for (let index = 0; index < 1100; index++) await setup.log(`t${index}`, index === 700 ? twice('a') : [], clean);
    setup.logs.get('t700')?.updateConfig(LogConfig.fromDefaults(COMPACT));
    const found: string[] = [];
    void setup.cleaner.manager.grabFilthiestCompactedLog().then((toClean) => found.push(toClean?.log.topicPartition.topic ?? ''));
    let rests = 0;
    for (let round = 0; round < 20_000 && found.length === 0; round++) {
      await Promise.resolve();
      if (setup.time.pendingCount === 0) continue;
      rests++;
      await setup.time.advance(0);
    }
    expect(rests).toBeGreaterThanOrEqual(2);
    expect(found).toEqual(['t700']);
  });
});

describe('retention', () => {
  const OLD = 1_600_000_000_000;

  test('with compact,delete the cleaner deletes what is too old, with compact alone nothing', async () => {
    const setup = new Setup();
    // Cleaned, both segments would be one.
    const rules = { 'retention.ms': '1000', 'min.cleanable.dirty.ratio': '1' };
    const both = await setup.log('both', [], { 'cleanup.policy': 'compact,delete', ...rules });
    const compact = await setup.log('compact', [], rules);
    for (const log of [both, compact]) {
      await setup.append(log, [['a', '1']], OLD);
      await setup.append(log, [['b', '1']]);
    }
    await setup.start();
    expect([contents(both), both.logStartOffset]).toEqual([['1:b=1'], 1]);
    expect(contents(compact)).toEqual(['0:a=1', '1:b=1']);
  });

  test('with compact, segments below the log start offset go', async () => {
    const setup = new Setup();
    const log = await setup.log('orders', twice('a'), { 'min.cleanable.dirty.ratio': '1' });
    log.deleteRecordsTo(1);
    await setup.start();
    expect(log.segments[0]?.baseOffset).toBe(1);
  });
});

test('the description says how far a partition is clean and what its last cleaning did', async () => {
  const setup = new Setup();
  const log = await setup.log('orders', twice('a'));
  const before = setup.cleaner.describePartition(log);
  expect(before).toMatchObject({
    topic: 'orders',
    partition: 0,
    logDir: LOG_DIR,
    state: 'idle',
    firstDirtyOffset: 0,
    firstUncleanableOffset: 2,
    boundBy: 'active-segment',
    cleanBytes: 0,
    cleanableBytes: log.sizeBytes,
    uncleanableBytes: 0,
    dirtyRatio: 1,
    minCleanableDirtyRatio: 0.1,
    segments: 3,
    isDue: true,
    dueMs: undefined,
    lastRun: undefined,
  });
  const startedMs = setup.time.wallMs();
  await setup.start();
  expect(setup.cleaner.describePartition(log)).toMatchObject({
    state: 'idle',
    firstDirtyOffset: 2,
    dirtyRatio: 0,
    isDue: false,
    cleanBytes: log.sizeBytes,
    lastRun: { startedMs, firstDirtyOffset: 0, nextDirtyOffset: 2, recordsRead: 2, recordsWritten: 1, segmentsBefore: 3, segmentsAfter: 2 },
  });
  expect(setup.cleaner.describe()).toMatchObject({ isEnabled: true, threads: 1, deadThreads: 0, lastCheckMs: startedMs, backoffMs: 1000 });
  expect([setup.metric('cleaner-recopy-percent'), setup.metric('max-clean-time-secs')]).toEqual([50, 0]);
});
