/**
 * The zigzag varints of records: 7 bits a byte, low bits first, the sign in the lowest bit. Numbers, no bigint.
 *
 * Reading keeps its place in a cursor object rather than returning pairs, so that walking millions of records allocates
 * nothing. Malformed input sets `failed` and reads as 0: callers check once per record. Source: ByteUtils.java.
 */

export interface VarintCursor {
  position: number;
  /** Set when a varint ran past `end` or was too long; never unset by reads. */
  failed: boolean;
}

/** A varint of at most 32 bits. Reads never go past `end`. */
export function readVarint(buffer: Buffer, cursor: VarintCursor, end: number): number {
  let position = cursor.position;
  // One byte is the common case by far.
  if (position < end) {
    const first = buffer[position]!;
    if (first < 0x80) {
      cursor.position = position + 1;
      return (first >>> 1) ^ -(first & 1);
    }
  }
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (position >= end) break;
    const byte = buffer[position++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (shift === 28 && byte > 0x0f) break;
      cursor.position = position;
      return (value >>> 1) ^ -(value & 1);
    }
  }
  cursor.failed = true;
  return 0;
}

/** A varint of at most 64 bits, rounded where a number can't hold it. */
export function readVarlong(buffer: Buffer, cursor: VarintCursor, end: number): number {
  let position = cursor.position;
  let low = 0;
  // The first 28 bits in integers: a timestamp delta rarely has more.
  for (let shift = 0; shift < 28; shift += 7) {
    if (position >= end) {
      cursor.failed = true;
      return 0;
    }
    const byte = buffer[position++]!;
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.position = position;
      return (low >>> 1) ^ -(low & 1);
    }
  }
  let value = low;
  let scale = 2 ** 28;
  for (let count = 4; count < 10; count++) {
    if (position >= end) break;
    const byte = buffer[position++]!;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      if (count === 9 && byte > 1) break;
      cursor.position = position;
      const half = Math.floor(value / 2);
      return (low & 1) === 0 ? half : -half - 1;
    }
  }
  cursor.failed = true;
  return 0;
}

/** Bytes that `writeVarint` takes for `value`. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5;
}

/** Bytes that `writeVarlong` takes for `value`. */
export function varlongSize(value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (zigzag >= 0x80) {
    zigzag = Math.floor(zigzag / 0x80);
    size += 1;
  }
  return size;
}

/** Writes a 32-bit value and gives the position behind it. */
export function writeVarint(buffer: Buffer, value: number, position: number): number {
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = position;
  while (left > 0x7f) {
    buffer[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  buffer[at++] = left;
  return at;
}

/** Writes a whole number of up to 2^52 in size and gives the position behind it. */
export function writeVarlong(buffer: Buffer, value: number, position: number): number {
  let left = value >= 0 ? value * 2 : -value * 2 - 1;
  let at = position;
  while (left > 0x7f) {
    buffer[at++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  buffer[at++] = left;
  return at;
}
