/**
 * The power goes at every call of the disk that a cleaning makes, on a disk that keeps of the unsynced what it likes. What comes back is a log that
 * was cleaned up to some segment: no record is wrong or out of order, no key has lost its newest value, nothing aborted is back where it can be taken for
 * committed, and what a finished swap replaced stays gone. A failure prints its seed; run that one with SAMSA_SEED.
 */
import { expect, test } from 'vitest';
import { buildControlBatch, ControlRecordType } from '../../../protocol/records/record-batch-builder.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import { DIRECTORY, inconsistencyOf, logFixture, newLog, openLog } from '../testing/log-fixture.ts';
import { appendBatch, clean, COMPACT, contents, newCleaner, pairs, put, rollAndCommit, toCleanOf } from './testing/cleaner-fixture.ts';
import type { CleanerFixture } from './testing/cleaner-fixture.ts';

const CONFIG = { ...COMPACT, 'segment.bytes': '700', 'index.interval.bytes': '150', 'delete.retention.ms': '100' };
const SEEDS = Number(process.env['SAMSA_SEEDS'] ?? 25);

/** One record that was appended: what it says and whether it counts. */
interface Appended {
  readonly line: string;
  readonly key: string;
  readonly isTombstone: boolean;
  readonly isAborted: boolean;
}

class Run {
  readonly #random: SeededRandom;
  readonly #disk: MemoryDisk;
  #time = new ManualTime();
  #fixture: CleanerFixture;
  readonly #appended = new Map<number, Appended>();
  #serial = 0;
  #sequence = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new MemoryDisk({ nowMs: () => this.#time.wallMs() });
    const fixture = logFixture({ disk: this.#disk, time: this.#time, random: this.#random });
    this.#fixture = { ...fixture, log: newLog(fixture, CONFIG), checkpoint: 0 };
  }

  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      await this.#fill();
      if (this.#random.int(3) === 0) await this.#time.advance(200);
      await this.#cleanAndCrash();
    }
  }

  /** Appends, all of it committed and on the device. */
  async #fill(): Promise<void> {
    for (let batches = 3 + this.#random.int(25); batches > 0; batches--) {
      if (this.#random.int(4) === 0) this.#transaction();
      else this.#batch({});
    }
    await rollAndCommit(this.#fixture);
    await this.#time.settle();
  }

  #batch(options: { producerId?: number; isAborted?: boolean }): void {
    const records = Array.from({ length: 1 + this.#random.int(3) }, (): [string, string | null] => [
      `k${this.#random.int(12)}`,
      this.#random.int(5) === 0 ? null : `${this.#serial++}${'x'.repeat(this.#random.int(60))}`,
    ]);
    const { producerId, isAborted = false } = options;
    const producer = producerId === undefined ? {} : { producerId, producerEpoch: 0, baseSequence: this.#sequence, isTransactional: true };
    const base = put(this.#fixture, records, producer);
    if (producerId !== undefined) this.#sequence += records.length;
    for (const [index, [key, value]] of records.entries()) {
      const line = `${base + index}:${key}=${value ?? ''}`;
      this.#appended.set(base + index, { line, key, isTombstone: value === null, isAborted });
    }
  }

  #transaction(): void {
    const isAborted = this.#random.int(2) === 0;
    for (let count = 1 + this.#random.int(2); count > 0; count--) {
      this.#batch({ producerId: 1, isAborted });
      if (this.#random.int(2) === 0) this.#batch({});
    }
    const type = isAborted ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
    const marker = buildControlBatch({ type, coordinatorEpoch: 1, producerId: 1, producerEpoch: 0, timestamp: this.#time.wallMs() });
    const offset = appendBatch(this.#fixture, marker);
    this.#appended.set(offset, { line: `${offset}:marker`, key: '', isTombstone: false, isAborted });
  }

  async #cleanAndCrash(): Promise<void> {
    const before = contents(this.#fixture.log);
    const cut = this.#random.int(140);
    if (cut < 120) this.#disk.failAfter(1 + cut);
    const finished = await clean(this.#fixture).then(
      () => true,
      () => false,
    );
    this.#disk.heal();
    const after = finished ? contents(this.#fixture.log) : undefined;
    const isSettled = finished && this.#random.int(2) === 0;
    this.#disk.crash(this.#random, (['tear', 'lose', 'keep'] as const)[this.#random.int(3)] ?? 'tear');
    this.#time = new ManualTime(this.#time.wallMs() + 10);
    const fixture = logFixture({ disk: this.#disk, time: this.#time, random: this.#random });
    const recoveryPoint = this.#random.int(2) === 0 ? 0 : this.#fixture.log.recoveryPoint;
    const log = await openLog(fixture, CONFIG, { recoveryPoint });
    this.#fixture = { ...fixture, log, checkpoint: isSettled ? Math.min(this.#fixture.checkpoint, log.logEndOffset) : 0 };
    log.updateHighWatermark(log.logEndOffset);
    await log.flush();
    this.#check(before, after);
  }

  #check(before: readonly string[], after: readonly string[] | undefined): void {
    const { log } = this.#fixture;
    const found = contents(log);
    const fault = inconsistencyOf(log);
    // A producer's newest timestamp may be that of a record that was compacted away.
    if (fault !== undefined && !fault.startsWith('producers are')) throw new Error(fault);
    const wasThere = new Set(before);
    let previous = -1;
    for (const line of found) {
      const offset = Number(line.slice(0, line.indexOf(':')));
      if (offset <= previous) throw new Error(`${line} follows offset ${previous}`);
      previous = offset;
      if (!wasThere.has(line)) throw new Error(`${line} was not in the log before`);
    }
    if (after !== undefined && JSON.stringify(found) !== JSON.stringify(after))
      throw new Error(`after a whole cleaning the log has ${found.length} records, it had ${after.length}`);
    this.#checkNewestValues(found);
    this.#checkAborted(found);
  }

  /** Each key's newest committed value is there; a tombstone may be gone, but then what it deleted is too. */
  #checkNewestValues(found: readonly string[]): void {
    const newest = new Map<string, Appended>();
    for (const record of this.#appended.values()) if (!record.isAborted && record.key !== '') newest.set(record.key, record);
    const present = new Set(found);
    const last = new Map<string, string>();
    for (const [offset, record] of this.#appended)
      if (!record.isAborted && present.has(record.line) && offset >= 0) last.set(record.key, record.line);
    for (const [key, record] of newest) {
      if (present.has(record.line)) continue;
      if (!record.isTombstone) throw new Error(`the newest value of ${key}, ${record.line}, is lost`);
      if (last.has(key)) throw new Error(`${key} was deleted and is back as ${last.get(key)}`);
    }
  }

  /** A reader of committed records is told of every aborted one that is still there. */
  #checkAborted(found: readonly string[]): void {
    const { log } = this.#fixture;
    for (const line of found) {
      const offset = Number(line.slice(0, line.indexOf(':')));
      const record = this.#appended.get(offset);
      if (record === undefined || !record.isAborted || record.key === '') continue;
      const txns = log.collectAbortedTransactions(offset, offset + 1);
      if (!txns.some((txn) => txn.producerId === 1 && txn.firstOffset <= offset && txn.lastOffset > offset))
        throw new Error(`the aborted record ${line} is in no transaction index`);
    }
  }
}

test('a cleaning that ends anywhere leaves a log that is right', async () => {
  const only = process.env['SAMSA_SEED'];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  for (const seed of seeds) {
    try {
      await new Run(seed).rounds(8);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  expect(seeds.length).toBeGreaterThan(0);
}, 600_000);

test('whichever call is the last one, the log has all of its values, before or after the swap, and the files of only one of them', async () => {
  const { calls } = await cleanOnce(Infinity, 'keep');
  expect(calls).toBeGreaterThan(40);
  const outcomes = new Set<string>();
  for (let call = 1; call <= calls; call++) {
    for (const mode of ['keep', 'lose', 'tear'] as const) {
      const { lines, names } = await cleanOnce(call, mode);
      outcomes.add(lines.join(' '));
      expect(names.filter((name) => /\.(cleaned|swap|deleted)$/.test(name))).toEqual([]);
    }
  }
  // Not begun; or swapped, with or without the segment whose records were all gone.
  expect([...outcomes].toSorted((a, b) => a.length - b.length)[0]).toBe('6:a=3 7:b=3 8:c=1');
  for (const outcome of outcomes) {
    expect(outcome).toContain('6:a=3 7:b=3');
    expect(outcome).toContain('8:c=1');
  }
});

async function cleanOnce(failAt: number, mode: 'keep' | 'lose' | 'tear'): Promise<{ calls: number; lines: string[]; names: string[] }> {
  const time = new ManualTime();
  const disk = new MemoryDisk();
  const first = logFixture({ disk, time });
  const fixture: CleanerFixture = { ...first, log: newLog(first, COMPACT), checkpoint: 0 };
  for (const value of ['1', '2', '3']) {
    put(fixture, [
      ['a', value],
      ['b', value],
    ]);
    if (value === '1') put(fixture, [['a', 'x']]);
    if (value === '2') appendBatch(fixture, pairs([['b', 'y']]));
    await rollAndCommit(fixture);
  }
  put(fixture, [['c', '1']]);
  await fixture.log.flush();
  const cleaner = newCleaner(fixture);
  const before = disk.calls;
  if (failAt !== Infinity) disk.failAfter(failAt);
  await cleaner.clean(toCleanOf(fixture)).catch(() => undefined);
  const calls = disk.calls - before;
  disk.crash(new SeededRandom(failAt === Infinity ? 0 : failAt), mode);
  const log = await openLog(logFixture({ disk, time }), COMPACT, { recoveryPoint: 8 });
  expect(inconsistencyOf(log)).toBeUndefined();
  return { calls, lines: contents(log), names: disk.list(DIRECTORY).map(({ name }) => name) };
}
