/**
 * LZ4's high compression: the levels of `compression.lz4.level` that the LZ4 libraries here don't have. Each position's earlier occurrences are kept in a
 * chain, the level says how many of them are tried, and a match waits for a longer one that begins a byte later.
 *
 *   frame   04 22 4d 18 | FLG 60, BD 40, their checksum 82 | blocks of up to 64 KiB, independent | 0 0 0 0        as Kafka's producers write it
 *   block   size LE 4 (top bit: stored as it is) | sequences
 *   sequence   token: literals << 4 | match - 4 | more literals | literals | distance LE 2 | more match
 *
 * Differs: Kafka calls liblz4's or lz4-java's compressor, whose choices among matches are others; what any of them writes, all read.
 * Source: LZ4 block and frame formats, Lz4BlockOutputStream (level 9 is its fast compressor).
 */

/** Magic, independent blocks of at most 64 KiB, no checksums, and the checksum of that. */
const FRAME_HEADER = Buffer.from('04224d18604082', 'hex');
const BLOCK_BYTES = 64 * 1024;
const STORED = 0x8000_0000;
const MIN_MATCH = 4;
/** The format's rules for a block's end: the last match begins 12 bytes before it or sooner, and the last 5 bytes are literals. */
const MATCH_BEGINS_BEFORE_END = 12;
const LAST_LITERALS = 5;
const HASH_BITS = 15;
/** From level 13 on nothing is gained: a block has 65,536 positions. */
const MOST_TRIES = 4096;
const FEWEST_TRIES = 4;

/** Of the block at hand; one for the process, since nothing here waits. */
const heads = new Int32Array(1 << HASH_BITS);
/** How far back the position before with the same hash is; 0: there is none. */
const distances = new Uint16Array(BLOCK_BYTES);

/** One frame of `data`, at `level` 1 to 17. */
export function compressLz4High(data: Buffer, level: number): Buffer {
  const tries = Math.min(Math.max(2 ** (level - 1), FEWEST_TRIES), MOST_TRIES);
  const blocks = Math.ceil(data.length / BLOCK_BYTES);
  const frame = Buffer.allocUnsafe(FRAME_HEADER.length + data.length + 4 * blocks + 4);
  let at = FRAME_HEADER.copy(frame);
  for (let from = 0; from < data.length; from += BLOCK_BYTES) {
    const block = data.subarray(from, from + BLOCK_BYTES);
    const end = new BlockWriter(frame, at + 4, at + 4 + block.length).write(block, tries);
    if (end === undefined) {
      frame.writeUInt32LE(STORED + block.length, at);
      at += 4 + block.copy(frame, at + 4);
      continue;
    }
    frame.writeUInt32LE(end - at - 4, at);
    at = end;
  }
  frame.writeUInt32LE(0, at);
  return frame.subarray(0, at + 4);
}

class BlockWriter {
  readonly #into: Buffer;
  /** What is written must stay below: else the block is stored as it is. */
  readonly #limit: number;
  #at: number;
  /** Positions below it are in their chains. */
  #chained = 0;
  /** What `find` found. */
  #matchAt = 0;

  constructor(into: Buffer, at: number, limit: number) {
    this.#into = into;
    this.#at = at;
    this.#limit = limit;
  }

  /** Where the block ends; undefined when it got no smaller. */
  write(block: Buffer, tries: number): number | undefined {
    heads.fill(-1);
    const lastBegin = block.length - MATCH_BEGINS_BEFORE_END;
    let literalsFrom = 0;
    let position = 0;
    while (position <= lastBegin) {
      let length = this.#find(block, position, MIN_MATCH - 1, tries);
      if (length < MIN_MATCH) {
        position++;
        continue;
      }
      let matchAt = this.#matchAt;
      while (position < lastBegin) {
        const longer = this.#find(block, position + 1, length, tries);
        if (longer <= length) break;
        position++;
        length = longer;
        matchAt = this.#matchAt;
      }
      if (!this.#sequence(block, literalsFrom, position, position - matchAt, length)) return undefined;
      position += length;
      literalsFrom = position;
    }
    return this.#sequence(block, literalsFrom, block.length, 0, 0) ? this.#at : undefined;
  }

  /** The length of the longest match of `position` that is longer than `known`, its place in `#matchAt`; `known` when there is none. */
  #find(block: Buffer, position: number, known: number, tries: number): number {
    for (; this.#chained <= position; this.#chained++) {
      const hash = hashAt(block, this.#chained);
      const before = heads[hash] ?? -1;
      distances[this.#chained] = before < 0 ? 0 : this.#chained - before;
      heads[hash] = this.#chained;
    }
    const end = block.length - LAST_LITERALS;
    let longest = known;
    let distance = distances[position] ?? 0;
    let candidate = position;
    for (let left = tries; left > 0 && distance > 0; left--) {
      candidate -= distance;
      distance = distances[candidate] ?? 0;
      // Most fail where a longer match would have its last byte.
      if (block[candidate + longest] !== block[position + longest]) continue;
      let length = 0;
      while (position + length < end && block[candidate + length] === block[position + length]) length++;
      if (length <= longest) continue;
      longest = length;
      this.#matchAt = candidate;
      if (position + length >= end) break;
    }
    return longest;
  }

  /** Writes literals and a match; without a match the block's last literals. False when there is no room. */
  #sequence(block: Buffer, from: number, to: number, distance: number, matchLength: number): boolean {
    const literals = to - from;
    const more = matchLength - MIN_MATCH;
    // One byte of each length beyond 15 stands for 255.
    if (this.#at + 1 + Math.floor(literals / 255) + 1 + literals + 2 + Math.floor(matchLength / 255) + 1 >= this.#limit) return false;
    this.#into[this.#at++] = (Math.min(literals, 15) << 4) | (matchLength === 0 ? 0 : Math.min(more, 15));
    if (literals >= 15) this.#length(literals - 15);
    this.#at += block.copy(this.#into, this.#at, from, to);
    if (matchLength === 0) return true;
    this.#into[this.#at++] = distance & 0xff;
    this.#into[this.#at++] = distance >> 8;
    if (more >= 15) this.#length(more - 15);
    return true;
  }

  #length(rest: number): void {
    let left = rest;
    for (; left >= 255; left -= 255) this.#into[this.#at++] = 255;
    this.#into[this.#at++] = left;
  }
}

function hashAt(block: Buffer, at: number): number {
  const four = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8) | ((block[at + 2] ?? 0) << 16) | ((block[at + 3] ?? 0) << 24);
  return Math.imul(four, 0x9e37_79b1) >>> (32 - HASH_BITS);
}
