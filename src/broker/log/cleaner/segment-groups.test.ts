import { expect, test } from 'vitest';
import { groupSegmentsBySize, MAX_SEGMENTS_PER_GROUP } from './segment-groups.ts';
import type { GroupableSegment, GroupLimits } from './segment-groups.ts';

const segment = (baseOffset: number, sizeBytes: number, rest: Partial<GroupableSegment> = {}): GroupableSegment => ({
  baseOffset,
  sizeBytes,
  offsetIndexBytes: 8,
  timeIndexBytes: 12,
  ...rest,
});
const bases = (segments: readonly GroupableSegment[], limits: Partial<GroupLimits> = {}): number[][] =>
  groupSegmentsBySize(segments, { maxBytes: 100, maxIndexBytes: 1000, firstUncleanableOffset: 1000, ...limits }).map((group) =>
    group.map(({ baseOffset }) => baseOffset),
  );

test('neighbours are one group up to segment.bytes', () => {
  expect(bases([segment(0, 60), segment(10, 40), segment(20, 1), segment(30, 99)])).toEqual([
    [0, 10],
    [20, 30],
  ]);
});

test('a segment above the limit is a group by itself', () => {
  expect(bases([segment(0, 200), segment(10, 200)])).toEqual([[0], [10]]);
});

test('index sizes bound a group too', () => {
  expect(bases([segment(0, 1), segment(10, 1), segment(20, 1)], { maxIndexBytes: 16 })).toEqual([[0], [10], [20]]);
  expect(bases([segment(0, 1), segment(10, 1), segment(20, 1)], { maxIndexBytes: 24 })).toEqual([[0, 10], [20]]);
});

test('the offsets of a group fit an int32 from its first, told by the next segment or by where the uncleanable section begins', () => {
  const far = 2 ** 31;
  expect(bases([segment(0, 1), segment(10, 1), segment(far, 1)], { firstUncleanableOffset: far + 1 })).toEqual([[0, 10], [far]]);
  expect(bases([segment(0, 1), segment(10, 1), segment(far + 1, 1)], { firstUncleanableOffset: far + 5 })).toEqual([[0], [10, far + 1]]);
  expect(bases([segment(0, 1), segment(10, 1)], { firstUncleanableOffset: far + 1 })).toEqual([[0], [10]]);
  // An empty one holds no offset.
  expect(bases([segment(0, 1), segment(10, 0)], { firstUncleanableOffset: far + 1 })).toEqual([[0, 10]]);
});

test('a group has no more segments than can be renamed in one turn', () => {
  const many = Array.from({ length: MAX_SEGMENTS_PER_GROUP + 3 }, (_, index) =>
    segment(index, 0, { offsetIndexBytes: 0, timeIndexBytes: 0 }),
  );
  expect(bases(many).map((group) => group.length)).toEqual([MAX_SEGMENTS_PER_GROUP, 3]);
});
