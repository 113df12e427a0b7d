import { expect, test } from 'vitest';
import { movePace, parseReplicaList } from './move-list.ts';

test('reads broker ids, and says what is wrong with others', () => {
  expect(parseReplicaList(' 3, 1', [1, 2, 3])).toEqual([3, 1]);
  for (const text of ['', '1,', '1,1', 'a', '-1']) expect(parseReplicaList(text, [1])).toEqual({ kind: 'bad' });
  expect(parseReplicaList('1,9', [1])).toEqual({ kind: 'unknownBroker', id: 9 });
});

test('tells a pace only from two looks that are apart, and none where nothing moves', () => {
  const first = { atMs: 1_000, copied: 100 };
  expect(movePace(first, { atMs: 5_000, copied: 500 }, 900)).toEqual({ bytesPerSecond: 100, leftMs: 4_000 });
  expect(movePace(first, { atMs: 2_000, copied: 500 }, 900)).toBeNull();
  expect(movePace(first, { atMs: 9_000, copied: 100 }, 900)).toBeNull();
});
