/** What is bounded over all logs: file handles, indexes, tails. */
import { describe, expect, test } from 'vitest';
import { LogConfig } from '../config/log-config.ts';
import { FilePool } from './file-pool.ts';
import { createLog } from './create-log.ts';
import { append, batchOf, inconsistencyOf, LOG_DIR, logFixture, newLog, readAll } from './testing/log-fixture.ts';
import type { LogFixture } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

const SMALL = { 'segment.bytes': '1000', 'index.interval.bytes': '100' };

function fill(fixture: LogFixture, log: UnifiedLog, count: number): void {
  for (let index = 0; index < count; index++)
    append(fixture, log, batchOf([`value ${index} ${'x'.repeat(60)}`], { timestamp: fixture.time.wallMs() + index }));
}

describe('file handles', () => {
  test('stay within the limit while a log of many segments is read back and forth', () => {
    const fixture = logFixture({ limits: { maxOpenFiles: 3, maxTailBytes: 0 } });
    const log = newLog(fixture, SMALL);
    fill(fixture, log, 60);
    expect(log.numberOfSegments).toBeGreaterThan(6);
    for (let offset = 0; offset < 120; offset++) {
      const read = log.read((offset * 37) % 60, { maxBytes: 1, maxOffset: 60, minOneMessage: true });
      expect(read.sizeBytes).toBeGreaterThan(0);
      expect(fixture.context.files.openCount).toBeLessThanOrEqual(3);
    }
  });

  test('in use by an asynchronous call are kept open until it is done', async () => {
    const { disk } = logFixture();
    const pool = new FilePool(disk, 1);
    const [first, second] = [pool.file(`${LOG_DIR}/1`), pool.file(`${LOG_DIR}/2`)];
    let write = (): void => {};
    const pinned = first.pinned(async (handle) => {
      await new Promise<void>((resolve) => (write = resolve));
      return handle.writeGathered([Buffer.from('x')], 0);
    });
    second.handle();
    first.close();
    write();
    expect(await pinned).toBe(1);
    expect(pool.openCount).toBe(1);
  });
});

describe('indexes', () => {
  test('are given back when there are too many, and answer the same when read again', () => {
    const fixture = logFixture({ limits: { maxIndexBytes: 1000, maxTailBytes: 0 } });
    const log = newLog(fixture, SMALL);
    fill(fixture, log, 200);
    expect(fixture.context.indexes.bytes).toBeLessThanOrEqual(1000);
    expect([readAll(log, { maxBytes: 100 }).length, inconsistencyOf(log)]).toEqual([200, undefined]);
    expect(log.fetchOffsetByTimestamp(fixture.time.wallMs() + 33)?.offset).toBe(33);
    expect(fixture.context.indexes.bytes).toBeLessThanOrEqual(1000);
  });
});

describe('tails', () => {
  test('together stay within the budget, and the log that grew last keeps the most', () => {
    const fixture = logFixture({ limits: { maxTailBytes: 100_000 } });
    const logs = [0, 1, 2, 3].map((partition) =>
      createLog(fixture.context, {
        topicPartition: { topic: 't', partition },
        directory: `${LOG_DIR}/t-${partition}`,
        config: LogConfig.fromDefaults(),
      }),
    );
    for (const log of logs) for (let index = 0; index < 60; index++) append(fixture, log, batchOf(['x'.repeat(1000)]));
    expect(fixture.context.tail.bytes).toBeLessThanOrEqual(100_000);
    const tailReads = fixture.context.stats.tailReads;
    const before = tailReads.count;
    for (const log of logs) expect(log.read(log.logEndOffset - 1, { maxBytes: 5000, maxOffset: 60 }).sizeBytes).toBeGreaterThan(1000);
    expect(tailReads.count - before).toBeGreaterThanOrEqual(1);
    expect(logs.at(-1)?.read(0, { maxBytes: 1e6, maxOffset: 60 }).sizeBytes).toBe(logs[0]?.sizeBytes);
  });

  test('of logs that nothing is appended to are dropped', async () => {
    const fixture = logFixture();
    const log = newLog(fixture);
    append(fixture, log, batchOf(['x']));
    await fixture.time.advance(10_000);
    fixture.context.tail.expire(fixture.time.wallMs() - 5000);
    expect(fixture.context.tail.bytes).toBe(0);
    expect(readAll(log)).toHaveLength(1);
    append(fixture, log, batchOf(['y']));
    expect([fixture.context.tail.bytes > 0, readAll(log).map((record) => record.value)]).toEqual([true, ['x', 'y']]);
  });
});
