/**
 * SipHash-2-4 with 128 bits: what keys are known by in the offset map.
 *
 * Two keys with one hash would cost the older one its record, so a hash that clients can be made to collide on purpose won't do. Kafka
 * takes MD5, which is broken for that. SipHash has a secret, drawn for each cleaning, and takes a tenth of the time of a call into
 * OpenSSL for keys as short as they are. 64-bit words are pairs of 32-bit halves. Source: Aumasson and Bernstein's paper and vectors.
 */

export type HashSecret = readonly [number, number, number, number];

/** The secret of a cleaning, from 16 random bytes. */
export function hashSecretFrom(bytes: Buffer): HashSecret {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)];
}

/** Hashes the bytes from `start` to before `end` into the four words of `target`. */
export function sipHash128(secret: HashSecret, bytes: Uint8Array, start: number, end: number, target: Int32Array): void {
  const length = end - start;
  const words = length >>> 3;
  let v0l = secret[0] ^ 0x70736575;
  let v0h = secret[1] ^ 0x736f6d65;
  let v1l = secret[2] ^ 0x6e646f6d ^ 0xee;
  let v1h = secret[3] ^ 0x646f7261;
  let v2l = secret[0] ^ 0x6e657261;
  let v2h = secret[1] ^ 0x6c796765;
  let v3l = secret[2] ^ 0x79746573;
  let v3h = secret[3] ^ 0x74656462;
  // The whole words, the last one with the length in it, then the two halves of the result: the round is written out once.
  for (let step = 0; step <= words + 2; step++) {
    let ml = 0;
    let mh = 0;
    let rounds = 2;
    if (step < words) {
      const at = start + step * 8;
      ml = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      mh = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    } else if (step === words) {
      mh = length << 24;
      for (let at = start + words * 8, shift = 0; at < end; at++, shift += 8) {
        if (shift < 32) ml |= bytes[at]! << shift;
        else mh |= bytes[at]! << (shift - 32);
      }
    } else {
      rounds = 4;
      if (step === words + 1) v2l ^= 0xee;
      else v1l ^= 0xdd;
    }
    v3l ^= ml;
    v3h ^= mh;
    for (; rounds > 0; rounds--) {
      let low = (v0l + v1l) | 0;
      v0h = (v0h + v1h + (low >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
      v0l = low;
      low = (v1l << 13) | (v1h >>> 19);
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = low ^ v0l;
      low = v0h;
      v0h = v0l;
      v0l = low;
      low = (v2l + v3l) | 0;
      v2h = (v2h + v3h + (low >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
      v2l = low;
      low = (v3l << 16) | (v3h >>> 16);
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = low ^ v2l;
      low = (v0l + v3l) | 0;
      v0h = (v0h + v3h + (low >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
      v0l = low;
      low = (v3l << 21) | (v3h >>> 11);
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = low ^ v0l;
      low = (v2l + v1l) | 0;
      v2h = (v2h + v1h + (low >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
      v2l = low;
      low = (v1l << 17) | (v1h >>> 15);
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = low ^ v2l;
      low = v2h;
      v2h = v2l;
      v2l = low;
    }
    v0l ^= ml;
    v0h ^= mh;
    if (step === words + 1) {
      target[0] = v0l ^ v1l ^ v2l ^ v3l;
      target[1] = v0h ^ v1h ^ v2h ^ v3h;
    }
  }
  target[2] = v0l ^ v1l ^ v2l ^ v3l;
  target[3] = v0h ^ v1h ^ v2h ^ v3h;
}
