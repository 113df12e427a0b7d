/** Checks a topic config's value while it is typed, by the catalog's own description; for the UI and for the services alike. */
import type { TopicConfigSpec } from './configs.ts';

/**
 * Why `value` is no value of `entry`; undefined when it may be. The broker has the last word: this is for an answer while typing.
 * Numbers are compared as such up to 2^53; the largest long (9223372036854775807) is accepted as written.
 */
export function configProblem(entry: TopicConfigSpec, value: string): string | undefined {
  const text = value.trim();
  switch (entry.type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? undefined : `${entry.name} is true or false`;
    case 'string':
      return entry.allowed === null || entry.allowed.includes(text) ? undefined : `${entry.name} is one of ${entry.allowed.join(', ')}`;
    case 'list':
      return listProblem(entry, text);
    case 'double':
      return Number.isFinite(Number(text)) && text !== '' ? rangeProblem(entry, Number(text)) : `${entry.name} is a number`;
    default:
      if (!/^[+-]?\d{1,19}$/.test(text)) return `${entry.name} is a whole number`;
      if (entry.type === 'long' && BigInt(text) > 9_223_372_036_854_775_807n) return `${entry.name} is at most 9223372036854775807`;
      return entry.type === 'long' && Number(text) > Number.MAX_SAFE_INTEGER ? undefined : rangeProblem(entry, Number(text));
  }
}

function rangeProblem({ name, min, max }: TopicConfigSpec, value: number): string | undefined {
  if (min !== null && value < min) return `${name} is at least ${min}`;
  if (max !== null && value > max) return `${name} is at most ${max}`;
  return undefined;
}

function listProblem({ name, allowed }: TopicConfigSpec, text: string): string | undefined {
  if (allowed === null) return undefined;
  const items = text.split(',').map((item) => item.trim());
  return items.length > 0 && items.every((item) => allowed.includes(item)) ? undefined : `${name} is a list of ${allowed.join(', ')}`;
}
