import { expect, it } from 'vitest';
import { isPossible, processActions } from './process-look.ts';

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
