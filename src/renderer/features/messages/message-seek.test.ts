import { describe, expect, it } from 'vitest';
import { limitOf, parseScope, parseTime, scopeQuery, seekOf } from './message-seek.ts';
import type { ReadScope } from './message-seek.ts';

const scope = (change: Partial<ReadScope>): ReadScope => ({ from: 'last', at: '', partitions: [], limit: 500, ...change });

describe('the scope of a read in the address', () => {
  it('leaves no trace of the defaults', () => {
    expect(scopeQuery(parseScope({}))).toEqual({});
  });

  it.each([
    scope({ from: 'offset', at: '17', partitions: [0, 3], limit: 2000 }),
    scope({ from: 'time', at: '2025-11-23 18:05' }),
    scope({ from: 'start', limit: 100 }),
    scope({ at: '50' }),
  ])('comes back as it was written', (written) => {
    expect(parseScope(scopeQuery(written))).toEqual(written);
  });

  it('takes nothing odd from an address that someone edited', () => {
    expect(parseScope({ from: 'x', partitions: '1,-2,a,99999999', limit: '7', at: ['1', '2'] })).toEqual(scope({ partitions: [1] }));
  });
});

describe('seekOf', () => {
  it('reads the last 100 unless told otherwise', () => {
    expect(seekOf(scope({}))).toEqual({ from: 'last', count: 100 });
    expect(seekOf(scope({ at: '5' }))).toEqual({ from: 'last', count: 5 });
  });

  it.each([
    scope({ at: '0' }),
    scope({ at: '10001' }),
    scope({ at: '1.5' }),
    scope({ from: 'offset', at: '-1' }),
    scope({ from: 'offset', at: 'abc' }),
    scope({ from: 'offset', at: '9007199254740993' }),
    scope({ from: 'time', at: 'yesterday' }),
  ])('refuses $from $at', (odd) => {
    expect(seekOf(odd)).toBeNull();
  });

  it('lets the count be the limit of the last N', () => {
    expect(limitOf(scope({ limit: 10_000 }), { from: 'last', count: 7 })).toBe(7);
    expect(limitOf(scope({ limit: 2000 }), { from: 'start' })).toBe(2000);
  });
});

describe('parseTime', () => {
  it('takes milliseconds, local times and UTC', () => {
    expect(parseTime('1763921107041')).toBe(1_763_921_107_041);
    expect(parseTime('2025-11-23 18:05:07.041Z')).toBe(Date.UTC(2025, 10, 23, 18, 5, 7, 41));
    expect(parseTime('2025-11-23T18:05')).toBe(new Date(2025, 10, 23, 18, 5).getTime());
  });

  it('takes a date alone as local midnight, where the platform would take UTC', () => {
    expect(parseTime('2025-11-23')).toBe(new Date(2025, 10, 23).getTime());
  });

  it('refuses what is no date', () => {
    expect(['', '2025-13-45', '18:05', '12'].map(parseTime)).toEqual([null, null, null, null]);
  });
});
