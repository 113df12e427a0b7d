/** Where a read begins, as it stands in the route's query and as the contract wants it. Pure. */
import type { Seek } from '../../../console/contract/messages.ts';

export const seekKinds = ['last', 'start', 'offset', 'time'] as const;
export type SeekKind = (typeof seekKinds)[number];

export interface ReadScope {
  readonly from: SeekKind;
  /** `last`: how many; `offset`: the offset; `time`: as typed, local ("2025-11-23 18:05:07.041") or milliseconds. */
  readonly at: string;
  /** Empty: all. */
  readonly partitions: readonly number[];
  readonly limit: number;
}

export const DEFAULT_COUNT = 100;
export const limits = [100, 500, 2000, 10_000] as const;

type Query = Readonly<Record<string, unknown>>;
const text = (query: Query, name: string): string => (typeof query[name] === 'string' ? query[name] : '');

export function parseScope(query: Query): ReadScope {
  const from = seekKinds.find((kind) => kind === text(query, 'from')) ?? 'last';
  const partitions = text(query, 'partitions')
    .split(',')
    .filter((part) => /^\d{1,7}$/.test(part))
    .map(Number);
  const limit = limits.find((candidate) => String(candidate) === text(query, 'limit')) ?? 500;
  return { from, at: text(query, 'at'), partitions, limit };
}

/** Only what differs from the defaults. */
export function scopeQuery(scope: ReadScope): Record<string, string> {
  return {
    ...(scope.from === 'last' ? {} : { from: scope.from }),
    ...(scope.at === '' || scope.from === 'start' ? {} : { at: scope.at }),
    ...(scope.partitions.length === 0 ? {} : { partitions: scope.partitions.join(',') }),
    ...(scope.limit === 500 ? {} : { limit: String(scope.limit) }),
  };
}

/** Milliseconds of a typed time: epoch milliseconds, or a date with or without time, local unless it ends in Z. Null: not a time. */
export function parseTime(typed: string): number | null {
  const trimmed = typed.trim();
  if (/^\d{9,16}$/.test(trimmed)) return Number(trimmed);
  const found = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z?))?$/i.exec(trimmed);
  if (found === null) return null;
  // A date alone is read as UTC by the platform: a time makes it local.
  const parsed = Date.parse(`${found[1]}T${found[2] ?? '00:00'}${(found[3] ?? '').toUpperCase()}`);
  return Number.isNaN(parsed) ? null : parsed;
}

/** The contract's seek, or null when what was typed is not a number or time. */
export function seekOf(scope: ReadScope): Seek | null {
  const at = scope.at.trim();
  switch (scope.from) {
    case 'start':
      return { from: 'start' };
    case 'last': {
      if (at === '') return { from: 'last', count: DEFAULT_COUNT };
      const count = Number(at);
      return Number.isInteger(count) && count >= 1 && count <= 10_000 ? { from: 'last', count } : null;
    }
    case 'offset': {
      if (at === '') return { from: 'offset', offset: 0 };
      const offset = Number(at);
      return Number.isSafeInteger(offset) && offset >= 0 ? { from: 'offset', offset } : null;
    }
    default: {
      const timestampMs = parseTime(at);
      return timestampMs === null ? null : { from: 'time', timestampMs };
    }
  }
}

/** How many records in all a read may give. */
export function limitOf(scope: ReadScope, seek: Seek): number {
  return seek.from === 'last' ? seek.count : scope.limit;
}
