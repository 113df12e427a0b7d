import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { coalesce, RETRY_MS } from './coalesce.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('asks once for many pokes, and at most once per interval', async () => {
  const task = vi.fn(() => Promise.resolve());
  const gate = coalesce(task, 300);
  for (let index = 0; index < 50; index++) gate.poke();
  await vi.advanceTimersByTimeAsync(1);
  expect(task).toHaveBeenCalledTimes(1);
  for (let index = 0; index < 30; index++) {
    gate.poke();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(task.mock.calls.length).toBeLessThanOrEqual(12);
  expect(task.mock.calls.length).toBeGreaterThanOrEqual(9);
});

it('runs once more for a poke that came while it ran, never two at a time', async () => {
  let running = 0;
  let most = 0;
  const first = Promise.withResolvers<void>();
  const task = vi.fn(async () => {
    most = Math.max(most, ++running);
    await first.promise;
    running--;
  });
  const gate = coalesce(task, 10);
  gate.poke();
  await vi.advanceTimersByTimeAsync(500);
  gate.poke();
  gate.poke();
  await vi.advanceTimersByTimeAsync(5000);
  expect(task).toHaveBeenCalledTimes(1);
  first.resolve();
  await vi.advanceTimersByTimeAsync(5000);
  expect(task).toHaveBeenCalledTimes(2);
  expect(most).toBe(1);
});

it('goes on after a failure, and not after stop', async () => {
  const task = vi.fn(() => Promise.reject(new Error('no')));
  const gate = coalesce(task, 10);
  gate.poke();
  await vi.advanceTimersByTimeAsync(50);
  gate.poke();
  await vi.advanceTimersByTimeAsync(50);
  expect(task).toHaveBeenCalledTimes(2);
  gate.poke();
  gate.stop();
  await vi.advanceTimersByTimeAsync(50);
  expect(task).toHaveBeenCalledTimes(2);
});

it('tries again what failed, once, and not when it ran meanwhile or after stop', async () => {
  const failing = vi.fn(() => {
    if (failing.mock.calls.length === 1) gate.retry();
    return Promise.resolve();
  });
  const gate = coalesce(failing, 10);
  gate.poke();
  await vi.advanceTimersByTimeAsync(RETRY_MS - 100);
  expect(failing).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(5 * RETRY_MS);
  expect(failing).toHaveBeenCalledTimes(2);
  gate.retry();
  gate.poke();
  await vi.advanceTimersByTimeAsync(5 * RETRY_MS);
  expect(failing).toHaveBeenCalledTimes(3);
  gate.retry();
  gate.stop();
  await vi.advanceTimersByTimeAsync(5 * RETRY_MS);
  expect(failing).toHaveBeenCalledTimes(3);
});
