import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { configProblem } from '../contract/config-problem.ts';
import { FailureError } from './failures.ts';
import { nameMatcher, sortRows } from './list-query.ts';
import { topicConfigCatalog, topicConfigSpec } from './topic-config-catalog.ts';

describe('a filter', () => {
  test('is a substring whatever the case, or a regular expression', () => {
    expect(nameMatcher({ text: 'ORD', regex: false })('my-orders')).toBe(true);
    expect(nameMatcher({ text: '.', regex: false })('orders')).toBe(false);
    expect(nameMatcher({ text: '^ord', regex: true })('my-orders')).toBe(false);
    expect(nameMatcher({ text: '(eu|us)$', regex: true })('orders-EU')).toBe(true);
    expect(nameMatcher(undefined)('x')).toBe(true);
  });

  test.each([
    '(a+)+$',
    '(a*)*',
    '(x+x+)+y',
    '((a)+)+',
    '((a+))+b',
    '(a|a)*b',
    '(?:a|ab)+c',
    '(a{2,})*',
    '(a+){9}',
    '(a)\\1',
    '(?<x>a)\\k<x>',
    '.*.*.*.*b',
    'a?'.repeat(9),
    '(',
    '[z-a]',
  ])('refuses %s, which would hang or means nothing', (text) => {
    expect(() => nameMatcher({ text, regex: true })).toThrow(FailureError);
  });

  test.each(['^orders-.*-(eu|us)$', '(eu|us)-\\d+', '[(+*]+x', '\\(a+\\)+', '(?:abc)+', '(a+)?b', '\\d{4}-\\d{2}-\\d{2}', 'a+?b'])(
    'takes %s',
    (text) => {
      expect(nameMatcher({ text, regex: true })('x')).toBe(new RegExp(text, 'i').test('x'));
    },
  );

  test('never takes for ever, whatever is asked', () => {
    const name = `${'a'.repeat(200)}!`;
    fc.assert(
      fc.property(fc.stringMatching(/^[ab().*+?|\\^$[\]]{1,12}$/), (text) => {
        try {
          const matches = nameMatcher({ text, regex: true });
          // An expression that hangs is ended, and the test fails.
          runInNewContext('matches(name)', { matches, name }, { timeout: 60_000 });
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('sorting puts what is unknown last either way, and equals by name', () => {
  const rows = [
    { name: 'b', n: 1 },
    { name: 'a', n: 1 },
    { name: 'c', n: null },
    { name: 'd', n: 2 },
  ];
  const sorted = (descending: boolean): string =>
    sortRows(
      rows,
      { by: 'n', descending },
      ({ n }) => n,
      ({ name }) => name,
    )
      .map(({ name }) => name)
      .join('');
  expect(sorted(false)).toBe('abdc');
  expect(sorted(true)).toBe('dabc');
});

describe('the catalog of topic configs', () => {
  test('accepts each of its own defaults', () => {
    expect(topicConfigCatalog.flatMap((spec) => configProblem(spec, spec.defaultValue) ?? [])).toEqual([]);
  });

  test.each([
    ['flush.messages', '0', 'flush.messages is at least 1'],
    ['flush.ms', '-1', 'flush.ms is at least 0'],
    ['flush.ms', '9223372036854775808', 'flush.ms is at most 9223372036854775807'],
    ['flush.ms', '1.5', 'flush.ms is a whole number'],
    ['segment.bytes', '2147483648', 'segment.bytes is at most 2147483647'],
    ['cleanup.policy', 'delete,archive', 'cleanup.policy is a list of delete, compact'],
    ['cleanup.policy', 'compact, delete', undefined],
    ['min.cleanable.dirty.ratio', '1.01', 'min.cleanable.dirty.ratio is at most 1'],
    ['preallocate', 'yes', 'preallocate is true or false'],
    ['compression.type', 'brotli', 'compression.type is one of uncompressed, zstd, lz4, snappy, gzip, producer'],
    ['retention.ms', '-1', undefined],
  ])('%s = %s: %s', (name, value, problem) => {
    const spec = topicConfigSpec(name);
    expect(spec).toBeDefined();
    if (spec) expect(configProblem(spec, value)).toBe(problem);
  });
});
