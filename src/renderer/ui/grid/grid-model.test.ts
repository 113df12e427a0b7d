import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arrangeColumns,
  columnWidth,
  compileFilter,
  filterRows,
  gridTemplate,
  keysBetween,
  moveColumn,
  naturalKey,
  nextSort,
  NO_LAYOUT,
  parseLayout,
  pruned,
  rowsAsJson,
  rowsAsTsv,
  sortRows,
  toggled,
} from './grid-model.ts';
import type { GridColumn } from './grid-model.ts';

interface Row {
  readonly name: string;
  readonly size: number | null | undefined;
}

const name: GridColumn<Row> = { key: 'name', title: 'Name', width: 200, grow: true, value: (row) => row.name };
const size: GridColumn<Row> = { key: 'size', title: 'Size', width: 80, align: 'end', value: (row) => row.size };
const columns = [name, size];
const row = (rowName: string, ...sizes: (number | null | undefined)[]): Row => ({ name: rowName, size: sizes.length === 0 ? 0 : sizes[0] });

describe('sortRows', () => {
  it('puts names in natural order', () => {
    const sorted = sortRows([row('t-10'), row('T-9'), row('t-9a'), row('t-100')], name, false);
    expect(sorted.map((r) => r.name)).toEqual(['T-9', 't-9a', 't-10', 't-100']);
  });

  it('puts unknown and not yet loaded values last in either direction', () => {
    const rows = [row('a', null), row('b', 1), row('c', undefined), row('d', 5)];
    expect(sortRows(rows, size, false).map((r) => r.name)).toEqual(['b', 'd', 'a', 'c']);
    expect(sortRows(rows, size, true).map((r) => r.name)).toEqual(['d', 'b', 'a', 'c']);
  });

  it('is stable and loses no row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.string({ maxLength: 3 }), size: fc.option(fc.integer({ min: 0, max: 3 })) })),
        fc.boolean(),
        (rows, descending) => {
          const sorted = sortRows(rows, size, descending);
          expect(new Set(sorted)).toEqual(new Set(rows));
          for (let index = 1; index < sorted.length; index++) {
            const [a, b] = [sorted[index - 1], sorted[index]];
            if (a !== undefined && b !== undefined && a.size === b.size) expect(rows.indexOf(a)).toBeLessThan(rows.indexOf(b));
          }
        },
      ),
    );
  });

  it('leaves the rows alone for a column that is not there', () => {
    const rows = [row('b'), row('a')];
    expect(sortRows(rows, undefined, false)).toBe(rows);
  });
});

describe('filters', () => {
  const test = (text: string, regex = false): ((value: string) => boolean) => {
    const compiled = compileFilter({ text, regex });
    if ('error' in compiled) throw new Error(compiled.error);
    return compiled.test;
  };

  it('finds a substring without regard to case, its special characters taken as they are', () => {
    expect(filterRows([row('Orders.raw'), row('ordersXraw')], columns, test('ORDERS.R')).map((r) => r.name)).toEqual(['Orders.raw']);
  });

  it('finds by regular expression', () => {
    expect(filterRows([row('orders'), row('users'), row('reorders')], columns, test('^(orders|users)$', true))).toHaveLength(2);
  });

  it('says what is wrong with an expression instead of throwing', () => {
    expect(compileFilter({ text: '(', regex: true })).toHaveProperty('error');
  });

  it('does not look into numbers, nor match what is unknown', () => {
    expect(filterRows([row('a', 17), row('b', null)], columns, test('17'))).toEqual([]);
    expect(filterRows([row('a', null)], [{ ...size, searchable: true }], test('null'))).toEqual([]);
  });
});

it('turns a head from unsorted through both directions back, numbers largest first', () => {
  const first = nextSort(null, 'size', true);
  const second = nextSort(first, 'size', true);
  expect([first, second, nextSort(second, 'size', true)]).toEqual([
    { by: 'size', descending: true },
    { by: 'size', descending: false },
    null,
  ]);
  expect(nextSort({ by: 'size', descending: true }, 'name', false)).toEqual({ by: 'name', descending: false });
});

describe('selection', () => {
  it('takes the rows between two in either direction', () => {
    expect(keysBetween(['a', 'b', 'c', 'd'], 'c', 'b')).toEqual(['b', 'c']);
    expect(keysBetween(['a', 'b'], 'gone', 'b')).toEqual(['b']);
    expect(keysBetween(['a', 'b'], 'a', 'gone')).toEqual([]);
  });

  it('toggles a key in a new set', () => {
    const before = new Set(['a']);
    expect([...toggled(before, 'b')]).toEqual(['a', 'b']);
    expect([...toggled(before, 'a')]).toEqual([]);
    expect([...before]).toEqual(['a']);
  });

  it('forgets rows that are gone, and is the same set when none is', () => {
    const selection = new Set(['a', 'b']);
    expect(pruned(selection, () => true)).toBe(selection);
    expect([...pruned(selection, (key) => key === 'b')]).toEqual(['b']);
  });
});

describe('copying', () => {
  it('keeps a table a table when a cell has tabs or line ends', () => {
    expect(rowsAsTsv([row('a\tb\r\nc', 1), row('d', null)], columns)).toBe('Name\tSize\na b c\t1\nd\t');
  });

  it('gives one row as an object and many as a list, unknown as null', () => {
    expect(JSON.parse(rowsAsJson([row('a', undefined)], columns))).toEqual({ name: 'a', size: null });
    expect(JSON.parse(rowsAsJson([row('a', 1), row('b', 2)], columns))).toHaveLength(2);
  });
});

it('copies the words of a column whose value is only a rank', () => {
  const rank: GridColumn<Row> = { ...size, copy: (row) => (row.size === 0 ? 'in sync' : 'behind') };
  expect(rowsAsTsv([row('a', 0)], [name, rank])).toBe('Name\tSize\na\tin sync');
  expect(JSON.parse(rowsAsJson([row('a', 1)], [name, rank]))).toEqual({ name: 'a', size: 'behind' });
});

describe('column layout', () => {
  it('passes over unknown names and never hides every column', () => {
    expect(arrangeColumns(columns, { widths: {}, hidden: ['gone'], order: ['gone', 'size', 'name'] }).map((c) => c.key)).toEqual([
      'size',
      'name',
    ]);
    expect(arrangeColumns(columns, { widths: {}, hidden: ['name', 'size'], order: [] }).map((c) => c.key)).toEqual(['name']);
  });

  it('clamps widths, and a width of one’s own ends the growing', () => {
    expect(columnWidth(size, { ...NO_LAYOUT, widths: { size: 3 } })).toBe(48);
    expect(columnWidth(size, { ...NO_LAYOUT, widths: { size: 99_999 } })).toBe(1200);
    expect(gridTemplate(columns, NO_LAYOUT, [30])).toBe('30px minmax(200px, 1fr) 80px');
    expect(gridTemplate(columns, { ...NO_LAYOUT, widths: { name: 300 } }, [])).toBe('300px 80px minmax(0, 1fr)');
  });

  it('moves a column by one, not past the ends', () => {
    expect(moveColumn(['a', 'b', 'c'], 'b', 1)).toEqual(['a', 'c', 'b']);
    expect(moveColumn(['a', 'b'], 'a', -1)).toEqual(['a', 'b']);
  });

  it('reads any stored text without throwing', () => {
    expect(parseLayout('{"widths":{"a":100,"b":"x"},"hidden":["c",1],"order":null}')).toEqual({
      widths: { a: 100 },
      hidden: ['c'],
      order: [],
    });
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseLayout(text)));
  });
});

it('makes natural keys that compare as numbers do', () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), (a, b) => naturalKey(`p-${a}`) < naturalKey(`p-${b}`) === a < b));
});

it('looks at each value of 10,000 rows once to filter and once to sort: keys are made per row, not per comparison', () => {
  let looks = 0;
  const counted: GridColumn<Row> = { ...name, value: (one) => (looks++, one.name) };
  const rows = Array.from({ length: 10_000 }, (_, index) => row(`topic-${(index * 7919) % 10_000}.raw`, index));
  const compiled = compileFilter({ text: 'opic', regex: false });
  if ('error' in compiled) throw new Error(compiled.error);
  const sorted = sortRows(filterRows(rows, [counted, size], compiled.test), counted, false);
  expect(looks).toBe(20_000);
  expect(sorted[9_999]?.name).toBe('topic-9999.raw');
});
