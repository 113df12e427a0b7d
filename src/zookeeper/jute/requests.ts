/**
 * Bodies of requests (zookeeper.jute's `proto` module, MultiOperationRecord), read by the server and written by the client.
 */
import { AddWatchMode, CreateMode, OpCode, isCreateMode } from './constants.ts';
import { JuteError, type JuteReader } from './jute-reader.ts';
import type { JuteWriter } from './jute-writer.ts';
import { type Acl, readAcls, writeAcls } from './records.ts';

export interface CreateRequest {
  readonly type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTTL;
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  /** The flags as sent; whether they are a `CreateMode` is checked where the request is prepared. */
  readonly mode: number;
  /** Milliseconds; -1 where the operation has none. */
  readonly ttl: number;
}
export interface DeleteRequest {
  readonly type: typeof OpCode.delete;
  readonly path: string;
  readonly version: number;
}
export interface SetDataRequest {
  readonly type: typeof OpCode.setData;
  readonly path: string;
  readonly data: Buffer | null;
  readonly version: number;
}
export interface SetAclRequest {
  readonly type: typeof OpCode.setACL;
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly version: number;
}
export interface CheckRequest {
  readonly type: typeof OpCode.check;
  readonly path: string;
  readonly version: number;
}
export type MultiOp = CreateRequest | DeleteRequest | SetDataRequest | CheckRequest;

export interface PathWatchRequest {
  readonly path: string;
  readonly watch: boolean;
}
export interface MultiReadOp {
  readonly type: typeof OpCode.getData | typeof OpCode.getChildren;
  readonly path: string;
}
export interface SetWatchesRequest {
  readonly relativeZxid: number;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
  readonly persistentWatches: readonly string[];
  readonly persistentRecursiveWatches: readonly string[];
}
export interface AuthPacket {
  readonly scheme: string;
  readonly auth: Buffer;
}

/** The most operations that a multi may have: a bound on one turn's work. */
const MAX_MULTI_OPS = 100_000;

export function readCreate(reader: JuteReader, type: CreateRequest['type']): CreateRequest {
  const path = reader.string();
  const data = reader.buffer();
  const acl = readAcls(reader);
  const mode = reader.int();
  return { type, path, data, acl, mode, ttl: type === OpCode.createTTL ? reader.long() : -1 };
}

export function writeCreate(writer: JuteWriter, request: CreateRequest): void {
  writer.string(request.path).buffer(request.data);
  writeAcls(writer, request.acl);
  writer.int(request.mode);
  if (request.type === OpCode.createTTL) writer.long(request.ttl);
}

export function readDelete(reader: JuteReader): DeleteRequest {
  return { type: OpCode.delete, path: reader.string(), version: reader.int() };
}

export function readSetData(reader: JuteReader): SetDataRequest {
  return { type: OpCode.setData, path: reader.string(), data: reader.buffer(), version: reader.int() };
}

export function readSetAcl(reader: JuteReader): SetAclRequest {
  return { type: OpCode.setACL, path: reader.string(), acl: readAcls(reader), version: reader.int() };
}

export function readCheck(reader: JuteReader): CheckRequest {
  return { type: OpCode.check, path: reader.string(), version: reader.int() };
}

export function readPathWatch(reader: JuteReader): PathWatchRequest {
  return { path: reader.string(), watch: reader.bool() };
}

export function readAuth(reader: JuteReader): AuthPacket {
  reader.int();
  return { scheme: reader.string(), auth: reader.buffer() ?? Buffer.alloc(0) };
}

export function readSetWatches(reader: JuteReader, type: number): SetWatchesRequest {
  const base = {
    relativeZxid: reader.long(),
    dataWatches: reader.strings(),
    existWatches: reader.strings(),
    childWatches: reader.strings(),
  };
  if (type === OpCode.setWatches) return { ...base, persistentWatches: [], persistentRecursiveWatches: [] };
  return { ...base, persistentWatches: reader.strings(), persistentRecursiveWatches: reader.strings() };
}

export function readAddWatch(reader: JuteReader): { path: string; mode: number } {
  const path = reader.string();
  const mode = reader.int();
  if (mode !== AddWatchMode.PERSISTENT && mode !== AddWatchMode.PERSISTENT_RECURSIVE) throw new JuteError(`unsupported watch mode ${mode}`);
  return { path, mode };
}

export function readWatcherTypeRequest(reader: JuteReader): { path: string; type: number } {
  const path = reader.string();
  const type = reader.int();
  if (type < 1 || type > 3) throw new JuteError(`unsupported watcher type ${type}`);
  return { path, type };
}

/** The operations of a multi; kinds that only a multiRead may hold are refused. */
export function readMulti(reader: JuteReader): MultiOp[] {
  return readMultiRecord(reader, (type) => {
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL: {
        const request = readCreate(reader, type);
        if (!isCreateMode(request.mode)) throw new JuteError(`invalid flag ${request.mode} for create mode`);
        // Inside a multi it is the flags that make a container.
        return request.mode === CreateMode.CONTAINER ? { ...request, type: OpCode.createContainer } : request;
      }
      case OpCode.delete:
        return readDelete(reader);
      case OpCode.setData:
        return readSetData(reader);
      case OpCode.check:
        return readCheck(reader);
      default:
        throw new JuteError(`invalid type of operation ${type} in a multi`);
    }
  });
}

export function readMultiRead(reader: JuteReader): MultiReadOp[] {
  return readMultiRecord(reader, (type) => {
    if (type !== OpCode.getData && type !== OpCode.getChildren) throw new JuteError(`invalid type of operation ${type} in a multiRead`);
    return { type, path: readPathWatch(reader).path };
  });
}

function readMultiRecord<T>(reader: JuteReader, readOp: (type: number) => T): T[] {
  const ops: T[] = [];
  for (;;) {
    const { type, done } = readMultiHeader(reader);
    if (done) return ops;
    if (ops.length >= MAX_MULTI_OPS) throw new JuteError(`more than ${MAX_MULTI_OPS} operations in a multi`);
    ops.push(readOp(type));
  }
}

export function readMultiHeader(reader: JuteReader): { type: number; done: boolean; err: number } {
  return { type: reader.int(), done: reader.bool(), err: reader.int() };
}

export function writeMultiHeader(writer: JuteWriter, type: number, done: boolean, err: number): void {
  writer.int(type).bool(done).int(err);
}

/** A multi's body: each operation behind its header, then the end mark. */
export function writeMulti(writer: JuteWriter, ops: readonly MultiOp[]): void {
  for (const op of ops) {
    writeMultiHeader(writer, op.type, false, -1);
    switch (op.type) {
      case OpCode.delete:
      case OpCode.check:
        writer.string(op.path).int(op.version);
        break;
      case OpCode.setData:
        writer.string(op.path).buffer(op.data).int(op.version);
        break;
      default:
        writeCreate(writer, op);
    }
  }
  writeMultiHeader(writer, -1, true, -1);
}
