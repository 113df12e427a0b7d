/**
 * The power goes while a log is appended to, flushed, rolled and cut back, on a disk that keeps of the unsynced what it likes.
 * A failure prints its seed; run that one with SAMSA_SEED.
 */
import { expect, test } from 'vitest';
import { buildControlBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { batchOf, DIRECTORY, inconsistencyOf, logFixture, newLog, openLog, readAll } from './testing/log-fixture.ts';
import { workersOn } from './testing/cloned-offload.ts';
import type { LogFixture } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const CONFIG = { 'segment.bytes': '3000', 'index.interval.bytes': '200', 'segment.index.bytes': '240', 'file.delete.delay.ms': '60000' };
const SEEDS = Number(process.env['SAMSA_SEEDS'] ?? 150);

/** The records a log should hold, oldest first. */
type Model = readonly string[];

class Run {
  readonly #random: SeededRandom;
  #time = new ManualTime();
  readonly #disk: MemoryDisk;
  #fixture: LogFixture;
  #log: UnifiedLog;
  /** What the log may hold after a crash: a prefix of one of them. More than one while a cut isn't on the device. */
  #models: Model[] = [[]];
  #epoch = 0;
  #serial = 0;
  readonly #sequences = new Map<number, number>();
  readonly #openTxns = new Set<number>();
  /** As in the checkpoint file. */
  #checkpoint = 0;

  readonly #scansInWorkers: boolean;
  readonly #config: Readonly<Record<string, string>>;

  constructor(seed: number) {
    this.#config = seed % 3 === 2 ? { ...CONFIG, preallocate: 'true' } : CONFIG;
    this.#scansInWorkers = seed % 2 === 1;
    this.#random = new SeededRandom(seed);
    this.#disk = new MemoryDisk({ nowMs: () => this.#time.wallMs() });
    this.#fixture = this.#newFixture();
    this.#log = newLog(this.#fixture, this.#config);
  }

  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      for (let step = this.#random.int(25); step > 0; step--) await this.#step();
      await this.#crash();
    }
  }

  get #model(): Model {
    return this.#models.at(-1) ?? [];
  }

  #newFixture(): LogFixture {
    const fixture = logFixture({ disk: this.#disk, time: this.#time, random: this.#random });
    return {
      ...fixture,
      context: {
        ...fixture.context,
        onRecoveryPointLowered: async (log) => void (this.#checkpoint = Math.min(this.#checkpoint, log.recoveryPoint)),
      },
    };
  }

  async #step(): Promise<void> {
    const log = this.#log;
    switch (this.#random.int(12)) {
      case 0:
        await this.#settle();
        await log.flush();
        break;
      case 1:
        void log.flush();
        break;
      case 2:
        await log.roll();
        break;
      case 3:
        this.#checkpoint = log.recoveryPoint;
        break;
      case 4:
        this.#epoch++;
        log.maybeAssignEpochStartOffset(this.#epoch, log.logEndOffset);
        break;
      case 5:
        await this.#truncate();
        break;
      case 6:
        this.#appendMarker();
        break;
      case 7:
        await this.#settle();
        break;
      default:
        for (let count = this.#random.int(4); count >= 0; count--) this.#append();
        if (this.#random.int(3) > 0) this.#time.runTurnEnd();
    }
  }

  /** All that was begun is done. */
  async #settle(): Promise<void> {
    await this.#time.settle();
    await this.#log.settled();
    this.#models = [this.#model];
  }

  #append(): void {
    const values = Array.from({ length: 1 + this.#random.int(3) }, () => `${this.#serial++}-${'x'.repeat(this.#random.int(150))}`);
    const producerId = this.#random.int(4);
    const isTransactional = producerId === 1;
    const sequence = this.#sequences.get(producerId) ?? 0;
    const producer = producerId === 3 ? {} : { producerId, producerEpoch: 0, baseSequence: sequence, isTransactional };
    const result = this.#log.appendAsLeader(batchOf(values, { timestamp: this.#time.wallMs() + this.#random.int(1000), ...producer }), {
      leaderEpoch: this.#epoch,
    });
    if (!result.ok) throw new Error(`append refused with ${result.errorCode}: ${result.message}`);
    if (producerId !== 3) this.#sequences.set(producerId, sequence + values.length);
    if (isTransactional) this.#openTxns.add(producerId);
    this.#models = this.#models.map((model, index) => (index === this.#models.length - 1 ? [...model, ...values] : model));
  }

  #appendMarker(): void {
    const type = this.#random.int(2) === 0 ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
    const batch = buildControlBatch({ type, coordinatorEpoch: 1, producerId: 1, producerEpoch: 0, timestamp: this.#time.wallMs() });
    const result = this.#log.appendAsLeader(batch, { leaderEpoch: this.#epoch, origin: 'coordinator' });
    if (!result.ok) throw new Error(`marker refused with ${result.errorCode}: ${result.message}`);
    this.#models = this.#models.map((model, index) => (index === this.#models.length - 1 ? [...model, 'marker'] : model));
  }

  async #truncate(): Promise<void> {
    await this.#settle();
    const offset = Math.max(0, this.#log.logEndOffset - this.#random.int(30));
    await this.#log.truncateTo(offset);
    // A batch that holds the offset goes whole.
    const kept = this.#model.slice(0, this.#log.logEndOffset);
    this.#resumeSequences();
    this.#models = [...this.#models, kept];
  }

  #resumeSequences(): void {
    this.#sequences.clear();
    for (const [producerId, entry] of this.#log.activeProducers) this.#sequences.set(producerId, entry.lastSequence + 1);
  }

  async #crash(): Promise<void> {
    const recoveryPoint = this.#checkpoint;
    const mode = (['tear', 'lose', 'keep'] as const)[this.#random.int(3)] ?? 'tear';
    this.#disk.crash(this.#random, mode);
    // Timers of the dead process die with it.
    this.#time = new ManualTime(this.#time.wallMs() + 1000);
    this.#fixture = this.#newFixture();
    // The folder itself may be gone, as long as nothing in it was synced: LogManager makes it anew.
    const workers = this.#scansInWorkers ? { workers: workersOn(this.#fixture) } : {};
    this.#log = this.#disk.exists(DIRECTORY)
      ? await openLog(this.#fixture, this.#config, { recoveryPoint, ...workers })
      : newLog(this.#fixture, this.#config);
    const log = this.#log;
    const values = readAll(log, { maxBytes: 1 + this.#random.int(3000) }).map((record) => (record.isControl ? 'marker' : record.value));
    if (log.logEndOffset < recoveryPoint) throw new Error(`the log ends at ${log.logEndOffset}, below its recovery point ${recoveryPoint}`);
    const survivor = this.#models.find((model) => values.every((value, index) => value === model[index]));
    if (survivor === undefined) throw new Error(`after ${mode} the log of ${values.length} records is no prefix of what was written`);
    const fault = inconsistencyOf(log);
    if (fault !== undefined) throw new Error(`after ${mode}: ${fault}`);
    this.#models = [survivor.slice(0, values.length)];
    this.#checkpoint = Math.min(recoveryPoint, log.recoveryPoint);
    this.#epoch = Math.max(this.#epoch, log.latestEpoch ?? 0) + 1;
    this.#resumeSequences();
  }
}

test('a log that crashes at any moment comes back as a prefix of what was written, with all that was synced', async () => {
  const only = process.env['SAMSA_SEED'];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  for (const seed of seeds) {
    try {
      await new Run(seed).rounds(5);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  expect(seeds.length).toBeGreaterThan(0);
}, 600_000);

test('the same folder opens again after the recovery itself was cut short', async () => {
  const random = new SeededRandom(7);
  const time = new ManualTime();
  const disk = new MemoryDisk();
  const first = logFixture({ disk, time });
  const log = newLog(first, CONFIG);
  for (let index = 0; index < 60; index++) {
    log.appendAsLeader(batchOf([`value ${index} ${'y'.repeat(80)}`]), { leaderEpoch: 0 });
    time.runTurnEnd();
  }
  disk.crash(random, 'keep');
  const cleanCalls = await callsToOpen(disk, time);
  for (let call = 1; call <= cleanCalls; call += 3) {
    disk.failAfter(call);
    const fixture = logFixture({ disk, time });
    await openLog(fixture, CONFIG).catch(() => undefined);
    disk.crash(random, 'keep');
    const again = await openLog(logFixture({ disk, time }), CONFIG);
    expect(readAll(again).map((record) => record.offset)).toEqual(Array.from({ length: 60 }, (_, offset) => offset));
    expect(disk.exists(DIRECTORY)).toBe(true);
    disk.crash(random, 'keep');
  }
});

async function callsToOpen(disk: MemoryDisk, time: ManualTime): Promise<number> {
  const before = disk.calls;
  await openLog(logFixture({ disk, time }), CONFIG);
  const calls = disk.calls - before;
  disk.crash(new SeededRandom(1), 'keep');
  return calls;
}
