import { describe, expect, it, vi } from 'vitest';
import { MAX_ROWS, RowList } from './row-list.ts';
import type { RowListSource } from './row-list.ts';

interface Row {
  readonly name: string;
  readonly version: number;
}
interface Details {
  readonly name: string;
  readonly size: number;
}

/** A list behind a contract: its rows may be changed between calls. */
function source(names: readonly string[]) {
  const held = new Map(names.map((name) => [name, { name, version: 1 }]));
  const readers = new Map<string, Row[]>();
  const closed: string[] = [];
  let count = 0;
  const made: RowListSource<Row, Details, string> = {
    open: vi.fn((query: string) => {
      const rows = [...held.values()].filter((row) => row.name.includes(query));
      readers.set(String(++count), rows);
      return Promise.resolve({ readerId: String(count), count: rows.length, total: held.size, asOfMs: 0 });
    }),
    next: vi.fn((readerId: string, max: number) => {
      const rows = readers.get(readerId)?.splice(0, max) ?? [];
      return Promise.resolve({ rows, done: (readers.get(readerId)?.length ?? 0) === 0 });
    }),
    close: (readerId) => {
      closed.push(readerId);
      return Promise.resolve();
    },
    rows: vi.fn((keys: string[]) => Promise.resolve(keys.flatMap((key) => held.get(key) ?? []))),
    details: vi.fn((keys: string[]) => Promise.resolve(keys.map((name) => ({ name, size: name.length })))),
    rowKey: (row) => row.name,
    detailsKey: (details) => details.name,
    admits: (row) => !row.name.startsWith('_'),
  };
  return { made, held, closed };
}
const names = (list: RowList<Row, Details, string>): string[] => list.rows.value.map((row) => row.name);
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('load', () => {
  it('shows the first page before the rest is there', async () => {
    const { made } = source(Array.from({ length: 3000 }, (_, index) => `t${index}`));
    const list = new RowList<Row, Details, string>(made, '');
    const next = made.next;
    const second = Promise.withResolvers<void>();
    made.next = async (readerId, max) => {
      if (max > 500) await second.promise;
      return next(readerId, max);
    };
    const loading = list.load();
    await expect.poll(() => list.isLoaded.value).toBe(true);
    expect(list.rows.value).toHaveLength(500);
    second.resolve();
    await loading;
    expect(list.rows.value).toHaveLength(3000);
  });

  it('holds at most MAX_ROWS, says so, and closes its reader', async () => {
    const { made, closed } = source(Array.from({ length: MAX_ROWS + 2000 }, (_, index) => `t${index}`));
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    expect(list.rows.value).toHaveLength(MAX_ROWS);
    expect(list.isCapped.value).toBe(true);
    expect(list.counts.value).toEqual({ count: MAX_ROWS + 2000, total: MAX_ROWS + 2000 });
    expect(closed).toEqual(['1']);
  });

  it('lets a newer load win over an older one that answers late', async () => {
    const { made } = source(['apple', 'pear']);
    const late = Promise.withResolvers<void>();
    const open = made.open;
    made.open = async (query, signal) => {
      if (query === 'apple') await late.promise;
      return open(query, signal);
    };
    const list = new RowList<Row, Details, string>(made, '');
    const older = list.load('apple');
    await list.load('pear');
    late.resolve();
    await older;
    expect(names(list)).toEqual(['pear']);
  });

  it('keeps its rows when a later load fails, and says why', async () => {
    const { made } = source(['a']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    made.open = () => Promise.reject(new Error('gone'));
    await list.load();
    expect(names(list)).toEqual(['a']);
    expect(list.failure.value?.message).toBe('gone');
  });
});

describe('patch', () => {
  it('replaces, adds and removes the rows that a change names, and asks for no others', async () => {
    const { made, held } = source(['a', 'b', 'c']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    held.set('a', { name: 'a', version: 2 });
    held.delete('b');
    held.set('d', { name: 'd', version: 1 });
    held.set('_internal', { name: '_internal', version: 1 });
    await list.patch(['a', 'b', 'd', '_internal']);
    expect(list.rows.value).toEqual([
      { name: 'a', version: 2 },
      { name: 'c', version: 1 },
      { name: 'd', version: 1 },
    ]);
    expect(made.open).toHaveBeenCalledTimes(1);
  });

  it('loads again when the change names nothing', async () => {
    const { made } = source(['a']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    await list.patch(null);
    expect(made.open).toHaveBeenCalledTimes(2);
  });
});

describe('dear columns', () => {
  it('are asked for once for the rows on screen', async () => {
    const { made } = source(['a', 'bb']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    list.want(['a']);
    list.want(['a', 'bb']);
    await settled();
    expect(list.detailsOf('bb')).toEqual({ name: 'bb', size: 2 });
    expect(vi.mocked(made.details).mock.calls.flat(2)).toEqual(['a', 'bb']);
  });

  it('are asked for again for what is on screen now, and for the rest when it is seen', async () => {
    const { made } = source(['a', 'b']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    list.want(['a', 'b']);
    await settled();
    list.want(['b']);
    list.refreshDetails(null);
    // Old values stand until the new ones are there.
    expect(list.detailsOf('b')).toBeDefined();
    await settled();
    expect(vi.mocked(made.details).mock.lastCall).toEqual([['b']]);
    list.want(['a']);
    await settled();
    expect(vi.mocked(made.details).mock.lastCall).toEqual([['a']]);
  });

  it('are asked for once more when a change comes while they are under way', async () => {
    const { made } = source(['a']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    const slow = Promise.withResolvers<Details[]>();
    vi.mocked(made.details).mockReturnValueOnce(slow.promise);
    list.want(['a']);
    list.refreshDetails(['a']);
    slow.resolve([{ name: 'a', size: 0 }]);
    await settled();
    expect(list.detailsOf('a')).toEqual({ name: 'a', size: 1 });
  });

  it('are asked for again after nobody looked for a while', async () => {
    const { made } = source(['a']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    list.want(['a']);
    await settled();
    list.leave();
    list.want(['a']);
    await settled();
    expect(made.details).toHaveBeenCalledTimes(2);
  });

  it('stay unknown after a failure and are asked for when seen again', async () => {
    const { made } = source(['a']);
    const list = new RowList<Row, Details, string>(made, '');
    await list.load();
    vi.mocked(made.details).mockRejectedValueOnce(new Error('no'));
    list.want(['a']);
    await settled();
    expect(list.detailsOf('a')).toBeUndefined();
    list.want(['a']);
    await settled();
    expect(list.detailsOf('a')).toBeDefined();
  });
});
