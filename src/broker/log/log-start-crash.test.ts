/**
 * The power goes while records are let go, by DeleteRecords and retention, and the log is cut, also below its start: what the two
 * checkpoint files say of it must fit what is on the device at any moment. SAMSA_SEED runs one seed, SAMSA_SEEDS many.
 */
import { test } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import type { LogManager } from './log-manager.ts';
import { batchOf, inconsistencyOf, readAll } from './testing/log-fixture.ts';
import { memoryLogManager, whileTimeGoesOn } from './testing/memory-log-manager.ts';
import type { UnifiedLog } from './unified-log.ts';
import { forEachSeed } from './testing/seeds.ts';

const DIR = '/data/a';
const ORDERS = { topic: 'orders', partition: 0 };
const TOPIC = {
  'segment.bytes': '700',
  'index.interval.bytes': '200',
  'file.delete.delay.ms': '50',
  'retention.bytes': '3000',
};

/** The value at each offset; nothing where a log that began anew has left a hole. */
type Model = readonly (string | undefined)[];

class Run {
  readonly #random: SeededRandom;
  readonly #disk: MemoryDisk;
  #time = new ManualTime();
  #manager: LogManager | undefined;
  /** More than one while a cut isn't on the device. */
  #models: Model[] = [[]];
  /** Below it all is on the device. */
  #durable = 0;
  /** The highest start that was asked for. */
  #highestStart = 0;
  #serial = 0;

  readonly #scansInWorkers: boolean;
  readonly #topic: Readonly<Record<string, string>>;

  constructor(seed: number) {
    this.#topic = seed % 3 === 2 ? { ...TOPIC, preallocate: 'true' } : TOPIC;
    this.#scansInWorkers = seed % 2 === 1;
    this.#random = new SeededRandom(seed);
    this.#disk = new MemoryDisk({ nowMs: () => this.#time.wallMs() });
    this.#disk.makeDirectory(DIR);
    this.#disk.syncDirectory('/data');
    this.#disk.syncDirectory('/');
  }

  async rounds(count: number): Promise<void> {
    await this.#start();
    for (let round = 0; round < count; round++) {
      for (let step = this.#random.int(30); step >= 0; step--) await this.#step();
      await this.#crash();
    }
  }

  async #start(): Promise<void> {
    const manager = memoryLogManager({
      disk: this.#disk.process(),
      time: this.#time,
      topic: this.#topic,
      config: { logDirs: [DIR] },
      scansInWorkers: this.#scansInWorkers,
    });
    this.#manager = manager;
    await whileTimeGoesOn(this.#time, manager.startup());
    manager.getOrCreateLog(ORDERS, { isNew: true });
  }

  get #log(): UnifiedLog {
    const log = this.#manager?.getLog(ORDERS);
    if (log === undefined) throw new Error('the log is gone');
    return log;
  }

  get #model(): Model {
    return this.#models.at(-1) ?? [];
  }

  async #step(): Promise<void> {
    const manager = this.#manager;
    const log = this.#log;
    switch (this.#random.int(11)) {
      case 0:
        await this.#settle();
        await whileTimeGoesOn(this.#time, log.flush());
        this.#durable = log.logEndOffset;
        break;
      case 1:
        await this.#settle();
        log.deleteRecordsTo(log.logStartOffset + this.#random.int(log.highWatermark - log.logStartOffset + 1));
        break;
      case 2:
        await this.#settle();
        manager?.deleteOldSegments();
        break;
      case 3:
        void manager?.checkpointRecoveryPoints();
        break;
      case 4:
        await manager?.checkpointLogStartOffsets();
        break;
      case 5:
        await this.#cut();
        break;
      case 6:
        await this.#time.advance(this.#random.int(40));
        break;
      case 7:
        void log.flush();
        break;
      default:
        this.#append();
    }
    this.#highestStart = Math.max(this.#highestStart, log.logStartOffset);
  }

  #append(): void {
    const values = Array.from({ length: 1 + this.#random.int(6) }, () => `${this.#serial++} ${'x'.repeat(this.#random.int(80))}`);
    const model = [...this.#model];
    for (const value of values) {
      model[this.#log.appendEndOffset] = value;
      const result = this.#log.appendAsLeader(batchOf([value]), { leaderEpoch: 0 });
      if (!result.ok) throw new Error(result.message);
    }
    this.#models[this.#models.length - 1] = model;
  }

  async #settle(): Promise<void> {
    await this.#time.settle();
    await whileTimeGoesOn(this.#time, this.#log.settled());
    this.#log.updateHighWatermark(this.#log.logEndOffset);
    this.#models = [this.#model];
  }

  async #cut(): Promise<void> {
    await this.#settle();
    const log = this.#log;
    const offset = Math.max(0, log.logEndOffset - this.#random.int(40));
    const isFull = this.#random.int(3) === 0;
    // Of a log that begins anew nothing is left.
    this.#durable = isFull || offset < log.logStartOffset ? 0 : Math.min(this.#durable, offset);
    const cut = isFull ? log.truncateFullyAndStartAt(offset + this.#random.int(80)) : log.truncateTo(offset);
    // Flushes and checkpoints of others come between.
    if (this.#random.int(2) === 0) void log.flush();
    void this.#manager?.checkpointRecoveryPoints();
    await whileTimeGoesOn(this.#time, cut as Promise<unknown>);
    const end = log.logEndOffset;
    const kept = log.logStartOffset === end ? [] : this.#model.slice(0, end);
    this.#models = [this.#model, kept];
    this.#durable = Math.min(this.#durable, end);
  }

  async #crash(): Promise<void> {
    const mode = (['tear', 'lose', 'keep'] as const)[this.#random.int(3)] ?? 'tear';
    this.#disk.crash(this.#random, mode);
    this.#time = new ManualTime(this.#time.wallMs() + 1000);
    await this.#start();
    const log = this.#log;
    const what = `after ${mode} it has ${log.logStartOffset} to ${log.logEndOffset}`;
    if (log.logEndOffset < this.#durable) throw new Error(`${what}, ${this.#durable} was synced`);
    if (log.logStartOffset > this.#highestStart) throw new Error(`${what}, the start was at ${this.#highestStart} at most`);
    const records = readAll(log);
    const isGapless = records.every(({ offset }, index) => offset === log.logStartOffset + index);
    if (!isGapless) throw new Error(`${what}, with a hole`);
    const survivor = this.#models.find((model) => records.every(({ offset, value }) => model[offset] === value));
    if (survivor === undefined) throw new Error(`${what}, of which some was not written there`);
    const fault = inconsistencyOf(log);
    if (fault !== undefined) throw new Error(`${what}: ${fault}`);
    // A cut that isn't on the device isn't there by a kill either.
    const others = mode === 'keep' ? this.#models : [];
    this.#models = [...others, survivor.slice(0, log.logEndOffset)];
    this.#durable = Math.min(this.#durable, log.logEndOffset);
    if (mode !== 'keep') this.#highestStart = log.logStartOffset;
  }
}

test(
  'whatever was let go or cut, a crash leaves a log that is right, with all that was synced',
  () => forEachSeed(150, (seed) => new Run(seed).rounds(5)),
  600_000,
);
