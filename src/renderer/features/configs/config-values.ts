/** Checks a config's value before the broker does, with what the catalog knows of the key. Pure. */
import type { ConfigEntry, TopicConfigSpec } from '../../../console/contract/configs.ts';

export type ValueProblem =
  | { readonly kind: 'empty' }
  | { readonly kind: 'integer' }
  | { readonly kind: 'number' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'min'; readonly limit: number }
  | { readonly kind: 'max'; readonly limit: number }
  | { readonly kind: 'allowed'; readonly allowed: readonly string[] };

/** Null: nothing is wrong as far as is known here; the broker has the last word. */
export function checkConfigValue(spec: Pick<TopicConfigSpec, 'type' | 'min' | 'max' | 'allowed'>, value: string): ValueProblem | null {
  const text = value.trim();
  if (spec.type === 'boolean') return text === 'true' || text === 'false' ? null : { kind: 'boolean' };
  if (spec.type === 'int' || spec.type === 'long' || spec.type === 'double') {
    if (text === '') return { kind: 'empty' };
    if (spec.type === 'double' ? !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) : !/^[+-]?\d+$/.test(text)) {
      return { kind: spec.type === 'double' ? 'number' : 'integer' };
    }
    const number = Number(text);
    if (spec.min !== null && number < spec.min) return { kind: 'min', limit: spec.min };
    if (spec.max !== null && number > spec.max) return { kind: 'max', limit: spec.max };
    return null;
  }
  if (spec.allowed === null) return null;
  const parts = spec.type === 'list' ? text.split(',').map((part) => part.trim()) : [text];
  // An empty list is a value of its own (no policy, no throttled replicas).
  if (spec.type === 'list' && text === '') return null;
  return parts.every((part) => spec.allowed?.includes(part)) ? null : { kind: 'allowed', allowed: spec.allowed };
}

/** A broker's own config type in the catalog's terms, for keys that no catalog explains. */
export function specOfEntry(entry: Pick<ConfigEntry, 'type'>): Pick<TopicConfigSpec, 'type' | 'min' | 'max' | 'allowed'> {
  const base = { min: null, max: null, allowed: null };
  switch (entry.type) {
    case 'boolean':
      return { ...base, type: 'boolean' };
    case 'short':
    case 'int':
      return { ...base, type: 'int' };
    case 'long':
    case 'double':
    case 'list':
      return { ...base, type: entry.type };
    default:
      return { ...base, type: 'string' };
  }
}
