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
  const problem = backtrackingProblem(filter.text);
  if (problem !== undefined) throw refuse('invalid', `${problem} can take for ever: simplify the expression`);
  let expression: RegExp;
  try {
    expression = new RegExp(filter.text, 'i');
  } catch (error) {
    throw refuse('invalid', error instanceof Error ? error.message : 'Not a regular expression');
  }
  return (name) => expression.test(name);
}

/** Each unbounded repetition multiplies what is tried by the length of a name, and so does where a match may begin. */
const MAX_REPETITIONS = 3;
/** Each doubles it. */
const MAX_OPTIONAL_PARTS = 8;

/**
 * What in an expression could make the matching of one name take for ever: a back-reference, a repeated group with a choice inside (a
 * quantifier or alternatives, at any depth: `((a+))+`, `(a|a)*`), or too many repetitions in a row. Told by the form, so that harmless ones
 * are refused too.
 */
function backtrackingProblem(text: string): string | undefined {
  const open: { hasChoice: boolean }[] = [];
  let closed: { hasChoice: boolean } | undefined;
  let repetitions = 0;
  let optionalParts = 0;
  for (let at = 0; at < text.length; at++) {
    const before = closed;
    closed = undefined;
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(text.slice(at))?.[0];
    const group = open.at(-1);
    if (quantifier !== undefined) {
      const isOptional = quantifier.startsWith('?');
      if (before?.hasChoice === true && !isOptional) return 'A repeated group that repeats or has alternatives inside';
      if (isOptional) optionalParts++;
      else if (!/^\{\d+\}/.test(quantifier)) repetitions++;
      if (group !== undefined) group.hasChoice = true;
      at += quantifier.length - 1;
    } else if (text[at] === '\\') {
      if (/[1-9k]/.test(text[at + 1] ?? '')) return 'A reference to what a group has matched';
      at++;
    } else if (text[at] === '[') at = endOfClass(text, at);
    else if (text[at] === '(') {
      open.push({ hasChoice: false });
      // (?: and its like: no quantifier.
      if (text[at + 1] === '?') at++;
    } else if (text[at] === ')') {
      closed = open.pop();
      const outer = open.at(-1);
      if (outer !== undefined && closed?.hasChoice === true) outer.hasChoice = true;
    } else if (text[at] === '|' && group !== undefined) group.hasChoice = true;
  }
  if (repetitions > MAX_REPETITIONS) return `More than ${MAX_REPETITIONS} repetitions`;
  return optionalParts > MAX_OPTIONAL_PARTS ? `More than ${MAX_OPTIONAL_PARTS} optional parts` : undefined;
}

/** Where the class that begins at `from` ends; the end of the text where it doesn't. */
function endOfClass(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ']') return at;
  }
  return text.length;
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
