import { expect, test } from 'vitest';
import { parseByteRate } from './byte-rate.ts';

test('reads a rate with decimal and binary units, and nothing that would be no rate', () => {
  expect(['1000000', '1 MB/s', '1.5 MiB', '512KiB/s', '2g'].map(parseByteRate)).toEqual([1_000_000, 1_000_000, 1_572_864, 524_288, 2e9]);
  for (const text of ['', '0', '-1', '0.2', 'fast', '1 MB/h', '99999999999999999999']) expect(parseByteRate(text)).toBeNull();
});
