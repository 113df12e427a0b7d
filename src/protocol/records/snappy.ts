/**
 * Snappy as Kafka's clients send it: in xerial's framing (Java) or as one raw block (librdkafka, @platformatic/kafka).
 * Both are read, told apart by xerial's magic; xerial is written, which every consumer reads.
 *
 *     82 53 4e 41 50 50 59 00 | int32 version 1 | int32 compatible 1 | { int32 length | raw block } …
 *
 * A raw block begins with its decompressed length (unsigned varint), which is checked before the library allocates it.
 * Streams may be concatenated: a header may stand again where a block would. Source: xerial snappy-java's SnappyOutputStream.
 */
import type { BlockCodec } from './codecs.ts';

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
const XERIAL_VERSION = 1;
/** snappy-java's default. */
const BLOCK_BYTES = 32 * 1024;

export type SnappyFault = 'malformed' | 'too large';

/** Compresses in xerial's framing. */
export function compressXerial(codec: BlockCodec, data: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER_BYTES);
  XERIAL_MAGIC.copy(header);
  header.writeInt32BE(XERIAL_VERSION, 8);
  header.writeInt32BE(XERIAL_VERSION, 12);
  const parts: Buffer[] = [header];
  for (let position = 0; position < data.length; position += BLOCK_BYTES) {
    const block = codec.compress(data.subarray(position, position + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Decompresses either form, to at most `maxBytes`. Errors of the library pass through. */
export function decompressSnappy(codec: BlockCodec, data: Buffer, maxBytes: number): Buffer | SnappyFault {
  if (!isXerial(data, 0)) return decompressBlock(codec, data, maxBytes);
  const parts: Buffer[] = [];
  let total = 0;
  let position = 0;
  while (position < data.length) {
    if (isXerial(data, position)) {
      position += XERIAL_HEADER_BYTES;
      if (position > data.length) return 'malformed';
      continue;
    }
    if (position + 4 > data.length) return 'malformed';
    const length = data.readInt32BE(position);
    position += 4;
    if (length < 0 || length > data.length - position) return 'malformed';
    const block = decompressBlock(codec, data.subarray(position, position + length), maxBytes - total);
    if (typeof block === 'string') return block;
    parts.push(block);
    total += block.length;
    position += length;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
}

function isXerial(data: Buffer, position: number): boolean {
  return data.length - position >= XERIAL_MAGIC.length && data.compare(XERIAL_MAGIC, 0, 8, position, position + 8) === 0;
}

function decompressBlock(codec: BlockCodec, block: Buffer, maxBytes: number): Buffer | SnappyFault {
  const announced = announcedBytes(block);
  if (announced === undefined) return 'malformed';
  if (announced > maxBytes) return 'too large';
  // A copy of 64 bytes takes 3: a block that announces more than that allows is lying, and must not be allocated.
  if (announced > block.length * 64) return 'malformed';
  return codec.decompress(block);
}

/** The decompressed length that a raw block begins with; undefined: it has none. */
function announcedBytes(block: Buffer): number | undefined {
  let value = 0;
  for (let index = 0; index < 5 && index < block.length; index++) {
    const byte = block[index]!;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  return undefined;
}
