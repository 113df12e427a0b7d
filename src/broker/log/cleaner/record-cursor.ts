/**
 * Steps over uncompressed records and tells of each what the cleaner goes by, without making objects: where it lies, its key, whether it
 * has a value. A malformed record throws LogCleaningError: the partition is set aside, nothing of it is rewritten.
 */
import { readVarint, readVarlong } from '../../../protocol/records/varint.ts';
import type { VarintCursor } from '../../../protocol/records/varint.ts';
import { LogCleaningError } from './log-cleaning-error.ts';

export class RecordCursor implements VarintCursor {
  /** Of VarintCursor: behind the last record that was read. */
  position = 0;
  failed = false;
  /** Where the record begins, with its length. */
  start = 0;
  timestampDelta = 0;
  offsetDelta = 0;
  /** Where the timestamp delta begins and ends: it alone changes when a batch gets a delete horizon. */
  timestampAt = 0;
  timestampEnd = 0;
  /** Behind the length. */
  bodyAt = 0;
  /** -1: no key. */
  keyLength = -1;
  keyAt = 0;
  hasValue = false;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #left = 0;

  /** Begins with the first of `count` records that fill `bytes` from `start` to before `end`. */
  reset(bytes: Buffer, start: number, end: number, count: number): void {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
    this.#left = count;
    this.failed = false;
  }

  /** Steps to the next record; false behind the last one. */
  next(): boolean {
    if (this.#left === 0) {
      if (this.position !== this.#end) throw malformed(`${this.#end - this.position} bytes follow its last record`);
      return false;
    }
    this.#left--;
    const bytes = this.#bytes;
    this.start = this.position;
    const length = readVarint(bytes, this, this.#end);
    this.bodyAt = this.position;
    const end = this.position + length;
    if (this.failed || length < 1 || end > this.#end) throw malformed('a record ends outside of it');
    this.timestampAt = ++this.position;
    this.timestampDelta = readVarlong(bytes, this, end);
    this.timestampEnd = this.position;
    this.offsetDelta = readVarint(bytes, this, end);
    this.keyLength = readVarint(bytes, this, end);
    this.keyAt = this.position;
    if (this.keyLength > 0) this.position += this.keyLength;
    const valueLength = readVarint(bytes, this, end);
    this.hasValue = valueLength >= 0;
    if (this.failed || this.keyLength < -1 || valueLength < -1 || this.position + Math.max(0, valueLength) > end)
      throw malformed('a key or value ends outside of its record');
    this.position = end;
    return true;
  }
}

function malformed(what: string): LogCleaningError {
  return new LogCleaningError(`a batch is malformed: ${what}`);
}
