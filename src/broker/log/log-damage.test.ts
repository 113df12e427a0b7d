/**
 * One flipped bit in any file of the log dirs, after an end in order and after a kill: the next start succeeds, nothing that is read is
 * wrong, and where the file isn't a log itself nothing is missing. SAMSA_FAULTS=all flips every bit.
 */
import { expect, test } from 'vitest';
import { sizeAt } from '../../log-format/batch-fields.ts';
import { ControlRecordType, buildControlBatch } from '../../protocol/records/record-batch-builder.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { DIRS, LogBroker } from './testing/log-broker.ts';
import { append, batchOf, DIRECTORY, logFixture, newLog, openLog, readAll } from './testing/log-fixture.ts';

/** Bits per file in the usual run. */
const SAMPLES = 12;
const random = new SeededRandom(11);

async function leftBehind(isClean: boolean): Promise<{ disk: MemoryDisk; broker: LogBroker }> {
  const disk = new MemoryDisk();
  disk.makeDirectory('/data');
  disk.syncDirectory('/');
  const broker = new LogBroker(disk);
  await broker.start();
  await broker.work();
  if (isClean) await broker.stop();
  disk.crash(random, 'keep');
  return { disk, broker };
}

function filesOf(disk: MemoryDisk): string[] {
  const found: string[] = [];
  const visit = (directory: string): void => {
    for (const { name, isDirectory } of disk.list(directory)) {
      const path = `${directory}/${name}`;
      if (isDirectory) visit(path);
      else if (!name.startsWith('.lock')) found.push(path);
    }
  };
  for (const directory of DIRS) visit(directory);
  return found;
}

/** Base offset and leader epoch of each batch: the checksum leaves them out, since leaders set them. */
function unprotectedBytes(log: Buffer): Set<number> {
  const bytes = new Set<number>();
  for (let at = 0; at < log.length; at += sizeAt(log, at)) {
    for (const offset of [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]) bytes.add(at + offset);
  }
  return bytes;
}

const KINDS = [
  '.index',
  '.timeindex',
  '.snapshot',
  'leader-epoch-checkpoint',
  'partition.metadata',
  'recovery-point-offset-checkpoint',
  'log-start-offset-checkpoint',
  'meta.properties',
  '.kafka_cleanshutdown',
  '.log',
] as const;

test.each(KINDS.flatMap((kind) => [[kind, 'an end in order'] as const, [kind, 'a kill'] as const]))(
  'a flipped bit in a %s file, after %s',
  async (kind, end) => {
    const isClean = end === 'an end in order';
    const { disk: pattern, broker: killed } = await leftBehind(isClean);
    const files = filesOf(pattern).filter((path) => path.endsWith(kind));
    for (const path of files) {
      const bits = (pattern.stat(path)?.sizeBytes ?? 0) * 8;
      const step = process.env['SAMSA_FAULTS'] === 'all' ? 1 : Math.max(1, Math.floor(bits / SAMPLES));
      const unprotected = kind === '.log' ? unprotectedBytes(pattern.readFile(path)) : new Set<number>();
      for (let bit = random.int(Math.max(1, step)); bit < bits; bit += step) {
        if (unprotected.has(Math.floor(bit / 8))) continue;
        const broker = killed.restartedCopy({ scansInWorkers: bit % 2 === 0 });
        broker.disk.flipBit(path, bit);
        const what = `bit ${bit} of ${path}`;
        // The identity of a folder is the one thing that a start is refused for, and says which file to look at.
        const refusal = await broker.start().then(
          () => undefined,
          (error: Error) => error,
        );
        if (refusal !== undefined) {
          expect(kind, `${what}: ${refusal.message}`).toBe('meta.properties');
          expect(refusal.message).toContain(path);
          continue;
        }
        expect(broker.faultAfterDamage(kind), what).toBeUndefined();
      }
    }
    // After a kill there is no mark of a clean end; everything else is always there.
    expect(files.length > 0).toBe(kind !== '.kafka_cleanshutdown' || isClean);
  },
  600_000,
);

test('a time index entry that names a later batch with the same timestamp hides none of the earlier ones', async () => {
  const fixture = logFixture();
  const log = newLog(fixture, { 'index.interval.bytes': '1' });
  const timestamps = [10, 20, 20, 15, 20, 30];
  for (const timestamp of timestamps) append(fixture, log, batchOf(['x'], { timestamp }));
  await Promise.all([log.close(), fixture.time.settle()]);
  const path = `${DIRECTORY}/00000000000000000000.timeindex`;
  const entries = fixture.disk.readFile(path);
  const slot = Array.from({ length: entries.length / 12 }, (_, at) => at * 12).find((at) => entries.readInt32BE(at + 4) === 20) ?? -1;
  expect(entries.readInt32BE(slot + 8)).toBe(1);
  entries.writeInt32BE(4, slot + 8);
  fixture.disk.writeFile(path, entries);
  const again = await openLog(fixture, {}, { hadCleanShutdown: true });
  expect([11, 20, 21].map((timestamp) => again.fetchOffsetByTimestamp(timestamp)?.offset)).toEqual([1, 1, 5]);
});

test.each([
  ['an end in order', true],
  ['a kill', false],
])(
  'a flipped bit in a .txnindex file, after %s, costs no record and no start; after a kill the index is made again',
  async (_end, hadCleanShutdown) => {
    const path = `${DIRECTORY}/00000000000000000000.txnindex`;
    const producer = { producerId: 7, producerEpoch: 0 };
    const bits = 34 * 8;
    for (let bit = 0; bit < bits; bit++) {
      const fixture = logFixture();
      const log = newLog(fixture);
      append(fixture, log, batchOf(['aborted'], { ...producer, baseSequence: 0, isTransactional: true }));
      const marker = buildControlBatch({ type: ControlRecordType.ABORT, coordinatorEpoch: 1, ...producer, timestamp: 1 });
      expect(log.appendAsLeader(marker, { leaderEpoch: 0, origin: 'coordinator' }).ok).toBe(true);
      fixture.time.runTurnEnd();
      const known = log.segments[0]?.indexes.abortedTxns;
      await Promise.all([log.close(), fixture.time.settle()]);
      expect(fixture.disk.stat(path)?.sizeBytes).toBe(bits / 8);
      fixture.disk.crash(random, 'keep');
      fixture.disk.flipBit(path, bit);
      const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), {}, { hadCleanShutdown });
      expect(readAll(again).length, `bit ${bit}`).toBe(2);
      expect(again.segments[0]?.indexes.abortedTxns.length, `bit ${bit}`).toBe(1);
      if (!hadCleanShutdown) expect(again.segments[0]?.indexes.abortedTxns, `bit ${bit}`).toEqual(known);
    }
  },
);
