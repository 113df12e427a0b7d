/**
 * The digest of a node, by which ZooKeeper (3.6 and later) checks that a replay ends in the same tree: CRC-32 over path, data and
 * 60 bytes of stat. A tree's digest is the sum over its nodes. Nodes below /zookeeper/ don't count (quotas are counted by
 * each server for itself). Source: DigestCalculator, AdHash; version 2.
 *
 *   stat   czxid mzxid pzxid ctime mtime int64 | version cversion aversion int32 | ephemeralOwner int64
 */
import { crc32 } from 'node:zlib';
import { type LongHex, NO_OWNER } from '../jute/records.ts';

export const DIGEST_VERSION = 2;
/** Nodes up to which a sum of 32-bit digests is exact in a number; a larger tree has no digest. */
export const MAX_DIGESTED_NODES = 2 ** 21;

export interface DigestedStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: LongHex;
}

const TWO_32 = 2 ** 32;
const stat = Buffer.alloc(60);

export function nodeDigest(path: string, data: Buffer | null, node: DigestedStat): number {
  if (path.startsWith('/zookeeper/')) return 0;
  writeLong(node.czxid, 0);
  writeLong(node.mzxid, 8);
  writeLong(node.pzxid, 16);
  writeLong(node.ctime, 24);
  writeLong(node.mtime, 32);
  stat.writeInt32BE(node.version, 40);
  stat.writeInt32BE(node.cversion, 44);
  stat.writeInt32BE(node.aversion, 48);
  if (node.ephemeralOwner === NO_OWNER) stat.fill(0, 52);
  else stat.write(node.ephemeralOwner, 52, 'hex');
  const named = crc32(path === '/' ? '' : path);
  return crc32(stat, data === null || data.length === 0 ? named : crc32(data, named));
}

function writeLong(value: number, at: number): void {
  const high = Math.floor(value / TWO_32);
  stat.writeInt32BE(high, at);
  stat.writeUInt32BE(value - high * TWO_32, at + 4);
}
