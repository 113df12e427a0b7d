/** A log on a disk in memory with a cleaner that works in place: what the cleaner's tests are made of. */
import { attributesAt, baseTimestampAt, lastOffsetAt, baseOffsetAt, recordCountAt, sizeAt } from '../../../../log-format/batch-fields.ts';
import { buildRecordBatch } from '../../../../protocol/records/record-batch-builder.ts';
import type { RecordBatchOptions } from '../../../../protocol/records/record-batch-builder.ts';
import { CONTROL_FLAG, DELETE_HORIZON_FLAG } from '../../../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../../../protocol/records/record-reader.ts';
import { InPlaceOffload } from '../../../../runtime/offload.ts';
import { readBatches, newLog, logFixture } from '../../testing/log-fixture.ts';
import type { LogFixture } from '../../testing/log-fixture.ts';
import type { UnifiedLog } from '../../unified-log.ts';
import { cleanableOffsets, logToClean } from '../cleanable-offsets.ts';
import type { LogToClean } from '../cleanable-offsets.ts';
import { Cleaner } from '../cleaner.ts';
import type { CleanerLimits } from '../cleaner.ts';
import type { CleaningRun } from '../cleaner-stats.ts';
import { Throttler } from '../throttler.ts';

export const COMPACT = {
  'cleanup.policy': 'compact',
  'segment.bytes': '2000',
  'index.interval.bytes': '200',
  'file.delete.delay.ms': '1000',
};
const LIMITS: CleanerLimits = { dedupeBufferBytes: 1024 * 1024, loadFactor: 0.9, ioBufferBytes: 4096 };

export interface CleanerFixture extends LogFixture {
  readonly log: UnifiedLog;
  /** How far it is clean. */
  checkpoint: number;
}

export function cleanerFixture(overrides: Record<string, string> = {}, fixture: LogFixture = logFixture()): CleanerFixture {
  return { ...fixture, log: newLog(fixture, { ...COMPACT, ...overrides }), checkpoint: 0 };
}

export function newCleaner(fixture: LogFixture, limits: Partial<CleanerLimits> = {}, checkDone: () => void = () => {}): Cleaner {
  const { disk, clock, random, logger, scheduler } = fixture.context;
  return new Cleaner({
    runtime: { disk, clock, random, offload: new InPlaceOffload(disk) },
    logger,
    limits: () => ({ ...LIMITS, ...limits }),
    throttler: new Throttler({ clock, scheduler }, () => Infinity),
    checkDone,
  });
}

/** Everything is committed and on the device, in closed segments. */
export async function rollAndCommit(fixture: CleanerFixture): Promise<void> {
  await fixture.log.roll();
  fixture.log.updateHighWatermark(fixture.log.logEndOffset);
  await fixture.log.flush();
}

export function toCleanOf(fixture: CleanerFixture): LogToClean {
  return logToClean(fixture.log, cleanableOffsets(fixture.log, fixture.checkpoint, fixture.time.wallMs()), 0);
}

export async function clean(fixture: CleanerFixture, limits: Partial<CleanerLimits> = {}): Promise<CleaningRun> {
  const run = await newCleaner(fixture, limits).clean(toCleanOf(fixture));
  fixture.checkpoint = run.nextDirtyOffset;
  return run;
}

/** A record as `key=value`, a tombstone as `key=`; values are never empty. */
export type Pair = readonly [key: string | null, value: string | null];

export function pairs(list: readonly Pair[], options: RecordBatchOptions & { timestamp?: number } = {}): Buffer {
  const { timestamp = 1_700_000_000_000, ...batch } = options;
  return buildRecordBatch(
    list.map(([key, value], index) => ({
      timestamp: timestamp + index,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
    batch,
  );
}

/** Appends as a leader's coordinator: keyless records and markers are taken. */
export function put(fixture: CleanerFixture, list: readonly Pair[], options: RecordBatchOptions & { timestamp?: number } = {}): number {
  return appendBatch(fixture, pairs(list, { timestamp: fixture.time.wallMs(), ...options }));
}

export function appendBatch(fixture: CleanerFixture, batch: Buffer): number {
  const result = fixture.log.appendAsLeader(batch, { leaderEpoch: 3, origin: 'coordinator' });
  if (!result.ok) throw new Error(`${result.errorCode}: ${result.message}`);
  fixture.time.runTurnEnd();
  return result.firstOffset;
}

/** What is left, as `offset:key=value`; markers as `offset:marker`. */
export function contents(log: UnifiedLog): string[] {
  const found: string[] = [];
  for (const batch of readBatches(log)) {
    const isControl = (attributesAt(batch, 0) & CONTROL_FLAG) !== 0;
    for (const { offset, key, value } of iterateRecords(batch, 1e8))
      found.push(
        isControl
          ? `${offset}:marker`
          : `${offset}:${key === null ? '(no key)' : key.toString()}=${value === null ? '' : value.toString()}`,
      );
  }
  return found;
}

export interface BatchSummary {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  readonly horizonMs: number | undefined;
  readonly sizeBytes: number;
}

export function batches(log: UnifiedLog): BatchSummary[] {
  return Array.from(readBatches(log), (batch) => ({
    baseOffset: baseOffsetAt(batch, 0),
    lastOffset: lastOffsetAt(batch, 0),
    records: recordCountAt(batch, 0),
    horizonMs: (attributesAt(batch, 0) & DELETE_HORIZON_FLAG) === 0 ? undefined : baseTimestampAt(batch, 0),
    sizeBytes: sizeAt(batch, 0),
  }));
}
