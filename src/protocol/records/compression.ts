/**
 * The five codecs of record batches, whole batch in, whole batch out, synchronous.
 *
 * Decompressing is bounded: nothing larger than asked for is ever allocated, and whatever the bytes are, the outcome is a
 * buffer or a `KafkaError`. Compressing gives what Kafka's own clients read: gzip, xerial-framed snappy, one LZ4 frame of
 * independent blocks, one zstd frame. Source: CompressionType.java, KIP-110 (zstd), KIP-390 (levels).
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ErrorCode, KafkaError } from '../errors.ts';
import { chooseCodec, nativeLz4, nativeSnappy, wasmLz4, wasmSnappy, type BlockCodec } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import { inspectLz4Frame } from './lz4-frame.ts';
import { compressLz4High } from './lz4-high.ts';
import { compressXerial, decompressSnappy } from './snappy.ts';
import { zstdFrameAt } from './zstd-frame.ts';

/** The codec's number in a batch's attributes. */
export const CompressionCodec = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const;
export type CompressionCodec = (typeof CompressionCodec)[keyof typeof CompressionCodec];

export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
const NAMES: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** As in `compression.type`; undefined for a number that is no codec. */
export function compressionName(codec: number): CompressionName | undefined {
  return NAMES[codec];
}

/** The codec of a name as in `compression.type`; undefined for another name (`producer`, `uncompressed`). */
export function compressionByName(name: string): CompressionCodec | undefined {
  const codec = NAMES.indexOf(name as CompressionName);
  return codec < 0 ? undefined : (codec as CompressionCodec);
}

let lz4: BlockCodec | undefined;
let snappy: BlockCodec | undefined;

function lz4Codec(): BlockCodec {
  return (lz4 ??= chooseCodec('lz4', [nativeLz4, wasmLz4]));
}

function snappyCodec(): BlockCodec {
  return (snappy ??= chooseCodec('snappy', [nativeSnappy, wasmSnappy]));
}

/** Which implementation each codec uses. Loads and tries them all: throws an AggregateError where one has none. */
export function checkCodecs(): { readonly lz4: string; readonly snappy: string } {
  crc32c(Buffer.alloc(0));
  return { lz4: lz4Codec().implementation, snappy: snappyCodec().implementation };
}

/** Compresses `data` at the codec's default level, or at `level` (gzip 1 to 9, lz4 1 to 17, zstd 1 to 22; snappy has none). */
export function compress(codec: CompressionCodec, data: Buffer, level?: number): Buffer {
  switch (codec) {
    case CompressionCodec.NONE:
      return data;
    case CompressionCodec.GZIP:
      return level === undefined ? gzipSync(data) : gzipSync(data, { level });
    case CompressionCodec.SNAPPY:
      return compressXerial(snappyCodec(), data);
    case CompressionCodec.LZ4:
      return level === undefined ? lz4Codec().compress(data) : compressLz4High(data, level);
    case CompressionCodec.ZSTD:
      return zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: level ?? constants.ZSTD_CLEVEL_DEFAULT } });
    default:
      throw unknownCodec(codec);
  }
}

/**
 * Decompresses to at most `maxBytes`. Throws `KafkaError`: UNSUPPORTED_COMPRESSION_TYPE for an unknown codec,
 * MESSAGE_TOO_LARGE when more than `maxBytes` come out, CORRUPT_MESSAGE when the bytes are not of this codec.
 */
export function decompress(codec: CompressionCodec, data: Buffer, maxBytes: number): Buffer {
  if (codec === CompressionCodec.NONE) {
    if (data.length > maxBytes) throw tooLarge(maxBytes);
    return data;
  }
  const name = compressionName(codec);
  if (name === undefined) throw unknownCodec(codec);
  let result: Buffer | 'malformed' | 'too large';
  try {
    result = decompressWith(name, data, maxBytes);
  } catch (error) {
    if (error instanceof KafkaError) throw error;
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new KafkaError(
      ErrorCode.CORRUPT_MESSAGE,
      `records that are not ${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (result === 'malformed') throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `records that are not ${name}`);
  if (result === 'too large' || result.length > maxBytes) throw tooLarge(maxBytes);
  return result;
}

function decompressWith(name: CompressionName, data: Buffer, maxBytes: number): Buffer | 'malformed' | 'too large' {
  // zlib refuses a limit of 0.
  const maxOutputLength = Math.max(maxBytes, 1);
  switch (name) {
    case 'gzip':
      return gunzipSync(data, { maxOutputLength });
    case 'snappy':
      return decompressSnappy(snappyCodec(), data, maxBytes);
    case 'lz4': {
      const frame = inspectLz4Frame(data, maxBytes);
      if (!frame.ok) throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, frame.message);
      if (frame.contentBytes > maxBytes) return 'too large';
      return lz4Codec().decompress(data.subarray(0, frame.frameBytes));
    }
    default:
      return decompressZstd(data, maxBytes);
  }
}

function decompressZstd(data: Buffer, maxBytes: number): Buffer | 'malformed' | 'too large' {
  const parts: Buffer[] = [];
  let total = 0;
  let position = 0;
  while (position < data.length) {
    const frame = zstdFrameAt(data, position);
    if (frame === undefined) return 'malformed';
    if (!frame.skippable) {
      const part = zstdDecompressSync(data.subarray(position, frame.end), { maxOutputLength: Math.max(maxBytes - total, 1) });
      parts.push(part);
      total += part.length;
      if (total > maxBytes) return 'too large';
    }
    position = frame.end;
  }
  if (parts.length === 0) return 'malformed';
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
}

function tooLarge(maxBytes: number): KafkaError {
  return new KafkaError(ErrorCode.MESSAGE_TOO_LARGE, `records that decompress to more than ${maxBytes} bytes`);
}

function unknownCodec(codec: number): KafkaError {
  return new KafkaError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `compression codec ${codec} is unknown`);
}
