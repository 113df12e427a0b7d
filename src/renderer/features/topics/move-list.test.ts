import { expect, test } from 'vitest';
import { parseReplicaList } from './move-list.ts';

test('reads broker ids, and says what is wrong with others', () => {
  expect(parseReplicaList(' 3, 1', [1, 2, 3])).toEqual([3, 1]);
  for (const text of ['', '1,', '1,1', 'a', '-1']) expect(parseReplicaList(text, [1])).toEqual({ kind: 'bad' });
  expect(parseReplicaList('1,9', [1])).toEqual({ kind: 'unknownBroker', id: 9 });
});
