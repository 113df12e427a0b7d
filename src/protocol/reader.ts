/**
 * Reads Kafka's primitive types from one buffer, in order, without copying: `bytes` and `records` are views of it.
 *
 * Every read is bounds-checked and every malformed input throws a `ProtocolError` that says what, where and what is
 * allowed. An array's count is checked against the bytes that are left before anything is allocated for it.
 * int64 becomes a number: past 2^53 it is an error, but for `timestamp`, which is read lossily (nanoseconds are legal).
 * Source: ByteBufferAccessor, ByteUtils (unsigned varints: 7 bits a byte, low bits first), KIP-482 (compact types).
 */
import { readInt64, readInt64Lossy } from './int64.ts';
import { ProtocolError } from './protocol-error.ts';
import { uuidFromBytesAt } from './uuid.ts';

/** Unknown tagged fields in one struct beyond this are refused; Kafka itself has at most a handful. */
const MAX_TAGGED_FIELDS = 1 << 16;

export class Reader {
  readonly buffer: Buffer;
  position: number;
  readonly end: number;

  /** Reads `buffer` from `position` up to `end` (both in bytes, default: all of it). */
  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Claims the next `size` bytes and gives where they begin. */
  #take(size: number): number {
    const position = this.position;
    if (size > this.end - position) throw this.#underflow(size);
    this.position = position + size;
    return position;
  }

  #underflow(size: number): ProtocolError {
    return new ProtocolError('malformed', `${size} bytes are needed at byte ${this.position}, only ${this.remaining} are left`);
  }

  bool(): boolean {
    return this.buffer[this.#take(1)] !== 0;
  }

  int8(): number {
    return (this.buffer[this.#take(1)]! << 24) >> 24;
  }

  int16(): number {
    const position = this.#take(2);
    return (((this.buffer[position]! << 8) | this.buffer[position + 1]!) << 16) >> 16;
  }

  uint16(): number {
    const position = this.#take(2);
    return (this.buffer[position]! << 8) | this.buffer[position + 1]!;
  }

  int32(): number {
    const position = this.#take(4);
    const buffer = this.buffer;
    return (buffer[position]! << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  int64(): number {
    return readInt64(this.buffer, this.#take(8));
  }

  /** An int64 that loses its low bits past 2^53 instead of being refused. */
  timestamp(): number {
    return readInt64Lossy(this.buffer, this.#take(8));
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.#take(8));
  }

  unsignedVarint(): number {
    const start = this.position;
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#take(1)]!;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        return result >>> 0;
      }
    }
    throw new ProtocolError('malformed', `the varint at byte ${start} is longer than 32 bits`);
  }

  uuid(): string {
    return uuidFromBytesAt(this.buffer, this.#take(16));
  }

  string(): string {
    const length = this.int16();
    if (length < 0) throw this.#unexpectedNull('string');
    return this.#text(length);
  }

  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#text(length);
  }

  compactString(): string {
    const length = this.unsignedVarint() - 1;
    if (length < 0) throw this.#unexpectedNull('string');
    return this.#text(length);
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.#text(length);
  }

  #text(length: number): string {
    const start = this.#take(length);
    return length === 0 ? '' : this.buffer.toString('utf8', start, start + length);
  }

  bytes(): Buffer {
    const length = this.int32();
    if (length < 0) throw this.#unexpectedNull('bytes');
    return this.raw(length);
  }

  nullableBytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.raw(length);
  }

  compactBytes(): Buffer {
    const length = this.unsignedVarint() - 1;
    if (length < 0) throw this.#unexpectedNull('bytes');
    return this.raw(length);
  }

  compactNullableBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.raw(length);
  }

  /** Records as a gather list of one view, or null. */
  records(): readonly Buffer[] | null {
    const bytes = this.nullableBytes();
    return bytes === null ? null : [bytes];
  }

  compactRecords(): readonly Buffer[] | null {
    const bytes = this.compactNullableBytes();
    return bytes === null ? null : [bytes];
  }

  /** The next `length` bytes as a view. */
  raw(length: number): Buffer {
    const start = this.#take(length);
    return this.buffer.subarray(start, start + length);
  }

  /** An array's count. `elementBytes` is the least that one element takes: more than fit in what is left are refused. */
  arrayLength(elementBytes: number): number {
    const count = this.int32();
    if (count < 0) throw this.#unexpectedNull('array');
    return this.#fitting(count, elementBytes);
  }

  /** As `arrayLength`, with -1 for a null array. */
  nullableArrayLength(elementBytes: number): number {
    const count = this.int32();
    return count < 0 ? -1 : this.#fitting(count, elementBytes);
  }

  compactArrayLength(elementBytes: number): number {
    const count = this.unsignedVarint() - 1;
    if (count < 0) throw this.#unexpectedNull('array');
    return this.#fitting(count, elementBytes);
  }

  compactNullableArrayLength(elementBytes: number): number {
    const count = this.unsignedVarint() - 1;
    return count < 0 ? -1 : this.#fitting(count, elementBytes);
  }

  #fitting(count: number, elementBytes: number): number {
    if (count * elementBytes <= this.end - this.position) return count;
    throw new ProtocolError(
      'malformed',
      `an array before byte ${this.position} claims ${count} elements, only ${this.remaining} bytes are left`,
    );
  }

  #unexpectedNull(what: string): ProtocolError {
    return new ProtocolError('malformed', `the ${what} before byte ${this.position} is null, which is not allowed here`);
  }

  /** How many tagged fields follow. */
  taggedFieldCount(): number {
    const count = this.unsignedVarint();
    if (count <= MAX_TAGGED_FIELDS && count * 2 <= this.remaining) return count;
    if (count === 0) return 0;
    throw new ProtocolError(
      'malformed',
      `${count} tagged fields are claimed before byte ${this.position}, ${this.remaining} bytes are left`,
    );
  }

  /** A tagged field's size is next: gives the position at which it ends. */
  taggedFieldEnd(): number {
    const size = this.unsignedVarint();
    if (size > this.end - this.position) throw this.#underflow(size);
    return this.position + size;
  }

  /** After a known tagged field: it must have used exactly its announced size. */
  checkTaggedFieldEnd(end: number): void {
    if (this.position === end) return;
    throw new ProtocolError('malformed', `a tagged field announced its end at byte ${end}, but its value ends at ${this.position}`);
  }

  /** Passes over a struct's tagged fields, none of which is known. */
  skipTaggedFields(): void {
    for (let left = this.taggedFieldCount(); left > 0; left--) {
      this.unsignedVarint();
      this.position = this.taggedFieldEnd();
    }
  }
}
