/**
 * Writes Kafka's primitive types into a growing list of buffers.
 *
 * Records, and `bytes` from 4 KiB on, are appended to the list by reference, never copied: their owner must leave them
 * unchanged until the list is on the wire. A full chunk is put on the list and a larger one begun, so nothing that was
 * written is ever moved. Values that do not fit their type throw a `ProtocolError` before anything is sent.
 * Source: ByteUtils, KIP-482 (compact types: length + 1 as unsigned varint, 0 is null; tagged fields with size in front).
 */
import { writeInt64 } from './int64.ts';
import { ProtocolError } from './protocol-error.ts';
import { writeUuid } from './uuid.ts';

const FIRST_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 1 << 20;
const BY_REFERENCE_BYTES = 4096;
/** Strings up to this long are first tried as ASCII, character by character: faster than a call into UTF-8. */
const SHORT_STRING = 48;

export class Writer {
  #parts: Buffer[] = [];
  #partsBytes = 0;
  #chunk: Buffer;
  /** Where what is not yet on the list begins in the chunk. */
  #start = 0;
  #position = 0;
  #scratch: Writer | undefined;

  /** `sizeHint` in bytes: how much is expected, records apart. */
  constructor(sizeHint: number = FIRST_CHUNK_BYTES) {
    this.#chunk = Buffer.allocUnsafe(sizeHint);
  }

  /** How many bytes were written so far, those appended by reference included. */
  get size(): number {
    return this.#partsBytes + this.#position - this.#start;
  }

  /** What was written, as a gather list. The writer must not be used after. */
  finish(): Buffer[] {
    this.#flush();
    return this.#parts;
  }

  /** What was written, as one buffer (copies when there is more than one part). */
  toBuffer(): Buffer {
    const parts = this.finish();
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  #flush(): void {
    if (this.#position === this.#start) return;
    this.#parts.push(this.#chunk.subarray(this.#start, this.#position));
    this.#partsBytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  /** Makes room for `size` bytes and gives where they go. */
  #claim(size: number): number {
    if (this.#position + size > this.#chunk.length) {
      this.#flush();
      this.#chunk = Buffer.allocUnsafe(Math.max(size, Math.min(this.#chunk.length * 2, MAX_CHUNK_BYTES)));
      this.#start = 0;
      this.#position = 0;
    }
    const position = this.#position;
    this.#position = position + size;
    return position;
  }

  bool(value: boolean): void {
    const position = this.#claim(1);
    this.#chunk[position] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw unfit('int8', value);
    const position = this.#claim(1);
    this.#chunk[position] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw unfit('int16', value);
    this.#short(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw unfit('uint16', value);
    this.#short(value);
  }

  #short(value: number): void {
    const position = this.#claim(2);
    this.#chunk[position] = value >> 8;
    this.#chunk[position + 1] = value;
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw unfit('int32', value);
    this.#word(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw unfit('uint32', value);
    this.#word(value);
  }

  #word(value: number): void {
    const position = this.#claim(4);
    const chunk = this.#chunk;
    chunk[position] = value >> 24;
    chunk[position + 1] = value >> 16;
    chunk[position + 2] = value >> 8;
    chunk[position + 3] = value;
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw unfit('int64 of at most 2^53 - 1', value);
    this.#long(value);
  }

  /** An int64 that may be past 2^53 (and has then lost its low bits); what reads as 2^63 is written as 2^63 - 1. */
  timestamp(value: number): void {
    if (!Number.isInteger(value) || value < -(2 ** 63) || value > 2 ** 63) throw unfit('int64', value);
    this.#long(value);
  }

  #long(value: number): void {
    const position = this.#claim(8);
    writeInt64(this.#chunk, value, position);
  }

  float64(value: number): void {
    const position = this.#claim(8);
    this.#chunk.writeDoubleBE(value, position);
  }

  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) throw unfit('unsigned varint', value);
    let left = value;
    while (left > 0x7f) {
      const position = this.#claim(1);
      this.#chunk[position] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    const position = this.#claim(1);
    this.#chunk[position] = left;
  }

  uuid(value: string): void {
    const position = this.#claim(16);
    writeUuid(this.#chunk, value, position);
  }

  string(value: string): void {
    if (this.#shortAscii(value, 2)) return;
    const length = Buffer.byteLength(value);
    if (length > 0x7fff) throw new ProtocolError('invalid-value', `a string of ${length} bytes is too long: 32767 are allowed`);
    this.#short(length);
    this.#text(value, length);
  }

  nullableString(value: string | null): void {
    if (value === null) this.#short(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    if (this.#shortAscii(value, 1)) return;
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    this.#text(value, length);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactString(value);
  }

  /** Writes a short ASCII string behind its length of 2 bytes, or length + 1 in 1 byte; false: it is neither. */
  #shortAscii(value: string, lengthBytes: 1 | 2): boolean {
    const length = value.length;
    if (length > SHORT_STRING) return false;
    const position = this.#claim(lengthBytes + length);
    const chunk = this.#chunk;
    if (lengthBytes === 2) {
      chunk[position] = 0;
      chunk[position + 1] = length;
    } else {
      chunk[position] = length + 1;
    }
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#position = position;
        return false;
      }
      chunk[position + lengthBytes + index] = code;
    }
    return true;
  }

  #text(value: string, length: number): void {
    const position = this.#claim(length);
    this.#chunk.write(value, position, length, 'utf8');
  }

  bytes(value: Buffer): void {
    this.int32(value.length);
    this.raw(value);
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Buffer): void {
    this.unsignedVarint(value.length + 1);
    this.raw(value);
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactBytes(value);
  }

  /** A gather list of record batches, by reference. */
  records(slices: readonly Buffer[] | null): void {
    if (slices === null) {
      this.int32(-1);
      return;
    }
    this.int32(totalBytes(slices));
    this.#references(slices);
  }

  compactRecords(slices: readonly Buffer[] | null): void {
    if (slices === null) {
      this.unsignedVarint(0);
      return;
    }
    this.unsignedVarint(totalBytes(slices) + 1);
    this.#references(slices);
  }

  #references(slices: readonly Buffer[]): void {
    for (const slice of slices) this.#reference(slice);
  }

  #reference(slice: Buffer): void {
    if (slice.length === 0) return;
    this.#flush();
    this.#parts.push(slice);
    this.#partsBytes += slice.length;
  }

  /** Bytes as they are: copied when short, by reference when long. */
  raw(value: Buffer): void {
    if (value.length >= BY_REFERENCE_BYTES) {
      this.#reference(value);
      return;
    }
    const position = this.#claim(value.length);
    this.#chunk.set(value, position);
  }

  arrayLength(count: number): void {
    this.int32(count);
  }

  /** -1 stands for a null array. */
  compactArrayLength(count: number): void {
    this.unsignedVarint(count + 1);
  }

  /** An empty writer for a tagged field's value. One at a time: the next call empties it. */
  scratch(): Writer {
    const scratch = (this.#scratch ??= new Writer());
    scratch.#parts = [];
    scratch.#partsBytes = 0;
    scratch.#start = 0;
    scratch.#position = 0;
    return scratch;
  }

  /** A tagged field: its number, its size and the value that `scratch` holds (copied, long parts by reference). */
  taggedField(tag: number, scratch: Writer): void {
    this.unsignedVarint(tag);
    this.unsignedVarint(scratch.size);
    for (const part of scratch.#parts) this.raw(part);
    this.raw(scratch.#chunk.subarray(scratch.#start, scratch.#position));
    // Parts of it may now be on our list by reference: it must not be written again.
    if (scratch.size >= BY_REFERENCE_BYTES) this.#scratch = undefined;
  }
}

function totalBytes(slices: readonly Buffer[]): number {
  let total = 0;
  for (const slice of slices) total += slice.length;
  return total;
}

function unfit(type: string, value: unknown): ProtocolError {
  return new ProtocolError('invalid-value', `${String(value)} does not fit an ${type}`);
}
