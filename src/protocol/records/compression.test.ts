import { readFileSync } from 'node:fs';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../errors.ts';
import { chooseCodec, nativeLz4, nativeSnappy, wasmLz4, wasmSnappy, type BlockCodec } from './codecs.ts';
import {
  checkCodecs,
  compress,
  compressionByName,
  compressionName,
  CompressionCodec,
  decompress,
  type CompressionCodec as Codec,
} from './compression.ts';
import { chooseCrc32c, crc32c, nativeCrc32c, wasmCrc32c } from './crc32c.ts';
import { inspectLz4Frame } from './lz4-frame.ts';

const codecs = Object.entries(CompressionCodec) as [string, Codec][];
const MIB = 1 << 20;
/** Something real: compresses, but not to nothing. */
const text = Buffer.concat([readFileSync(import.meta.filename), readFileSync(new URL('./compression.ts', import.meta.url))]);

function codeOf(run: () => unknown): number | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(KafkaError);
    return (error as KafkaError).code;
  }
}

describe.each(codecs)('codec %s', (_name, codec) => {
  it('gives back what it was given, over many blocks', () => {
    const large = Buffer.concat(Array.from({ length: 60 }, () => text));
    for (const data of [Buffer.alloc(0), Buffer.from('x'), text, large, Buffer.alloc(3 * MIB)]) {
      expect(decompress(codec, compress(codec, data), 8 * MIB).equals(data)).toBe(true);
    }
  });

  it('stops at its limit, to the byte', () => {
    for (const data of [text, Buffer.alloc(MIB)]) {
      const compressed = compress(codec, data);
      expect(decompress(codec, compressed, data.length).length).toBe(data.length);
      expect(codeOf(() => decompress(codec, compressed, data.length - 1))).toBe(ErrorCode.MESSAGE_TOO_LARGE);
      expect(codeOf(() => decompress(codec, compressed, 0))).toBe(ErrorCode.MESSAGE_TOO_LARGE);
    }
  });

  it('random bytes end in a buffer or a KafkaError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void codeOf(() => decompress(codec, Buffer.from(bytes), 1000))),
      { numRuns: 300 },
    );
  });

  it('a part of what was compressed is refused', () => {
    if (codec === CompressionCodec.NONE) return;
    const compressed = compress(codec, text);
    for (const length of [0, 1, 4, 7, 12, 16, 20, 100, compressed.length >> 1, compressed.length - 5, compressed.length - 1]) {
      // An xerial stream without any block is an empty one.
      if (codec === CompressionCodec.SNAPPY && length === 16) continue;
      expect(codeOf(() => decompress(codec, compressed.subarray(0, length), MIB))).toBe(ErrorCode.CORRUPT_MESSAGE);
    }
  });
});

describe('what other producers send', () => {
  it('snappy as one raw block, as librdkafka does', () => {
    const raw = nativeSnappy().compress(text);
    expect(decompress(CompressionCodec.SNAPPY, raw, MIB).equals(text)).toBe(true);
  });

  it('xerial streams one behind the other', () => {
    const stream = compress(CompressionCodec.SNAPPY, text);
    expect(decompress(CompressionCodec.SNAPPY, Buffer.concat([stream, stream]), MIB).equals(Buffer.concat([text, text]))).toBe(true);
  });

  it('zstd frames one behind the other, skippable ones between, without content size', () => {
    const streamed = zstdCompressSync(text, { params: { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 } });
    const skippable = Buffer.from('502a4d1803000000aabbcc', 'hex');
    const all = Buffer.concat([streamed, skippable, compress(CompressionCodec.ZSTD, Buffer.alloc(MIB))]);
    expect(decompress(CompressionCodec.ZSTD, all, 2 * MIB).equals(Buffer.concat([text, Buffer.alloc(MIB)]))).toBe(true);
    expect(codeOf(() => decompress(CompressionCodec.ZSTD, all, MIB))).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  });

  it('gzip at any level', () => {
    expect(decompress(CompressionCodec.GZIP, gzipSync(text, { level: 1 }), MIB).equals(text)).toBe(true);
    expect(compress(CompressionCodec.GZIP, text, 1).length).toBeGreaterThan(compress(CompressionCodec.GZIP, text, 9).length);
  });

  // Made by liblz4's own tool (lz4 1.9.4, `lz4 -c` with the flags in the name) of so many times "kafka ".
  it.each([
    [
      '--content-size (content size and checksum)',
      300,
      '04224d186c4008070000000000008c160000006f6b61666b61200600fffffffffffff05061666b61200000000091cc7525',
    ],
    ['-B4 -BX --no-frame-crc (block checksums)', 300, '04224d187040ad160000006f6b61666b61200600fffffffffffff05061666b6120a91f433d00000000'],
    [
      '-B4 -BD (linked blocks)',
      30_000,
      '04224d1844405e100100006f6b61666b61200600ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe250206b61666b0a0100000ffcffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe8506b61206b61cf0000006f666b61206b610600ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc15061666b6120000000005ec17fe6',
    ],
  ])('LZ4 frames %s', (_flags, times, hex) => {
    expect(decompress(CompressionCodec.LZ4, Buffer.from(hex, 'hex'), MIB).toString()).toBe('kafka '.repeat(times));
  });
});

describe('an LZ4 frame', () => {
  it('is measured exactly where its upper bound is over the limit', () => {
    const frame = compress(CompressionCodec.LZ4, Buffer.alloc(200_000, 'ab'));
    expect(inspectLz4Frame(frame, 1000)).toMatchObject({ ok: true, contentBytes: 200_000, frameBytes: frame.length });
    expect(inspectLz4Frame(Buffer.concat([frame, Buffer.from('more')]), MIB)).toMatchObject({ ok: true, frameBytes: frame.length });
  });

  it.each([
    ['another magic', '04224d19604082000000'],
    ['version 2', '04224d18a04082000000'],
    ['a dictionary', '04224d18614082000000'],
    ['no end mark', '04224d18604082'],
    ['a block past its end', '04224d18604082ff00000001'],
    ['a stored block over the block size', `04224d1860408201000180${'00'.repeat(65537)}00000000`],
  ])('with %s is refused', (_what, hex) => {
    expect(codeOf(() => decompress(CompressionCodec.LZ4, Buffer.from(hex, 'hex'), MIB))).toBe(ErrorCode.CORRUPT_MESSAGE);
  });
});

describe('a block that announces more than it can hold', () => {
  it('is refused before anything is allocated', () => {
    const bomb = Buffer.from('ffffff7f00', 'hex');
    expect(codeOf(() => decompress(CompressionCodec.SNAPPY, bomb, 1 << 30))).toBe(ErrorCode.CORRUPT_MESSAGE);
    expect(codeOf(() => decompress(CompressionCodec.SNAPPY, bomb, MIB))).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  });
});

describe('implementations', () => {
  it('of CRC-32C agree, whatever the length', () => {
    const [native, wasm] = [nativeCrc32c(), wasmCrc32c()];
    for (const length of [0, 1, 7, 8, 9, 4096, 4097, 70_000]) {
      const data = Buffer.alloc(length, 'samsa');
      expect(wasm(data)).toBe(native(data));
      expect(crc32c(data)).toBe(native(data));
    }
  });

  it.each([
    ['lz4', nativeLz4, wasmLz4],
    ['snappy', nativeSnappy, wasmSnappy],
  ] as const)('of %s read each other', (_name, native, wasm) => {
    for (const data of [Buffer.from('x'), text]) {
      expect(native().decompress(wasm().compress(data)).equals(data)).toBe(true);
      expect(wasm().decompress(native().compress(data)).equals(data)).toBe(true);
    }
  });

  it('that do not load, or do not work, are passed over; with none left it says why', () => {
    const missing = (): BlockCodec => {
      throw new Error('no binary for this machine');
    };
    const broken = (): BlockCodec => ({ implementation: 'broken', compress: (data) => data, decompress: () => Buffer.alloc(3) });
    expect(chooseCodec('lz4', [missing, broken, wasmLz4]).implementation).toBe('@platformatic/wasm-utils');
    expect(() => chooseCodec('lz4', [missing, broken])).toThrow('no implementation of lz4 works on this machine');
    expect(chooseCrc32c([() => () => 1, wasmCrc32c])(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(() => chooseCrc32c([() => () => 1])).toThrow(AggregateError);
  });

  it('in use on this machine are the native ones', () => {
    expect(checkCodecs()).toEqual({ lz4: 'lz4-napi', snappy: 'snappy' });
  });

  it('have names as in compression.type', () => {
    expect(compressionName(3)).toBe('lz4');
    expect(compressionName(5)).toBeUndefined();
    expect(compressionByName('zstd')).toBe(CompressionCodec.ZSTD);
    expect(compressionByName('producer')).toBeUndefined();
  });
});
