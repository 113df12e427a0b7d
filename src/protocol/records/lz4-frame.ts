/**
 * An LZ4 frame's outside: where it ends and how much comes out, without decompressing.
 *
 *     magic 0x184D2204 LE | FLG | BD | content size 8? | dictionary id 4? | header checksum
 *     { block size LE 4 (top bit: stored) | block | block checksum 4? } … | 0 0 0 0 | content checksum 4?
 *
 * The library has neither an output limit nor does it miss an end mark, so both are checked here first.
 * Kafka reads one frame a batch and ignores what follows. Source: LZ4 frame format 1.6, Lz4BlockInputStream.
 */

const MAGIC = 0x184d2204;
const VERSION = 1;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;
const STORED = 0x8000_0000;
const MIN_HEADER_BYTES = 7;
/** One byte of an LZ4 block stands for at most 255 bytes that come out. */
const MAX_RATIO = 255;

export type Lz4FrameOutcome =
  | { readonly ok: true; readonly frameBytes: number; readonly contentBytes: number }
  | { readonly ok: false; readonly message: string };

function fault(message: string): Lz4FrameOutcome {
  return { ok: false, message };
}

/**
 * Walks the frame at the start of `data`. `contentBytes` is an upper bound where that is within `limit`, and exact
 * otherwise: blocks are looked into only when the bound is over it.
 */
export function inspectLz4Frame(data: Buffer, limit: number): Lz4FrameOutcome {
  if (data.length < MIN_HEADER_BYTES || data.readUInt32LE(0) !== MAGIC) return fault('not an LZ4 frame');
  const flags = data[4]!;
  if (flags >> 6 !== VERSION) return fault(`LZ4 frame version ${flags >> 6}, only 1 is known`);
  if ((flags & FLAG_DICTIONARY) !== 0) return fault('an LZ4 frame with a dictionary');
  const sizeCode = (data[5]! >> 4) & 7;
  if (sizeCode < 4) return fault(`LZ4 block size code ${sizeCode}, 4 to 7 are known`);
  const maxBlock = 1 << (8 + 2 * sizeCode);
  let position = 7 + ((flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8);
  const trailer = (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4;
  let bound = 0;
  const blocks: { start: number; end: number; stored: boolean }[] = [];
  for (;;) {
    if (position + 4 > data.length) return fault('the LZ4 frame ends without an end mark');
    const word = data.readUInt32LE(position);
    position += 4;
    if (word === 0) break;
    const stored = word >= STORED;
    const size = stored ? word - STORED : word;
    if (size === 0 || position + size + trailer > data.length) return fault(`an LZ4 block of ${size} bytes reaches past the end`);
    if (stored && size > maxBlock) return fault(`a stored LZ4 block of ${size} bytes is over the frame's ${maxBlock}`);
    bound += stored ? size : Math.min(maxBlock, size * MAX_RATIO);
    blocks.push({ start: position, end: position + size, stored });
    position += size + trailer;
  }
  if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) position += 4;
  if (position > data.length) return fault('the LZ4 frame ends inside its checksum');
  if (bound <= limit) return { ok: true, frameBytes: position, contentBytes: bound };
  let exact = 0;
  for (const block of blocks) {
    const size = block.stored ? block.end - block.start : lz4BlockContentBytes(data, block.start, block.end);
    if (size === undefined || size > maxBlock) return fault('an LZ4 block is malformed');
    exact += size;
  }
  return { ok: true, frameBytes: position, contentBytes: exact };
}

/** How much an LZ4 block decompresses to, by its sequences' lengths; undefined: it is malformed. */
export function lz4BlockContentBytes(data: Buffer, start: number, end: number): number | undefined {
  let position = start;
  let total = 0;
  while (position < end) {
    const token = data[position++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (position >= end) return undefined;
        byte = data[position++]!;
        literals += byte;
      } while (byte === 255);
    }
    position += literals;
    total += literals;
    if (position === end) return total;
    position += 2;
    if (position > end) return undefined;
    let match = (token & 15) + 4;
    if ((token & 15) === 15) {
      let byte: number;
      do {
        if (position >= end) return undefined;
        byte = data[position++]!;
        match += byte;
      } while (byte === 255);
    }
    total += match;
  }
  return undefined;
}
