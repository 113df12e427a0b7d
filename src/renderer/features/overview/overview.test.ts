import { expect, it } from 'vitest';
import type { TimelineEntry } from '../../../console/contract/live.ts';
import { connectionSnippets } from './snippets.ts';
import { HISTORY_SECONDS, NO_HISTORY, withSample } from './use-rate-history.ts';
import { byTime, mergeTimeline } from './use-timeline.ts';

const entry = (sequence: number, atMs = 0): TimelineEntry => ({ sequence, atMs }) as TimelineEntry;

it('keeps the timeline newest first, without doubles', () => {
  const merged = mergeTimeline([entry(3), entry(2)], [entry(2), entry(3), entry(4), entry(5)]);
  expect(merged.map(({ sequence }) => sequence)).toEqual([5, 4, 3, 2]);
});

it('tells the timeline by when things happened, not by when they were heard', () => {
  const entries = [entry(3, 100), entry(2, 200), entry(1, 100)];
  expect(byTime(entries).map(({ sequence }) => sequence)).toEqual([2, 3, 1]);
});

it('bounds the timeline', () => {
  const many = Array.from({ length: 2000 }, (_, index) => entry(index + 1));
  const merged = mergeTimeline([], many);
  expect(merged).toHaveLength(500);
  expect(merged[0]?.sequence).toBe(2000);
});

it('keeps one sample a second, the latest, and none that is too old', () => {
  let history = NO_HISTORY;
  for (const [at, rate] of [
    [100, 1],
    [100, 2],
    [101, 3],
    [101 + HISTORY_SECONDS, 4],
  ] as const)
    history = withSample(history, at, rate);
  expect(history).toEqual({ times: [101 + HISTORY_SECONDS], rates: [4] });
  expect(withSample(withSample(NO_HISTORY, 100, 1), 100, 2)).toEqual({ times: [100], rates: [2] });
});

it('puts the cluster’s own address into every snippet', () => {
  for (const snippet of connectionSnippets('localhost:19092, localhost:19093')) {
    expect(snippet.text).toContain('localhost:19092');
    expect(snippet.text).not.toContain(', localhost:19093"');
  }
});
