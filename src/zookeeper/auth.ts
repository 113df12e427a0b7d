/**
 * Who a connection is, and what it may do (ProviderRegistry's `ip` and `digest`, ZooKeeperServer.checkACL).
 * A connection is always `ip:<its address>`; `auth digest user:password` adds `digest:user:base64(sha1(user:password))`.
 */
import { createHash } from 'node:crypto';
import { type Acl, type Id } from './jute/records.ts';

export function digestId(credentials: string): string {
  const colon = credentials.indexOf(':');
  const user = colon < 0 ? credentials : credentials.slice(0, colon);
  return `${user}:${createHash('sha1').update(credentials, 'utf8').digest('base64')}`;
}

/** The identity that an auth packet proves; undefined when the scheme is unknown. `superDigest` is who may do everything. */
export function authenticate(scheme: string, auth: Buffer, address: string, superDigest: string | undefined): Id[] | undefined {
  if (scheme === 'ip') return [{ scheme, id: address }];
  if (scheme !== 'digest') return undefined;
  const id = digestId(auth.toString('utf8'));
  const ids: Id[] = [{ scheme, id }];
  if (superDigest !== undefined && id === superDigest) ids.push({ scheme: 'super', id: '' });
  return ids;
}

/** Whether one of `ids` has one of the permissions `perms` by `acl`. */
export function isAllowed(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
  if (acl.length === 0) return true;
  for (const id of ids) if (id.scheme === 'super') return true;
  for (const entry of acl) {
    if ((entry.perms & perms) === 0) continue;
    if (entry.id.scheme === 'world' && entry.id.id === 'anyone') return true;
    for (const id of ids) if (id.scheme === entry.id.scheme && matches(entry.id, id.id)) return true;
  }
  return false;
}

/** The list with duplicates gone and `auth` replaced by who the connection is; undefined when it isn't a valid one. */
export function fixupAcl(acl: readonly Acl[], ids: readonly Id[]): Acl[] | undefined {
  const fixed: Acl[] = [];
  const seen = new Set<string>();
  for (const entry of acl) {
    const key = JSON.stringify([entry.perms, entry.id.scheme, entry.id.id]);
    if (seen.has(key)) continue;
    seen.add(key);
    if (entry.id.scheme === 'world' && entry.id.id === 'anyone') fixed.push(entry);
    else if (entry.id.scheme === 'auth') {
      const authenticated = ids.filter((id) => id.scheme === 'digest');
      if (authenticated.length === 0) return undefined;
      for (const id of authenticated) fixed.push({ perms: entry.perms, id });
    } else if (isValidId(entry.id)) fixed.push(entry);
    else return undefined;
  }
  return fixed.length === 0 ? undefined : fixed;
}

function isValidId(id: Id): boolean {
  if (id.scheme === 'digest') return id.id.split(':').length === 2;
  if (id.scheme === 'ip') return parseIpRange(id.id) !== undefined;
  return false;
}

function matches(wanted: Id, actual: string): boolean {
  if (wanted.scheme !== 'ip') return wanted.id === actual;
  const range = parseIpRange(wanted.id);
  const address = parseIp(actual);
  if (range === undefined || address === undefined || range.address.length !== address.length) return false;
  for (let bit = 0; bit < range.bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((range.address[bit >> 3] ?? 0) & mask) !== ((address[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

function parseIpRange(text: string): { address: number[]; bits: number } | undefined {
  const [addressText = '', bitsText] = text.split('/', 2);
  const address = parseIp(addressText);
  if (address === undefined) return undefined;
  const bits = bitsText === undefined ? address.length * 8 : Number(bitsText);
  return Number.isInteger(bits) && bits >= 0 && bits <= address.length * 8 ? { address, bits } : undefined;
}

/** The bytes of an IPv4 or IPv6 address; undefined when the text isn't one. */
function parseIp(text: string): number[] | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split('.').map(Number);
    return bytes.every((byte) => byte <= 255) ? bytes : undefined;
  }
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(text)?.[1];
  if (mapped !== undefined) return parseIp(mapped);
  if (!/^[0-9a-f:]+$/i.test(text) || !text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) =>
    half === '' ? [] : half.split(':').map((group) => (group.length <= 4 ? Number.parseInt(group, 16) : Number.NaN)),
  );
  const [head = [], tail] = groups;
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => 0), ...(tail ?? [])];
  if (all.length !== 8 || all.some((group) => !Number.isInteger(group))) return undefined;
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}
