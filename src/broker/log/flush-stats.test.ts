import { describe, expect, test } from 'vitest';
import { FlushStats } from './flush-stats.ts';
import { syncedBytesOf } from './synced-bytes.ts';
import { append, batchOf, logFixture, newLog, openLog, until } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const flush = { reason: 'flush.messages', fsyncs: 3, messages: 1, bytes: 100 } as const;

describe('FlushStats', () => {
  test('tells nothing before the first flush', () => {
    expect(new FlushStats(4).summary(0)).toMatchObject({ flushes: 0, fsyncs: 0, latency: null, last: null });
  });

  test('counts all, and takes quantiles of the latest only, none older than a minute', () => {
    const stats = new FlushStats(4);
    for (const [atMs, tookMs] of [
      [0, 900],
      [10, 1],
      [20, 2],
      [30, 3],
      [40, 100],
    ] as const)
      stats.record({ ...flush, atMs, tookMs });
    expect(stats.summary(50)).toMatchObject({
      flushes: 5,
      fsyncs: 15,
      messages: 5,
      bytes: 500,
      totalMs: 1_006,
      byReason: { 'flush.messages': 5, 'flush.ms': 0, roll: 0 },
      latency: { samples: 4, p50Ms: 2, p99Ms: 100, maxMs: 100 },
      last: { atMs: 40, tookMs: 100 },
    });
    expect(stats.summary(60_035).latency).toMatchObject({ samples: 1, maxMs: 100 });
    expect(stats.summary(70_000).latency).toBeNull();
  });
});

describe('a log', () => {
  const synced = (log: UnifiedLog): number[] =>
    log.segments.map((segment, index) => syncedBytesOf(segment, log.recoveryPoint, log.segments[index + 1]?.baseOffset));

  test('tells why it was flushed, and what each flush took to the device', async () => {
    const fixture = logFixture();
    const log = newLog(fixture, { 'flush.messages': '2' });
    append(fixture, log, batchOf(['a']));
    expect(log.flushSummary.flushes).toBe(0);
    append(fixture, log, batchOf(['b']));
    await until(fixture, () => log.recoveryPoint === 2);
    const sizeBytes = log.sizeBytes;
    expect(log.flushSummary.last).toMatchObject({ reason: 'flush.messages', messages: 2, bytes: sizeBytes });
    append(fixture, log, batchOf(['c']));
    await Promise.all([log.flush('flush.ms'), fixture.time.settle()]);
    expect(log.flushSummary).toMatchObject({
      flushes: 2,
      messages: 3,
      bytes: log.sizeBytes,
      byReason: { 'flush.messages': 1, 'flush.ms': 1, request: 0 },
    });
    expect(fixture.context.stats.flushSummary(0)).toMatchObject({ flushes: 2, fsyncs: log.flushSummary.fsyncs });
    expect(fixture.context.stats.fsyncs.count).toBe(log.flushSummary.fsyncs);
  });

  test('knows how far each file is on the device: what fsync confirmed, and after a kill what lies below the recovery point', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['a']));
    expect([synced(log), log.unflushedBytes]).toEqual([[0], log.sizeBytes]);
    await Promise.all([log.flush(), fixture.time.settle()]);
    const first = log.sizeBytes;
    append(fixture, log, batchOf(['b', 'c']));
    expect([synced(log), log.unflushedBytes]).toEqual([[first], log.sizeBytes - first]);
    await Promise.all([log.roll(), fixture.time.settle()]);
    await until(fixture, () => log.recoveryPoint === 3);
    append(fixture, log, batchOf(['d']));
    expect([synced(log), log.unflushedMessages]).toEqual([[log.segments[0]?.sizeBytes, 0], 1]);

    // Killed, and opened anew: nothing is synced by this process, but the checkpoint says 1.
    const again = await openLog(logFixture({ disk: fixture.disk, time: fixture.time }), {}, { recoveryPoint: 1 });
    expect([synced(again), again.unflushedMessages]).toEqual([[first, 0], 3]);
    expect(again.unflushedBytes).toBe(again.sizeBytes - first);
  });
});
