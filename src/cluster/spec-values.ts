/** Values of a cluster's spec as they come from a file or another process: each checker gives the value, or says where it is, what it is and what is allowed. */

/** A spec that can't be used: says where and why. */
export class SpecError extends Error {
  constructor(where: string, problem: string) {
    super(`${where} ${problem}`);
    this.name = 'SpecError';
  }
}

/** `value` as an object; with `keys`, of no others. */
export function objectAt(value: unknown, where: string, keys?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SpecError(where, `must be an object, not ${show(value)}`);
  for (const key of Object.keys(value))
    if (keys?.includes(key) === false) throw new SpecError(`${where}.${key}`, `is unknown; ${keys.join(', ')} are allowed`);
  return value as Record<string, unknown>;
}

export function integerAt(value: unknown, where: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SpecError(where, `is ${show(value)}; a whole number from ${min} to ${max} is allowed`);
}

export function textAt(value: unknown, where: string, mayBeEmpty = false): string {
  if (typeof value === 'string' && (mayBeEmpty || value !== '')) return value;
  throw new SpecError(where, `is ${show(value)}; text is allowed`);
}

export function noneTwice(values: readonly number[], what: string): void {
  const seen = new Set<number>();
  for (const value of values) {
    if (seen.has(value)) throw new SpecError(what, `${value} is there twice`);
    seen.add(value);
  }
}

export function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
