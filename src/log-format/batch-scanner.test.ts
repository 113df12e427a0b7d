import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildRecordBatch } from '../protocol/records/record-batch-builder.ts';
import { lastOffsetAt } from './batch-fields.ts';
import { BatchScanner } from './batch-scanner.ts';
import type { ReadAt } from './batch-scanner.ts';

function logOf(sizes: readonly number[]): Buffer {
  return Buffer.concat(
    sizes.map((size, index) => buildRecordBatch([{ timestamp: 1, value: Buffer.alloc(size, 1) }], { baseOffset: index })),
  );
}

/** Reads at most `most` bytes a call, as a real file may. */
function reader(bytes: Buffer, most = Infinity): ReadAt {
  return (target, targetOffset, length, position) =>
    bytes.copy(target, targetOffset, position, Math.min(bytes.length, position + Math.min(length, most)));
}

test.each([true, false])('steps over every batch whatever the chunks are cut to (bodies %s)', (bodies) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 1, max: 700 }),
      (sizes, chunkBytes, most) => {
        const bytes = logOf(sizes);
        const scanner = new BatchScanner(reader(bytes, most), { from: 0, to: bytes.length, bodies, chunkBytes });
        const offsets: number[] = [];
        for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
          offsets.push(lastOffsetAt(batch.buffer, batch.at));
          if (bodies)
            expect(batch.buffer.subarray(batch.at, batch.at + batch.sizeBytes)).toEqual(
              bytes.subarray(batch.position, batch.position + batch.sizeBytes),
            );
        }
        expect(offsets).toEqual(sizes.map((_, index) => index));
        expect(scanner.end).toEqual({ kind: 'complete', position: bytes.length });
      },
    ),
    { numRuns: 100 },
  );
});

test('a tail cut at any byte ends the walk where the last whole batch ends', () => {
  const bytes = logOf([10, 20, 30]);
  const lastAt = logOf([10, 20]).length;
  for (let length = lastAt; length < bytes.length; length++) {
    const scanner = new BatchScanner(reader(bytes.subarray(0, length)), { from: 0, to: length, bodies: true });
    let count = 0;
    while (scanner.next() !== undefined) count++;
    expect([count, scanner.end?.position]).toEqual([2, lastAt]);
    expect(scanner.end?.kind).toBe(length === lastAt ? 'complete' : 'invalid');
  }
});

test('ends on any bytes without an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (random) => {
      const bytes = Buffer.from(random);
      const scanner = new BatchScanner(reader(bytes), { from: 0, to: bytes.length, bodies: true });
      for (let steps = 0; scanner.next() !== undefined; steps++) expect(steps).toBeLessThan(20);
      expect(scanner.end).toBeDefined();
    }),
    { numRuns: 300 },
  );
});
