import { describe, expect, test } from 'vitest';
import type { SegmentRow } from '../../../console/contract/segments.ts';
import { MAP_WIDTH, segmentMap } from './segment-map.ts';

const row = (baseOffset: number, lastOffset: number | null, active = false): SegmentRow => ({
  baseOffset,
  file: `${baseOffset}.log`,
  sizeBytes: 1,
  preallocatedBytes: 0,
  indexBytes: null,
  timeIndexBytes: null,
  firstOffset: lastOffset === null ? null : baseOffset,
  lastOffset,
  modifiedAtMs: 0,
  active,
});
const none = { logStartOffset: null, recoveryPoint: null, highWatermark: null, asOfMs: null };

describe('the map of segments', () => {
  test('has a block for each, in proportion to its offsets, and the last one ends at the edge', () => {
    const map = segmentMap([row(0, 99), row(100, 299, true)], none);
    expect(map?.blocks.map(({ active }) => active)).toEqual([false, true]);
    const [one, two] = map?.blocks ?? [];
    expect((two?.width ?? 0) / (one?.width ?? 1)).toBeCloseTo(2, 1);
    expect((two?.x ?? 0) + (two?.width ?? 0)).toBe(MAP_WIDTH);
    expect(map?.marks.map(({ name, offset }) => [name, offset])).toEqual([['logEndOffset', 300]]);
  });

  test('shows the marks that are known, where they are', () => {
    const map = segmentMap([row(100, 199, true)], { ...none, recoveryPoint: 150, logStartOffset: 40 });
    const marks = Object.fromEntries((map?.marks ?? []).map(({ name, x }) => [name, x]));
    expect(marks['logStartOffset']).toBe(0);
    expect((marks['recoveryPoint'] ?? 0) / (marks['logEndOffset'] ?? 1)).toBeCloseTo(0.5, 5);
  });

  test('keeps an empty segment visible, and draws thousands as few', () => {
    expect(segmentMap([row(0, null, true)], none)?.blocks).toMatchObject([{ x: 0, width: MAP_WIDTH }]);
    const many = Array.from({ length: 5000 }, (_, at) => row(at * 10, at * 10 + 9, at === 4999));
    const map = segmentMap(many, none);
    expect(map?.blocks.length).toBeLessThanOrEqual(160);
    expect(map?.blocks.flatMap(({ segments }) => segments)).toEqual(many);
  });

  test('is nothing for a folder without segments', () => {
    expect(segmentMap([], none)).toBeNull();
  });
});
