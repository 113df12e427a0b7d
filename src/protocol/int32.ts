/**
 * Integers of up to 4 bytes in a buffer, for what runs with every batch. Buffer's own methods check their arguments, and with a dozen of
 * them V8's limit for inlining is used up: the rest become calls. Big-endian, like everything in Kafka.
 * The caller has checked that the bytes are there.
 */

export function readInt16(buffer: Buffer, position: number): number {
  return ((buffer[position]! << 24) >> 16) | buffer[position + 1]!;
}

export function readInt32(buffer: Buffer, position: number): number {
  return (buffer[position]! << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!;
}

/** Writes the low 32 bits of `value`. */
export function writeInt32(buffer: Buffer, value: number, position: number): void {
  buffer[position] = value >>> 24;
  buffer[position + 1] = value >>> 16;
  buffer[position + 2] = value >>> 8;
  buffer[position + 3] = value;
}
