/**
 * `<offset>.snapshot`: what the log knew of its producers when its end offset was `offset`.
 *
 *   int16 version 1    uint32 CRC-32C of bytes 6 to the end    int32 count    count × 46 bytes:
 *     int64 producerId       int16 producerEpoch    int32 lastSequence (-1 none)    int64 lastOffset (-1 none)    int32 offsetDelta
 *     int64 timestamp        int32 coordinatorEpoch (-1 none)                     int64 currentTxnFirstOffset (-1 none)
 *
 * Only the last batch of a producer is kept, of the five known while running. A torn or damaged one is thrown away and the state
 * is built from an older one and the log. Source: Kafka's ProducerStateManager.
 */
import { crc32c } from '../protocol/records/crc32c.ts';
import { readInt64Lossy, writeInt64 } from '../protocol/int64.ts';
import { LogFormatError } from './log-format-error.ts';

const VERSION = 1;
const CRC_AT = 2;
const ENTRIES_AT = 6;
const FIRST_ENTRY_AT = 10;
const ENTRY_BYTES = 46;

export interface ProducerSnapshotEntry {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnFirstOffset: number;
}

export function encodeProducerSnapshot(entries: Iterable<ProducerSnapshotEntry>, count: number): Buffer {
  const bytes = Buffer.alloc(FIRST_ENTRY_AT + count * ENTRY_BYTES);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(count, ENTRIES_AT);
  let at = FIRST_ENTRY_AT;
  for (const entry of entries) {
    writeInt64(bytes, entry.producerId, at);
    bytes.writeInt16BE(entry.producerEpoch, at + 8);
    bytes.writeInt32BE(entry.lastSequence, at + 10);
    writeInt64(bytes, entry.lastOffset, at + 14);
    bytes.writeInt32BE(entry.offsetDelta, at + 22);
    writeInt64(bytes, entry.timestamp, at + 26);
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34);
    writeInt64(bytes, entry.currentTxnFirstOffset, at + 38);
    at += ENTRY_BYTES;
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(ENTRIES_AT)), CRC_AT);
  return bytes;
}

/** @throws LogFormatError 'corrupt-snapshot' on an unknown version, a wrong length or a wrong checksum. */
export function decodeProducerSnapshot(bytes: Buffer): ProducerSnapshotEntry[] {
  if (bytes.length < FIRST_ENTRY_AT) throw corrupt(`has ${bytes.length} bytes, at least ${FIRST_ENTRY_AT} are needed`);
  const version = bytes.readInt16BE(0);
  if (version !== VERSION) throw corrupt(`has version ${version}, known is ${VERSION}`);
  const count = bytes.readInt32BE(ENTRIES_AT);
  if (count < 0 || bytes.length !== FIRST_ENTRY_AT + count * ENTRY_BYTES)
    throw corrupt(`announces ${count} producers in ${bytes.length} bytes`);
  const stored = bytes.readUInt32BE(CRC_AT);
  const computed = crc32c(bytes.subarray(ENTRIES_AT));
  if (stored !== computed) throw corrupt(`has checksum ${stored}, its bytes have ${computed}`);
  const entries: ProducerSnapshotEntry[] = [];
  for (let at = FIRST_ENTRY_AT; at < bytes.length; at += ENTRY_BYTES) {
    entries.push({
      producerId: readInt64Lossy(bytes, at),
      producerEpoch: bytes.readInt16BE(at + 8),
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset: readInt64Lossy(bytes, at + 14),
      offsetDelta: bytes.readInt32BE(at + 22),
      timestamp: readInt64Lossy(bytes, at + 26),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      currentTxnFirstOffset: readInt64Lossy(bytes, at + 38),
    });
  }
  return entries;
}

function corrupt(what: string): LogFormatError {
  return new LogFormatError('corrupt-snapshot', `producer snapshot ${what}`);
}
