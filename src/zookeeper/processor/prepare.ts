/**
 * Turns a write into the transaction that carries it out, or into the error it earns (PrepRequestProcessor). It looks at
 * the tree as it will be when all transactions before it are applied. An error is a transaction too: it has taken a zxid.
 */
import type { Clock } from '../../runtime/clock.ts';
import { fixupAcl, isAllowed } from '../auth.ts';
import { KeeperCode, OpCode, Perms, isCreateMode, isEphemeralMode, isSequentialMode, isTtlMode, CreateMode } from '../jute/constants.ts';
import { type Id, type LongHex, NO_OWNER } from '../jute/records.ts';
import type { CheckRequest, CreateRequest, DeleteRequest, MultiOp, SetAclRequest, SetDataRequest } from '../jute/requests.ts';
import type { ServerMetrics } from '../server-metrics.ts';
import type { SessionTracker } from '../session-tracker.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { CONTAINER_OWNER, MAX_TTL_MS, ephemeralTypeOf, ttlOwner } from '../tree/ephemeral-type.ts';
import { parentPath, pathError } from '../tree/path.ts';
import { limitPathOf, parseQuotaStats, statPathOf } from '../tree/quota.ts';
import type { SubTxn, Txn, TxnHeader, TxnLogEntry } from '../txn.ts';
import { type NodeView, OutstandingChanges } from './outstanding-changes.ts';

export interface MultiRequest {
  readonly type: typeof OpCode.multi;
  readonly ops: readonly MultiOp[];
}
export interface CreateSessionRequest {
  readonly type: typeof OpCode.createSession;
  readonly timeOut: number;
}
export interface CloseSessionRequest {
  readonly type: typeof OpCode.closeSession;
}
/** From the container manager: only when the node is still empty. */
export interface DeleteContainerRequest {
  readonly type: typeof OpCode.deleteContainer;
  readonly path: string;
}
/** A request whose bytes made no sense, or that this server doesn't do: it takes a zxid and fails. */
export interface FailedRequest {
  readonly type: typeof OpCode.error;
  readonly err: number;
}
export type WriteRequest =
  | CreateRequest
  | DeleteRequest
  | SetDataRequest
  | SetAclRequest
  | CheckRequest
  | MultiRequest
  | CreateSessionRequest
  | CloseSessionRequest
  | DeleteContainerRequest
  | FailedRequest;

/** Who asks. */
export interface Requester {
  readonly sessionId: LongHex;
  readonly xid: number;
  readonly authInfo: readonly Id[];
}

export interface PrepareOptions {
  readonly extendedTypesEnabled: boolean;
  readonly enforceQuota: boolean;
}

export class RequestPreparer {
  readonly changes: OutstandingChanges;
  readonly #tree: DataTree;
  readonly #sessions: SessionTracker;
  readonly #clock: Clock;
  readonly #options: PrepareOptions;
  #lastZxid: number;
  /** Of the transaction being prepared. */
  #time = 0;

  constructor(tree: DataTree, sessions: SessionTracker, clock: Clock, options: PrepareOptions, metrics?: ServerMetrics) {
    this.changes = new OutstandingChanges(tree, metrics);
    this.#tree = tree;
    this.#sessions = sessions;
    this.#clock = clock;
    this.#options = options;
    this.#lastZxid = tree.lastProcessedZxid;
  }

  /** The last zxid given out. */
  get lastZxid(): number {
    return this.#lastZxid;
  }

  prepare(request: WriteRequest, requester: Requester): TxnLogEntry {
    const zxid = ++this.#lastZxid;
    const time = this.#clock.wallMs();
    this.#time = time;
    const prepared = request.type === OpCode.multi ? this.#multi(request.ops, requester, zxid) : this.#prepareOne(request, requester, zxid);
    const txn: Txn = typeof prepared === 'number' ? { type: OpCode.error, err: prepared } : prepared;
    const header: TxnHeader = { clientId: requester.sessionId, cxid: requester.xid, zxid, time, type: txn.type };
    const changesTree = txn.type !== OpCode.error && txn.type !== OpCode.createSession;
    return { header, txn, digest: changesTree ? this.changes.digest : undefined };
  }

  #prepareOne(request: Exclude<WriteRequest, MultiRequest>, requester: Requester, zxid: number): Exclude<Txn, { type: 14 }> | number {
    switch (request.type) {
      case OpCode.createSession:
        return { type: request.type, timeOut: request.timeOut };
      case OpCode.closeSession:
        return this.#closeSession(requester.sessionId, zxid);
      case OpCode.deleteContainer:
        return this.#deleteContainer(request.path, zxid);
      case OpCode.error:
        return request.err;
      case OpCode.setACL:
        return this.#sessionError(requester) ?? this.#setAcl(request, requester, zxid);
      default:
        return this.#prepareSub(request, requester, zxid);
    }
  }

  /** Error of the first operation that fails; those after it aren't tried. Either all leave changes or none. */
  #multi(ops: readonly MultiOp[], requester: Requester, zxid: number): Txn {
    const txns: SubTxn[] = [];
    let failed = false;
    for (const op of ops) {
      const txn: SubTxn | number = failed ? KeeperCode.RuntimeInconsistency : this.#prepareSub(op, requester, zxid);
      if (typeof txn !== 'number') {
        txns.push(txn);
        continue;
      }
      txns.push({ type: OpCode.error, err: txn });
      if (!failed) this.changes.rollback(zxid);
      failed = true;
    }
    return { type: OpCode.multi, txns };
  }

  #prepareSub(op: MultiOp, requester: Requester, zxid: number): SubTxn | number {
    const error = this.#sessionError(requester);
    if (error !== undefined) return error;
    switch (op.type) {
      case OpCode.delete:
        return this.#delete(op, requester, zxid);
      case OpCode.setData:
        return this.#setData(op, requester, zxid);
      case OpCode.check:
        return this.#check(op, requester);
      default:
        return this.#create(op, requester, zxid);
    }
  }

  #sessionError(requester: Requester): number | undefined {
    const session = this.#sessions.get(requester.sessionId);
    if (session === undefined || session.closing) return KeeperCode.SessionExpired;
    return undefined;
  }

  #create(request: CreateRequest, requester: Requester, zxid: number): SubTxn | number {
    const mode = request.mode;
    if (!isCreateMode(mode)) return KeeperCode.BadArguments;
    if (isTtlMode(mode) && !this.#options.extendedTypesEnabled) return KeeperCode.Unimplemented;
    // Apache 3.8 dies of a createTTL without a TTL.
    if (request.type === OpCode.createTTL && !isTtlMode(mode)) return KeeperCode.BadArguments;
    if (isTtlMode(mode) ? request.ttl <= 0 || request.ttl > MAX_TTL_MS : request.ttl >= 0) return KeeperCode.BadArguments;
    if (!request.path.includes('/') || request.path.includes('\0')) return KeeperCode.BadArguments;
    const acl = fixupAcl(request.acl, requester.authInfo);
    if (acl === undefined) return KeeperCode.InvalidACL;
    const above = parentPath(request.path);
    const parent = this.changes.get(above);
    if (parent === undefined) return KeeperCode.NoNode;
    if (!isAllowed(parent.acl, Perms.CREATE, requester.authInfo)) return KeeperCode.NoAuth;
    const path = isSequentialMode(mode) ? request.path + sequenceSuffix(parent.cversion) : request.path;
    if (pathError(path) !== undefined) return KeeperCode.BadArguments;
    if (this.changes.get(path) !== undefined) return KeeperCode.NodeExists;
    if (ephemeralTypeOf(parent.ephemeralOwner, this.#options.extendedTypesEnabled) === 'session') return KeeperCode.NoChildrenForEphemerals;
    const dataLength = request.data?.length ?? 0;
    if (this.#exceedsQuota(path, dataLength, 1)) return KeeperCode.QuotaExceeded;
    const parentCVersion = (parent.cversion + 1) | 0;
    this.changes.put(zxid, above, { ...parent, cversion: parentCVersion, pzxid: zxid, childCount: parent.childCount + 1 });
    this.changes.put(zxid, path, {
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: this.#time,
      mtime: this.#time,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: ownerOf(request, mode, requester),
      childCount: 0,
      acl,
      data: request.data,
    });
    const base = { path, data: request.data, acl, parentCVersion };
    if (request.type === OpCode.createContainer) return { type: request.type, ...base };
    if (request.type === OpCode.createTTL) return { type: request.type, ...base, ttl: request.ttl };
    return { type: request.type, ...base, ephemeral: isEphemeralMode(mode) };
  }

  #delete(request: DeleteRequest, requester: Requester, zxid: number): SubTxn | number {
    const { path } = request;
    if (!this.#isDeletablePath(path)) return KeeperCode.BadArguments;
    const above = parentPath(path);
    const parent = this.changes.get(above);
    if (parent === undefined) return KeeperCode.NoNode;
    if (!isAllowed(parent.acl, Perms.DELETE, requester.authInfo)) return KeeperCode.NoAuth;
    const node = this.changes.get(path);
    if (node === undefined) return KeeperCode.NoNode;
    if (request.version !== -1 && request.version !== node.version) return KeeperCode.BadVersion;
    if (node.childCount > 0) return KeeperCode.NotEmpty;
    this.#putDeleted(path, above, parent, zxid);
    return { type: OpCode.delete, path };
  }

  #deleteContainer(path: string, zxid: number): SubTxn | number {
    const node = this.changes.get(path);
    const parent = this.changes.get(parentPath(path));
    if (node === undefined || parent === undefined) return KeeperCode.NoNode;
    if (node.childCount > 0) return KeeperCode.NotEmpty;
    // Another may be there by now.
    const type = ephemeralTypeOf(node.ephemeralOwner, this.#options.extendedTypesEnabled);
    if (type !== 'container' && type !== 'ttl') return KeeperCode.BadVersion;
    this.#putDeleted(path, parentPath(path), parent, zxid);
    return { type: OpCode.deleteContainer, path };
  }

  #putDeleted(path: string, above: string, parent: NodeView, zxid: number): void {
    this.changes.put(zxid, above, { ...parent, pzxid: zxid, childCount: parent.childCount - 1 });
    this.changes.put(zxid, path, undefined);
  }

  #setData(request: SetDataRequest, requester: Requester, zxid: number): SubTxn | number {
    const { path, data } = request;
    if (pathError(path) !== undefined) return KeeperCode.BadArguments;
    const node = this.changes.get(path);
    if (node === undefined) return KeeperCode.NoNode;
    if (!isAllowed(node.acl, Perms.WRITE, requester.authInfo)) return KeeperCode.NoAuth;
    const dataLength = data?.length ?? 0;
    if (this.#exceedsQuota(path, dataLength - (node.data?.length ?? 0), 0)) return KeeperCode.QuotaExceeded;
    if (request.version !== -1 && request.version !== node.version) return KeeperCode.BadVersion;
    const version = (node.version + 1) | 0;
    this.changes.put(zxid, path, { ...node, version, data, mzxid: zxid, mtime: this.#time });
    return { type: OpCode.setData, path, data, version };
  }

  #setAcl(request: SetAclRequest, requester: Requester, zxid: number): Exclude<Txn, { type: 14 }> | number {
    const { path } = request;
    if (pathError(path) !== undefined) return KeeperCode.BadArguments;
    const acl = fixupAcl(request.acl, requester.authInfo);
    if (acl === undefined) return KeeperCode.InvalidACL;
    const node = this.changes.get(path);
    if (node === undefined) return KeeperCode.NoNode;
    if (!isAllowed(node.acl, Perms.ADMIN, requester.authInfo)) return KeeperCode.NoAuth;
    if (request.version !== -1 && request.version !== node.aversion) return KeeperCode.BadVersion;
    const version = (node.aversion + 1) | 0;
    this.changes.put(zxid, path, { ...node, aversion: version, acl });
    return { type: OpCode.setACL, path, acl, version };
  }

  #check(request: CheckRequest, requester: Requester): SubTxn | number {
    const { path } = request;
    if (pathError(path) !== undefined) return KeeperCode.BadArguments;
    const node = this.changes.get(path);
    if (node === undefined) return KeeperCode.NoNode;
    if (!isAllowed(node.acl, Perms.READ, requester.authInfo)) return KeeperCode.NoAuth;
    if (request.version !== -1 && request.version !== node.version) return KeeperCode.BadVersion;
    return { type: OpCode.check, path, version: (node.version + 1) | 0 };
  }

  /** The session takes no more requests from here on; its nodes are the ones it has when all before is applied. */
  #closeSession(sessionId: LongHex, zxid: number): Exclude<Txn, { type: 14 }> {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) session.closing = true;
    const paths2Delete = this.changes.ephemeralsOf(sessionId);
    for (const path of paths2Delete) {
      const above = parentPath(path);
      const parent = this.changes.get(above);
      if (parent !== undefined) this.#putDeleted(path, above, parent, zxid);
    }
    return { type: OpCode.closeSession, paths2Delete };
  }

  #isDeletablePath(path: string): boolean {
    return path.includes('/') && !path.includes('\0') && !this.#tree.isSpecialPath(path);
  }

  /** Whether a hard limit above `path` forbids the growth. Its use is the committed one, as in Apache. */
  #exceedsQuota(path: string, bytes: number, count: number): boolean {
    if (!this.#options.enforceQuota) return false;
    const target = this.#tree.quotaTargetOf(path);
    if (target === undefined) return false;
    const limits = parseQuotaStats(this.#tree.getNode(limitPathOf(target))?.data ?? null);
    const use = parseQuotaStats(this.#tree.getNode(statPathOf(target))?.data ?? null);
    if (count !== 0 && limits.countHardLimit > -1 && use.count + count > limits.countHardLimit) return true;
    return bytes !== 0 && limits.byteHardLimit > -1 && use.bytes + bytes > limits.byteHardLimit;
  }
}

/** `%010d` of an int32. */
function sequenceSuffix(count: number): string {
  return count < 0 ? `-${String(-count).padStart(9, '0')}` : String(count).padStart(10, '0');
}

function ownerOf(request: CreateRequest, mode: CreateMode, requester: Requester): LongHex {
  if (request.type === OpCode.createContainer) return CONTAINER_OWNER;
  if (request.type === OpCode.createTTL) return ttlOwner(request.ttl);
  return isEphemeralMode(mode) ? requester.sessionId : NO_OWNER;
}
