/**
 * A topic is deleted and made again under its name, and the power goes before the next checkpoint is due: nothing that the log dir's
 * checkpoint files said of the old log may be believed of the new one. SAMSA_SEED runs one seed.
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
const OLD_ID = '5v2NLSJ8T2mHFZXSLYd-Ug';
const NEW_ID = 'AAAAAAAAAAAAAAAAAAAABQ';
const TOPIC = { 'segment.bytes': '1000', 'index.interval.bytes': '200', 'file.delete.delay.ms': '60000', 'cleanup.policy': 'delete' };

interface Settings {
  readonly disk: MemoryDisk;
  readonly time: ManualTime;
}

async function start({ disk, time }: Settings): Promise<LogManager> {
  const manager = memoryLogManager({ disk: disk.process(), time, topic: TOPIC, config: { logDirs: [DIR] } });
  await whileTimeGoesOn(time, manager.startup());
  return manager;
}

function append(log: UnifiedLog, count: number, name: string): string[] {
  const first = log.appendEndOffset;
  const values = Array.from({ length: count }, (_, index) => `${name} ${first + index} ${'x'.repeat(60)}`);
  for (const value of values) {
    const result = log.appendAsLeader(batchOf([value]), { leaderEpoch: 0 });
    if (!result.ok) throw new Error(result.message);
  }
  return values;
}

async function written(time: ManualTime, log: UnifiedLog): Promise<void> {
  await time.settle();
  await log.settled();
  log.updateHighWatermark(log.logEndOffset);
}

/** A log dir whose checkpoints name a log of 200 records that begins at 150. */
async function withOldLog(): Promise<Settings & { manager: LogManager }> {
  const time = new ManualTime();
  const disk = new MemoryDisk({ nowMs: () => time.wallMs() });
  disk.makeDirectory(DIR);
  disk.syncDirectory('/data');
  disk.syncDirectory('/');
  const manager = await start({ disk, time });
  const log = manager.getOrCreateLog(ORDERS, { isNew: true, topicId: OLD_ID });
  append(log, 200, 'old');
  await written(time, log);
  log.deleteRecordsTo(150);
  await log.flush();
  await manager.checkpointRecoveryPoints();
  await manager.checkpointLogStartOffsets();
  return { disk, time, manager };
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const { disk, time, manager } = await withOldLog();
  const deleted = manager.asyncDelete(ORDERS);
  if (random.int(2) === 0) await whileTimeGoesOn(time, deleted);
  // A kill between the deletion and what it has to write: the folder is renamed, the checkpoints still name the log.
  let running = manager;
  if (random.int(3) === 0) {
    disk.crash(random, 'keep');
    running = await start({ disk, time });
  }
  const log = running.getOrCreateLog(ORDERS, { isNew: true, topicId: NEW_ID });
  const values: string[] = [];
  let durable = 0;
  for (let round = random.int(5); round >= 0; round--) {
    values.push(...append(log, 1 + random.int(40), 'new'));
    for (let turn = random.int(6); turn > 0; turn--) {
      time.runTurnEnd();
      await Promise.resolve();
    }
    if (random.int(4) > 0) continue;
    await written(time, log);
    await log.flush();
    durable = log.logEndOffset;
  }
  disk.crash(random, (['tear', 'lose', 'keep'] as const)[random.int(3)] ?? 'tear');
  const again = await start({ disk, time: new ManualTime(time.wallMs() + 1000) });
  const found = again.getLog(ORDERS);
  if (found === undefined || found.topicId === OLD_ID) {
    // The new folder's name was lost, or the old one's renaming.
    if (durable > 0) throw new Error(`${durable} records were synced, and the log is gone`);
    return;
  }
  // Nothing was written to it before the checkpoints had forgotten the old one, which then may say where an empty log begins.
  const isEmpty = durable === 0 && found.logEndOffset === found.logStartOffset;
  if (found.logStartOffset !== 0 && !isEmpty) throw new Error(`it starts at ${found.logStartOffset}`);
  if (found.logEndOffset < durable) throw new Error(`it ends at ${found.logEndOffset}, ${durable} was synced`);
  for (const { offset, value } of readAll(found)) {
    const expected = values[offset];
    if (value !== expected) throw new Error(`offset ${offset} has ${value}, not ${expected}`);
  }
  const fault = inconsistencyOf(found);
  if (fault !== undefined) throw new Error(fault);
}

test(
  'what checkpoints say of a deleted log is not believed of one made under its name before a crash',
  () => forEachSeed(200, run),
  600_000,
);
