import { expect, test } from 'vitest';
import type { RetentionSegment } from '../../../console/contract/retention.ts';
import { fateOf } from './retention-look.ts';

const segment = (of: Partial<RetentionSegment>): RetentionSegment => ({
  baseOffset: 0,
  endOffset: 10,
  sizeBytes: 100,
  largestTimestampMs: 0,
  isActive: false,
  dueBy: null,
  expiresAtMs: null,
  waitsForBaseOffset: null,
  bytesUntilSize: null,
  heldBy: null,
  ...of,
});

test.each([
  ['due by a rule', { dueBy: 'retention.ms' }, { key: 'due', by: 'retention-ms' }],
  ['due and active: rolled first', { dueBy: 'retention.bytes', isActive: true }, { key: 'dueActive' }],
  ['overdue, but not committed', { heldBy: 'highWatermark', expiresAtMs: 900 }, { key: 'highWatermark' }],
  ['not committed, and no rule asks for it', { heldBy: 'highWatermark', expiresAtMs: 5_000 }, { key: 'kept' }],
  ['active', { isActive: true, expiresAtMs: 5_000, waitsForBaseOffset: 3 }, { key: 'active' }],
  ['behind a younger one', { expiresAtMs: 5_000, waitsForBaseOffset: 3 }, { key: 'waitsFor', base: 3 }],
  ['of no rule', {}, { key: 'kept' }],
] as const)('says of a segment that is %s', (_what, of, fate) => {
  expect(fateOf(segment(of), 1_000)).toEqual(fate);
});
