/** Adler-32 as zlib and java.util.zip have it; Node's zlib offers only CRC-32. */
const MODULUS = 65_521;
/** The most bytes that can be added before the sums must be reduced: 255 n (n + 1) / 2 + (n + 1) (MODULUS - 1) < 2^32. */
const REDUCE_EVERY = 5552;

export const ADLER32_INITIAL = 1;

/** Adds bytes `from` to `to` of `bytes` to the checksum `adler`; returns an unsigned 32-bit number. */
export function updateAdler32(adler: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let a = adler & 0xffff;
  let b = adler >>> 16;
  for (let position = from; position < to;) {
    const end = Math.min(position + REDUCE_EVERY, to);
    for (; position < end; position++) {
      a += bytes[position] ?? 0;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
