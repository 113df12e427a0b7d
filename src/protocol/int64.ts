/**
 * int64 in a buffer as a number, without bigint. What is past 2^53 loses its low bits: `readInt64` refuses it,
 * `readInt64Lossy` (timestamps) does not. Big-endian, like everything in Kafka.
 */
import { readInt32, writeInt32 } from './int32.ts';
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
  return readInt32(buffer, position) * TWO_32 + (readInt32(buffer, position + 4) >>> 0);
}

/** Writes a whole number between -2^63 and 2^63 at `position`; 2^63, as which 2^63 - 1 reads, is written as 2^63 - 1. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  if (value >= 2 ** 63) {
    writeInt32(buffer, 0x7fffffff, position);
    writeInt32(buffer, -1, position + 4);
    return;
  }
  const high = Math.floor(value / TWO_32);
  writeInt32(buffer, high, position);
  writeInt32(buffer, value - high * TWO_32, position + 4);
}
