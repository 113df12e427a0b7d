/** What is said of a segment: the keys of its sentence, the strongest reason first. Pure. */
import type { RetentionSegment } from '../../../console/contract/retention.ts';

export type SegmentFate =
  | { readonly key: 'due'; readonly by: 'logStartOffset' | 'retention-bytes' | 'retention-ms' }
  | { readonly key: 'dueActive' | 'active' | 'emptyActive' | 'highWatermark' | 'kept' }
  | { readonly key: 'waitsFor'; readonly base: number };

export function fateOf(segment: RetentionSegment, nowMs: number): SegmentFate {
  const { dueBy, isActive, heldBy, waitsForBaseOffset, expiresAtMs } = segment;
  if (dueBy !== null && isActive) return { key: 'dueActive' };
  if (dueBy === 'logStartOffset') return { key: 'due', by: dueBy };
  if (dueBy !== null) return { key: 'due', by: dueBy === 'retention.bytes' ? 'retention-bytes' : 'retention-ms' };
  if (heldBy === 'emptyActive') return { key: 'emptyActive' };
  // Only where a rule is met: of others nobody asks why they stay.
  const isOverdue = (expiresAtMs !== null && expiresAtMs <= nowMs) || segment.bytesUntilSize === 0;
  if (heldBy === 'highWatermark' && isOverdue) return { key: 'highWatermark' };
  if (isActive) return { key: 'active' };
  if (waitsForBaseOffset !== null) return { key: 'waitsFor', base: waitsForBaseOffset };
  return { key: 'kept' };
}
