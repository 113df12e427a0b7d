/**
 * What a node's `ephemeralOwner` says: nothing (0), a session, a container (the smallest int64), or a TTL
 * (0xff, two reserved bytes 0, then 40 bits of milliseconds). Source: EphemeralType.
 * With extended types off, as Apache's default has it, 0xff… is a session's id like any other.
 */
import { type LongHex, NO_OWNER } from '../jute/records.ts';

export const CONTAINER_OWNER: LongHex = '8000000000000000';
const TTL_PREFIX = 'ff0000';
export const MAX_TTL_MS = 2 ** 40 - 1;

export type EphemeralType = 'void' | 'session' | 'container' | 'ttl';

export function ephemeralTypeOf(owner: LongHex, extendedTypesEnabled: boolean): EphemeralType {
  if (owner === NO_OWNER) return 'void';
  if (owner === CONTAINER_OWNER) return 'container';
  if (extendedTypesEnabled && owner.startsWith(TTL_PREFIX)) return 'ttl';
  return 'session';
}

/** The owner that stands for a TTL of `ttlMs`, 1 to `MAX_TTL_MS`. */
export function ttlOwner(ttlMs: number): LongHex {
  return TTL_PREFIX + ttlMs.toString(16).padStart(10, '0');
}

export function ttlOfOwner(owner: LongHex): number {
  return Number.parseInt(owner.slice(6), 16);
}
