/** What is looked up, as it stands in the route: `offset:123` or `time:2026-01-31T12:00:00.000`. Pure. */
export interface LookupTarget {
  readonly by: 'offset' | 'time';
  /** As the person wrote it. */
  readonly text: string;
}

export function parseLookup(query: string): LookupTarget | null {
  const match = /^(offset|time):(.*)$/s.exec(query);
  return match === null ? null : { by: match[1] === 'time' ? 'time' : 'offset', text: match[2] ?? '' };
}

export function lookupQuery({ by, text }: LookupTarget): string {
  return `${by}:${text}`;
}

/** The number that is looked up: an offset, or milliseconds since 1970 from a date or from such a number. Null: neither. */
export function lookupNumber({ by, text }: LookupTarget): number | null {
  const trimmed = text.trim();
  if (/^\d{1,15}$/.test(trimmed)) return Number(trimmed);
  if (by === 'offset' || trimmed === '') return null;
  const ms = Date.parse(trimmed);
  return Number.isNaN(ms) || ms < 0 ? null : ms;
}
