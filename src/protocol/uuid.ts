/**
 * Kafka's uuids as text: 16 bytes in base64url without padding, 22 characters.
 *
 * Generated ids never begin with '-' (they would read as an option in a command line) and are never one of the
 * reserved ones (all zero; zero but for a last 1, which KRaft's metadata topic has). Source: Uuid.java, KIP-516.
 */
import { ProtocolError } from './protocol-error.ts';

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
const UUID_BYTES = 16;
const UUID_CHARACTERS = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export function isUuid(text: string): boolean {
  return UUID_CHARACTERS.test(text);
}

/** The text form of a 16-byte uuid; throws `ProtocolError` on any other length. */
export function uuidFromBytes(bytes: Buffer): string {
  if (bytes.length !== UUID_BYTES) throw new ProtocolError('invalid-value', `a uuid has 16 bytes, not ${bytes.length}`);
  return uuidFromBytesAt(bytes, 0);
}

/** As `uuidFromBytes`, for the 16 bytes at `position` (the caller has checked that they are there). */
export function uuidFromBytesAt(buffer: Buffer, position: number): string {
  return buffer.toString('base64url', position, position + UUID_BYTES);
}

/** The 16 bytes of a uuid's text form; throws `ProtocolError` on anything else. */
export function uuidToBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(UUID_BYTES);
  writeUuid(bytes, text, 0);
  return bytes;
}

/** Writes a uuid's 16 bytes at `position` (the caller has made room). */
export function writeUuid(buffer: Buffer, text: string, position: number): void {
  if (text === ZERO_UUID) {
    buffer.fill(0, position, position + UUID_BYTES);
    return;
  }
  if (!UUID_CHARACTERS.test(text)) throw new ProtocolError('invalid-value', `'${text}' is no uuid: 22 characters of base64url are`);
  buffer.write(text, position, UUID_BYTES, 'base64url');
}

/**
 * A version 4 uuid from 16 random bytes (not changed), in text form. One that would begin with '-' or is reserved
 * is moved to a neighbour by changing a bit of its first byte, so that one draw is always enough.
 */
export function randomUuid(bytes16: Buffer): string {
  const bytes = Buffer.from(bytes16);
  if (bytes.length !== UUID_BYTES) throw new ProtocolError('invalid-value', `a uuid is made of 16 bytes, not ${bytes.length}`);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  // The first character is the first byte's upper six bits; '-' is 62.
  if (bytes[0]! >> 2 === 62) bytes[0] = bytes[0]! ^ 0x80;
  return uuidFromBytesAt(bytes, 0);
}
