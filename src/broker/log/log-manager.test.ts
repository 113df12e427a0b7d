import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Disk } from '../../runtime/disk.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { LogConfig } from '../config/log-config.ts';
import { LogDirRefusedError, LogStorageError } from './log-errors.ts';
import { LogManager } from './log-manager.ts';
import type { LogManagerOptions } from './log-manager.ts';
import { batchOf } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const CLUSTER_ID = 'vPeOCWypqUOSepEvx0cbog';
const TOPIC_ID = '5v2NLSJ8T2mHFZXSLYd-Ug';

let root = '';
const running: LogManager[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'samsa-log-'));
});

afterEach(async () => {
  for (const manager of running.splice(0)) await manager.shutdown();
  rmSync(root, { recursive: true, force: true });
});

interface Settings {
  readonly dirs?: readonly string[];
  readonly brokerId?: number;
  readonly clusterId?: string;
  readonly disk?: Disk;
  readonly cleaner?: boolean;
  readonly topic?: Record<string, string>;
  readonly onLogDirFailure?: LogManagerOptions['onLogDirFailure'];
}

async function start(settings: Settings = {}): Promise<LogManager> {
  const { dirs = ['a'], brokerId = 1, clusterId = CLUSTER_ID, topic = {} } = settings;
  const node = createNodeRuntime(silentLogger);
  const runtime: Runtime = settings.disk === undefined ? node : { ...node, disk: settings.disk };
  const manager = new LogManager({
    runtime,
    config: () => ({
      brokerId,
      logDirs: dirs.map((dir) => join(root, dir)),
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
      logCleanerDedupeBufferSize: 134_217_728,
      logCleanerIoBufferSize: 524_288,
      logCleanerIoBufferLoadFactor: 0.9,
      logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
      logCleanerBackoffMs: 15_000,
    }),
    clusterId,
    topicConfig: () => LogConfig.fromDefaults(topic),
    pid: 4242,
    socketDirectory: tmpdir(),
    ...(settings.onLogDirFailure === undefined ? {} : { onLogDirFailure: settings.onLogDirFailure }),
  });
  await manager.startup();
  running.push(manager);
  return manager;
}

/** Ends a manager as SIGKILL would: nothing is closed, only the lock's socket is gone with its process. */
function kill(manager: LogManager, dirs: readonly string[] = ['a']): void {
  running.splice(running.indexOf(manager), 1);
  for (const dir of dirs) rmSync(join(root, dir, '.lock.sock'), { force: true });
}

async function append(log: UnifiedLog, count: number): Promise<void> {
  for (let index = 0; index < count; index++) log.appendAsLeader(batchOf([`value ${index}`]), { leaderEpoch: 0 });
  await log.settled();
  log.updateHighWatermark(log.logEndOffset);
}

const t = (topic: string, partition: number): { topic: string; partition: number } => ({ topic, partition });
const text = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

describe('start and end', () => {
  test('a clean end leaves checkpoints, snapshots and its mark, and the next start takes them', async () => {
    const first = await start();
    const log = first.getOrCreateLog(t('orders', 0), { topicId: TOPIC_ID, isNew: true });
    await append(log, 5);
    log.deleteRecordsTo(2);
    await first.shutdown({ brokerEpoch: 99 });
    expect(text('a', '.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":99}');
    expect(text('a', 'recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 5\n');
    expect(text('a', 'log-start-offset-checkpoint')).toBe('0\n1\norders 0 2\n');
    expect(text('a', 'orders-0', 'partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`);
    expect(text('a', 'meta.properties')).toContain(`broker.id=1\nversion=0\ncluster.id=${CLUSTER_ID}\n`);

    const second = await start();
    const again = second.getLog(t('orders', 0));
    expect(again).toMatchObject({ logStartOffset: 2, logEndOffset: 5, recoveryPoint: 5, topicId: TOPIC_ID });
    expect([
      second.previousBrokerEpoch,
      second.progress.scannedBytes,
      readdirSync(join(root, 'a')).includes('.kafka_cleanshutdown'),
    ]).toEqual([99, 0, false]);
  });

  test('after a kill every record that was answered is there', async () => {
    const first = await start();
    await append(first.getOrCreateLog(t('orders', 0), { isNew: true }), 7);
    kill(first);
    const second = await start();
    const log = second.getLog(t('orders', 0));
    expect(log?.logEndOffset).toBe(7);
    expect(second.recoveryOf(t('orders', 0))).toMatchObject({ logEndOffset: 7, truncatedBytes: 0, scannedBytes: log?.sizeBytes });
    expect(second.previousBrokerEpoch).toBe(-1);
  });

  test('opens many logs and tells of its progress', async () => {
    const first = await start();
    for (let partition = 0; partition < 40; partition++)
      await append(first.getOrCreateLog(t('many', partition), { isNew: true }), partition);
    await first.shutdown();
    const second = await start();
    expect(second.progress).toEqual({ totalLogs: 40, loadedLogs: 40, scannedBytes: 0 });
    expect(second.logsOfTopic('many').reduce((sum, log) => sum + log.logEndOffset, 0)).toBe((39 * 40) / 2);
  });

  test('folders that belong to no partition are left alone', async () => {
    await (await start()).shutdown();
    const stranger = join(root, 'a', 'lost+found');
    await import('node:fs').then((fs) => fs.mkdirSync(stranger));
    const manager = await start();
    expect([...manager.allLogs]).toEqual([]);
    expect(readdirSync(join(root, 'a'))).toContain('lost+found');
  });
});

describe('whose folder it is', () => {
  test('one of another broker or cluster is refused with both ids', async () => {
    await (await start()).shutdown();
    await expect(start({ brokerId: 2 })).rejects.toThrow(/broker.id=1.*broker 2/);
    await expect(start({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAB' })).rejects.toThrow(LogDirRefusedError);
    const right = await start();
    expect(right.liveLogDirs).toHaveLength(1);
  });

  test('one that is in use is refused with the process id, one left behind by a dead process is not', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(/4242/);
    kill(first);
    // The dead one's lock file is still there.
    expect(text('a', '.lock')).toContain('4242');
    expect((await start()).liveLogDirs).toHaveLength(1);
  });

  test("Kafka's empty lock file is no obstacle", async () => {
    await (await start()).shutdown();
    writeFileSync(join(root, 'a', '.lock'), '');
    expect((await start()).liveLogDirs).toHaveLength(1);
  });
});

describe('a meta.properties that can not be read', () => {
  test('takes its log dir offline, not the others; alone it ends the start and is named', async () => {
    await (await start({ dirs: ['a', 'b'] })).shutdown();
    writeFileSync(join(root, 'a', 'meta.properties'), 'broker.id=one\n');
    const manager = await start({ dirs: ['a', 'b'] });
    expect(manager.liveLogDirs).toEqual([join(root, 'b')]);
    await manager.shutdown();
    await expect(start()).rejects.toThrow(/meta.properties can't be read/);
  });
});

describe('logs', () => {
  test('are made in the folder with the fewest, and found again', async () => {
    const manager = await start({ dirs: ['a', 'b'] });
    for (let partition = 0; partition < 6; partition++) manager.getOrCreateLog(t('spread', partition), { isNew: true });
    const counts = manager.describeLogDirs().map((dir) => dir.logs.length);
    expect(counts).toEqual([3, 3]);
    expect(manager.getOrCreateLog(t('spread', 2))).toBe(manager.getLog(t('spread', 2)));
  });

  test('that are deleted are gone at once, their folder after the delay', async () => {
    const manager = await start({ topic: { 'file.delete.delay.ms': '0' } });
    const log = manager.getOrCreateLog(t('a-b', 3), { isNew: true });
    await append(log, 3);
    let error: Error | undefined;
    log.appendAsLeader(batchOf(['x']), { leaderEpoch: 0, onComplete: (failure) => (error = failure) });
    const deleted = manager.asyncDelete(t('a-b', 3));
    expect(manager.getLog(t('a-b', 3))).toBeUndefined();
    await deleted;
    expect(error).toBeInstanceOf(LogStorageError);
    const again = manager.getOrCreateLog(t('a-b', 3), { isNew: true });
    expect(again.logEndOffset).toBe(0);
    await expect.poll(() => readdirSync(join(root, 'a')).filter((name) => name.endsWith('-delete'))).toEqual([]);
  });

  test('whose records are let go have their start as recovery point, and lose segments only when the checkpoint says so', async () => {
    const manager = await start({ cleaner: false, topic: { 'segment.bytes': '200', 'retention.ms': '-1' } });
    const log = manager.getOrCreateLog(t('orders', 0), { isNew: true });
    await append(log, 20);
    const { segments } = log;
    const begin = segments.at(-1)?.baseOffset ?? 0;
    log.deleteRecordsTo(begin);
    expect(manager.deleteOldSegments()).toBe(segments.length - 1);
    expect(log.numberOfSegments).toBe(segments.length);
    await log.segmentsGoing;
    expect(log.numberOfSegments).toBe(1);
    expect(text('a', 'log-start-offset-checkpoint')).toBe(`0\n1\norders 0 ${begin}\n`);
    await log.flush();
    await manager.checkpointRecoveryPoints();
    expect(text('a', 'recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 20\n');
    // The names of the files tell by now.
    expect(text('a', 'log-start-offset-checkpoint')).toBe('0\n0\n');
  });

  test('that are deleted are taken out of the checkpoints at once', async () => {
    const manager = await start({ cleaner: false });
    for (const partition of [0, 1, 2]) await append(manager.getOrCreateLog(t('gone', partition), { isNew: true }), 4);
    await append(manager.getOrCreateLog(t('kept', 0), { isNew: true }), 4);
    for (const log of manager.allLogs) {
      await log.flush();
      log.deleteRecordsTo(1);
    }
    await manager.checkpointRecoveryPoints();
    await manager.checkpointLogStartOffsets();
    // A cleaner that is switched off now has been here.
    writeFileSync(join(root, 'a', 'cleaner-offset-checkpoint'), '0\n2\ngone 1 3\nkept 0 3\n');
    await Promise.all([manager.asyncDelete(t('gone', 0)), manager.asyncDelete(t('gone', 1)), manager.setAsideStray(t('gone', 2))]);
    const files = ['recovery-point', 'log-start', 'cleaner'].map((name) => text('a', `${name}-offset-checkpoint`));
    expect(files).toEqual(['0\n1\nkept 0 4\n', '0\n1\nkept 0 1\n', '0\n1\nkept 0 3\n']);
  });

  test('that a kill left in the checkpoints and whose folders are gone are taken out at the next start', async () => {
    const first = await start();
    await append(first.getOrCreateLog(t('kept', 0), { isNew: true }), 4);
    kill(first);
    writeFileSync(join(root, 'a', 'recovery-point-offset-checkpoint'), '0\n2\ngone 0 9\nkept 0 2\n');
    const second = await start();
    await expect.poll(() => text('a', 'recovery-point-offset-checkpoint')).toBe('0\n1\nkept 0 2\n');
    await second.shutdown();
  });

  test('that are another topic’s are set aside: their folder stays, and none of it is opened again', async () => {
    const first = await start();
    await append(first.getOrCreateLog(t('twice', 0), { isNew: true }), 2);
    await first.setAsideStray(t('twice', 0));
    expect(first.getOrCreateLog(t('twice', 0), { isNew: true }).logEndOffset).toBe(0);
    kill(first);
    const second = await start();
    expect(second.getLog(t('twice', 0))?.logEndOffset).toBe(0);
    expect([...second.allLogs]).toHaveLength(1);
    const strays = readdirSync(join(root, 'a')).filter((name) => /^twice-0\.[0-9a-f]{32}-stray$/.test(name));
    expect(strays).toHaveLength(1);
  });

  test('a deletion that a kill interrupted is finished at the next start', async () => {
    const first = await start();
    first.getOrCreateLog(t('gone', 0), { isNew: true });
    await first.asyncDelete(t('gone', 0));
    kill(first);
    const second = await start();
    expect([...second.allLogs]).toEqual([]);
    await expect.poll(() => readdirSync(join(root, 'a')).filter((name) => name.startsWith('gone'))).toEqual([]);
  });

  test('take a new configuration of their topic', async () => {
    const manager = await start();
    const log = manager.getOrCreateLog(t('orders', 0), { isNew: true });
    manager.updateTopicConfig('orders', LogConfig.fromDefaults({ 'flush.messages': '1' }));
    await append(log, 1);
    expect([log.config.flushMessages, log.recoveryPoint >= 0]).toEqual([1, true]);
    await expect.poll(() => log.recoveryPoint).toBe(1);
  });

  test('are flushed when flush.ms has passed, and the checkpoint says so', async () => {
    const manager = await start({ topic: { 'flush.ms': '0' } });
    const log = manager.getOrCreateLog(t('orders', 0), { isNew: true });
    await append(log, 4);
    manager.flushDirtyLogs();
    await expect.poll(() => log.recoveryPoint).toBe(4);
    await manager.checkpointRecoveryPoints();
    expect(text('a', 'recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 4\n');
  });
});

describe('a folder whose disk fails', () => {
  /** The Node disk, on which writes below a path fail once told to. */
  function failing(): { disk: Disk; failBelow: (path: string) => void } {
    const { disk } = createNodeRuntime(silentLogger);
    let broken: string | undefined;
    const check = (path: string): void => {
      if (broken !== undefined && path.startsWith(broken))
        throw Object.assign(new Error(`EIO: i/o error, open '${path}'`), { code: 'EIO', syscall: 'open', path });
    };
    return {
      disk: {
        ...disk,
        open: (path, mode) => {
          check(path);
          const file = disk.open(path, mode);
          return new Proxy(file, {
            get(target, property) {
              const value: unknown = Reflect.get(target, property, target);
              if (property === 'write' || property === 'writeGathered') check(path);
              return typeof value === 'function' ? value.bind(target) : value;
            },
          });
        },
      },
      failBelow: (path) => (broken = path),
    };
  }

  test('goes offline alone; its partitions are refused, new ones go elsewhere, unknown ones nowhere', async () => {
    const { disk, failBelow } = failing();
    const heard: string[] = [];
    const manager = await start({ dirs: ['a', 'b'], disk, onLogDirFailure: (directory) => heard.push(directory) });
    const [inA, inB] = [manager.getOrCreateLog(t('x', 0), { isNew: true }), manager.getOrCreateLog(t('x', 1), { isNew: true })];
    await append(inA, 2);
    await append(inB, 2);
    failBelow(inA.logDir);
    let error: Error | undefined;
    inA.appendAsLeader(batchOf(['x']), { leaderEpoch: 0, onComplete: (failure) => (error = failure) });
    await inA.settled();
    expect([error?.name, heard]).toEqual(['LogStorageError', [inA.logDir]]);
    expect(manager.liveLogDirs).toEqual([inB.logDir]);
    expect(manager.getLog(t('x', 0))).toBeUndefined();
    expect(() => manager.getOrCreateLog(t('x', 0))).toThrow(LogStorageError);
    expect(manager.getOrCreateLog(t('new', 0), { isNew: true }).logDir).toBe(inB.logDir);
    await append(inB, 1);
    expect(manager.describeLogDirs().map((dir) => [dir.isOffline, dir.logs.length])).toEqual([
      [true, 0],
      [false, 2],
    ]);
    await manager.shutdown();
    expect(readdirSync(join(root, 'b'))).toContain('.kafka_cleanshutdown');
    expect(readdirSync(join(root, 'a'))).not.toContain('.kafka_cleanshutdown');
  });

  test('is an error of the start when no other is left', async () => {
    const { disk, failBelow } = failing();
    failBelow(join(root, 'a'));
    await expect(start({ disk })).rejects.toThrow(LogDirRefusedError);
  });
});
