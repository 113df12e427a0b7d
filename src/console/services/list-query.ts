/** Filtering by name and sorting, behind the contract: lists of tens of thousands are not sent to be filtered. */
import type { NameFilter, Sort } from '../contract/inputs.ts';
import { refuse } from './failures.ts';

/** A predicate for `filter`. Throws an `invalid` failure for a regular expression that isn't one or is of the kind that can hang. */
export function nameMatcher(filter: NameFilter | undefined): (name: string) => boolean {
  if (filter === undefined || filter.text === '') return () => true;
  if (!filter.regex) {
    const needle = filter.text.toLowerCase();
    return (name) => name.toLowerCase().includes(needle);
  }
  if (canBacktrack(filter.text)) throw refuse('invalid', 'A repeated group that repeats inside can take for ever: simplify the expression');
  let expression: RegExp;
  try {
    expression = new RegExp(filter.text, 'i');
  } catch (error) {
    throw refuse('invalid', error instanceof Error ? error.message : 'Not a regular expression');
  }
  return (name) => expression.test(name);
}

/** Nested quantifiers (`(a+)+`, `(a|b*)*`) and back-references: what makes matching exponential on names of a few hundred characters. */
function canBacktrack(text: string): boolean {
  return /\([^()]*[*+}][^()]*\)[*+{]/.test(text) || /\\[1-9]/.test(text) || /\)[*+]\)?[*+{]/.test(text);
}

/** Sorted by one column; equal ones by `tieBreak`, ascending, so that pages are stable. Null comes last either way. */
export function sortRows<Row>(
  rows: readonly Row[],
  sort: Sort,
  valueOf: (row: Row, by: string) => string | number | null,
  tieBreak: (row: Row) => string,
): Row[] {
  const direction = sort.descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const order = compare(valueOf(a, sort.by), valueOf(b, sort.by), direction);
    return order === 0 ? compareText(tieBreak(a), tieBreak(b)) : order;
  });
}

function compare(a: string | number | null, b: string | number | null, direction: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return direction * (a - b);
  return direction * compareText(String(a), String(b));
}

/** By code unit: the order of names in Kafka's own tools, and many times faster than a locale's. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
