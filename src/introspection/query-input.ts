/** A query's input, read field by field. Each reader throws `QueryError` ('bad-input') that names the query, the field and what is allowed. */
import { QueryError } from './queries.ts';

const MAX_TEXT_LENGTH = 4_096;

export class QueryInput {
  readonly #query: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(query: string, input: unknown) {
    this.#query = query;
    if (typeof input !== 'object' || input === null || Array.isArray(input)) throw this.#bad('its input', input, 'an object');
    this.#fields = input as Record<string, unknown>;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value.length <= MAX_TEXT_LENGTH) return value;
    throw this.#bad(name, value, `text of at most ${MAX_TEXT_LENGTH} characters`);
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw this.#bad(name, value, `a whole number from ${min} to ${max}`);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  #bad(name: string, value: unknown, allowed: string): QueryError {
    const given = value === undefined ? 'missing' : (JSON.stringify(value) ?? typeof value).slice(0, 100);
    return new QueryError('bad-input', `${this.#query}: ${name} is ${given}; allowed is ${allowed}`);
  }
}
