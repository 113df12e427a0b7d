import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, InvalidFrameError } from './frame-reader.ts';

const frameOf = (content: Uint8Array): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
};

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut', () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(contents, cuts, (frames, sizes) => {
        const stream = Buffer.concat(frames.map(frameOf));
        const reader = new FrameReader(100);
        const seen: string[] = [];
        for (let position = 0, turn = 0; position < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.push(stream.subarray(position, position + size), (frame) => seen.push(frame.toString('hex')));
          position += size;
        }
        expect(seen).toEqual(frames.map((frame) => Buffer.from(frame).toString('hex')));
      }),
    );
  });

  it('does not copy a frame that lies whole in a chunk', () => {
    const chunk = frameOf(Buffer.from('abc'));
    new FrameReader(10).push(chunk, (frame) => expect(frame.buffer).toBe(chunk.buffer));
  });

  it.each([-1, 11, 0x7fff_ffff])('refuses a size of %i', (size) => {
    const header = Buffer.alloc(4);
    header.writeInt32BE(size);
    expect(() => new FrameReader(10).push(header, () => {})).toThrow(InvalidFrameError);
  });

  it('gives nothing more after stop, in the same chunk either', () => {
    const reader = new FrameReader(10);
    let seen = 0;
    reader.push(Buffer.concat([frameOf(Buffer.from('a')), frameOf(Buffer.from('b'))]), () => {
      seen++;
      reader.stop();
    });
    expect(seen).toBe(1);
  });
});
