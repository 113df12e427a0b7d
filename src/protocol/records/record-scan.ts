/**
 * Walks uncompressed records without making objects: the check that stands between a producer's bytes and the log.
 *
 *     record: varint length | int8 attributes | varlong timestampDelta | varint offsetDelta
 *             varint keyLength (-1: null) key | varint valueLength (-1: null) value
 *             varint headerCount { varint keyLength key | varint valueLength (-1: null) value }
 *
 * What is checked: each record ends where its length says and the last one where the batch does; lengths are not below
 * -1; header keys are not null; offset deltas go 0, 1, 2, … ; there are as many records as the header says.
 * Differs from Apache Kafka, which renumbers records whose deltas are wrong: here such a batch is refused.
 * Source: DefaultRecord.java, LogValidator.java.
 */
import { readVarint, readVarlong, type VarintCursor } from './varint.ts';

export interface RecordScan {
  /** undefined: the records are as they should be. */
  fault: string | undefined;
  /** Index (= offset delta) of the record at fault. */
  faultIndex: number;
  /** Records without a key. */
  nullKeys: number;
  minTimestampDelta: number;
  maxTimestampDelta: number;
  /** Offset delta of the first record that has the largest timestamp. */
  offsetDeltaOfMaxTimestamp: number;
}

export interface ScanOptions {
  /**
   * False: offset deltas may have gaps, as compaction leaves them, and need only grow. Unset: they must go 0, 1, 2, …
   */
  readonly consecutive?: boolean;
}

/** Walks `count` records in `buffer` from `start` to `end`. */
export function scanRecords(buffer: Buffer, start: number, end: number, count: number, options: ScanOptions = {}): RecordScan {
  const scan: RecordScan = {
    fault: undefined,
    faultIndex: -1,
    nullKeys: 0,
    minTimestampDelta: Infinity,
    maxTimestampDelta: -Infinity,
    offsetDeltaOfMaxTimestamp: 0,
  };
  const consecutive = options.consecutive !== false;
  const cursor: VarintCursor = { position: start, failed: false };
  let previousDelta = -1;
  for (let index = 0; index < count; index++) {
    const length = readVarint(buffer, cursor, end);
    const bodyStart = cursor.position;
    const bodyEnd = bodyStart + length;
    if (cursor.failed || length < 1 || bodyEnd > end)
      return faultAt(scan, index, `a length of ${length} bytes, ${end - bodyStart} are left`);
    cursor.position = bodyStart + 1;
    const timestampDelta = readVarlong(buffer, cursor, bodyEnd);
    const offsetDelta = readVarint(buffer, cursor, bodyEnd);
    const keyLength = readVarint(buffer, cursor, bodyEnd);
    if (keyLength < 0) scan.nullKeys += 1;
    else cursor.position += keyLength;
    const valueLength = readVarint(buffer, cursor, bodyEnd);
    if (valueLength > 0) cursor.position += valueLength;
    const headerCount = readVarint(buffer, cursor, bodyEnd);
    if (headerCount !== 0 && !skipHeaders(buffer, cursor, bodyEnd, headerCount)) return faultAt(scan, index, 'malformed headers');
    if (cursor.failed || keyLength < -1 || valueLength < -1 || cursor.position !== bodyEnd) {
      return faultAt(scan, index, `a length of ${length} bytes, which its fields do not fill`);
    }
    if (consecutive ? offsetDelta !== index : offsetDelta <= previousDelta) {
      return faultAt(scan, index, `offset delta ${offsetDelta}, ${consecutive ? index : `more than ${previousDelta}`} was expected`);
    }
    previousDelta = offsetDelta;
    if (timestampDelta > scan.maxTimestampDelta) {
      scan.maxTimestampDelta = timestampDelta;
      scan.offsetDeltaOfMaxTimestamp = offsetDelta;
    }
    if (timestampDelta < scan.minTimestampDelta) scan.minTimestampDelta = timestampDelta;
  }
  if (cursor.position !== end) return faultAt(scan, count, `${end - cursor.position} bytes follow the last of ${count} records`);
  return scan;
}

function faultAt(scan: RecordScan, index: number, fault: string): RecordScan {
  scan.fault = fault;
  scan.faultIndex = index;
  return scan;
}

function skipHeaders(buffer: Buffer, cursor: VarintCursor, end: number, count: number): boolean {
  if (count < 0 || count > end - cursor.position) return false;
  for (let left = count; left > 0; left--) {
    const keyLength = readVarint(buffer, cursor, end);
    if (keyLength < 0) return false;
    cursor.position += keyLength;
    const valueLength = readVarint(buffer, cursor, end);
    if (valueLength < -1) return false;
    if (valueLength > 0) cursor.position += valueLength;
    if (cursor.failed || cursor.position > end) return false;
  }
  return true;
}
