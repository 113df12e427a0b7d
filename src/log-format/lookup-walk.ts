/**
 * A look-up in a log's files with each of its steps told: which segment, which index entries were compared, which batches were scanned, what
 * was found. It takes the way that the broker takes (`LogSegment.findBatch`, `findOffsetByTimestamp`) and, on the same bytes, ends at the same place,
 * which a test holds; the broker itself keeps no steps. Needs no broker: the files may be a dead one's.
 *
 * The walks are generators that yield, without a value, wherever a caller may want to let others run: a missing index means a scan of a whole segment.
 * Only batches of format 2 are walked, as in the broker. Source: Kafka's LogSegment, OffsetIndex, TimeIndex.
 */
import { baseOffsetAt, lastOffsetAt, maxTimestampAt, recordCountAt } from './batch-fields.ts';
import { BatchScanner } from './batch-scanner.ts';
import { IndexFile } from './index-file.ts';
import type { FileBytes, IndexEntry, IndexLookup } from './index-file.ts';
import { MAX_BATCH_BYTES, readLogBatch, readLogRecords } from './log-batch.ts';
import type { LogRecord } from './log-batch.ts';
import { LogFormatError } from './log-format-error.ts';

/** One segment, whose files are opened when they are needed; undefined: the file isn't there. */
export interface WalkableSegment {
  readonly baseOffset: number;
  open(file: 'log' | 'index' | 'timeindex'): FileBytes | undefined;
}

/** A segment that was looked at while the right one was sought by time. */
export interface SegmentTime {
  readonly baseOffset: number;
  /** -1 where no record has one. */
  readonly largestTimestamp: number;
}

export interface IndexStep extends IndexLookup {
  readonly kind: 'offset' | 'time';
  /** What was looked for: an offset, or a timestamp in a time index. */
  readonly target: number;
  /** Undefined: there is no such file, and the segment is read from its begin. */
  readonly entries: number | undefined;
}

export interface ScannedStep {
  readonly position: number;
  readonly sizeBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly records: number;
}

export interface SegmentWalk {
  readonly baseOffset: number;
  readonly indexes: readonly IndexStep[];
  /** Where the scan began. */
  readonly scanFrom: number;
  /** The last ones that were scanned, in order; the last is the batch that was found, if one was. */
  readonly scanned: readonly ScannedStep[];
  readonly scannedCount: number;
  /** Why the scan ended before the file did. */
  readonly damage: { readonly position: number; readonly reason: string } | undefined;
}

export interface LookupWalk {
  /** By time: the segments that were asked for their largest timestamp, the chosen one last. Only the last ones are kept. */
  readonly segmentTimes: readonly SegmentTime[];
  readonly segmentTimesCount: number;
  /** More than one where the first holds no record at or above the offset, which compaction does. */
  readonly segments: readonly SegmentWalk[];
  readonly found:
    | {
        readonly segment: number;
        readonly batch: ScannedStep;
        /** Undefined: the batch holds none (compaction keeps a batch's last offset), or can't be opened. */
        readonly record: LogRecord | undefined;
        readonly recordError: string | undefined;
      }
    | undefined;
}

/** A walk keeps the last so many of its steps of one kind. */
export const MAX_STEPS_KEPT = 400;
const BATCHES_A_BREATH = 256;
const SCAN_BYTES = 16 * 1024;

type Steps<T> = Generator<undefined, T, undefined>;

/** The batch that a fetch from `offset` begins with, and its first record at or above it. `segments` are in order of base offset. */
export function* walkOffsetLookup(segments: readonly WalkableSegment[], offset: number): Steps<LookupWalk> {
  const walks: SegmentWalk[] = [];
  const first = segments.findLastIndex(({ baseOffset }) => baseOffset <= offset);
  for (const segment of first < 0 ? [] : segments.slice(first)) {
    const log = segment.open('log');
    if (log === undefined) continue;
    const index = searchIndex('offset', segment, offset);
    const scan = new Scan(segment.baseOffset, log, [index.step], index.found?.position ?? 0);
    const batch = yield* scan.until((candidate) => candidate.lastOffset >= offset);
    walks.push(scan.steps());
    if (batch === undefined) continue;
    const opened = firstRecord(log, batch, (record) => record.offset >= offset);
    return { ...NO_TIMES, segments: walks, found: { segment: segment.baseOffset, batch, ...opened } };
  }
  return { ...NO_TIMES, segments: walks, found: undefined };
}

/** The first record at or above `logStartOffset` whose timestamp is at least `timestamp`, as ListOffsets answers it. */
export function* walkTimestampLookup(segments: readonly WalkableSegment[], timestamp: number, logStartOffset: number): Steps<LookupWalk> {
  const times: SegmentTime[] = [];
  let asked = 0;
  for (const segment of segments) {
    const log = segment.open('log');
    if (log === undefined) continue;
    const largestTimestamp = yield* largestTimestampOf(segment, log);
    keep(times, { baseOffset: segment.baseOffset, largestTimestamp });
    asked++;
    if (largestTimestamp < timestamp) continue;
    const time = searchIndex('time', segment, timestamp);
    const from = Math.max(time.found?.offset ?? segment.baseOffset, logStartOffset);
    const index = searchIndex('offset', segment, from);
    const scan = new Scan(segment.baseOffset, log, [time.step, index.step], index.found?.position ?? 0);
    const found = yield* findByTimestamp(scan, log, timestamp, logStartOffset);
    return {
      segmentTimes: times,
      segmentTimesCount: asked,
      segments: [scan.steps()],
      found: found === undefined ? undefined : { segment: segment.baseOffset, ...found },
    };
  }
  return { segmentTimes: times, segmentTimesCount: asked, segments: [], found: undefined };
}

const NO_TIMES = { segmentTimes: [], segmentTimesCount: 0 } as const;

function* findByTimestamp(scan: Scan, log: FileBytes, timestamp: number, logStartOffset: number): Steps<FoundRecord | undefined> {
  for (;;) {
    const batch = yield* scan.until(({ maxTimestamp, lastOffset }) => maxTimestamp >= timestamp && lastOffset >= logStartOffset);
    if (batch === undefined) return undefined;
    const opened = firstRecord(log, batch, (record) => record.timestamp >= timestamp && record.offset >= logStartOffset);
    if (opened.record !== undefined || opened.recordError !== undefined) return { batch, ...opened };
  }
}

interface FoundRecord {
  readonly batch: ScannedStep;
  readonly record: LogRecord | undefined;
  readonly recordError: string | undefined;
}

/** A scan from one position on that can be continued; it keeps what it has passed. */
class Scan {
  readonly #baseOffset: number;
  readonly #indexes: readonly IndexStep[];
  readonly #from: number;
  readonly #scanner: BatchScanner;
  readonly #scanned: ScannedStep[] = [];
  #count = 0;

  constructor(baseOffset: number, log: FileBytes, indexes: readonly IndexStep[], from: number) {
    this.#baseOffset = baseOffset;
    this.#indexes = indexes;
    // An index that is damaged may point anywhere.
    this.#from = Math.max(0, Math.min(from, log.sizeBytes));
    this.#scanner = headers(log, this.#from);
  }

  *until(matches: (batch: ScannedStep) => boolean): Steps<ScannedStep | undefined> {
    for (let scanned = this.#scanner.next(); scanned !== undefined; scanned = this.#scanner.next()) {
      const { buffer, at, position, sizeBytes } = scanned;
      const batch: ScannedStep = {
        position,
        sizeBytes,
        baseOffset: baseOffsetAt(buffer, at),
        lastOffset: lastOffsetAt(buffer, at),
        maxTimestamp: maxTimestampAt(buffer, at),
        records: recordCountAt(buffer, at),
      };
      keep(this.#scanned, batch);
      if (++this.#count % BATCHES_A_BREATH === 0) yield;
      if (matches(batch)) return batch;
    }
    return undefined;
  }

  steps(): SegmentWalk {
    const { end } = this.#scanner;
    return {
      baseOffset: this.#baseOffset,
      indexes: this.#indexes,
      scanFrom: this.#from,
      scanned: this.#scanned,
      scannedCount: this.#count,
      damage: end?.kind === 'invalid' && !end.isZeros ? { position: end.position, reason: end.reason } : undefined,
    };
  }
}

function searchIndex(
  kind: IndexStep['kind'],
  segment: WalkableSegment,
  target: number,
): { readonly step: IndexStep; readonly found: IndexEntry | undefined } {
  const file = segment.open(kind === 'offset' ? 'index' : 'timeindex');
  if (file === undefined) return { step: { kind, target, entries: undefined, probes: [], found: undefined }, found: undefined };
  const index = new IndexFile(kind, segment.baseOffset, file);
  const lookup = index.lookup(target);
  return { step: { kind, target, entries: index.count, ...lookup }, found: lookup.found };
}

/** From the last time index entry and the batches behind it, as the broker knows it of a segment that it has just opened. */
function* largestTimestampOf(segment: WalkableSegment, log: FileBytes): Steps<number> {
  const timeIndex = segment.open('timeindex');
  const last = timeIndex === undefined ? undefined : new IndexFile('time', segment.baseOffset, timeIndex).lastEntry;
  const { found } = searchIndex('offset', segment, last?.offset ?? segment.baseOffset);
  const scan = new Scan(segment.baseOffset, log, [], found?.position ?? 0);
  let largest = last?.timestamp ?? -1;
  yield* scan.until(({ maxTimestamp }) => {
    largest = Math.max(largest, maxTimestamp);
    return false;
  });
  return largest;
}

function firstRecord(log: FileBytes, batch: ScannedStep, matches: (record: LogRecord) => boolean): Omit<FoundRecord, 'batch'> {
  const scanned = new BatchScanner(log.readAt, {
    from: batch.position,
    to: batch.position + batch.sizeBytes,
    bodies: true,
    maxBatchBytes: MAX_BATCH_BYTES,
  }).next();
  if (scanned === undefined) return { record: undefined, recordError: 'the batch can no longer be read' };
  try {
    for (const record of readLogRecords(scanned, readLogBatch(scanned))) if (matches(record)) return { record, recordError: undefined };
  } catch (error) {
    if (error instanceof LogFormatError) return { record: undefined, recordError: error.message };
    throw error;
  }
  return { record: undefined, recordError: undefined };
}

function headers(log: FileBytes, from: number): BatchScanner {
  return new BatchScanner(log.readAt, { from, to: log.sizeBytes, bodies: false, chunkBytes: SCAN_BYTES });
}

function keep<T>(steps: T[], step: T): void {
  steps.push(step);
  if (steps.length > MAX_STEPS_KEPT) steps.shift();
}
