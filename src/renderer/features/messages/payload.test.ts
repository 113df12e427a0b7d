import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageRow } from '../../../console/contract/messages.ts';
import { foldLongLines, hexDump, indentJson, newestFirst, payloadLine, prettyJson } from './payload.ts';

describe('JSON on screen', () => {
  it('keeps the digits of numbers that no double can hold', () => {
    expect(prettyJson('{"id":9007199254740993,"x":1.10}')).toBe('{\n  "id": 9007199254740993,\n  "x": 1.10\n}');
  });

  it('leaves what is inside strings alone', () => {
    expect(prettyJson('{"a":"x, {y}: [\\"z\\"]  "}')).toBe('{\n  "a": "x, {y}: [\\"z\\"]  "\n}');
  });

  it('writes empty objects and lists on one line', () => {
    expect(prettyJson('{"a":{ },"b":[\n]}')).toBe('{\n  "a": {},\n  "b": []\n}');
  });

  it('means the same as before, for any JSON and any spacing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', ' \r'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(JSON.parse(indentJson(text))).toEqual(JSON.parse(text));
        expect(indentJson(text)).toBe(indentJson(JSON.stringify(JSON.parse(text))));
      }),
    );
  });

  it('is null for what is not JSON', () => {
    expect(prettyJson('{"a":')).toBeNull();
  });
});

it('shows bytes with their position and characters', () => {
  const bytes = new TextEncoder().encode('0123456789abcdef\n!');
  expect(hexDump(bytes)).toBe(
    '00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n' +
      '00000010  0a 21                                             .!',
  );
  expect(hexDump(bytes.subarray(0, 9), 8)).toBe('00000000  30 31 32 33 34 35 36 37  01234567\n00000008  38                       8');
  expect(hexDump(new Uint8Array())).toBe('');
});

it('folds only lines that are too long, and loses nothing', () => {
  expect(foldLongLines('ab\ncd', 2)).toEqual({ text: 'ab\ncd', isFolded: false });
  expect(foldLongLines('abcde\nf', 2)).toEqual({ text: 'ab\ncd\ne\nf', isFolded: true });
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (text, max) => {
      expect(foldLongLines(text, max).text.replaceAll('\n', '')).toBe(text.replaceAll('\n', ''));
    }),
  );
});

it('puts a value on one line', () => {
  expect(payloadLine({ sizeBytes: 5, encoding: 'text', data: 'a\r\nb\tc', truncated: false })).toBe('a⏎b⇥c');
  expect(payloadLine({ sizeBytes: 3, encoding: 'base64', data: 'AP8K', truncated: false })).toBe('00 ff 0a');
});

it('puts the newest record first, and a partition’s own by offset', () => {
  const row = (partition: number, offset: number, timestampMs: number | null): MessageRow =>
    ({ partition, offset, timestampMs }) as MessageRow;
  const sorted = newestFirst([row(0, 1, 5), row(0, 2, 5), row(1, 9, 7), row(2, 3, null)]);
  expect(sorted.map(({ partition, offset }) => [partition, offset])).toEqual([
    [1, 9],
    [0, 2],
    [0, 1],
    [2, 3],
  ]);
});
