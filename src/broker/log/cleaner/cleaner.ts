/**
 * Cleans one log: reads its dirty section into an offset map, copies the segments from the log's begin to there, group by group, and
 * puts each copy in place as soon as it is whole. The reading and writing is done by workers in slices; here are the order of things,
 * the throttle, and the look at whether to go on.
 *
 * The map has at most `log.cleaner.dedupe.buffer.size` / threads; when the dirty section has more keys, the cleaning ends at the offset that the map
 * reaches and the rest is for the next one. Every swap leaves a log that is right by itself, so a cleaning may end after any.
 * Source: Kafka's Cleaner.
 */
import { CLEANED_SUFFIX } from '../../../log-format/file-names.ts';
import { OFFSET_INDEX_ENTRY_BYTES } from '../../../log-format/offset-index.ts';
import { TIME_INDEX_ENTRY_BYTES } from '../../../log-format/time-index.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { LogStorageError } from '../log-errors.ts';
import type { LogSegment } from '../log-segment.ts';
import type { UnifiedLog } from '../unified-log.ts';
import type { LastRecord } from './batch-filter.ts';
import type { LogToClean } from './cleanable-offsets.ts';
import { newCleanedSegment } from './cleaned-segment-writer.ts';
import type { CleanedSegmentState } from './cleaned-segment-writer.ts';
import { CleanedTransactionMetadata, newTransactionState } from './cleaned-transaction-metadata.ts';
import type { TransactionState } from './cleaned-transaction-metadata.ts';
import { CleanerStats } from './cleaner-stats.ts';
import type { CleaningRun } from './cleaner-stats.ts';
import { cleanTask } from './clean-task.ts';
import type { CleanSliceInput, CleanSliceOutput, SliceCursor, SourceSegment } from './clean-slice.ts';
import { LogCleaningAbortedError, LogCleaningError } from './log-cleaning-error.ts';
import { groupSegmentsBySize } from './segment-groups.ts';
import type { GroupableSegment } from './segment-groups.ts';
import { hashSecretFrom } from './sip-hash.ts';
import { BYTES_PER_ENTRY, MapMemory, newOffsetMapState } from './skimpy-offset-map.ts';
import type { OffsetMapState } from './skimpy-offset-map.ts';
import type { Throttler } from './throttler.ts';

export interface CleanerLimits {
  /** For one thread's map. */
  readonly dedupeBufferBytes: number;
  /** 0 to 1. */
  readonly loadFactor: number;
  /** For one thread's reading. */
  readonly ioBufferBytes: number;
}

export interface CleanerOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'clock' | 'random' | 'offload'>;
  readonly logger: Logger;
  readonly limits: () => CleanerLimits;
  readonly throttler: Throttler;
  /** @throws LogCleaningAbortedError when the cleaning of `log` must end. */
  readonly checkDone: (log: UnifiedLog) => void;
}

/** A worker reads this much at a time: some tens of milliseconds, so that other work gets its turn and an abort is heard. */
const SLICE_BYTES = 8 * 1024 * 1024;
/** The smallest buffer: a batch's header and a good many small records. */
const MIN_IO_BUFFER_BYTES = 4 * 1024;
/** The map's room beyond what the load factor asks for: the next prime below is never further. */
const SPARE_SLOTS = 512;
const MIN_MAP_BYTES = 3 * BYTES_PER_ENTRY;

type SliceResult = Extract<CleanSliceOutput, { ok: true }>;
const START: SliceCursor = { segment: 0, position: -1 };

interface SegmentToClean extends GroupableSegment {
  readonly segment: LogSegment;
}

export class Cleaner {
  readonly #options: CleanerOptions;
  readonly #memory = new MapMemory();

  constructor(options: CleanerOptions) {
    this.#options = options;
  }

  /**
   * @throws LogCleaningAbortedError; LogCleaningError when something in the log doesn't let it be cleaned; LogStorageError when its disk fails or it
   * is offline; the disk's errors.
   */
  async clean(toClean: LogToClean): Promise<CleaningRun> {
    const { clock } = this.#options.runtime;
    const { log, firstDirtyOffset } = toClean;
    const nowMs = clock.wallMs();
    const stats = new CleanerStats(nowMs, clock.monotonicMs());
    this.#removeUnfinished(log);
    const segmentsBefore = log.segments.length;
    const map = await this.#buildOffsetMap(toClean, stats);
    stats.indexDone(clock.monotonicMs());
    const endOffset = map.latestOffset + 1;
    const job = new CopyJob(map, nowMs);
    try {
      for (const group of this.#groups(toClean, endOffset)) await this.#cleanGroup(log, group, job, stats);
    } catch (error) {
      this.#removeUnfinishedQuietly(log);
      throw error;
    }
    return stats.finish(clock.monotonicMs(), {
      firstDirtyOffset,
      nextDirtyOffset: Math.max(endOffset, firstDirtyOffset),
      segmentsBefore,
      segmentsAfter: log.segments.length,
      bufferUtilization: (map.size * BYTES_PER_ENTRY) / this.#options.limits().dedupeBufferBytes,
    });
  }

  // ---- The map

  async #buildOffsetMap(toClean: LogToClean, stats: CleanerStats): Promise<OffsetMapState> {
    const { log, firstDirtyOffset, firstUncleanableOffset } = toClean;
    const limits = this.#options.limits();
    const secret = this.#options.runtime.random.bytes(16);
    const created = newOffsetMap(firstUncleanableOffset - firstDirtyOffset, limits, secret, this.#memory);
    let { map } = created;
    if (firstUncleanableOffset <= firstDirtyOffset) return { ...map, latestOffset: firstDirtyOffset - 1 };
    const transactions = newTransactionState();
    new CleanedTransactionMetadata(transactions).addAbortedTransactions(
      log.collectAbortedTransactions(firstDirtyOffset, firstUncleanableOffset),
    );
    const segments = dirtySegments(toClean);
    await this.#runSlices(
      log,
      { transactions, map },
      (progress) => ({ kind: 'index', ...progress, segments, startOffset: firstDirtyOffset, maxEntries: created.maxEntries }),
      (result) => {
        map = result.map;
        stats.addIndexed(result.stats);
      },
    );
    return map;
  }

  // ---- The copy

  #groups({ log, firstUncleanableOffset }: LogToClean, endOffset: number): SegmentToClean[][] {
    const { segmentBytes, segmentIndexBytes } = log.config;
    const segments = log.segments.filter((segment) => segment.baseOffset < Math.min(endOffset, firstUncleanableOffset));
    return groupSegmentsBySize(
      segments.map((segment) => ({
        segment,
        baseOffset: segment.baseOffset,
        sizeBytes: segment.sizeBytes,
        offsetIndexBytes: segment.indexes.offsetIndex.count * OFFSET_INDEX_ENTRY_BYTES,
        timeIndexBytes: segment.indexes.timeIndex.count * TIME_INDEX_ENTRY_BYTES,
      })),
      { maxBytes: segmentBytes, maxIndexBytes: segmentIndexBytes, firstUncleanableOffset },
    );
  }

  async #cleanGroup(log: UnifiedLog, group: readonly SegmentToClean[], job: CopyJob, stats: CleanerStats): Promise<void> {
    const old = group.map(({ segment }) => segment);
    const baseOffset = old[0]?.baseOffset ?? 0;
    const segments = old.map((segment) => sourceOf(log, segment));
    let target: CleanedSegmentState = newCleanedSegment(log.directory, baseOffset, log.config.indexIntervalBytes);
    job.transactions.cleanedIndex = [];
    const lastRecords = lastRecordsOfActiveProducers(log);
    const { deleteRetentionMs } = log.config;
    await this.#runSlices(
      log,
      job,
      (progress) => ({ kind: 'copy', ...progress, segments, target, lastRecords, nowMs: job.nowMs, deleteRetentionMs }),
      (result) => {
        target = result.target ?? target;
        job.map = result.map;
        job.transactions = result.transactions;
        stats.addCopied(result.stats);
      },
    );
    await log.replaceSegments(old);
  }

  // ---- Slices

  /** Has a job done to its end. `state` is what it begins with, `take` hears of each slice that is done. */
  async #runSlices(
    log: UnifiedLog,
    state: { readonly map: OffsetMapState; readonly transactions: TransactionState },
    input: (progress: Pick<CleanSliceInput, 'map' | 'transactions' | 'cursor' | 'budgetBytes' | 'ioBufferBytes'>) => CleanSliceInput,
    take: (result: SliceResult) => void,
  ): Promise<void> {
    const { throttler, runtime, limits } = this.#options;
    const ioBufferBytes = Math.max(MIN_IO_BUFFER_BYTES, limits().ioBufferBytes);
    let { map, transactions } = state;
    let cursor = START;
    for (;;) {
      this.#checkDone(log);
      const budgetBytes = throttler.portion(SLICE_BYTES);
      const slice = input({ map, transactions, cursor, budgetBytes, ioBufferBytes });
      const result = await runtime.offload.run(cleanTask, slice).catch((error: unknown) => {
        // No worker could be had, or it died: no fault of the log's. It is tried again.
        this.#options.logger.error({ err: error }, `A worker that cleaned ${log.directory} failed`);
        throw new LogCleaningAbortedError(`a worker that cleaned ${log.directory} failed`, { cause: error });
      });
      this.#checkDone(log);
      if (!result.ok) throw failureOf(result);
      take(result);
      ({ map, transactions, cursor } = result);
      await throttler.throttle(result.stats.bytesRead + result.stats.bytesWritten, () => this.#checkDone(log));
      if (result.isDone) return;
    }
  }

  #checkDone(log: UnifiedLog): void {
    if (log.isOffline) throw new LogCleaningAbortedError(`${log.directory} is closed or offline`);
    this.#options.checkDone(log);
  }

  /** What a cleaning that was aborted may have left. */
  #removeUnfinished(log: UnifiedLog): void {
    const { disk } = this.#options.runtime;
    for (const { name } of disk.list(log.directory)) if (name.endsWith(CLEANED_SUFFIX)) disk.remove(`${log.directory}/${name}`);
  }

  #removeUnfinishedQuietly(log: UnifiedLog): void {
    if (log.isOffline) return;
    try {
      this.#removeUnfinished(log);
    } catch (error) {
      this.#options.logger.warn({ err: error }, `Removing what the cleaner left in ${log.directory} failed`);
    }
  }
}

/** What is the same for all groups of a cleaning, and what goes from one to the next. */
class CopyJob {
  map: OffsetMapState;
  transactions: TransactionState = newTransactionState();
  readonly nowMs: number;

  constructor(map: OffsetMapState, nowMs: number) {
    this.map = map;
    this.nowMs = nowMs;
  }
}

/** No more memory than the offsets of the dirty section can ask for. */
function newOffsetMap(
  offsets: number,
  limits: CleanerLimits,
  secret: Buffer,
  memory: MapMemory,
): { map: OffsetMapState; maxEntries: number } {
  const neededBytes = (Math.ceil(Math.max(0, offsets) / limits.loadFactor) + SPARE_SLOTS) * BYTES_PER_ENTRY;
  const boundedBytes = Math.min(neededBytes, limits.dedupeBufferBytes);
  const map = boundedBytes < MIN_MAP_BYTES ? undefined : newOffsetMapState(boundedBytes, hashSecretFrom(secret), memory);
  const maxEntries = map === undefined ? 0 : Math.min(Math.floor(map.slots * limits.loadFactor), map.slots - 2);
  if (map !== undefined && maxEntries >= 1) return { map, maxEntries };
  throw new LogCleaningError(
    `log.cleaner.dedupe.buffer.size leaves a thread ${limits.dedupeBufferBytes} bytes for its offset map, not enough for a single key: give it more, or use fewer log.cleaner.threads`,
  );
}

function dirtySegments({ log, firstDirtyOffset, firstUncleanableOffset }: LogToClean): SourceSegment[] {
  const found: SourceSegment[] = [];
  for (const [index, segment] of log.segments.entries()) {
    const endOffset = Math.min(log.segments[index + 1]?.baseOffset ?? Infinity, firstUncleanableOffset);
    if (segment.baseOffset >= firstUncleanableOffset || endOffset <= firstDirtyOffset) continue;
    found.push({
      path: segment.path,
      sizeBytes: segment.sizeBytes,
      from: segment.indexes.offsetIndex.lookupPosition(firstDirtyOffset),
      abortedTxns: [],
      endOffset,
    });
  }
  return found;
}

function sourceOf(log: UnifiedLog, segment: LogSegment): SourceSegment {
  const next = log.segments[log.segments.indexOf(segment) + 1];
  const endOffset = next?.baseOffset ?? segment.readNextOffset();
  const abortedTxns = log.collectAbortedTransactions(segment.baseOffset, endOffset);
  return { path: segment.path, sizeBytes: segment.sizeBytes, from: 0, abortedTxns, endOffset };
}

function lastRecordsOfActiveProducers(log: UnifiedLog): Map<number, LastRecord> {
  const records = new Map<number, LastRecord>();
  for (const [producerId, { lastDataOffset, producerEpoch }] of log.activeProducers)
    records.set(producerId, { lastDataOffset, producerEpoch });
  return records;
}

function failureOf(result: Extract<CleanSliceOutput, { ok: false }>): Error {
  if (result.disk === undefined) return new LogCleaningError(result.message);
  return Object.assign(new Error(result.message), result.disk);
}

/** Whether an error of `clean` says that the log's disk has failed. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof LogStorageError || (error instanceof Error && 'code' in error && 'syscall' in error);
}
