import { expect, test } from 'vitest';
import { lookupNumber, lookupQuery, parseLookup } from './lookup-query.ts';

test('a look-up in the route is an offset or a time', () => {
  expect(parseLookup('offset:42')).toEqual({ by: 'offset', text: '42' });
  expect(parseLookup('time:2026-01-01T00:00:00Z')).toEqual({ by: 'time', text: '2026-01-01T00:00:00Z' });
  for (const query of ['', '42', 'page:1']) expect(parseLookup(query)).toBeNull();
  expect(lookupQuery({ by: 'time', text: 'x' })).toBe('time:x');
});

test.each([
  ['offset', ' 42 ', 42],
  ['offset', '-1', null],
  ['offset', '2026-01-01', null],
  ['time', '1700000000000', 1_700_000_000_000],
  ['time', '2023-11-14T22:13:20Z', 1_700_000_000_000],
  ['time', 'yesterday', null],
  ['time', '', null],
] as const)('%s %j is %s', (by, text, expected) => {
  expect(lookupNumber({ by, text })).toBe(expected);
});
