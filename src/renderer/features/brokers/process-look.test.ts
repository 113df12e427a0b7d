import { expect, it } from 'vitest';
import { isPossible, processActions, processTone, shownState } from './process-look.ts';

it('offers in each state what the supervisor can do then', () => {
  const offered = (state: Parameters<typeof isPossible>[1]['state']): string[] =>
    processActions.filter((action) => isPossible(action, { state }));
  expect(offered('running')).toEqual(['stop', 'restart', 'freeze', 'kill']);
  expect(offered('frozen')).toEqual(['thaw', 'kill']);
  expect(offered('stopped')).toEqual(['start']);
  expect(offered('failed')).toEqual(['start']);
  expect(offered('backoff')).toEqual(['start', 'stop']);
  expect(offered('stopping')).toEqual(['kill']);
});

it('does not call a running broker well whose network is cut off', () => {
  expect(shownState({ state: 'running', cutOffFrom: [] })).toBe('running');
  expect(shownState({ state: 'running', cutOffFrom: ['zookeeper', 'broker-1', 'broker-3', 'clients'] })).toBe('cutOff');
  // As the others are when one is cut off from everything.
  expect(shownState({ state: 'running', cutOffFrom: ['broker-2'] })).toBe('partlyCut');
  expect(processTone('cutOff')).toBe('warn');
  // Cut off before it was frozen: that it is frozen says more.
  expect(shownState({ state: 'frozen', cutOffFrom: ['zookeeper'] })).toBe('frozen');
});
