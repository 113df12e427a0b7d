/** How a Uint8Array crosses a channel of text: as base64, marked, and as a Uint8Array again on the other side. */
import type { StandardRPCCustomJsonSerializer } from '@orpc/client/standard';

/** oRPC's own types end at 7; its documentation leaves 20 and up to applications. */
const UINT8_ARRAY_TYPE = 20;
const CHUNK = 0x8000;

export const customJsonSerializers: StandardRPCCustomJsonSerializer[] = [
  {
    type: UINT8_ARRAY_TYPE,
    condition: (data) => data instanceof Uint8Array,
    serialize: (data: Uint8Array) => toBase64(data),
    deserialize: (data: unknown) => fromBase64(data),
  },
];

/** Base64 of bytes; of any size, in a renderer or in Node. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

/** Bytes of base64. Throws a TypeError for what isn't base64. */
export function fromBase64(data: unknown): Uint8Array {
  if (typeof data !== 'string') throw new TypeError('Expected base64');
  let binary: string;
  try {
    binary = atob(data);
  } catch {
    throw new TypeError('Expected base64');
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
