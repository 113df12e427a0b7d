/**
 * Finding batches in a segment: by offset, by timestamp, its end. A search begins at an index entry and goes on over the headers in the log file.
 *
 * Index files have no checksum: an entry is believed when a batch begins where it says, with an offset at or below the entry's; one that is damaged in
 * another way only lets a search begin earlier. One that contradicts the log makes both indexes be built anew. Source: Kafka's LogSegment.
 */
import { baseOffsetAt, lastOffsetAt, leaderEpochAt, magicAt, maxTimestampAt, sizeAt } from '../../log-format/batch-fields.ts';
import type { BatchScanner, ReadAt, ScanEnd, ScanOptions } from '../../log-format/batch-scanner.ts';
import type { OffsetPosition } from '../../log-format/offset-index.ts';
import type { TimestampOffset } from '../../log-format/time-index.ts';
import { MAGIC_V2, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { SegmentIndexes } from './segment-indexes.ts';
import { findRecordByTimestamp } from './timestamp-search.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

/** Headers are looked for in pieces of this size: an index entry is at most about this far from what is sought. */
const HEADER_SCAN_BYTES = 4 * 1024;
/** Entries of a time index are an index interval apart, as long as timestamps grow. */
const TIME_LOOK_BACK_BYTES = 1024 * 1024;
/** One for the process: only used between two synchronous reads. */
const scanBuffer = Buffer.allocUnsafeSlow(HEADER_SCAN_BYTES);

/** What of a segment is searched. */
export interface SearchedSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly path: string;
  readonly indexes: SegmentIndexes;
  readonly readAt: ReadAt;
  read(position: number, length: number): Buffer;
  scan(options: Partial<ScanOptions> & Pick<ScanOptions, 'bodies'>): BatchScanner;
  canConvertToRelativeOffset(offset: number): boolean;
}

/** A batch in the file: where it begins and how large it is. */
export interface BatchPosition {
  readonly position: number;
  readonly sizeBytes: number;
  readonly lastOffset: number;
}

/** The first batch whose last offset is at least `offset`; undefined when there is none. */
export function findBatch(segment: SearchedSegment, offset: number): BatchPosition | undefined {
  const entry = segment.indexes.offsetIndex.lookup(offset);
  const fileBytes = segment.sizeBytes;
  let { position } = entry;
  if (position > 0 && position + RECORD_BATCH_OVERHEAD > fileBytes) {
    rebuildDamaged(segment, entry);
    return findBatch(segment, offset);
  }
  while (position + RECORD_BATCH_OVERHEAD <= fileBytes) {
    const read = segment.readAt(scanBuffer, 0, Math.min(HEADER_SCAN_BYTES, fileBytes - position), position);
    if (position === entry.position && position > 0 && !agrees(segment, entry, read)) {
      rebuildDamaged(segment, entry);
      return findBatch(segment, offset);
    }
    let at = 0;
    while (at + RECORD_BATCH_OVERHEAD <= read) {
      const sizeBytes = sizeAt(scanBuffer, at);
      if (sizeBytes < RECORD_BATCH_OVERHEAD || position + at + sizeBytes > fileBytes) return undefined;
      const lastOffset = lastOffsetAt(scanBuffer, at);
      if (lastOffset >= offset) return { position: position + at, sizeBytes, lastOffset };
      at += sizeBytes;
    }
    if (at === 0) return undefined;
    position += at;
  }
  return undefined;
}

/** Why `findBatch` found nothing for `offset`, if bytes that make no batch are in the way. */
export function damageBefore(segment: SearchedSegment, offset: number): string | undefined {
  const scanner = segment.scan({ from: scanFrom(segment, offset), bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next())
    if (lastOffsetAt(batch.buffer, batch.at) >= offset) return undefined;
  const { end } = scanner;
  return end?.kind === 'invalid' ? `${segment.path} is damaged at byte ${end.position}: ${end.reason}` : undefined;
}

/** The first record at or above `startingOffset` whose timestamp is at least `timestamp`. */
export function findOffsetByTimestamp(segment: SearchedSegment, timestamp: number, startingOffset: number): TimestampAndOffset | undefined {
  const position = timeSearchFrom(segment, timestamp, startingOffset);
  const scanner = segment.scan({ from: position, bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    if (maxTimestampAt(batch.buffer, batch.at) < timestamp || lastOffsetAt(batch.buffer, batch.at) < startingOffset) continue;
    const leaderEpoch = leaderEpochAt(batch.buffer, batch.at);
    const found = findRecordByTimestamp(segment.read(batch.position, batch.sizeBytes), timestamp, startingOffset);
    if (found !== undefined) return { ...found, leaderEpoch };
  }
  return undefined;
}

/** One above the last offset, and why the walk over the batches ended; undefined where it stopped at offsets that can't be. */
export function walkToEnd(segment: SearchedSegment): { readonly nextOffset: number; readonly end: ScanEnd | undefined } {
  let nextOffset = segment.baseOffset;
  const scanner = segment.scan({ from: scanFrom(segment, Infinity), bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    const lastOffset = lastOffsetAt(batch.buffer, batch.at);
    if (lastOffset < nextOffset || !segment.canConvertToRelativeOffset(lastOffset)) return { nextOffset, end: undefined };
    nextOffset = lastOffset + 1;
  }
  return { nextOffset, end: scanner.end };
}

/** The largest timestamp and the last offset of the batch that has it: of the time index, and of the batches behind its last entry. */
export function readLargestTimestamp(segment: SearchedSegment): TimestampOffset {
  let largest = checkedTimeEntry(segment, () => segment.indexes.timeIndex.lastEntry);
  const scanner = segment.scan({ from: scanFrom(segment, largest.offset), bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    const timestamp = maxTimestampAt(batch.buffer, batch.at);
    const lastOffset = lastOffsetAt(batch.buffer, batch.at);
    if (timestamp > largest.timestamp && segment.canConvertToRelativeOffset(lastOffset)) largest = { timestamp, offset: lastOffset };
  }
  return largest;
}

/**
 * Where a search for `timestamp` may begin. Nothing in the log says that an entry names the first batch with its timestamp: one that is damaged may name a
 * later one. So the search begins at the entry before, if that isn't far off.
 */
function timeSearchFrom(segment: SearchedSegment, timestamp: number, startingOffset: number): number {
  const entry = checkedTimeEntry(segment, () => segment.indexes.timeIndex.lookup(timestamp));
  const position = scanFrom(segment, Math.max(entry.offset, startingOffset));
  if (entry.timestamp < 0 || entry.offset < startingOffset) return position;
  const before = checkedTimeEntry(segment, () => segment.indexes.timeIndex.lookup(entry.timestamp - 1));
  const earlier = scanFrom(segment, Math.max(before.offset, startingOffset));
  return position - earlier > TIME_LOOK_BACK_BYTES ? position : earlier;
}

/** Where a scan for `offset` may begin. */
function scanFrom(segment: SearchedSegment, offset: number): number {
  const entry = segment.indexes.offsetIndex.lookup(offset);
  if (entry.position === 0 || agrees(segment, entry, segment.readAt(scanBuffer, 0, RECORD_BATCH_OVERHEAD, entry.position)))
    return entry.position;
  rebuildDamaged(segment, entry);
  return segment.indexes.offsetIndex.lookupPosition(offset);
}

/** An entry of the time index, if the log agrees with it; else the one that takes its place once the index is made anew. */
function checkedTimeEntry(segment: SearchedSegment, lookup: () => TimestampOffset): TimestampOffset {
  const entry = lookup();
  if (entry.timestamp < 0) return entry;
  const batch = findBatch(segment, entry.offset);
  if (batch !== undefined) {
    const header = segment.read(batch.position, RECORD_BATCH_OVERHEAD);
    if (baseOffsetAt(header, 0) <= entry.offset && maxTimestampAt(header, 0) === entry.timestamp) return entry;
  }
  rebuildDamaged(segment, entry);
  return lookup();
}

/** @param headerBytes of what `scanBuffer` has from the entry's position on. */
function agrees(segment: SearchedSegment, { offset, position }: OffsetPosition, headerBytes: number): boolean {
  if (headerBytes < RECORD_BATCH_OVERHEAD) return false;
  const sizeBytes = sizeAt(scanBuffer, 0);
  const baseOffset = baseOffsetAt(scanBuffer, 0);
  return (
    magicAt(scanBuffer, 0) === MAGIC_V2 &&
    sizeBytes >= RECORD_BATCH_OVERHEAD &&
    position + sizeBytes <= segment.sizeBytes &&
    baseOffset >= segment.baseOffset &&
    baseOffset <= offset
  );
}

function rebuildDamaged({ indexes }: SearchedSegment, entry: OffsetPosition | TimestampOffset): void {
  indexes.buildAgain(`its entry ${JSON.stringify(entry)} contradicts the log`);
}
