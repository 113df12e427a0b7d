/** Random numbers from a seed (xoshiro128**): the same seed gives the same run. */
import type { Random } from '../random.ts';

export class SeededRandom implements Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    // splitmix32, so that near seeds give unlike streams.
    const state = new Uint32Array(4);
    let mixed = seed >>> 0;
    for (let index = 0; index < 4; index++) {
      mixed = (mixed + 0x9e37_79b9) >>> 0;
      let word = mixed;
      word = Math.imul(word ^ (word >>> 16), 0x21f0_aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a_2d97);
      state[index] = word ^ (word >>> 15);
    }
    this.#state = state;
  }

  next(): number {
    return this.#word() / 0x1_0000_0000;
  }

  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let index = 0; index < length; index++) bytes[index] = this.int(256);
    return bytes;
  }

  #word(): number {
    const state = this.#state as unknown as [number, number, number, number];
    const [a, b, c, d] = state;
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = b << 9;
    const third = c ^ a;
    const fourth = d ^ b;
    state[1] = b ^ third;
    state[0] = a ^ fourth;
    state[2] = third ^ shifted;
    state[3] = (fourth << 11) | (fourth >>> 21);
    return result;
  }
}
