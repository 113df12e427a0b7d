/** Lag: end less committed, per partition and in sum. What isn't known stays null: a lag of 0 is a statement. */
import type { GroupOffsets, ListedOffset } from '../../client/admin/offsets.ts';
import { KafkaError } from '../../protocol/errors.ts';
import type { KeyResult } from '../../client/admin/keyed-call.ts';

/** Null when either is unknown (a commit of -1 is none). A commit beyond the end (after a truncation) is no lag. */
export function lagOf(committed: number | null, end: number | null): number | null {
  if (committed === null || committed < 0 || end === null) return null;
  return Math.max(0, end - committed);
}

/** Sum over the partitions whose committed and end offsets are known; null when there is none. */
export function groupLag(
  offsets: GroupOffsets,
  ends: ReadonlyMap<string, KeyResult<ListedOffset>>,
  counts: (tp: { readonly topic: string; readonly partition: number }) => boolean = () => true,
): number | null {
  let sum: number | null = null;
  for (const [key, committed] of offsets) {
    if (committed instanceof KafkaError || !counts(committed)) continue;
    const end = ends.get(key);
    const lag = lagOf(committed.offset, end === undefined || end instanceof KafkaError ? null : end.offset);
    if (lag !== null) sum = (sum ?? 0) + lag;
  }
  return sum;
}
