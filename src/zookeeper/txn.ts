/**
 * Transactions as the log holds them: a TxnHeader (32 bytes: clientId int64, cxid int32, zxid int64, time int64,
 * type int32) and a record per type (zookeeper.jute's `txn` module). A failed write is a transaction too, of type error:
 * it takes a zxid. Records of Apache ZooKeeper end with a digest when its digests are on; it is skipped here, and not
 * written (Apache's reader takes its absence as "no digest").
 */
import { DIGEST_VERSION } from './tree/node-digest.ts';
import { OpCode } from './jute/constants.ts';
import { JuteError, JuteReader } from './jute/jute-reader.ts';
import { JuteWriter } from './jute/jute-writer.ts';
import { type Acl, type LongHex, readAcls, writeAcls } from './jute/records.ts';

export interface TxnHeader {
  readonly clientId: LongHex;
  readonly cxid: number;
  readonly zxid: number;
  /** Wall-clock milliseconds. */
  readonly time: number;
  /** The operation; `OpCode.error` when it failed. */
  readonly type: number;
}

export interface CreateTxn {
  readonly type: typeof OpCode.create | typeof OpCode.create2;
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  readonly ephemeral: boolean;
  /** The parent's count of creations after this one; -1 (old logs): one more than it is. */
  readonly parentCVersion: number;
}
export interface CreateContainerTxn extends Omit<CreateTxn, 'type' | 'ephemeral'> {
  readonly type: typeof OpCode.createContainer;
}
export interface CreateTtlTxn extends Omit<CreateTxn, 'type' | 'ephemeral'> {
  readonly type: typeof OpCode.createTTL;
  readonly ttl: number;
}
export interface DeleteTxn {
  readonly type: typeof OpCode.delete | typeof OpCode.deleteContainer;
  readonly path: string;
}
export interface SetDataTxn {
  readonly type: typeof OpCode.setData | typeof OpCode.reconfig;
  readonly path: string;
  readonly data: Buffer | null;
  /** The node's version after it. */
  readonly version: number;
}
export interface SetAclTxn {
  readonly type: typeof OpCode.setACL;
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly version: number;
}
export interface CheckVersionTxn {
  readonly type: typeof OpCode.check;
  readonly path: string;
  readonly version: number;
}
export interface CreateSessionTxn {
  readonly type: typeof OpCode.createSession;
  readonly timeOut: number;
}
export interface CloseSessionTxn {
  readonly type: typeof OpCode.closeSession;
  /** The ephemeral nodes that go with it; undefined in logs older than 3.6. */
  readonly paths2Delete: readonly string[] | undefined;
}
export interface ErrorTxn {
  readonly type: typeof OpCode.error;
  readonly err: number;
}
export interface MultiTxn {
  readonly type: typeof OpCode.multi;
  readonly txns: readonly SubTxn[];
}
export type SubTxn = CreateTxn | CreateContainerTxn | CreateTtlTxn | DeleteTxn | SetDataTxn | CheckVersionTxn | ErrorTxn;
export type Txn = SubTxn | SetAclTxn | CreateSessionTxn | CloseSessionTxn | MultiTxn;

export interface TxnLogEntry {
  readonly header: TxnHeader;
  readonly txn: Txn;
  /** The tree's digest once it is applied, of `DIGEST_VERSION`; undefined when there is none, in errors and in logs older than 3.6. */
  readonly digest?: number | undefined;
}

/** The bytes of a log entry that its checksum covers: header, record, and (where there is one) the digest: version int32, int64. */
export function writeTxnEntry(writer: JuteWriter, { header, txn, digest }: TxnLogEntry): void {
  writer.longHex(header.clientId).int(header.cxid).long(header.zxid).long(header.time).int(header.type);
  writeTxn(writer, txn);
  if (digest !== undefined) writer.int(DIGEST_VERSION).long(digest);
}

function writeTxn(writer: JuteWriter, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
      writer.string(txn.path).buffer(txn.data);
      writeAcls(writer, txn.acl);
      writer.bool(txn.ephemeral).int(txn.parentCVersion);
      break;
    case OpCode.createContainer:
    case OpCode.createTTL:
      writer.string(txn.path).buffer(txn.data);
      writeAcls(writer, txn.acl);
      writer.int(txn.parentCVersion);
      if (txn.type === OpCode.createTTL) writer.long(txn.ttl);
      break;
    case OpCode.delete:
    case OpCode.deleteContainer:
      writer.string(txn.path);
      break;
    case OpCode.setData:
    case OpCode.reconfig:
      writer.string(txn.path).buffer(txn.data).int(txn.version);
      break;
    case OpCode.setACL:
      writer.string(txn.path);
      writeAcls(writer, txn.acl);
      writer.int(txn.version);
      break;
    case OpCode.check:
      writer.string(txn.path).int(txn.version);
      break;
    case OpCode.createSession:
      writer.int(txn.timeOut);
      break;
    case OpCode.closeSession:
      writer.strings(txn.paths2Delete ?? []);
      break;
    case OpCode.error:
      writer.int(txn.err);
      break;
    case OpCode.multi:
      writer.int(txn.txns.length);
      for (const sub of txn.txns) {
        writer.int(sub.type);
        const body = new JuteWriter();
        writeTxn(body, sub);
        writer.buffer(body.finish());
      }
  }
}

/** Reads a log entry. Throws `JuteError` when the bytes aren't one. Data is a view of `bytes`. */
export function readTxnEntry(bytes: Buffer): TxnLogEntry {
  const reader = new JuteReader(bytes);
  const header: TxnHeader = {
    clientId: reader.longHex(),
    cxid: reader.int(),
    zxid: reader.long(),
    time: reader.long(),
    type: reader.int(),
  };
  const txn = readTxn(reader, header.type);
  const digest = readDigest(reader);
  return digest === undefined ? { header, txn } : { header, txn, digest };
}

/** Undefined when there is none, or one of another kind: it proves nothing then, and is no fault. */
function readDigest(reader: JuteReader): number | undefined {
  if (reader.remaining < 12 || reader.int() !== DIGEST_VERSION) return undefined;
  const high = reader.int();
  const low = reader.int() >>> 0;
  return high >= 0 && high < 2 ** 21 ? high * 2 ** 32 + low : undefined;
}

function readTxn(reader: JuteReader, type: number): Txn {
  switch (type) {
    case OpCode.createSession:
      return { type, timeOut: reader.int() };
    case OpCode.closeSession:
      return { type, paths2Delete: reader.remaining >= 4 ? reader.strings() : undefined };
    case OpCode.setACL:
      return { type, path: reader.string(), acl: readAcls(reader), version: reader.int() };
    case OpCode.multi:
      return { type, txns: reader.vector(8, readMultiElement) };
    default:
      return readSubTxn(reader, type);
  }
}

function readMultiElement(reader: JuteReader): SubTxn {
  const type = reader.int();
  const body = reader.buffer();
  if (body === null) throw new JuteError('a multi with an empty operation');
  return readSubTxn(new JuteReader(body), type);
}

function readSubTxn(reader: JuteReader, type: number): SubTxn {
  switch (type) {
    case OpCode.create:
    case OpCode.create2: {
      const base = { type, path: reader.string(), data: reader.buffer(), acl: readAcls(reader), ephemeral: reader.bool() } as const;
      // Logs older than 3.4 end here.
      return { ...base, parentCVersion: reader.remaining >= 4 ? reader.int() : -1 };
    }
    case OpCode.createContainer:
      return { type, path: reader.string(), data: reader.buffer(), acl: readAcls(reader), parentCVersion: reader.int() };
    case OpCode.createTTL:
      return {
        type,
        path: reader.string(),
        data: reader.buffer(),
        acl: readAcls(reader),
        parentCVersion: reader.int(),
        ttl: reader.long(),
      };
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, path: reader.string() };
    case OpCode.setData:
    case OpCode.reconfig:
      return { type, path: reader.string(), data: reader.buffer(), version: reader.int() };
    case OpCode.check:
      return { type, path: reader.string(), version: reader.int() };
    case OpCode.error:
      return { type, err: reader.int() };
    default:
      throw new JuteError(`unsupported transaction type ${type}`);
  }
}
