import { describe, expect, it } from 'vitest';
import { OffsetStore } from './offset-store.ts';
import { committed } from './testing/coordinator-fixture.ts';

describe('OffsetStore', () => {
  it('lets the later append win, whichever is confirmed first', () => {
    const store = new OffsetStore();
    const [first, second] = [committed(10, 1), committed(20, 2)];
    store.prepareCommit('t', 0, first);
    store.prepareCommit('t', 0, second);
    store.completeCommit('t', 0, second, 2);
    store.completeCommit('t', 0, first, 1);
    expect([store.get('t', 0)?.offset, store.size, store.isPending('t', 0)]).toEqual([20, 1, false]);
  });

  it('keeps what was committed when a commit fails', () => {
    const store = new OffsetStore();
    store.put('t', 0, committed(10, 1), 1);
    const failing = committed(20, 2);
    store.prepareCommit('t', 0, failing);
    expect(store.isPending('t', 0)).toBe(true);
    store.failCommit('t', 0, failing);
    expect([store.get('t', 0)?.offset, store.isPending('t', 0)]).toEqual([10, false]);
  });

  it('does not bring back an offset that was deleted while it was written', () => {
    const store = new OffsetStore();
    const value = committed(10, 1);
    store.prepareCommit('t', 0, value);
    store.delete('t', 0);
    store.completeCommit('t', 0, value, 1);
    expect([store.get('t', 0), store.isEmpty]).toEqual([undefined, true]);
  });

  it('holds a transaction’s offsets back until it is committed, and forgets them when it is aborted', () => {
    const store = new OffsetStore();
    store.put('t', 0, committed(1, 1), 1);
    store.addPending(7, 't', 0, committed(2, 1), 2);
    store.addPending(8, 't', 1, committed(3, 1), 3);
    expect([store.get('t', 0)?.offset, store.isPending('t', 0), store.isPending('t', 2)]).toEqual([1, true, false]);
    store.completePending(7, true);
    store.completePending(8, false);
    expect([store.get('t', 0)?.offset, store.get('t', 1), store.isPending('t', 1)]).toEqual([2, undefined, false]);
  });

  it('does not let a transaction that ends late overwrite a commit that was appended after its own', () => {
    const store = new OffsetStore();
    store.addPending(7, 't', 0, committed(2, 1), 2);
    store.put('t', 0, committed(9, 1), 3);
    store.completePending(7, true);
    expect(store.get('t', 0)?.offset).toBe(9);
  });

  it('counts partitions, not commits, and is empty when all are gone', () => {
    const store = new OffsetStore();
    store.put('t', 0, committed(1, 1), 1);
    store.put('t', 0, committed(2, 1), 2);
    store.put('u', 5, committed(3, 1), 3);
    expect([store.size, [...store.entries()].map(({ topic, partition, offset }) => [topic, partition, offset])]).toEqual([
      2,
      [
        ['t', 0, 2],
        ['u', 5, 3],
      ],
    ]);
    expect([store.delete('t', 0), store.delete('t', 0), store.delete('u', 5), store.isEmpty]).toEqual([true, false, true, true]);
  });
});
