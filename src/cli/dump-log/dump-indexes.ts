/**
 * The lines of `.index`, `.timeindex` and `.txnindex`, and whether they match their `.log`. Source: Kafka's DumpLogSegments.
 * Differs from Kafka, which fails with a stack trace: an entry that points where no batch is counts as a mismatch with offset -1; an index of zeros
 * only (preallocated by a Kafka broker that runs) is empty, not an entry that mismatches.
 */
import { baseOffsetAt, lastOffsetAt, magicAt } from '../../log-format/batch-fields.ts';
import { BatchScanner } from '../../log-format/batch-scanner.ts';
import { IndexFile, txnIndexEntries } from '../../log-format/index-file.ts';
import type { FileBytes, IndexEntry } from '../../log-format/index-file.ts';
import { MAX_BATCH_BYTES, readLogBatch, readLogRecords } from '../../log-format/log-batch.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import type { DumpFindings } from './dump-findings.ts';
import type { DumpOptions } from './dump-options.ts';

const MAGIC_V2 = 2;
const HEADERS_CHUNK_BYTES = 16 * 1024;

export interface DumpedIndex {
  readonly path: string;
  readonly absolutePath: string;
  readonly baseOffset: number;
  readonly file: FileBytes;
  /** Of the same segment; undefined: not there. */
  readonly log: FileBytes | undefined;
  readonly offsetIndex: FileBytes | undefined;
}

type Lines = Generator<string, void, undefined>;

export function* dumpOffsetIndex(dumped: DumpedIndex, options: DumpOptions, findings: DumpFindings): Lines {
  const { path, log } = dumped;
  const index = new IndexFile('offset', dumped.baseOffset, dumped.file);
  if (index.count === 0 && index.tornBytes === 0) {
    yield `${path} is empty.`;
    return;
  }
  if (options.indexSanityCheck) {
    yield* sanityCheck(dumped, index, findings);
    return;
  }
  noteTorn(dumped, index, findings);
  if (log === undefined) findings.fault(path, 'its .log file is not there: the entries are not checked');
  for (const entry of index.entries()) {
    // Kafka takes a zero entry for the begin of what was preallocated.
    if (entry.offset === index.baseOffset && entry.slot > 0) return;
    if (log !== undefined) {
      const lastOffset = lastOffsetOfBatchAt(log, entry.position, options.maxMessageSizeBytes);
      if (lastOffset !== entry.offset) findings.indexMismatches.add(dumped.absolutePath, entry.offset, lastOffset);
    }
    if (!options.verifyIndexOnly) yield `offset: ${entry.offset} position: ${entry.position}`;
  }
}

export function* dumpTimeIndex(dumped: DumpedIndex, options: DumpOptions, findings: DumpFindings): Lines {
  const { path, log, absolutePath } = dumped;
  const index = new IndexFile('time', dumped.baseOffset, dumped.file);
  if (options.indexSanityCheck) {
    yield* sanityCheck(dumped, index, findings);
    return;
  }
  noteTorn(dumped, index, findings);
  if (log === undefined) findings.fault(path, 'its .log file is not there: the entries are not checked');
  const offsets = dumped.offsetIndex === undefined ? undefined : new IndexFile('offset', dumped.baseOffset, dumped.offsetIndex);
  let previous = -1;
  for (const entry of index.entries()) {
    if (entry.offset === index.baseOffset && entry.slot > 0) return;
    if (log !== undefined) {
      const found = batchTimes(log, offsets?.lookup(entry.offset).found?.position ?? 0, entry, dumped, findings);
      if (found?.lastOffset !== entry.offset) findings.offsetsNotFound.add(absolutePath, entry.offset, found?.lastOffset ?? -1);
      else {
        if (found.maxTimestamp !== entry.timestamp) findings.timestampMismatches.add(absolutePath, entry.timestamp, found.maxTimestamp);
        if (previous >= entry.timestamp) findings.outOfOrderTimestamps.add(absolutePath, entry.timestamp, previous);
      }
    }
    if (!options.verifyIndexOnly) yield `timestamp: ${entry.timestamp} offset: ${entry.offset}`;
    previous = entry.timestamp;
  }
}

export function* dumpTxnIndex({ path, file }: DumpedIndex, findings: DumpFindings): Lines {
  let previous = -1;
  for (const { version, producerId, firstOffset, lastOffset, lastStableOffset, slot } of txnIndexEntries(file)) {
    const position = slot * 34;
    if (version !== 0) {
      findings.fault(path, `the entry has version ${version}, known is 0`, position);
      return;
    }
    if (lastOffset < previous) findings.fault(path, `the last offset ${lastOffset} is below ${previous}, the one before`, position);
    previous = lastOffset;
    yield `version: ${version} producerId: ${producerId} firstOffset: ${firstOffset} lastOffset: ${lastOffset} lastStableOffset: ${lastStableOffset}`;
  }
  const torn = file.sizeBytes % 34;
  if (torn !== 0) findings.fault(path, `${torn} bytes are left, an entry has 34`, file.sizeBytes - torn);
}

/** What a broker checks at its start, and what makes it build an index anew. */
function* sanityCheck({ path }: DumpedIndex, index: IndexFile, findings: DumpFindings): Lines {
  const first = index.count === 0 ? undefined : index.entry(0);
  const last = index.lastEntry;
  noteTorn({ path }, index, findings);
  if (first !== undefined && last !== undefined) {
    if (last.offset < index.baseOffset) findings.fault(path, `the last offset ${last.offset} is below the base offset ${index.baseOffset}`);
    else if (last.timestamp < first.timestamp)
      findings.fault(path, `the last timestamp ${last.timestamp} is below the first, ${first.timestamp}`);
    else if (index.tornBytes === 0) yield `${path} passed sanity check.`;
  } else if (index.tornBytes === 0) yield `${path} passed sanity check.`;
}

function noteTorn({ path }: Pick<DumpedIndex, 'path'>, index: IndexFile, findings: DumpFindings): void {
  const entryBytes = index.kind === 'offset' ? 8 : 12;
  if (index.tornBytes !== 0)
    findings.fault(path, `${index.tornBytes} bytes are left, an entry has ${entryBytes}`, (index.count + index.zeroEntries) * entryBytes);
}

/** -1 where no whole batch of at most `maxBytes` begins at `position`. */
function lastOffsetOfBatchAt(log: FileBytes, position: number, maxBytes: number): number {
  if (position < 0 || position >= log.sizeBytes) return -1;
  const scanner = new BatchScanner(log.readAt, {
    from: position,
    to: Math.min(log.sizeBytes, position + maxBytes),
    bodies: false,
    legacy: true,
    chunkBytes: 0,
  });
  const batch = scanner.next();
  if (batch === undefined) return -1;
  return magicAt(batch.buffer, batch.at) === MAGIC_V2 ? lastOffsetAt(batch.buffer, batch.at) : baseOffsetAt(batch.buffer, batch.at);
}

/** The first batch from `position` on that ends at or above the entry's offset, with the largest timestamp of its records when it is the one. */
function batchTimes(
  log: FileBytes,
  position: number,
  entry: IndexEntry,
  dumped: DumpedIndex,
  findings: DumpFindings,
): { readonly lastOffset: number; readonly maxTimestamp: number } | undefined {
  const range = { to: log.sizeBytes, legacy: true, maxBatchBytes: MAX_BATCH_BYTES };
  const scanner = new BatchScanner(log.readAt, { ...range, from: Math.max(0, position), bodies: false, chunkBytes: HEADERS_CHUNK_BYTES });
  for (let scanned = scanner.next(); scanned !== undefined; scanned = scanner.next()) {
    const isV2 = magicAt(scanned.buffer, scanned.at) === MAGIC_V2;
    const lastOffset = isV2 ? lastOffsetAt(scanned.buffer, scanned.at) : baseOffsetAt(scanned.buffer, scanned.at);
    if (lastOffset < entry.offset) continue;
    if (lastOffset > entry.offset) return { lastOffset, maxTimestamp: -1 };
    const whole = new BatchScanner(log.readAt, { ...range, from: scanned.position, bodies: true, chunkBytes: scanned.sizeBytes }).next();
    if (whole === undefined) return undefined;
    let maxTimestamp = -1;
    try {
      for (const { timestamp } of readLogRecords(whole, readLogBatch(whole))) maxTimestamp = Math.max(maxTimestamp, timestamp);
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      findings.fault(dumped.path, `the batch of entry ${entry.slot} can't be opened: ${error.message}`, entry.slot * 12);
    }
    return { lastOffset, maxTimestamp };
  }
  return undefined;
}
