import { expect, test } from 'vitest';
import { useWork } from './use-work.ts';

test('does one thing at a time, and forgets a failure when something is tried again', async () => {
  const { busy, failure, run } = useWork<'plan' | 'start'>();
  const first = Promise.withResolvers<void>();
  let ran = 0;
  const planning = run('plan', () => first.promise);
  await run('start', () => Promise.resolve(void ran++));
  expect([busy.value, ran]).toEqual(['plan', 0]);
  first.reject(new Error('no such broker'));
  await planning;
  expect([busy.value, failure.value?.message]).toEqual([null, 'no such broker']);
  await run('start', () => Promise.resolve(void ran++));
  expect([busy.value, failure.value, ran]).toEqual([null, null, 1]);
});

test('tells a failure to who asked for it', async () => {
  const told: string[] = [];
  const { failure, run } = useWork<'start'>(({ message }, what) => told.push(`${what}: ${message}`));
  await run('start', () => Promise.reject(new Error('no')));
  expect([told, failure.value]).toEqual([['start: no'], null]);
});
