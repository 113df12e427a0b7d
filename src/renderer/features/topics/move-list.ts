/** Replica lists as they are typed in the reassign dialog. Pure. */
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
