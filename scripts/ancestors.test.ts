import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchAncestors } from './ancestors.mjs';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('tells once that an ancestor is gone: a second signal would kill what is still stopping in order', () => {
  let ancestors = '2 1';
  const onChange = vi.fn<() => void>();
  watchAncestors(onChange, () => ancestors);
  vi.advanceTimersByTime(5_000);
  expect(onChange).not.toHaveBeenCalled();
  ancestors = '1 0';
  vi.advanceTimersByTime(60_000);
  expect(onChange).toHaveBeenCalledTimes(1);
});

it('tells nothing after it was ended', () => {
  let ancestors = '2 1';
  const onChange = vi.fn<() => void>();
  const stop = watchAncestors(onChange, () => ancestors);
  stop();
  ancestors = '1 0';
  vi.advanceTimersByTime(60_000);
  expect(onChange).not.toHaveBeenCalled();
});
