/** What a broker's logs tell of what they do. */
import { expect, test } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { InPlaceOffload } from '../../runtime/offload.ts';
import type { LogEvent } from './log-events.ts';
import type { LogManager } from './log-manager.ts';
import { batchOf } from './testing/log-fixture.ts';
import { DIRS, memoryLogManager, whileTimeGoesOn } from './testing/memory-log-manager.ts';
import type { UnifiedLog } from './unified-log.ts';

interface Setup {
  readonly time: ManualTime;
  readonly manager: LogManager;
  readonly log: UnifiedLog;
  readonly events: LogEvent[];
}

async function start(topic: Record<string, string>, logCleanerEnable = false): Promise<Setup> {
  const time = new ManualTime();
  const disk = new MemoryDisk({ nowMs: () => time.wallMs() });
  for (const directory of DIRS) disk.makeDirectory(directory);
  const events: LogEvent[] = [];
  const manager = memoryLogManager({
    disk,
    time,
    topic,
    config: { logCleanerEnable, logCleanerDedupeBufferSize: 2_000_000, logCleanerBackoffMs: 100 },
    offload: new InPlaceOffload(disk),
    onEvent: (event) => events.push(event),
  });
  await whileTimeGoesOn(time, manager.startup());
  return { time, manager, events, log: manager.getOrCreateLog({ topic: 'orders', partition: 0 }, { isNew: true }) };
}

async function append({ time, log }: Setup, values: readonly (string | null)[], key = 'k'): Promise<void> {
  for (const value of values) {
    const batch = value === null ? tombstone(time.wallMs()) : batchOf([value], { timestamp: time.wallMs(), key });
    log.appendAsLeader(batch, { leaderEpoch: 0 });
    await time.settle();
  }
  log.updateHighWatermark(log.logEndOffset);
}

/** A cleaning has many steps, each of which waits for the disk. */
async function cleaningsOf({ time }: Setup): Promise<void> {
  for (let step = 0; step < 1000; step++) await time.advance(1);
}

const tombstone = (timestamp: number): Buffer => buildRecordBatch([{ timestamp, key: Buffer.from('k'), value: null }]);
const kindsOf = (events: readonly LogEvent[]): string[] => [...new Set(events.map(({ kind }) => kind))];

test('each roll is told with why: size, age, a request', async () => {
  const setup = await start({ 'segment.bytes': '500', 'segment.ms': '5000' });
  await append(setup, ['x'.repeat(300), 'x'.repeat(300)]);
  await setup.time.advance(6000);
  await append(setup, ['x']);
  await whileTimeGoesOn(setup.time, setup.log.roll());
  expect(setup.events.filter(({ kind }) => kind === 'segment-rolled')).toMatchObject([
    { topic: 'orders', partition: 0, baseOffset: 0, nextOffset: 1, reason: 'segment.bytes 500' },
    { baseOffset: 1, nextOffset: 2, reason: 'segment.ms 5000' },
    { baseOffset: 2, nextOffset: 3, reason: 'asked for' },
  ]);
});

test('what retention takes is told once it is gone, and flushes every ten seconds, when there were any', async () => {
  const setup = await start({ 'segment.bytes': '500', 'retention.bytes': '600', 'flush.messages': '1' });
  await append(
    setup,
    Array.from({ length: 6 }, () => 'x'.repeat(300)),
  );
  expect(setup.manager.deleteOldSegments()).toBe(4);
  expect(kindsOf(setup.events)).toEqual(['segment-rolled']);
  await setup.time.advance(10_000);
  expect(setup.events.slice(-2)).toMatchObject([
    { kind: 'segments-deleted', segments: 4, logStartOffset: 4, reason: 'retention.bytes 600' },
    { kind: 'logs-flushed', messages: 6, reason: expect.stringMatching(/flush.messages/) as string },
  ]);
  const count = setup.events.length;
  await setup.time.advance(60_000);
  expect(setup.events).toHaveLength(count);
});

test('a cleaning is told with what it took, tombstones by themselves', async () => {
  const setup = await start({ 'cleanup.policy': 'compact', 'segment.bytes': '200', 'delete.retention.ms': '1000' }, true);
  await append(setup, ['1', '2', null, '3', null]);
  await whileTimeGoesOn(setup.time, setup.log.roll());
  await whileTimeGoesOn(setup.time, setup.log.flush());
  await cleaningsOf(setup);
  const cleanings = (): LogEvent[] => setup.events.filter(({ kind }) => kind === 'log-cleaned');
  expect(cleanings()).toMatchObject([{ firstDirtyOffset: 0, nextDirtyOffset: 5, recordsRead: 5, recordsWritten: 1, tombstonesDropped: 0 }]);
  await setup.time.advance(2000);
  await append(setup, ['4', '5'], 'other');
  await whileTimeGoesOn(setup.time, setup.log.roll());
  await whileTimeGoesOn(setup.time, setup.log.flush());
  await cleaningsOf(setup);
  expect(cleanings().slice(1)).toMatchObject([
    { topic: 'orders', firstDirtyOffset: 5, nextDirtyOffset: 7, tombstonesDropped: 1, reason: 'newer records had replaced 1' },
  ]);
});
