/**
 * int64 in a buffer as a number, without bigint. What is past 2^53 loses its low bits: `readInt64` refuses it,
 * `readInt64Lossy` (timestamps) does not. Big-endian, like everything in Kafka.
 */
import { ProtocolError } from './protocol-error.ts';

const TWO_32 = 0x1_0000_0000;

/** Reads 8 bytes at `position`; throws `ProtocolError` past ±(2^53 - 1). The caller has checked that they are there. */
export function readInt64(buffer: Buffer, position: number): number {
  const value = readInt64Lossy(buffer, position);
  if (!Number.isSafeInteger(value)) throw new ProtocolError('malformed', `the int64 at byte ${position} is outside ±(2^53 - 1)`);
  return value;
}

/** Reads 8 bytes at `position`, rounded where a number can't hold them. */
export function readInt64Lossy(buffer: Buffer, position: number): number {
  const high = (buffer[position]! << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!;
  const low = (buffer[position + 4]! << 24) | (buffer[position + 5]! << 16) | (buffer[position + 6]! << 8) | buffer[position + 7]!;
  return high * TWO_32 + (low >>> 0);
}

/** Writes a whole number between -2^63 and 2^63 at `position`; 2^63, as which 2^63 - 1 reads, is written as 2^63 - 1. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  if (value >= 2 ** 63) {
    buffer.writeInt32BE(0x7fffffff, position);
    buffer.writeInt32BE(-1, position + 4);
    return;
  }
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeInt32BE((value - high * TWO_32) | 0, position + 4);
}
