/**
 * From the hash of a key to the newest offset it was seen at, in one block of memory: 24 bytes a key, whatever its length.
 *
 *   slot   4 × int32 hash    int32, int32 offset + 1, low and high half (0, 0: the slot is free)
 *
 * Open addressing with double hashing over a prime count of slots: at the load factor of 0.9 a key that isn't there costs 10 probes.
 * The block is shared with the worker that works on the map (`state`): handed over and back as an ArrayBuffer it would let V8 collect garbage on the event
 * loop at each slice, as it counts what arrives as newly allocated. Differs from Kafka: SipHash with a secret for MD5, and the block is only as large as the
 * log's dirty section can need. Source: Kafka's SkimpyOffsetMap.
 */
import type { HashSecret } from './sip-hash.ts';
import { sipHash128 } from './sip-hash.ts';

export const BYTES_PER_ENTRY = 24;
const WORDS_PER_ENTRY = 6;
const HALF = 0x1_0000_0000;
/** Kafka's limit for one thread's map. */
const MAX_MEMORY_BYTES = 0x7fff_ffff;

/** The map as data, to be handed over. */
export interface OffsetMapState {
  readonly memory: SharedArrayBuffer;
  readonly slots: number;
  /** Whether nothing of an older map is in the memory. */
  readonly isClear: boolean;
  readonly secret: HashSecret;
  readonly size: number;
  readonly latestOffset: number;
}

/**
 * Memory for the maps of one thread, one at a time. V8 doesn't see how much lies behind a shared block, and takes its time to collect one: until then
 * it is used again.
 */
export class MapMemory {
  #last: WeakRef<SharedArrayBuffer> | undefined;

  /** At least `sizeBytes`. */
  take(sizeBytes: number): { readonly memory: SharedArrayBuffer; readonly isClear: boolean } {
    const last = this.#last?.deref();
    if (last !== undefined && last.byteLength >= sizeBytes) return { memory: last, isClear: false };
    const memory = new SharedArrayBuffer(sizeBytes);
    this.#last = new WeakRef(memory);
    return { memory, isClear: true };
  }
}

/** An empty map of at most `memoryBytes`; what an older one left in the memory is cleared by who first works on it. */
export function newOffsetMapState(memoryBytes: number, secret: HashSecret, memory: MapMemory): OffsetMapState {
  const slots = primeAtMost(Math.floor(Math.min(memoryBytes, MAX_MEMORY_BYTES) / BYTES_PER_ENTRY));
  return { ...memory.take(slots * BYTES_PER_ENTRY), slots, secret, size: 0, latestOffset: -1 };
}

export class SkimpyOffsetMap {
  readonly slots: number;
  readonly #memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #secret: HashSecret;
  readonly #hash = new Int32Array(4);
  #size: number;
  /** All records up to here are in the map, or need not be. */
  latestOffset: number;

  constructor(state: OffsetMapState) {
    this.#memory = state.memory;
    this.slots = state.slots;
    this.#words = new Int32Array(state.memory, 0, state.slots * WORDS_PER_ENTRY);
    if (!state.isClear) this.#words.fill(0);
    this.#secret = state.secret;
    this.#size = state.size;
    this.latestOffset = state.latestOffset;
  }

  get size(): number {
    return this.#size;
  }
  /** Share of the slots in use. */
  get utilization(): number {
    return this.#size / this.slots;
  }
  get state(): OffsetMapState {
    const { slots, latestOffset } = this;
    return { memory: this.#memory, slots, isClear: true, secret: this.#secret, size: this.#size, latestOffset };
  }

  /** Notes that the key of `bytes` from `start` to before `end` was last seen at `offset`. @throws RangeError when the map is full. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): void {
    const at = this.#find(bytes, start, end);
    const words = this.#words;
    if (words[at + 4] === 0 && words[at + 5] === 0) {
      if (this.#size >= this.slots - 1) throw new RangeError(`the offset map of ${this.slots} slots is full`);
      words.set(this.#hash, at);
      this.#size++;
    }
    const stored = offset + 1;
    words[at + 4] = stored | 0;
    words[at + 5] = (stored / HALF) | 0;
    this.latestOffset = offset;
  }

  /** The newest offset of a key, -1 when it wasn't seen. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#find(bytes, start, end);
    return (this.#words[at + 4]! >>> 0) + this.#words[at + 5]! * HALF - 1;
  }

  /** Where the key is, or the free slot where it would be. There is always a free one. */
  #find(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash;
    sipHash128(this.#secret, bytes, start, end, hash);
    const words = this.#words;
    const h0 = hash[0]!;
    const h1 = hash[1]!;
    const h2 = hash[2]!;
    const h3 = hash[3]!;
    let slot = (h0 >>> 0) % this.slots;
    const step = 1 + ((h1 >>> 0) % (this.slots - 1));
    for (;;) {
      const at = slot * WORDS_PER_ENTRY;
      if (words[at] === h0 && words[at + 1] === h1 && words[at + 2] === h2 && words[at + 3] === h3) return at;
      if (words[at + 4] === 0 && words[at + 5] === 0) return at;
      slot += step;
      if (slot >= this.slots) slot -= this.slots;
    }
  }
}

/** With a prime count of slots every step visits all of them. */
function primeAtMost(count: number): number {
  if (count < 3) throw new RangeError(`an offset map needs room for 3 keys of ${BYTES_PER_ENTRY} bytes, not ${count}`);
  for (let candidate = count; ; candidate--) if (isPrime(candidate)) return candidate;
}

function isPrime(number: number): boolean {
  if (number % 2 === 0) return number === 2;
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) if (number % divisor === 0) return false;
  return true;
}
