/**
 * Which partition a key goes to, and which partition keeps a group or a transactional id: the hashes that all clients and
 * brokers must agree on. Source: Utils.java (murmur2, toPositive, abs), java.lang.String (hashCode).
 */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** Murmur2 with Kafka's seed, as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let hash = SEED ^ length;
  let position = 0;
  for (; position + 4 <= length; position += 4) {
    let word = data[position]! | (data[position + 1]! << 8) | (data[position + 2]! << 16) | (data[position + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const left = length - position;
  if (left > 0) {
    if (left === 3) hash ^= data[position + 2]! << 16;
    if (left >= 2) hash ^= data[position + 1]! << 8;
    hash = Math.imul(hash ^ data[position]!, MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Drops the sign bit: not the absolute value. */
export function toPositive(hash: number): number {
  return hash & 0x7fffffff;
}

/** The partition of a record with this key, of `partitionCount`: the default partitioner's choice. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return toPositive(murmur2(key)) % partitionCount;
}

/** Java's `String.hashCode`: over UTF-16 units, as a signed 32-bit number. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/**
 * The partition of `__consumer_offsets` (by group id) or `__transaction_state` (by transactional id) that keeps `id`.
 * Here Kafka takes the absolute value (of -2^31: 0), not `toPositive`.
 */
export function coordinatorPartition(id: string, partitionCount: number): number {
  const hash = javaStringHash(id);
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}
