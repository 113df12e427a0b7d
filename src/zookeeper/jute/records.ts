/**
 * The records of zookeeper.jute's `data` module: Id, ACL, Stat.
 * Stat is 68 bytes: czxid mzxid ctime mtime (int64), version cversion aversion (int32), ephemeralOwner (int64),
 * dataLength numChildren (int32), pzxid (int64).
 */
import type { JuteReader } from './jute-reader.ts';
import type { JuteWriter } from './jute-writer.ts';

/** An int64 as 16 lower-case hex digits: session ids and ephemeral owners. */
export type LongHex = string;

export const NO_OWNER: LongHex = '0000000000000000';

export interface Id {
  readonly scheme: string;
  readonly id: string;
}

export interface Acl {
  readonly perms: number;
  readonly id: Id;
}

export const ANYONE_ID: Id = { scheme: 'world', id: 'anyone' };
export const OPEN_ACL_UNSAFE: readonly Acl[] = [{ perms: 31, id: ANYONE_ID }];
export const READ_ACL_UNSAFE: readonly Acl[] = [{ perms: 1, id: ANYONE_ID }];

/** What a client sees of a node; `cversion` counts changes of children, creations and deletions. */
export interface StatRecord {
  czxid: number;
  mzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  cversion: number;
  aversion: number;
  ephemeralOwner: LongHex;
  dataLength: number;
  numChildren: number;
  pzxid: number;
}

/** A Stat on the wire. */
export const STAT_BYTES = 68;

export function writeStat(writer: JuteWriter, stat: StatRecord): void {
  writer.long(stat.czxid).long(stat.mzxid).long(stat.ctime).long(stat.mtime);
  writer.int(stat.version).int(stat.cversion).int(stat.aversion).longHex(stat.ephemeralOwner);
  writer.int(stat.dataLength).int(stat.numChildren).long(stat.pzxid);
}

export function readStat(reader: JuteReader): StatRecord {
  return {
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.longHex(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long(),
  };
}

export function writeAcls(writer: JuteWriter, acls: readonly Acl[]): void {
  writer.int(acls.length);
  for (const acl of acls) writer.int(acl.perms).string(acl.id.scheme).string(acl.id.id);
}

export function readAcls(reader: JuteReader): Acl[] {
  return reader.vector(12, readAcl);
}

/** kazoo sends an empty id as null: both are the empty one. */
function readAcl(reader: JuteReader): Acl {
  const perms = reader.int();
  return { perms, id: { scheme: reader.nullableString() ?? '', id: reader.nullableString() ?? '' } };
}
