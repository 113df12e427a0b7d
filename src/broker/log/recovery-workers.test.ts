/** What a worker finds in a damaged log is what the event loop finds, to the byte; and whatever becomes of the worker, the outcome is the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildControlBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import type { Logger } from '../../runtime/logger.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { NodeOffload } from '../../runtime/node/node-offload.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Offload } from '../../runtime/offload.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { LogConfig } from '../config/log-config.ts';
import { createLogContext } from './log-context.ts';
import { createLog } from './create-log.ts';
import { loadLog } from './log-loader.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import { RecoveryWorkers } from './recovery-workers.ts';
import type { ScanJob } from './recovery-workers.ts';
import { ALL_IN_WORKERS, ClonedOffload } from './testing/cloned-offload.ts';
import { batchOf, DIRECTORY, logFixture, newLog, openLog, readAll } from './testing/log-fixture.ts';
import type { LogFixture } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const CONFIG = { 'segment.bytes': '4000', 'index.interval.bytes': '150' };

const workersOf = (fixture: LogFixture, offload: Offload, logger: Logger = silentLogger): RecoveryWorkers =>
  new RecoveryWorkers({ runtime: { offload, scheduler: fixture.time, logger }, threadsPerDir: 1, ...ALL_IN_WORKERS });

/** Batches with and without producers, transactions that are open, aborted and committed, epochs; in several segments, never flushed. */
function write(log: UnifiedLog, random: SeededRandom, endTurn: () => void): void {
  const sequences = new Map<number, number>();
  for (let index = 0; index < 120; index++) {
    const producerId = random.int(5);
    const leaderEpoch = Math.floor(index / 17);
    if (producerId < 2 && random.int(4) === 0) {
      const type = random.int(2) === 0 ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
      log.appendAsLeader(
        buildControlBatch({ type, coordinatorEpoch: 3, producerId, producerEpoch: 0, timestamp: 1_700_000_000_000 + index }),
        {
          leaderEpoch,
          origin: 'coordinator',
        },
      );
    } else {
      const values = Array.from({ length: 1 + random.int(3) }, () => 'v'.repeat(random.int(120)));
      const baseSequence = sequences.get(producerId) ?? 0;
      sequences.set(producerId, baseSequence + values.length);
      const producer = producerId === 4 ? {} : { producerId, producerEpoch: 0, baseSequence, isTransactional: producerId < 2 };
      log.appendAsLeader(batchOf(values, { timestamp: 1_700_000_000_000 + random.int(5000), ...producer }), { leaderEpoch });
    }
    if (random.int(3) === 0) endTurn();
  }
  endTurn();
}

/** A killed broker's disk, with a flipped bit, a cut or nothing done to one of its segments. */
async function killed(seed: number): Promise<MemoryDisk> {
  const random = new SeededRandom(seed);
  const disk = new MemoryDisk();
  const fixture = logFixture({ disk });
  const log = newLog(fixture, CONFIG);
  write(log, random, () => fixture.time.runTurnEnd());
  await fixture.time.settle();
  await log.settled();
  disk.crash(random, 'keep');
  const logs = disk.list(DIRECTORY).filter(({ name }) => name.endsWith('.log'));
  const path = `${DIRECTORY}/${logs[random.int(logs.length)]?.name}`;
  const sizeBytes = disk.stat(path)?.sizeBytes ?? 0;
  const damage = random.int(3);
  if (damage === 1) disk.flipBit(path, random.int(sizeBytes * 8));
  else if (damage === 2) {
    const file = disk.open(path, 'read-write');
    file.truncate(random.int(sizeBytes));
    file.close();
  }
  return disk;
}

/** All that a start makes of the folder: the log's own state and its files. */
async function outcomeOf(seed: number, workersFor: (fixture: LogFixture) => RecoveryWorkers | undefined): Promise<unknown> {
  const disk = await killed(seed);
  const fixture = logFixture({ disk, time: new ManualTime(1_700_000_100_000) });
  const workers = workersFor(fixture);
  let scannedBytes = 0;
  const recovered: unknown[] = [];
  const log = await openLog(fixture, CONFIG, {
    ...(workers === undefined ? {} : { workers }),
    onBytes: (bytes) => void (scannedBytes += bytes),
    onRecovered: (event) => recovered.push(event),
  });
  return {
    end: log.logEndOffset,
    scannedBytes,
    recovered,
    producers: [...log.activeProducers.values()].map((entry) => [entry.toSnapshot(), entry.batches]),
    firstUnstable: log.lastStableOffset,
    epochs: Array.from({ length: log.logEndOffset }, (_, offset) => log.epochForOffset(offset)),
    segments: log.segments.map(({ baseOffset, sizeBytes, maxTimestampSoFar, indexes }) => [
      [baseOffset, sizeBytes, maxTimestampSoFar, indexes.offsetIndex.bytes.toString('hex'), indexes.timeIndex.bytes.toString('hex')],
      indexes.abortedTxns,
    ]),
    files: disk.list(DIRECTORY).map(({ name }) => [name, disk.readFile(`${DIRECTORY}/${name}`).toString('hex')]),
    records: readAll(log),
  };
}

describe('a scan by a worker', () => {
  test('finds in damaged logs what the event loop finds', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const offloads: ClonedOffload[] = [];
      const here = await outcomeOf(seed, () => undefined);
      const there = await outcomeOf(seed, (fixture) => {
        const offload = new ClonedOffload(fixture.context.disk);
        offloads.push(offload);
        return workersOf(fixture, offload);
      });
      expect(there, `seed ${seed}`).toEqual(here);
      expect(offloads[0]?.tasks).toBeGreaterThan(0);
    }
  });

  test('that dies is done on the event loop, and no byte is counted twice', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const there = await outcomeOf(seed, (fixture) => workersOf(fixture, new ClonedOffload(fixture.context.disk, { rejecting: true })));
      expect(there, `seed ${seed}`).toEqual(await outcomeOf(seed, () => undefined));
    }
  });

  test('whose disk fails is an error of the disk, as on the event loop', async () => {
    const failure = async (isInWorker: boolean): Promise<unknown> => {
      const disk = await killed(3);
      const fixture = logFixture({ disk });
      const failing = new Proxy(fixture.context.disk, {
        get(target, property) {
          if (property !== 'open') return Reflect.get(target, property, target).bind(target);
          return (path: string, mode: Parameters<MemoryDisk['open']>[1]) => {
            const file = target.open(path, mode);
            const fail = (): never => {
              throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read', path });
            };
            return new Proxy(file, {
              get: (of, name) =>
                name === 'read' && path.endsWith('.log') ? fail : (Reflect.get(of, name, of)?.bind?.(of) ?? Reflect.get(of, name, of)),
            });
          };
        },
      });
      const context = createLogContext(
        { ...createNodeRuntime(silentLogger), disk: failing, scheduler: fixture.time, clock: fixture.time },
        { onFailure: () => {}, onRecoveryPointLowered: () => Promise.resolve() },
      );
      const workers = isInWorker ? workersOf(fixture, new ClonedOffload(failing)) : undefined;
      return openLog({ ...fixture, context }, CONFIG, workers === undefined ? {} : { workers }).catch((error: unknown) => error);
    };
    const inWorker = await failure(true);
    expect(inWorker).toBeInstanceOf(Error);
    expect(inWorker).toMatchObject({ code: 'EIO', syscall: 'read', message: 'EIO: i/o error, read' });
    expect(inWorker).toEqual(await failure(false));
  });
});

describe('which scans go to workers', () => {
  const MIB = 1024 * 1024;

  /** Asks for scans of so many MiB; tells which of them workers were asked for, and how many of them at a time. */
  async function ask(sizesMib: readonly number[], threadsPerDir = 1, logDirs = ['/a']): Promise<{ inWorkers: number[]; most: number }> {
    const time = new ManualTime();
    const inWorkers: number[] = [];
    let [now, most] = [0, 0];
    const offload: Offload = {
      run: async (_task, input) => {
        inWorkers.push((input as unknown as { target: { fileBytes: number } }).target.fileBytes / MIB);
        most = Math.max(most, ++now);
        await new Promise<void>((resolve) => void time.after(1, resolve));
        now--;
        return { kind: 'disk-error', message: 'enough', code: 'EIO', syscall: 'read', path: undefined } as never;
      },
      close: () => Promise.resolve(),
    };
    const workers = new RecoveryWorkers({ runtime: { offload, scheduler: time, logger: silentLogger }, threadsPerDir });
    const scans = sizesMib.map((mib, index) => {
      const job: ScanJob = {
        logDir: logDirs[index % logDirs.length] ?? '',
        path: '/x',
        target: { baseOffset: 0, fileBytes: mib * MIB, indexIntervalBytes: 4096, endOffset: Infinity, mayHaveGaps: false },
        producerState: new ProducerStateManager(),
        onBytes: () => {},
        scanHere: () => Promise.reject(new Error('here')),
      };
      return workers.scan(job).catch(() => {});
    });
    for (let round = 0; round < sizesMib.length + 2; round++) await time.advance(1);
    await Promise.all(scans);
    return { inWorkers, most };
  }

  test('none while there is little to scan, and small segments never', async () => {
    expect((await ask([16, 16, 16, 64])).inWorkers).toEqual([]);
    expect((await ask(Array.from({ length: 400 }, () => 1))).inWorkers).toEqual([]);
    expect((await ask([100, 100, 100, 1, 100])).inWorkers).toEqual([100, 100]);
  });

  test('as many at a time in each log dir as num.recovery.threads.per.data.dir', async () => {
    const large = Array.from({ length: 8 }, () => 300);
    expect((await ask(large)).most).toBe(1);
    expect((await ask(large, 3)).most).toBe(3);
    expect((await ask(large, 2, ['/a', '/b'])).most).toBe(4);
  });
});

describe('on the real disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-recovery-workers-'));
  const offload = new NodeOffload();
  afterAll(async () => {
    await offload.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a thread finds what the event loop finds', async () => {
    const runtime = createNodeRuntime(silentLogger);
    const context = createLogContext(runtime, { onFailure: () => {}, onRecoveryPointLowered: () => Promise.resolve() });
    const config = LogConfig.fromDefaults({ 'segment.bytes': '400000' });
    const options = { topicPartition: { topic: 't', partition: 0 }, directory: join(directory, 't-0'), config };
    const log = createLog(context, options);
    for (let round = 0; round < 20; round++) {
      write(log, new SeededRandom(round), () => {});
      log.appendAsLeader(batchOf(['x'.repeat(90_000)]), { leaderEpoch: 9 });
      await log.settled();
    }
    const end = log.logEndOffset;
    log.goOffline('killed');
    const load = async (workers: RecoveryWorkers | undefined): Promise<unknown> => {
      let scannedBytes = 0;
      const opened = await loadLog(context, {
        ...options,
        logStartOffset: 0,
        recoveryPoint: 0,
        hadCleanShutdown: false,
        onBytes: (bytes) => void (scannedBytes += bytes),
        ...(workers === undefined ? {} : { workers }),
      });
      expect(opened.logEndOffset).toBe(end);
      const outcome = {
        scannedBytes,
        producers: [...opened.activeProducers.values()].map((entry) => entry.batches),
        indexes: opened.segments.map(({ indexes }) => [indexes.offsetIndex.bytes, indexes.timeIndex.bytes, indexes.abortedTxns]),
      };
      opened.goOffline('looked at');
      return outcome;
    };
    const here = await load(undefined);
    let scans = 0;
    const counting: Offload = {
      run: (task, input, transfer) => offload.run(task, input, transfer).finally(() => scans++),
      close: () => offload.close(),
    };
    const logger = { ...silentLogger, warn: () => expect.unreachable('a scan fell back to the event loop') };
    const workers = new RecoveryWorkers({ runtime: { ...runtime, offload: counting, logger }, threadsPerDir: 2, ...ALL_IN_WORKERS });
    expect(await load(workers)).toEqual(here);
    expect(scans).toBeGreaterThan(3);
  });
});
