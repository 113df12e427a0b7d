/**
 * The checksum of a batch that is a buffer of its own, without a view of the part that it covers: making one costs as much as summing up half a
 * kilobyte, a tenth of what an append of 1 KiB costs.
 *
 * The sum is taken from the first byte on, beginning with the one value that the bytes in front of the attributes turn into the start
 * of a sum. It depends on them, so they are made the same for every batch: length, leader epoch and checksum are zero meanwhile.
 */
import { readInt32, writeInt32 } from '../int32.ts';
import { crc32c, nativeCrc32c } from './crc32c.ts';
import {
  ATTRIBUTES_OFFSET,
  BATCH_LENGTH_OFFSET,
  CRC_OFFSET,
  MAGIC_OFFSET,
  MAGIC_V2,
  PARTITION_LEADER_EPOCH_OFFSET,
} from './record-batch.ts';

/** Of CRC-32C, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const START_STATE = 0xffffffff;

/** Continues the sum of what came before. */
type ContinuedCrc32c = (data: Uint8Array, sumBefore: number) => number;

const sumBefore = sumThatStartsAfter(samePrefix());
const continued = continuedCrc32c();

/**
 * The checksum of all from the attributes on, from 0 to 2^32 - 1; `batch` is the same afterwards. The caller has seen that it has a whole
 * header, base offset 0 and magic 2.
 */
export const batchCrc: (batch: Buffer) => number =
  continued === undefined
    ? (batch) => crc32c(batch.subarray(ATTRIBUTES_OFFSET))
    : (batch) => {
        const length = readInt32(batch, BATCH_LENGTH_OFFSET);
        const leaderEpoch = readInt32(batch, PARTITION_LEADER_EPOCH_OFFSET);
        const crc = readInt32(batch, CRC_OFFSET);
        writeInt32(batch, 0, BATCH_LENGTH_OFFSET);
        writeInt32(batch, 0, PARTITION_LEADER_EPOCH_OFFSET);
        writeInt32(batch, 0, CRC_OFFSET);
        const sum = continued(batch, sumBefore);
        writeInt32(batch, length, BATCH_LENGTH_OFFSET);
        writeInt32(batch, leaderEpoch, PARTITION_LEADER_EPOCH_OFFSET);
        writeInt32(batch, crc, CRC_OFFSET);
        return sum;
      };

/** The native implementation, if it is the one that is used here and gives what is expected of it. */
function continuedCrc32c(): ContinuedCrc32c | undefined {
  try {
    const native = nativeCrc32c() as ContinuedCrc32c;
    const sample = Buffer.concat([samePrefix(), Buffer.from('123456789')]);
    return native(sample, sumBefore) === crc32c(sample.subarray(ATTRIBUTES_OFFSET)) ? native : undefined;
  } catch {
    return undefined;
  }
}

/** What is in front of the attributes while a batch is summed up. */
function samePrefix(): Buffer {
  const prefix = Buffer.alloc(ATTRIBUTES_OFFSET);
  prefix[MAGIC_OFFSET] = MAGIC_V2;
  return prefix;
}

/** The sum from which the bytes of `prefix` lead to the start of a sum: the algorithm, backwards. */
function sumThatStartsAfter(prefix: Buffer): number {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let state = byte;
    for (let bit = 0; bit < 8; bit++) state = (state & 1) === 0 ? state >>> 1 : (state >>> 1) ^ POLYNOMIAL;
    return state >>> 0;
  });
  let state = START_STATE;
  for (const byte of prefix.toReversed()) {
    // A step's highest byte is that of the entry it used: no two have the same.
    const used = table.findIndex((entry) => entry >>> 24 === state >>> 24);
    state = (((state ^ (table[used] ?? 0)) << 8) | (used ^ byte)) >>> 0;
  }
  return (state ^ START_STATE) >>> 0;
}
