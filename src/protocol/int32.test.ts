import { describe, expect, it } from 'vitest';
import { readInt16, readInt32, writeInt32 } from './int32.ts';
import { readInt64Lossy, writeInt64 } from './int64.ts';

describe('integers read and written without Buffer', () => {
  const EDGES = [0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, -0x8000, 0x0102_0304, 0x7fff_ffff, -0x8000_0000];

  it('are those that Buffer reads and writes', () => {
    const ours = Buffer.alloc(9, 0xee);
    const theirs = Buffer.alloc(9, 0xee);
    for (const value of EDGES) {
      writeInt32(ours, value, 3);
      theirs.writeInt32BE(value, 3);
      expect(ours).toEqual(theirs);
      expect(readInt32(ours, 3)).toBe(value);
      for (const at of [3, 4, 5]) expect(readInt16(ours, at)).toBe(theirs.readInt16BE(at));
    }
  });

  it('of 8 bytes are those that a number holds without loss', () => {
    const buffer = Buffer.alloc(10, 0xee);
    const limit = 2n ** 53n;
    for (const value of [0n, 1n, -1n, 2n ** 31n, 2n ** 32n, -(2n ** 32n), 2n ** 32n - 1n, limit - 1n, limit, 1n - limit, -limit]) {
      writeInt64(buffer, Number(value), 1);
      expect(buffer.readBigInt64BE(1)).toBe(value);
      expect(BigInt(readInt64Lossy(buffer, 1))).toBe(value);
    }
  });
});
