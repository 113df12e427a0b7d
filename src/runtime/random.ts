/** Randomness, one stream per component, so that a simulated run depends on its seed alone. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, bound), `bound` from 1 to 2^32. */
  int(bound: number): number;
  /** `length` random bytes; unpredictable in the Node implementation. */
  bytes(length: number): Buffer;
}
