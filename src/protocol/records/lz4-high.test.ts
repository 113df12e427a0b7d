import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nativeLz4, wasmLz4 } from './codecs.ts';
import { inspectLz4Frame } from './lz4-frame.ts';
import { compressLz4High } from './lz4-high.ts';

const LEVELS = Array.from({ length: 17 }, (_, index) => index + 1);
const native = nativeLz4();
const wasm = wasmLz4();

/** Lines with words, numbers and repetitions, over more than one block. */
const TEXT = Buffer.from(
  Array.from({ length: 3000 }, (_, id) =>
    JSON.stringify({ id, name: `user ${(id * 7919) % 1000}`, city: ['Rome', 'Oslo', 'Bern'][id % 3], amount: (id * 31.7) % 977 }),
  ).join('\n'),
);

describe("LZ4's high compression", () => {
  test('is undone by both LZ4 libraries, whatever the bytes and the level', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 400 }).map((few) => Uint8Array.from(few)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 60 }))
        .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece))),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(...LEVELS), (input, level) => {
        const data = Buffer.from(input);
        const frame = compressLz4High(data, level);
        expect(native.decompress(frame).equals(data)).toBe(true);
        // It gives nothing for an empty frame.
        if (data.length > 0) expect(wasm.decompress(frame).equals(data)).toBe(true);
        expect(inspectLz4Frame(frame, 1_000_000)).toMatchObject({ ok: true, frameBytes: frame.length });
      }),
      { numRuns: 400 },
    );
  });

  test.each([0, 1, 12, 13, 65_535, 65_536, 65_537, 131_072 + 5])('blocks begin and end where they must: %i bytes', (length) => {
    for (const data of [Buffer.alloc(length, 'a'), Buffer.concat([TEXT, TEXT]).subarray(0, length)]) {
      expect(native.decompress(compressLz4High(data, 12)).equals(data)).toBe(true);
    }
  });

  test('makes less of text than the fast compressor, and never more at a higher level', () => {
    const sizes = LEVELS.map((level) => compressLz4High(TEXT, level).length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes[0]).toBeLessThan(native.compress(TEXT).length * 0.9);
    expect(sizes[11]).toBeLessThan((sizes[0] ?? 0) * 0.99);
  });

  test('stores what gets no smaller', () => {
    let seed = 1;
    const noise = Buffer.from(Array.from({ length: 70_000 }, () => (seed = (seed * 48_271) % 0x7fff_ffff) & 0xff));
    expect(compressLz4High(noise, 17)).toHaveLength(7 + 4 + 65_536 + 4 + 4464 + 4);
  });
});
