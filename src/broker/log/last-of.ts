/**
 * The last element, for what runs with every batch. `at(-1)` costs several times as much, and `array[array.length - 1]` of an empty array makes
 * V8 look for a property named '-1': 100 ns then, and from then on every look at that place is a slow one.
 */
export function lastOf<T>(array: readonly T[]): T | undefined {
  return array.length === 0 ? undefined : array[array.length - 1];
}
