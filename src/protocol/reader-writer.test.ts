import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

function written(write: (writer: Writer) => void): Buffer {
  const writer = new Writer(4);
  write(writer);
  return writer.toBuffer();
}

function hex(write: (writer: Writer) => void): string {
  return written(write).toString('hex');
}

describe('the writer', () => {
  it('writes what the protocol guide says', () => {
    expect(hex((writer) => writer.int64(-2))).toBe('fffffffffffffffe');
    expect(hex((writer) => writer.int64(2 ** 53 - 1))).toBe('001fffffffffffff');
    expect(hex((writer) => writer.int64(-(2 ** 53) + 1))).toBe('ffe0000000000001');
    expect(hex((writer) => writer.unsignedVarint(300))).toBe('ac02');
    expect(hex((writer) => writer.unsignedVarint(0xffffffff))).toBe('ffffffff0f');
    expect(hex((writer) => writer.compactNullableString(null))).toBe('00');
    expect(hex((writer) => writer.compactString('ab'))).toBe('036162');
    expect(hex((writer) => writer.nullableString(null))).toBe('ffff');
    expect(hex((writer) => writer.string('é'))).toBe('0002c3a9');
    expect(hex((writer) => writer.compactNullableBytes(null))).toBe('00');
    expect(hex((writer) => writer.compactArrayLength(-1))).toBe('00');
    expect(hex((writer) => writer.arrayLength(-1))).toBe('ffffffff');
  });

  it('refuses what does not fit, before anything is sent', () => {
    const refused: ((writer: Writer) => void)[] = [
      (writer) => writer.int8(128),
      (writer) => writer.int16(-32769),
      (writer) => writer.uint16(65536),
      (writer) => writer.int32(2 ** 31),
      (writer) => writer.int32(1.5),
      (writer) => writer.uint32(-1),
      (writer) => writer.int64(2 ** 53),
      (writer) => writer.int64(0.5),
      (writer) => writer.timestamp(Number.NaN),
      (writer) => writer.unsignedVarint(2 ** 32),
      (writer) => writer.string('x'.repeat(32768)),
      (writer) => writer.uuid('not a uuid'),
    ];
    for (const write of refused) expect(() => written(write)).toThrow(ProtocolError);
  });

  it('puts records on the list by reference, in their place', () => {
    const slices = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')];
    const writer = new Writer();
    writer.int8(1);
    writer.records(slices);
    writer.int8(2);
    expect(writer.size).toBe(12);
    const parts = writer.finish();
    expect(parts[1]).toBe(slices[0]);
    expect(parts[2]).toBe(slices[2]);
    expect(Buffer.concat(parts).toString('hex')).toBe(`0100000006${Buffer.from('onetwo').toString('hex')}02`);
  });

  it('keeps tagged values apart, however large the first was', () => {
    const writer = new Writer(4);
    for (const fill of ['a', 'b']) {
      const scratch = writer.scratch();
      scratch.string(fill.repeat(9000));
      writer.taggedField(7, scratch);
    }
    const reader = new Reader(writer.toBuffer());
    for (const fill of ['a', 'b']) {
      expect(reader.unsignedVarint()).toBe(7);
      const end = reader.taggedFieldEnd();
      expect(reader.string()).toBe(fill.repeat(9000));
      reader.checkTaggedFieldEnd(end);
    }
  });

  it('is read back over any sequence of growing chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })), (texts) => {
        const reader = new Reader(written((writer) => texts.forEach((text) => writer.compactString(text))));
        expect(texts.map(() => reader.compactString())).toEqual(texts);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the reader', () => {
  const read = <T>(bytes: string, how: (reader: Reader) => T): T => how(new Reader(Buffer.from(bytes, 'hex')));

  it('reads timestamps past 2^53 lossily and refuses other int64 there', () => {
    expect(read('7fffffffffffffff', (reader) => reader.timestamp())).toBe(2 ** 63);
    expect(hex((writer) => writer.timestamp(2 ** 63))).toBe('7fffffffffffffff');
    expect(hex((writer) => writer.timestamp(-(2 ** 63)))).toBe('8000000000000000');
    expect(() => read('0020000000000000', (reader) => reader.int64())).toThrow(ProtocolError);
  });

  it.each([
    ['an array longer than the buffer', '7fffffff00', (reader: Reader): unknown => reader.arrayLength(1)],
    ['a compact array longer than the buffer', 'ffffffff0f', (reader: Reader): unknown => reader.compactArrayLength(1)],
    ['null where there must be an array', 'ffffffff', (reader: Reader): unknown => reader.arrayLength(1)],
    ['null where there must be a string', 'ffff', (reader: Reader): unknown => reader.string()],
    ['null where there must be a compact string', '00', (reader: Reader): unknown => reader.compactString()],
    ['a string cut off', '000561', (reader: Reader): unknown => reader.string()],
    ['bytes of 2 GiB', '7fffffff', (reader: Reader): unknown => reader.bytes()],
    ['a varint of 6 bytes', 'ffffffffff01', (reader: Reader): unknown => reader.unsignedVarint()],
    ['a varint over 32 bits', 'ffffffff1f', (reader: Reader): unknown => reader.unsignedVarint()],
    ['a varint cut off', 'ff', (reader: Reader): unknown => reader.unsignedVarint()],
    ['4 billion tagged fields', 'ffffffff0f', (reader: Reader): unknown => reader.skipTaggedFields()],
    ['a tagged field longer than the buffer', '010005aa', (reader: Reader): unknown => reader.skipTaggedFields()],
  ])('refuses %s', (_what, bytes, how) => {
    expect(() => read(bytes, how)).toThrow(ProtocolError);
  });

  it('gives views, not copies', () => {
    const buffer = Buffer.from('00000002aabb', 'hex');
    const bytes = new Reader(buffer).bytes();
    buffer[4] = 0;
    expect(bytes.toString('hex')).toBe('00bb');
  });
});
