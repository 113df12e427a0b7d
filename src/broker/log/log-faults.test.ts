/**
 * The disk fails at every single call of a workload that has all a broker does with its logs: append, roll, flush, truncate, delete
 * records, retention, checkpoints, deletion, close, reopen. EIO for good or once, a full disk with its short writes, in one of two log
 * dirs. Whatever happens: what is read afterwards is what was written, all that was synced is there, the other log dir goes on, and
 * the next start succeeds. SAMSA_FAULTS=all tries every call, SAMSA_FAULT=<name>:<call>:<mode> one.
 */
import { expect, test } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import type { CrashMode, DiskFault } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { LogConfig } from '../config/log-config.ts';
import { LogManager } from './log-manager.ts';
import { batchOf, inconsistencyOf, readAll } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const DIRS = ['/data/a', '/data/b'];
const TOPIC = 'orders';
const PARTITIONS = 4;
const CONFIG = {
  'segment.bytes': '1500',
  'index.interval.bytes': '200',
  'file.delete.delay.ms': '100',
  'retention.bytes': '4000',
  'producer.id.expiration.ms': '86400000',
};
const FAULTS: readonly (readonly [string, DiskFault])[] = [
  ['EIO', { code: 'EIO' }],
  ['EIO once', { code: 'EIO', times: 1 }],
  ['ENOSPC', { code: 'ENOSPC', shortWrites: true }],
  ['ENOSPC once', { code: 'ENOSPC', shortWrites: true, times: 1 }],
  ['EIO in one log dir', { code: 'EIO', below: '/data/a' }],
  ['ENOSPC in one log dir', { code: 'ENOSPC', shortWrites: true, below: '/data/a' }],
];
const MODES: readonly CrashMode[] = ['keep', 'tear', 'lose'];

/** What a partition's log may hold: the value at each offset. */
class Book {
  /** More than one while a cut isn't known to be on the device. */
  candidates: (readonly string[])[] = [[]];
  /** Below it all is on the device. */
  durable = 0;
  /** The log's start is between them. */
  lowestStart = 0;
  highestStart = 0;

  get last(): readonly string[] {
    return this.candidates.at(-1) ?? [];
  }

  add(values: readonly string[]): void {
    this.candidates = this.candidates.map((known, index) => (index === this.candidates.length - 1 ? [...known, ...values] : known));
  }

  faultOf(log: UnifiedLog): string | undefined {
    if (log.logStartOffset > this.highestStart && log.logStartOffset > this.durable)
      return `it starts at ${log.logStartOffset}, at most ${this.highestStart} was asked for`;
    if (log.logEndOffset < this.durable) return `it ends at ${log.logEndOffset}, ${this.durable} was synced`;
    const records = readAll(log, { from: Math.max(log.logStartOffset, log.segments[0]?.baseOffset ?? 0) });
    const fits = this.candidates.some((values) => records.every(({ offset, value }) => values[offset] === value));
    if (!fits) return `${JSON.stringify(records.map(({ offset, value }) => [offset, value?.slice(0, 12)]))} is not what was written`;
    return inconsistencyOf(log);
  }
}

class Broker {
  readonly disk: MemoryDisk;
  readonly books = new Map<number, Book>();
  time = new ManualTime();
  manager: LogManager;
  #serial = 0;
  #firstEpoch = 0;
  readonly #sequences = new Map<number, number>();

  constructor(disk: MemoryDisk) {
    this.disk = disk;
    this.manager = this.#newManager();
  }

  async start(): Promise<void> {
    this.manager = this.#newManager();
    await this.#whileTimeGoesOn(this.manager.startup());
  }

  /** The scripted workload. Nothing in it throws because of the disk: logs refuse, folders go offline. */
  async work(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) this.#make(partition);
    for (let round = 0; round < 6; round++) await this.#append(round);
    await this.#each(
      (log) => log.flush(),
      (log, book) => void (book.durable = log.logEndOffset),
    );
    await this.manager.checkpointRecoveryPoints();
    await this.#each((log) => log.roll());
    await this.#append(6);
    await this.#truncate(2);
    await this.#append(7);
    await this.#truncate(12);
    for (let round = 8; round < 12; round++) await this.#append(round);
    await this.#each(
      async (log) => void log.deleteRecordsTo(Math.min(5, log.highWatermark)),
      (log, book) => void (book.highestStart = Math.max(book.highestStart, log.logStartOffset)),
    );
    await this.manager.checkpointLogStartOffsets();
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log !== undefined) book.highestStart = Math.max(book.highestStart, log.highWatermark);
    }
    this.manager.deleteOldSegments();
    await this.time.advance(2000);
    await this.#append(12);
    await this.#deletePartition(PARTITIONS - 1);
    this.#make(PARTITIONS);
    await this.#append(13);
  }

  async stop(): Promise<void> {
    const ends = new Map(Array.from(this.books.keys(), (partition) => [partition, this.#log(partition)?.logEndOffset]));
    const live = new Set(Array.from(this.books.keys(), (partition) => this.#log(partition)?.logDir));
    await this.#whileTimeGoesOn(this.manager.shutdown());
    for (const directory of live) {
      if (directory === undefined || !this.disk.exists(`${directory}/.kafka_cleanshutdown`)) continue;
      if (!this.manager.liveLogDirs.includes(directory)) continue;
      for (const [partition, book] of this.books) {
        const end = ends.get(partition);
        if (end !== undefined && this.dirOf.get(partition) === directory) book.durable = Math.max(book.durable, end);
      }
    }
  }

  readonly dirOf = new Map<number, string>();

  #newManager(): LogManager {
    const disk = this.disk.process();
    const { time } = this;
    return new LogManager({
      runtime: {
        disk,
        clock: time,
        scheduler: time,
        random: new SeededRandom(3),
        logger: silentLogger,
        metrics: new MetricsRegistry(),
        net: {
          listen: async () => ({ address: { path: '/socket' }, close: async () => {} }) as never,
          connect: (_target, handler) => {
            time.after(0, () => (handler as { onClose: () => void }).onClose());
            return { destroy: () => {} } as never;
          },
        },
      },
      config: () => ({
        brokerId: 1,
        logDirs: DIRS,
        logFlushSchedulerIntervalMs: 2 ** 63,
        logFlushOffsetCheckpointIntervalMs: 60_000,
        logFlushStartOffsetCheckpointIntervalMs: 60_000,
        logRetentionCheckIntervalMs: 300_000,
        logInitialTaskDelayMs: 30_000,
        producerIdExpirationMs: 86_400_000,
        producerIdExpirationCheckIntervalMs: 600_000,
      }),
      clusterId: 'vPeOCWypqUOSepEvx0cbog',
      topicConfig: () => LogConfig.fromDefaults(CONFIG),
      pid: 4242,
      socketDirectory: '/tmp',
    });
  }

  async #whileTimeGoesOn(work: Promise<void>): Promise<void> {
    let done = false;
    const ended = work.finally(() => (done = true));
    ended.catch(() => {});
    for (let round = 0; round < 2000 && !done; round++) await this.time.advance(1);
    if (!done) throw new Error('it hangs');
    await ended;
  }

  #log(partition: number): UnifiedLog | undefined {
    return this.manager.getLog({ topic: TOPIC, partition });
  }

  #make(partition: number): void {
    try {
      const log = this.manager.getOrCreateLog({ topic: TOPIC, partition }, { isNew: true });
      this.dirOf.set(partition, log.logDir);
      if (!this.books.has(partition)) this.books.set(partition, new Book());
    } catch (error) {
      if ((error as Error).name !== 'LogStorageError') throw error;
    }
  }

  async #append(round: number): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined || log.isOffline) continue;
      for (let batch = 0; batch < 2; batch++) {
        const values = [`${partition}/${round}/${this.#serial++} ${'x'.repeat(40)}`, `${this.#serial++}`];
        const producer =
          partition % 2 === 0 ? { producerId: partition, producerEpoch: 0, baseSequence: this.#sequences.get(partition) ?? 0 } : {};
        const result = log.appendAsLeader(batchOf(values, { timestamp: this.time.wallMs(), ...producer }), {
          leaderEpoch: this.#firstEpoch + Math.floor(round / 3),
        });
        if (!result.ok) continue;
        this.#sequences.set(partition, (this.#sequences.get(partition) ?? 0) + values.length);
        book.add(values);
      }
    }
    await this.time.settle();
    for (const partition of this.books.keys()) {
      const log = this.#log(partition);
      if (log !== undefined) {
        await log.settled();
        log.updateHighWatermark(log.logEndOffset);
      }
    }
  }

  async #each(action: (log: UnifiedLog) => Promise<unknown>, then: (log: UnifiedLog, book: Book) => void = () => {}): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) continue;
      try {
        await action(log);
      } catch (error) {
        if ((error as Error).name !== 'LogStorageError') throw error;
      }
      if (!log.isOffline) then(log, book);
    }
  }

  async #truncate(by: number): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) continue;
      const offset = Math.max(log.logStartOffset, log.logEndOffset - by);
      book.candidates = [book.last, book.last.slice(0, offset)];
      book.durable = Math.min(book.durable, offset);
      try {
        await log.truncateTo(offset);
        book.candidates = [book.candidates[0] ?? [], book.last.slice(0, log.logEndOffset)];
        book.durable = Math.min(book.durable, log.logEndOffset);
        await log.settled();
      } catch (error) {
        if ((error as Error).name !== 'LogStorageError') throw error;
      }
      if (!log.isOffline) book.candidates = [book.last];
      const sequence = log.activeProducers.get(partition)?.lastSequence;
      this.#sequences.set(partition, sequence === undefined ? 0 : sequence + 1);
    }
  }

  async #deletePartition(partition: number): Promise<void> {
    this.books.delete(partition);
    await this.#whileTimeGoesOn(this.manager.asyncDelete({ topic: TOPIC, partition }));
    await this.time.advance(200);
  }

  /** After a start that was found to be right: what is there is what counts from now on, also of a deletion that the crash undid. */
  adopt(): void {
    this.books.clear();
    this.#sequences.clear();
    this.#firstEpoch += 10;
    for (const log of this.manager.allLogs) {
      const { partition } = log.topicPartition;
      const book = new Book();
      const values: string[] = [];
      for (const { offset, value } of readAll(log)) values[offset] = value ?? '';
      book.candidates = [values];
      book.lowestStart = book.highestStart = log.logStartOffset;
      this.books.set(partition, book);
      for (const [producerId, { lastSequence }] of log.activeProducers) this.#sequences.set(producerId, lastSequence + 1);
    }
  }

  /** What contradicts the books, after a start. */
  fault(): string | undefined {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) {
        if (book.durable > 0) return `partition ${partition} is gone, ${book.durable} records were synced`;
        continue;
      }
      const fault = book.faultOf(log);
      if (fault !== undefined) return `partition ${partition}: ${fault}`;
    }
    return undefined;
  }
}

interface Run {
  readonly fault: DiskFault;
  /** The call of the workload that fails; undefined for none. */
  readonly call: number | undefined;
  readonly mode: CrashMode;
}

/** Calls that the workload makes, and what went wrong. */
async function run({ fault, call, mode }: Run): Promise<{ calls: number; problem: string | undefined }> {
  const disk = new MemoryDisk();
  disk.makeDirectory('/data');
  disk.syncDirectory('/');
  const broker = new Broker(disk);
  await broker.start();
  const begin = disk.calls;
  if (call !== undefined) disk.failAfter(call, fault);
  await broker.work();
  const others = fault.below === undefined || call === undefined ? undefined : broker.manager.liveLogDirs;
  if (others !== undefined && !others.includes('/data/b')) return { calls: 0, problem: 'the other log dir went offline too' };
  await broker.stop();
  const calls = disk.calls - begin;
  disk.crash(new SeededRandom(call ?? 0), mode);
  broker.time = new ManualTime(broker.time.wallMs() + 1000);
  await broker.start();
  const problem = broker.fault();
  if (problem !== undefined) return { calls, problem };
  if (broker.manager.liveLogDirs.length !== DIRS.length) return { calls, problem: `only ${broker.manager.liveLogDirs.join()} came back` };
  broker.adopt();
  // And it goes on: appends, ends in order, starts without a scan.
  await broker.work();
  await broker.stop();
  disk.crash(new SeededRandom(call ?? 0), 'lose');
  broker.time = new ManualTime(broker.time.wallMs() + 1000);
  await broker.start();
  const later = broker.fault();
  return { calls, problem: later === undefined ? undefined : `after going on: ${later}` };
}

/** Every n-th call in the usual run: all of them take a minute. */
const STRIDE = process.env['SAMSA_FAULTS'] === 'all' ? 1 : 23;

test.each(FAULTS)(
  '%s at any call costs nothing that was synced and no later start',
  async (name, fault) => {
    const only = process.env['SAMSA_FAULT']?.split(':');
    if (only !== undefined && only[0] !== name) return;
    const { calls, problem } = await run({ fault, call: undefined, mode: 'lose' });
    expect(problem).toBeUndefined();
    let tried = 0;
    for (
      let call = only === undefined ? 1 + (FAULTS.findIndex(([other]) => other === name) % STRIDE) : Number(only[1]);
      call <= calls;
      call += STRIDE
    ) {
      for (const mode of only?.[2] === undefined ? [MODES[tried % MODES.length] ?? 'keep'] : [only[2] as CrashMode]) {
        const outcome = await run({ fault, call, mode });
        if (outcome.problem !== undefined) throw new Error(`SAMSA_FAULT='${name}:${call}:${mode}': ${outcome.problem}`);
      }
      tried++;
      if (only !== undefined) break;
    }
    expect(tried).toBeGreaterThan(0);
  },
  600_000,
);
