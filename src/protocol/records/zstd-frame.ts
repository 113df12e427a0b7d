/**
 * A zstd frame's outside: where it ends. `node:zlib` returns only the first of several frames in a row, silently; a
 * producer may send several, so they are told apart here and decompressed one by one.
 *
 *     magic 0xFD2FB528 LE | descriptor | window? | dictionary id? | content size? | { block header 3 | block } … | checksum 4?
 *     magic 0x184D2A50..5F LE | size LE 4 | skipped bytes
 *
 * Source: RFC 8878, section 3.1.
 */

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

export interface ZstdFrame {
  readonly end: number;
  readonly skippable: boolean;
}

/** The frame at `position`; undefined: there is none, or it is cut off. */
export function zstdFrameAt(data: Buffer, position: number): ZstdFrame | undefined {
  if (position + 8 > data.length) return undefined;
  const magic = data.readUInt32LE(position);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    const end = position + 8 + data.readUInt32LE(position + 4);
    return end > data.length ? undefined : { end, skippable: true };
  }
  if (magic !== MAGIC) return undefined;
  const descriptor = data[position + 4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeFlag = descriptor >> 6;
  let at = position + 5 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]!;
  at += contentSizeFlag === 0 ? (singleSegment ? 1 : 0) : CONTENT_SIZE_BYTES[contentSizeFlag]!;
  for (;;) {
    if (at + 3 > data.length) return undefined;
    const header = data.readUIntLE(at, 3);
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) return undefined;
    at += 3 + (type === BLOCK_RLE ? 1 : header >> 3);
    if ((header & 1) !== 0) break;
  }
  if ((descriptor & 4) !== 0) at += 4;
  return at > data.length ? undefined : { end: at, skippable: false };
}
