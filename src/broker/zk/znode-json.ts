/**
 * Guards for the JSON in znodes, which other software may have written: whatever does not fit becomes a ZNodeFormatError that
 * names the path, never an untyped error.
 */

export class ZNodeFormatError extends Error {
  override readonly name = 'ZNodeFormatError';
  readonly path: string;

  constructor(path: string, what: string) {
    super(`cannot read znode ${path}: ${what}`);
    this.path = path;
  }
}

export function parseZNodeJson(path: string, data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8')) as unknown;
  } catch {
    throw new ZNodeFormatError(path, 'it is not JSON');
  }
}

export function encodeZNodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown, path: string, what: string): Record<string, unknown> {
  if (!isRecord(value)) throw new ZNodeFormatError(path, `${what} is not an object`);
  return value;
}

export function arrayOf(value: unknown, path: string, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ZNodeFormatError(path, `${what} is not an array`);
  return value;
}

export function integerOf(value: unknown, path: string, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new ZNodeFormatError(path, `${what} is not an integer`);
  return value;
}

/** A number that brokers are told as an int32: one that has no place there could be told to nobody, and hold up all that is told behind it. */
export function int32Of(value: unknown, path: string, what: string): number {
  const integer = integerOf(value, path, what);
  if ((integer | 0) !== integer) throw new ZNodeFormatError(path, `${what} is out of range: ${integer}`);
  return integer;
}

export function stringOf(value: unknown, path: string, what: string): string {
  if (typeof value !== 'string') throw new ZNodeFormatError(path, `${what} is not a string`);
  return value;
}

/** A number that Kafka writes as a string (timestamps, producer ids). */
export function integerStringOf(value: unknown, path: string, what: string): number {
  const number = typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? Number(value) : value;
  return integerOf(number, path, what);
}

export function int32sOf(value: unknown, path: string, what: string): number[] {
  return arrayOf(value, path, what).map((entry) => int32Of(entry, path, what));
}
