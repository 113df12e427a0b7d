import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashSecretFrom, sipHash128 } from './sip-hash.ts';
import { MapMemory, newOffsetMapState, SkimpyOffsetMap } from './skimpy-offset-map.ts';

const SECRET = hashSecretFrom(Buffer.from(Array.from({ length: 16 }, (_, index) => index)));

function hashOf(bytes: Buffer, start = 0, end = bytes.length): string {
  const words = new Int32Array(4);
  sipHash128(SECRET, bytes, start, end, words);
  return Buffer.from(words.buffer).toString('hex');
}

describe('SipHash-2-4-128', () => {
  test("gives the authors' vectors", () => {
    const input = Buffer.from(Array.from({ length: 64 }, (_, index) => index));
    expect(hashOf(input, 0, 0)).toBe('a3817f04ba25a8e66df67214c7550293');
    expect(hashOf(input, 0, 1)).toBe('da87c1d86b99af44347659119b22fc45');
    expect(hashOf(input, 0, 15)).toBe('5493e99933b0a8117e08ec0f97cfc3d9');
  });

  test('goes by the bytes, not by where they lie', () => {
    const input = Buffer.from('..the key..');
    expect(hashOf(input, 2, 9)).toBe(hashOf(Buffer.from('the key')));
    expect(hashOf(input, 2, 8)).not.toBe(hashOf(input, 2, 9));
  });
});

describe('the offset map', () => {
  const newMap = (bytes: number, memory = new MapMemory()): SkimpyOffsetMap =>
    new SkimpyOffsetMap(newOffsetMapState(bytes, SECRET, memory));
  const key = (text: string): [Buffer, number, number] => [Buffer.from(text), 0, Buffer.byteLength(text)];

  test('holds what a Map holds, whatever the keys and offsets', () => {
    const offsets = fc.integer({ min: 0, max: 2 ** 48 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 40 }), offsets), { maxLength: 200 }), (entries) => {
        const map = newMap(24 * 300);
        const model = new Map<string, number>();
        for (const [text, offset] of entries) {
          map.put(...key(text), offset);
          model.set(text, offset);
        }
        expect(map.size).toBe(model.size);
        for (const [text, offset] of model) expect(map.get(...key(text))).toBe(offset);
        expect(map.get(...key('never put here, and longer than any that was'))).toBe(-1);
      }),
    );
  });

  test('goes on from its state, in another thread, with the memory shared', () => {
    const map = newMap(24 * 10);
    map.put(...key('a'), 5);
    const moved = new SkimpyOffsetMap(structuredClone(map.state));
    moved.put(...key('b'), 7);
    expect([moved.get(...key('a')), moved.get(...key('b')), moved.size, moved.latestOffset]).toEqual([5, 7, 2, 7]);
  });

  test('finds nothing of an older map in memory that is used again, and takes new memory only for a larger one', () => {
    const memory = new MapMemory();
    const older = newMap(24 * 11, memory);
    for (let index = 0; index < 10; index++) older.put(...key(`key ${index}`), index);
    const smaller = newMap(24 * 7, memory);
    expect([smaller.slots, smaller.state.memory === older.state.memory]).toEqual([7, true]);
    for (let index = 0; index < 10; index++) expect(smaller.get(...key(`key ${index}`))).toBe(-1);
    const larger = newMap(24 * 13, memory);
    expect(larger.state.memory === older.state.memory).toBe(false);
    expect(newMap(24 * 13, memory).state.memory === larger.state.memory).toBe(true);
  });

  test('takes all but one of its slots and refuses more', () => {
    const map = newMap(24 * 11);
    expect(map.slots).toBe(11);
    for (let index = 0; index < 10; index++) map.put(...key(`key ${index}`), index);
    expect(() => map.put(...key('one more'), 10)).toThrow(RangeError);
    map.put(...key('key 3'), 11);
    expect(map.get(...key('key 3'))).toBe(11);
    expect(map.get(...key('one more'))).toBe(-1);
  });
});
