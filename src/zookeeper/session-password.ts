/**
 * A session's password is made from its id, as ZooKeeperServer.generatePasswd makes it: 16 bytes of java.util.Random
 * seeded with the id and a constant. So it needs no storage, and a session outlives a change between this server and
 * Apache's on the same folder. It keeps mistakes apart, not attackers: whoever knows an id knows the password.
 */
import type { LongHex } from './jute/records.ts';

const SUPER_SECRET = 0xb3415c00n;
const MULTIPLIER = 0x5deece66dn;
const MASK_48 = (1n << 48n) - 1n;

export function sessionPassword(sessionId: LongHex): Buffer {
  const password = Buffer.alloc(16);
  let seed = (BigInt(`0x${sessionId}`) ^ SUPER_SECRET ^ MULTIPLIER) & MASK_48;
  for (let offset = 0; offset < 16; offset += 4) {
    seed = (seed * MULTIPLIER + 0xbn) & MASK_48;
    password.writeUInt32LE(Number((seed >> 16n) & 0xffffffffn), offset);
  }
  return password;
}
