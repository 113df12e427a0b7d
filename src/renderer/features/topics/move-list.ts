/** What is typed in the reassign dialog: replica lists; and how fast a move goes. Pure. */
export type ReplicaListProblem = { readonly kind: 'bad' } | { readonly kind: 'unknownBroker'; readonly id: number };

/** The ids, or what is wrong with the text. Every broker is checked against `known`. */
export function parseReplicaList(text: string, known: readonly number[]): readonly number[] | ReplicaListProblem {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^\d{1,9}$/.test(part))) return { kind: 'bad' };
  const ids = parts.map(Number);
  if (new Set(ids).size < ids.length) return { kind: 'bad' };
  const unknown = ids.find((id) => !known.includes(id));
  return unknown === undefined ? ids : { kind: 'unknownBroker', id: unknown };
}

export interface MoveSample {
  readonly atMs: number;
  readonly copied: number;
}

/** Long enough that a second's looks don't make the rate jump. */
const MIN_RATE_MS = 2_000;

/** Between two looks at a move; null until they are apart, and where nothing goes on. */
export function movePace(first: MoveSample, now: MoveSample, total: number): { bytesPerSecond: number; leftMs: number } | null {
  const tookMs = now.atMs - first.atMs;
  const copied = now.copied - first.copied;
  if (tookMs < MIN_RATE_MS || copied <= 0) return null;
  const bytesPerSecond = (copied * 1000) / tookMs;
  return { bytesPerSecond, leftMs: ((total - now.copied) * 1000) / bytesPerSecond };
}
