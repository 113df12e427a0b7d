/** Ranges of versions, and the conditions that tell at run time whether a version is in one. */
import type { VersionRange } from './definition.ts';

export type Range = VersionRange;

export function intersect(a: Range, b: Range): Range {
  return { min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) };
}

/** The least range that holds both. */
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

export function isEmpty(range: Range): boolean {
  return range.min > range.max;
}

/**
 * Whether `version`, known to be within `context`, is within `range`: true, false, or an expression that tells.
 */
export function conditionOf(range: Range, context: Range): boolean | string {
  const inner = intersect(range, context);
  if (isEmpty(inner)) return false;
  const low = inner.min > context.min ? `version >= ${inner.min}` : undefined;
  const high = inner.max < context.max ? `version <= ${inner.max}` : undefined;
  if (low === undefined && high === undefined) return true;
  if (low !== undefined && high !== undefined) return inner.min === inner.max ? `version === ${inner.min}` : `(${low} && ${high})`;
  return (low ?? high) as string;
}

/** `condition ? whenTrue : whenFalse`, resolved where the condition is known. */
export function choose(condition: boolean | string, whenTrue: string, whenFalse: string): string {
  if (condition === true || whenTrue === whenFalse) return whenTrue;
  if (condition === false) return whenFalse;
  return `${condition} ? ${wrapped(whenTrue)} : ${wrapped(whenFalse)}`;
}

function wrapped(expression: string): string {
  return expression.includes(' ? ') ? `(${expression})` : expression;
}
