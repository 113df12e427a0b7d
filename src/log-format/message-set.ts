/**
 * Messages of the formats 0 and 1, which brokers before 0.11 wrote: read only, for tools. A broker of ours neither writes nor serves them.
 *
 *     0 int64 offset    12 uint32 CRC-32 of 16..end   17 int8 attributes           v1: 18 int64 timestamp, 26 key
 *     8 int32 size      16 int8   magic (0 or 1)      v0: 18 key                   int32 length (-1: null) | bytes, then the value so
 *
 * attributes: bits 0-2 codec, 3 timestamp type (format 1). A compressed message's value is a message set; in format 1 the inner offsets count
 * from 0 and the outer one is the last's, in format 0 they are absolute. Java wrote format 0's LZ4 frames with a wrong header checksum (KAFKA-3160).
 * Source: LegacyRecord.java, AbstractLegacyRecordBatch.java, KIP-32.
 */
import { crc32 } from 'node:zlib';
import { readInt64Lossy } from '../protocol/int64.ts';
import { CompressionCodec, decompress } from '../protocol/records/compression.ts';
import { COMPRESSION_MASK, LOG_APPEND_TIME_FLAG, LOG_OVERHEAD } from '../protocol/records/record-batch.ts';
import { MESSAGE_V0_OVERHEAD, MESSAGE_V1_OVERHEAD } from './batch-scanner.ts';
import { LogFormatError } from './log-format-error.ts';

const CRC_AT = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 17;
const TIMESTAMP_AT = 18;
const LZ4_DESCRIPTOR_AT = 4;

export type MessageTimestampType = 'NoTimestampType' | 'CreateTime' | 'LogAppendTime';

export interface LegacyMessage {
  readonly offset: number;
  /** With offset and size field. */
  readonly sizeBytes: number;
  readonly magic: 0 | 1;
  readonly codec: number;
  readonly timestampType: MessageTimestampType;
  /** -1 in format 0. */
  readonly timestamp: number;
  readonly crc: number;
  readonly isValid: boolean;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Reads the message at `at`. @throws LogFormatError 'corrupt-batch' when its lengths don't fit its size, or `bytes`. */
export function readLegacyMessage(bytes: Buffer, at: number): LegacyMessage {
  if (at + MESSAGE_V0_OVERHEAD > bytes.length) throw corrupt(`${bytes.length - at} bytes hold no message`, at);
  const sizeBytes = LOG_OVERHEAD + bytes.readInt32BE(at + 8);
  const end = at + sizeBytes;
  const magic = bytes.readInt8(at + MAGIC_AT);
  if (magic !== 0 && magic !== 1) throw corrupt(`a message has magic ${magic}, 0 or 1 is allowed here`, at);
  if (sizeBytes < (magic === 0 ? MESSAGE_V0_OVERHEAD : MESSAGE_V1_OVERHEAD) || end > bytes.length)
    throw corrupt(`a message of ${sizeBytes} bytes doesn't fit the ${bytes.length - at} that are there`, at);
  const attributes = bytes.readInt8(at + ATTRIBUTES_AT);
  const keyAt = magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8;
  const key = readBytes(bytes, at + keyAt, end);
  const value = readBytes(bytes, key.end, end);
  const crc = bytes.readUInt32BE(at + CRC_AT);
  return {
    offset: readInt64Lossy(bytes, at),
    sizeBytes,
    magic,
    codec: attributes & COMPRESSION_MASK,
    timestampType: magic === 0 ? 'NoTimestampType' : (attributes & LOG_APPEND_TIME_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime',
    timestamp: magic === 0 ? -1 : readInt64Lossy(bytes, at + TIMESTAMP_AT),
    crc,
    isValid: crc === crc32(bytes.subarray(at + MAGIC_AT, end)),
    key: key.bytes,
    value: value.bytes,
  };
}

/**
 * The messages that the outer one at `at` stands for: itself, or what it holds compressed, with absolute offsets.
 * Throws LogFormatError 'corrupt-batch', and KafkaError where the codec's bytes are not of that codec or too many come out.
 */
export function legacyMessages(bytes: Buffer, at: number, maxDecompressedBytes: number): LegacyMessage[] {
  const outer = readLegacyMessage(bytes, at);
  if (outer.codec === CompressionCodec.NONE) return [outer];
  if (outer.value === null) throw corrupt('a compressed message has no value', at);
  const content = decompress(outer.codec as CompressionCodec, mendedLz4(outer), maxDecompressedBytes);
  const inner: LegacyMessage[] = [];
  for (let innerAt = 0; innerAt < content.length;) {
    const message = readLegacyMessage(content, innerAt);
    if (message.magic !== outer.magic) throw corrupt(`a message of format ${outer.magic} holds one of format ${message.magic}`, at);
    if (message.codec !== CompressionCodec.NONE) throw corrupt('a compressed message holds another compressed one', at);
    inner.push(message);
    innerAt += message.sizeBytes;
  }
  const last = inner.at(-1);
  if (last === undefined) throw corrupt('a compressed message holds no message', at);
  if (outer.magic === 0) return inner;
  const base = outer.offset - last.offset;
  return inner.map((message) => ({
    ...message,
    offset: base + message.offset,
    timestampType: outer.timestampType,
    timestamp: outer.timestampType === 'LogAppendTime' ? outer.timestamp : message.timestamp,
  }));
}

function readBytes(bytes: Buffer, at: number, end: number): { readonly bytes: Buffer | null; readonly end: number } {
  if (at + 4 > end) throw corrupt('a message ends inside a length', at);
  const length = bytes.readInt32BE(at);
  if (length === -1) return { bytes: null, end: at + 4 };
  if (length < 0 || at + 4 + length > end) throw corrupt(`a key or value of ${length} bytes reaches past its message`, at);
  return { bytes: bytes.subarray(at + 4, at + 4 + length), end: at + 4 + length };
}

/** The value, with the header checksum that LZ4's format asks for: format 0's covers the frame's magic too, which libraries refuse. */
function mendedLz4({ magic, codec, value }: LegacyMessage): Buffer {
  const bytes = value ?? Buffer.alloc(0);
  if (magic !== 0 || codec !== CompressionCodec.LZ4 || bytes.length < LZ4_DESCRIPTOR_AT + 3) return bytes;
  const hasContentSize = ((bytes[LZ4_DESCRIPTOR_AT] ?? 0) & 0x08) !== 0;
  const checksumAt = LZ4_DESCRIPTOR_AT + 2 + (hasContentSize ? 8 : 0);
  if (checksumAt >= bytes.length) return bytes;
  const mended = Buffer.from(bytes);
  mended[checksumAt] = (xxHash32OfShort(bytes.subarray(LZ4_DESCRIPTOR_AT, checksumAt)) >>> 8) & 0xff;
  return mended;
}

const PRIME_1 = 0x9e37_79b1;
const PRIME_2 = 0x85eb_ca77;
const PRIME_3 = 0xc2b2_ae3d;
const PRIME_4 = 0x27d4_eb2f;
const PRIME_5 = 0x1656_67b1;

/** XXH32 with seed 0 of fewer than 16 bytes: all that a frame descriptor has. */
function xxHash32OfShort(bytes: Buffer): number {
  let hash = (PRIME_5 + bytes.length) | 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = (hash + Math.imul(bytes.readUInt32LE(at), PRIME_3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME_4);
  }
  for (; at < bytes.length; at++) {
    hash = (hash + Math.imul(bytes[at] ?? 0, PRIME_5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function corrupt(message: string, position: number): LogFormatError {
  return new LogFormatError('corrupt-batch', message, position);
}
