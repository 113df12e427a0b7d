/** Logs on a disk in memory, with time that moves when told: what the tests of this folder are made of. */
import { baseOffsetAt, lastOffsetAt, leaderEpochAt, maxTimestampAt, producerIdAt, sizeAt } from '../../../log-format/batch-fields.ts';
import { NO_PRODUCER_ID } from '../../../protocol/records/record-batch.ts';
import { buildControlBatch, buildRecordBatch, ControlRecordType } from '../../../protocol/records/record-batch-builder.ts';
import type { RecordBatchOptions } from '../../../protocol/records/record-batch-builder.ts';
import { iterateRecords } from '../../../protocol/records/record-reader.ts';
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import type { Random } from '../../../runtime/random.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import { LogConfig } from '../../config/log-config.ts';
import { createLogContext } from '../log-context.ts';
import type { LogContext, LogLimits } from '../log-context.ts';
import { createLog } from '../create-log.ts';
import { loadLog } from '../log-loader.ts';
import type { LoadOptions } from '../log-loader.ts';
import { applyBatch } from '../producer-state-rebuild.ts';
import { ProducerStateManager } from '../producer-state-manager.ts';
import type { UnifiedLog } from '../unified-log.ts';

export const LOG_DIR = '/data';
export const TOPIC_PARTITION = { topic: 'orders-eu', partition: 3 };
export const DIRECTORY = `${LOG_DIR}/orders-eu-3`;

export interface LogFixture {
  readonly disk: MemoryDisk;
  readonly time: ManualTime;
  readonly context: LogContext;
  readonly failures: string[];
  /** Recovery points that were to be written before something was cut off. */
  readonly lowered: number[];
}

export function logFixture(
  options: { disk?: MemoryDisk; time?: ManualTime; random?: Random; limits?: Partial<LogLimits> } = {},
): LogFixture {
  const time = options.time ?? new ManualTime();
  const disk = options.disk ?? new MemoryDisk({ nowMs: () => time.wallMs() });
  const failures: string[] = [];
  const lowered: number[] = [];
  const context = createLogContext(
    {
      disk: disk.process(),
      clock: time,
      scheduler: time,
      random: options.random ?? new SeededRandom(1),
      logger: silentLogger,
      metrics: new MetricsRegistry(),
    },
    {
      onFailure: (_directory, message) => void failures.push(message),
      onRecoveryPointLowered: async (log) => void lowered.push(log.recoveryPoint),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    },
  );
  if (!disk.exists(LOG_DIR)) {
    disk.makeDirectory(LOG_DIR);
    disk.syncDirectory('/');
  }
  return { disk, time, context, failures, lowered };
}

export function newLog(fixture: LogFixture, overrides: Record<string, string> = {}): UnifiedLog {
  return createLog(fixture.context, { topicPartition: TOPIC_PARTITION, directory: DIRECTORY, config: LogConfig.fromDefaults(overrides) });
}

export function openLog(
  fixture: LogFixture,
  overrides: Record<string, string> = {},
  options: Partial<LoadOptions> = {},
): Promise<UnifiedLog> {
  return loadLog(fixture.context, {
    topicPartition: TOPIC_PARTITION,
    directory: DIRECTORY,
    config: LogConfig.fromDefaults(overrides),
    logStartOffset: 0,
    recoveryPoint: 0,
    hadCleanShutdown: false,
    ...options,
  });
}

/** A batch of one record per value. */
export function batchOf(values: readonly string[], options: RecordBatchOptions & { timestamp?: number; key?: string | null } = {}): Buffer {
  const { timestamp = 1_700_000_000_000, key = 'k', ...batch } = options;
  return buildRecordBatch(
    values.map((value) => ({ timestamp, key: key === null ? null : Buffer.from(key), value: Buffer.from(value) })),
    batch,
  );
}

/** Appends one batch as leader and writes it; throws when it is refused. */
export function append(fixture: LogFixture, log: UnifiedLog, batch: Buffer, leaderEpoch = 0): { firstOffset: number; lastOffset: number } {
  const result = log.appendAsLeader(batch, { leaderEpoch });
  if (!result.ok) throw new Error(`${result.errorCode}: ${result.message}`);
  fixture.time.runTurnEnd();
  return result;
}

export interface ReadRecord {
  readonly offset: number;
  readonly value: string | null;
  readonly timestamp: number;
  readonly leaderEpoch: number;
  readonly isControl: boolean;
}

/** Every batch from `from` to before `to`, in pieces of `maxBytes`. */
export function* readBatches(log: UnifiedLog, options: { from?: number; to?: number; maxBytes?: number } = {}): Generator<Buffer> {
  const to = options.to ?? log.logEndOffset;
  let offset = options.from ?? log.logStartOffset;
  while (offset < to) {
    const read = log.read(offset, { maxBytes: options.maxBytes ?? 4096, maxOffset: to, minOneMessage: true });
    if (read.errorCode !== 0) throw new Error(read.errorMessage);
    if (read.records.length === 0) throw new Error(`nothing at offset ${offset} of ${to}`);
    for (const piece of read.records) {
      for (let at = 0; at < piece.length; at += sizeAt(piece, at)) {
        const batch = piece.subarray(at, at + sizeAt(piece, at));
        yield batch;
        offset = lastOffsetAt(batch, 0) + 1;
      }
    }
  }
}

export function readAll(log: UnifiedLog, options: { from?: number; to?: number; maxBytes?: number } = {}): ReadRecord[] {
  const records: ReadRecord[] = [];
  for (const batch of readBatches(log, options)) {
    const leaderEpoch = leaderEpochAt(batch, 0);
    const isControl = (batch.readInt16BE(21) & 0x20) !== 0;
    for (const { offset, value, timestamp } of iterateRecords(batch, 1e8)) {
      records.push({ offset, value: value === null ? null : value.toString('latin1'), timestamp, leaderEpoch, isControl });
    }
  }
  return records;
}

/** What must hold of any log: offsets grow, indexes point at batches, epochs and producers are those of the batches. */
export function inconsistencyOf(log: UnifiedLog): string | undefined {
  const replayed = new ProducerStateManager();
  let previous = -1;
  for (const batch of readBatches(log)) {
    const base = baseOffsetAt(batch, 0);
    if (base <= previous) return `batch ${base} follows offset ${previous}`;
    previous = lastOffsetAt(batch, 0);
    const epoch = leaderEpochAt(batch, 0);
    if (base >= log.logStartOffset && log.epochForOffset(base) !== epoch)
      return `offset ${base} was written in epoch ${epoch}, the cache says ${log.epochForOffset(base)}`;
    if (producerIdAt(batch, 0) !== NO_PRODUCER_ID) applyBatch(replayed, batch, 0);
  }
  if (log.logStartOffset === 0 && log.segments[0]?.baseOffset === 0) {
    const expected = [...replayed.producers.values()].map((entry) => JSON.stringify(entry.toSnapshot())).toSorted();
    const actual = [...log.activeProducers.values()].map((entry) => JSON.stringify(entry.toSnapshot())).toSorted();
    if (JSON.stringify(expected) !== JSON.stringify(actual)) return `producers are ${actual.join()}, the batches say ${expected.join()}`;
  }
  for (const segment of log.segments) {
    const fault = indexFault(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function indexFault(segment: UnifiedLog['segments'][number]): string | undefined {
  const batches = new Map<number, { lastOffset: number; maxTimestamp: number }>();
  const byLastOffset = new Map<number, number>();
  const scanner = segment.scan({ bodies: true });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    const lastOffset = lastOffsetAt(batch.buffer, batch.at);
    batches.set(batch.position, { lastOffset, maxTimestamp: maxTimestampAt(batch.buffer, batch.at) });
    byLastOffset.set(lastOffset, maxTimestampAt(batch.buffer, batch.at));
  }
  if (scanner.end?.kind !== 'complete') return `segment ${segment.baseOffset} has a bad batch at ${scanner.end?.position}`;
  const { offsetIndex, timeIndex } = segment.indexes;
  for (let slot = 0; slot < offsetIndex.count; slot++) {
    const { offset, position } = offsetIndex.entry(slot);
    if (batches.get(position)?.lastOffset !== offset) return `index of segment ${segment.baseOffset} says offset ${offset} at ${position}`;
  }
  for (let slot = 0; slot < timeIndex.count; slot++) {
    const { offset, timestamp } = timeIndex.entry(slot);
    if (byLastOffset.get(offset) !== timestamp) return `time index of segment ${segment.baseOffset} says ${timestamp} at offset ${offset}`;
  }
  return undefined;
}

/** Lets promises and turns go on until `condition` holds. */
export async function until(fixture: LogFixture, condition: () => boolean): Promise<void> {
  for (let round = 0; round < 100 && !condition(); round++) await fixture.time.settle();
}

/** A few batches a segment. */
export const SMALL = { 'segment.bytes': '1000', 'index.interval.bytes': '100' };

export function values(log: UnifiedLog, from = log.logStartOffset): (string | null)[] {
  return readAll(log, { from }).map((record) => record.value);
}

export function appendMany(fixture: LogFixture, log: UnifiedLog, count: number): void {
  for (let index = 0; index < count; index++)
    append(fixture, log, batchOf([`value ${index} ${'x'.repeat(60)}`], { timestamp: fixture.time.wallMs() + index }));
}

export function producerBatch(
  values_: string[],
  sequence: number,
  options: { epoch?: number; transactional?: boolean; producerId?: number } = {},
): Buffer {
  return batchOf(values_, {
    producerId: options.producerId ?? 7,
    producerEpoch: options.epoch ?? 0,
    baseSequence: sequence,
    isTransactional: options.transactional ?? false,
  });
}

export function marker(type: ControlRecordType, coordinatorEpoch = 0, producerId = 7): Buffer {
  return buildControlBatch({ type, coordinatorEpoch, producerId, producerEpoch: 0, timestamp: 1_700_000_000_000 });
}
