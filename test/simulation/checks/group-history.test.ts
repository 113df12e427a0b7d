/** The checks of groups can fail: each contradiction is told as what it is. */
import { beforeEach, expect, test } from 'vitest';
import { World } from '../world/world.ts';
import { GroupHistory } from './group-history.ts';
import { History } from './history.ts';

const P = 'orders-0';
let history: History;
let group: GroupHistory;

beforeEach(() => {
  history = new History(new World(1));
  group = new GroupHistory(history, 'g', ['orders']);
});

function deliver(to: number): void {
  for (let offset = 0; offset < to; offset++) group.onDelivered(P, offset, offset);
}

function commit(offset: number, generation = 1): string {
  const { metadata, acknowledge } = group.onCommit(P, generation, offset);
  acknowledge();
  return metadata;
}

test('two owners of a partition in one generation are a violation, one in each are not', () => {
  group.onAssigned('a', 1, [P]);
  group.onAssigned('a', 1, [P]);
  group.onAssigned('b', 2, [P]);
  expect(history.violations).toEqual([]);
  group.onAssigned('a', 2, [P]);
  expect(history.violations.join()).toContain('is owned by b and by a in generation 2');
});

test('a committed offset that is acknowledged must be told to its generation and to later ones', () => {
  deliver(10);
  const first = commit(4);
  commit(9, 2);
  group.onFetched('reader', P, { offset: 4, metadata: first }, group.lastCommit(P, 1));
  expect(history.violations).toEqual([]);
  group.onFetched('reader', P, { offset: 4, metadata: first }, group.lastCommit(P, 2));
  expect(history.violations.join()).toContain('COMMIT LOST');
});

test('a commit that nobody answered may be told or not', () => {
  deliver(10);
  const before = commit(4);
  const { metadata } = group.onCommit(P, 1, 7);
  group.onFetched('reader', P, { offset: 4, metadata: before }, group.lastCommit(P));
  group.onFetched('reader', P, { offset: 7, metadata }, group.lastCommit(P));
  expect(history.violations).toEqual([]);
});

test('a commit that nobody answered may undo a later one of its generation, and none of a later generation', () => {
  deliver(10);
  const { metadata } = group.onCommit(P, 1, 4);
  commit(7);
  group.onFetched('reader', P, { offset: 4, metadata }, group.lastCommit(P));
  expect(history.violations).toEqual([]);
  commit(8, 2);
  group.onFetched('reader', P, { offset: 4, metadata }, group.lastCommit(P));
  expect(history.violations.join()).toContain('COMMIT LOST');
});

test('an offset that nobody committed, or with other metadata, is a violation', () => {
  deliver(10);
  group.onFetched('reader', P, { offset: 5, metadata: commit(4) }, group.lastCommit(P));
  expect(history.violations.join()).toContain('which nobody sent');
});

test('records between what was delivered and what is committed are a violation, unless they were deleted', () => {
  deliver(3);
  group.onSkipped(P, 3, 8);
  commit(8);
  expect(history.violations).toEqual([]);
  commit(9);
  expect(history.violations.join()).toContain('delivered is what lies below 8');
});

test('what was delivered must be what the log holds below the committed offset', () => {
  deliver(5);
  commit(3);
  group.checkDelivered(P, 0, [0, 1, 2, 99]);
  expect(history.violations).toEqual([]);
  group.checkDelivered(P, 0, [0, 99, 2, 99]);
  expect(history.violations.join()).toContain('at offset 1 was delivered as');
});
