import { describe, expect, it } from 'vitest';
import { explainConfigValue, formatBytes, formatClock, formatDuration, formatRate, formatTime } from './format.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    // Rounds up to 1024.0 of its unit: must become 1.0 of the next.
    [1024 * 1024 - 1, '1.0 MiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
  ])('%d bytes read %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [8400, '8.4 s'],
    [15_000, '15 s'],
    [59_940, '59.9 s'],
    // Would read "60.0 s".
    [59_999, '1 m'],
    [90_000, '1 m 30 s'],
    // Would read "1 h 60 m".
    [7_199_999, '2 h'],
    [604_800_000, '7 d'],
    [273_600_000, '3 d 4 h'],
    [-1500, '−1.5 s'],
  ])('%d ms read %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

it('shows a rate under ten with one decimal, and nothing as 0', () => {
  expect([0, 0.25, 9.96, 12.4, 12_345.6].map(formatRate)).toEqual(['0', '0.3', '10.0', '12', '12,346']);
});

describe('formatTime', () => {
  const at = Date.UTC(2025, 10, 23, 18, 5, 7, 41);

  it('always has milliseconds', () => {
    expect(formatTime(at, 'utc')).toBe('2025-11-23 18:05:07.041Z');
    expect(formatTime(at, 'local')).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:07\.041$/);
    expect(formatTime(at, 'epoch')).toBe(String(at));
  });

  it('shows a timestamp that no date can hold as the number it is', () => {
    expect(formatTime(9e18, 'utc')).toBe('9000000000000000000');
  });

  it('cuts the clock out of it, with or without milliseconds', () => {
    expect(formatClock(at, 'utc')).toBe('18:05:07.041Z');
    expect(formatClock(at, 'utc', false)).toBe('18:05:07Z');
  });
});

describe('explainConfigValue', () => {
  it.each([
    ['604800000', 'ms', '7 d'],
    ['500', 'ms', null],
    ['1073741824', 'bytes', '1.0 GiB'],
    ['-1', 'bytes', 'no limit'],
    ['9223372036854775807', 'messages', 'never'],
    ['9223372036854775807', 'ms', 'never'],
    ['10', 'messages', null],
    ['', 'ms', null],
    ['abc', 'ms', null],
    ['0.5', 'ratio', null],
    ['604800000', null, null],
  ] as const)('%s in %s means %s', (value, unit, meaning) => {
    expect(explainConfigValue(value, unit)).toBe(meaning);
  });
});
