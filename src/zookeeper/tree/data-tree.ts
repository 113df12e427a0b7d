/**
 * The tree of nodes: what is committed. It knows nothing of connections or disks; it changes by `processTxn` alone, which
 * must give the same tree when a log is replayed over a snapshot that was written while later transactions were applied
 * (a fuzzy snapshot): hence "only when larger" for cversion and pzxid. Source: DataTree (ZooKeeper 3.8).
 *
 * Differs from Apache: the root has one key ('/', not also '').
 */
import { EventType, KeeperCode, OpCode } from '../jute/constants.ts';
import { ANYONE_ID, type Acl, type LongHex, NO_OWNER, READ_ACL_UNSAFE, type StatRecord } from '../jute/records.ts';
import type { CloseSessionTxn, SubTxn, Txn, TxnHeader } from '../txn.ts';
import { AclCache, OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';
import { DataNode, ownCopy } from './data-node.ts';
import { CONTAINER_OWNER, type EphemeralType, ephemeralTypeOf, ttlOwner } from './ephemeral-type.ts';
import { MAX_DIGESTED_NODES, nodeDigest } from './node-digest.ts';
import { childName, parentPath } from './path.ts';
import { QUOTA_ROOT, type QuotaExcess, Quotas } from './quota.ts';
import { type WatchMode, WatchManager, type Watcher } from './watch-manager.ts';

/** What a transaction did: an error code, and what the answer to its request needs. */
export interface TxnResult {
  readonly type: number;
  readonly err: number;
  readonly path?: string;
  readonly stat?: StatRecord;
  readonly multi?: readonly TxnResult[];
}

/** Hears what a server counts. */
export interface TreeObserver {
  /** An event of `path`'s kind was told to that many watchers. */
  onWatchesFired(type: EventType, watchers: number): void;
  /** A node has been made, changed or deleted, with that much data. */
  onWritten(path: string, dataBytes: number): void;
  onQuotaExceeded(excess: QuotaExcess): void;
  /** A node has been read; `bytes` of data, or of its children's names. */
  onRead(path: string, bytes: number): void;
}

interface CreateArguments {
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  readonly owner: LongHex;
  readonly parentCVersion: number;
}

/** As Apache's: every so many transactions, so many kept. */
const DIGEST_LOG_INTERVAL = 128;
const DIGEST_LOG_LIMIT = 1024;
const EMPTY = Buffer.alloc(0);
const NOBODY: readonly Acl[] = [{ perms: 0, id: ANYONE_ID }];
const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', QUOTA_ROOT, '/zookeeper/config']);

export class DataTree<W extends Watcher = Watcher> {
  readonly aclCache = new AclCache();
  readonly dataWatches = new WatchManager<W>((type, watchers) => this.observer?.onWatchesFired(type, watchers));
  readonly childWatches = new WatchManager<W>((type, watchers) => this.observer?.onWatchesFired(type, watchers));
  /** Set once the tree serves clients: a replay counts for nothing. */
  observer: TreeObserver | undefined;
  /** The zxid of the last transaction applied. */
  lastProcessedZxid = 0;

  readonly #nodes = new Map<string, DataNode>();
  readonly #ephemerals = new Map<LongHex, Set<string>>();
  readonly #containers = new Set<string>();
  readonly #ttls = new Set<string>();
  readonly #quotas = new Quotas(this.#nodes, (excess) => this.observer?.onQuotaExceeded(excess));
  readonly #extendedTypesEnabled: boolean;
  #dataSizeBytes = 0;
  #digest = 0;
  readonly #digestLog: { zxid: number; digest: number }[] = [];

  constructor(options: { readonly extendedTypesEnabled: boolean }) {
    this.#extendedTypesEnabled = options.extendedTypesEnabled;
    for (const path of SPECIAL_PATHS) this.restoreNode(path, new DataNode(EMPTY, OPEN_UNSAFE_ACL_ID, NO_OWNER, 0, 0));
    const config = this.#nodes.get('/zookeeper/config');
    if (config !== undefined) {
      config.aclId = this.aclCache.acquire(READ_ACL_UNSAFE);
      config.aversion = -1;
    }
  }

  // --- reading ---

  getNode(path: string): DataNode | undefined {
    return this.#nodes.get(path);
  }

  /** Nodes as Apache counts them: the root twice. */
  get nodeCount(): number {
    return this.#nodes.size + 1;
  }

  get ephemeralCount(): number {
    let count = 0;
    for (const paths of this.#ephemerals.values()) count += paths.size;
    return count;
  }

  /** The sum over its nodes (`node-digest.ts`); undefined for a tree too large for one. */
  get digest(): number | undefined {
    return this.#nodes.size > MAX_DIGESTED_NODES ? undefined : this.#digest;
  }

  /** Digests after each 128th transaction, the last thousand: what `hash` prints. */
  get digestLog(): readonly { readonly zxid: number; readonly digest: number }[] {
    return this.#digestLog;
  }

  /** Characters of all paths and bytes of all data. */
  get approximateDataSizeBytes(): number {
    return this.#dataSizeBytes;
  }

  ephemeralType(node: DataNode): EphemeralType {
    return ephemeralTypeOf(node.ephemeralOwner, this.#extendedTypesEnabled);
  }

  statOf(node: DataNode): StatRecord {
    return node.stat(this.ephemeralType(node) === 'session');
  }

  /** The node's list; one that allows nothing for a number without a list, which only a half-replayed tree has. */
  aclOf(node: DataNode): readonly Acl[] {
    return this.aclCache.get(node.aclId) ?? NOBODY;
  }

  ephemeralsOf(session: LongHex): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? new Set();
  }

  sessionsWithEphemerals(): Iterable<[LongHex, ReadonlySet<string>]> {
    return this.#ephemerals;
  }

  get containers(): ReadonlySet<string> {
    return this.#containers;
  }

  get ttlNodes(): ReadonlySet<string> {
    return this.#ttls;
  }

  isSpecialPath(path: string): boolean {
    return SPECIAL_PATHS.has(path);
  }

  /** Nodes below `path`, not counting it. */
  allChildrenNumber(path: string): number {
    const node = this.#nodes.get(path);
    if (node === undefined) return 0;
    if (path === '/') return this.#nodes.size - 1;
    let count = 0;
    const pending: [string, DataNode][] = [[path, node]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const name of next[1].children) {
        const child = `${next[0]}/${name}`;
        const childNode = this.#nodes.get(child);
        count++;
        if (childNode !== undefined && childNode.childCount > 0) pending.push([child, childNode]);
      }
    }
    return count;
  }

  /** The limited path that `path` counts for. */
  quotaTargetOf(path: string): string | undefined {
    return this.#quotas.targetOf(path);
  }

  // --- watches ---

  addWatch(path: string, watcher: W, mode: WatchMode): void {
    this.dataWatches.add(path, watcher, mode);
    this.childWatches.add(path, watcher, mode);
  }

  removeWatcher(watcher: W): void {
    this.dataWatches.removeWatcher(watcher);
    this.childWatches.removeWatcher(watcher);
  }

  // --- changes ---

  /** Applies a transaction; errors are in the result. Watches fire inside. */
  processTxn(header: TxnHeader, txn: Txn): TxnResult {
    const result = txn.type === OpCode.multi ? this.#multi(header, txn.txns) : this.#apply(header, txn);
    if (header.zxid > this.lastProcessedZxid) this.lastProcessedZxid = header.zxid;
    if (header.zxid % DIGEST_LOG_INTERVAL === 0) this.#logDigest(header.zxid);
    return result;
  }

  /** Deletes the ephemeral nodes of a session that the sessions of a restored database don't have. */
  killSession(session: LongHex, zxid: number): void {
    for (const path of Array.from(this.ephemeralsOf(session))) this.#deleteNode(path, zxid);
    this.#ephemerals.delete(session);
  }

  // --- restoring from a snapshot ---

  /** Empties the tree; `restoreNode` then puts every node in, parents before children. */
  clearForRestore(): void {
    this.#nodes.clear();
    this.#ephemerals.clear();
    this.#containers.clear();
    this.#ttls.clear();
    this.aclCache.clear();
    this.#digest = 0;
    this.#dataSizeBytes = 0;
  }

  /** Puts a node in as it is; false when its parent is missing. */
  restoreNode(path: string, node: DataNode): boolean {
    if (path !== '/') {
      const parent = this.#nodes.get(parentPath(path));
      if (parent === undefined) return false;
      parent.addChild(childName(path));
    }
    this.aclCache.addUse(node.aclId);
    this.#addNode(path, node);
    return true;
  }

  /** After the last `restoreNode`: limits and their use. */
  finishRestore(): void {
    this.aclCache.purgeUnused();
    this.#quotas.restore();
  }

  #apply(header: TxnHeader, txn: Txn): TxnResult {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
        return this.#createResult(header, txn.type, { ...txn, owner: txn.ephemeral ? header.clientId : NO_OWNER });
      case OpCode.createContainer:
        return this.#createResult(header, txn.type, { ...txn, owner: CONTAINER_OWNER });
      case OpCode.createTTL:
        return this.#createResult(header, txn.type, { ...txn, owner: ttlOwner(txn.ttl) });
      case OpCode.delete:
      case OpCode.deleteContainer:
        return { type: txn.type, err: this.#deleteNode(txn.path, header.zxid), path: txn.path };
      case OpCode.setData:
      case OpCode.reconfig:
        return this.#setData(txn.path, txn.data, txn.version, header);
      case OpCode.setACL:
        return this.#setAcl(txn.path, txn.acl, txn.version);
      case OpCode.closeSession:
        return this.#closeSession(header, txn);
      case OpCode.error:
        return { type: txn.type, err: txn.err };
      case OpCode.check:
        return { type: txn.type, err: KeeperCode.OK, path: txn.path };
      default:
        return { type: txn.type, err: KeeperCode.OK };
    }
  }

  /** All or nothing: with an error among them none is applied; those before it report 0, those after it "runtime inconsistency". */
  #multi(header: TxnHeader, txns: readonly SubTxn[]): TxnResult {
    const failed = txns.findIndex((txn) => txn.type === OpCode.error);
    let err: number = KeeperCode.OK;
    const results = txns.map((txn, index): TxnResult => {
      if (failed >= 0 && txn.type !== OpCode.error) {
        return { type: OpCode.error, err: index > failed ? KeeperCode.RuntimeInconsistency : KeeperCode.OK };
      }
      const result = this.#apply(header, txn);
      if (err === KeeperCode.OK) err = result.err;
      return result;
    });
    return { type: OpCode.multi, err, multi: results };
  }

  #createResult(header: TxnHeader, type: number, create: CreateArguments): TxnResult {
    const node = this.#createNode(create, header);
    if (typeof node !== 'number') return { type, err: KeeperCode.OK, path: create.path, stat: this.statOf(node) };
    // A replay over a fuzzy snapshot finds the node there; its parent must still have counted the creation.
    if (node === KeeperCode.NodeExists) this.#raiseCversion(parentPath(create.path), create.parentCVersion, header.zxid);
    return { type, err: node, path: create.path };
  }

  #createNode(create: CreateArguments, header: TxnHeader): DataNode | number {
    const { path, owner } = create;
    const above = parentPath(path);
    const name = childName(path);
    const parent = this.#nodes.get(above);
    if (parent === undefined) return KeeperCode.NoNode;
    if (parent.children.has(name)) {
      this.#adoptAcl(path, create.acl);
      return KeeperCode.NodeExists;
    }
    const aclId = this.aclCache.acquire(create.acl);
    const parentCVersion = create.parentCVersion === -1 ? parent.cversion + 1 : create.parentCVersion;
    if (parentCVersion > parent.cversion) {
      parent.cversion = parentCVersion;
      parent.pzxid = header.zxid;
    }
    this.#redigest(above, parent);
    const node = new DataNode(ownCopy(create.data), aclId, owner, header.zxid, header.time);
    parent.addChild(name);
    this.#addNode(path, node);
    this.#quotas.onCreated(path, node.data?.length ?? 0);
    this.observer?.onWritten(path, node.data?.length ?? 0);
    this.dataWatches.trigger(path, EventType.NodeCreated, create.acl);
    this.childWatches.trigger(above, EventType.NodeChildrenChanged, this.aclOf(parent));
    return node;
  }

  #deleteNode(path: string, zxid: number): number {
    const above = parentPath(path);
    const name = childName(path);
    const parent = this.#nodes.get(above);
    if (parent === undefined) return KeeperCode.NoNode;
    parent.removeChild(name);
    if (zxid > parent.pzxid) parent.pzxid = zxid;
    this.#redigest(above, parent);
    const node = this.#nodes.get(path);
    if (node === undefined) return KeeperCode.NoNode;
    const acl = this.aclOf(node);
    this.#removeNode(path, node);
    this.#quotas.onDeleted(path, node.data?.length ?? 0);
    this.observer?.onWritten(path, 0);
    const told = this.dataWatches.trigger(path, EventType.NodeDeleted, acl);
    this.childWatches.trigger(path, EventType.NodeDeleted, acl, told);
    this.childWatches.trigger(above, EventType.NodeChildrenChanged, this.aclOf(parent));
    return KeeperCode.OK;
  }

  #setData(path: string, data: Buffer | null, version: number, header: TxnHeader): TxnResult {
    const node = this.#nodes.get(path);
    if (node === undefined) return { type: OpCode.setData, err: KeeperCode.NoNode, path };
    const grownBytes = (data?.length ?? 0) - (node.data?.length ?? 0);
    node.data = ownCopy(data);
    node.mtime = header.time;
    node.mzxid = header.zxid;
    node.version = version;
    this.#redigest(path, node);
    this.#dataSizeBytes += grownBytes;
    const stat = this.statOf(node);
    this.#quotas.count(path, grownBytes, 0);
    this.observer?.onWritten(path, data?.length ?? 0);
    this.dataWatches.trigger(path, EventType.NodeDataChanged, this.aclOf(node));
    return { type: OpCode.setData, err: KeeperCode.OK, path, stat };
  }

  #setAcl(path: string, acl: readonly Acl[], version: number): TxnResult {
    const node = this.#nodes.get(path);
    if (node === undefined) return { type: OpCode.setACL, err: KeeperCode.NoNode, path };
    this.aclCache.release(node.aclId);
    node.aclId = this.aclCache.acquire(acl);
    node.aversion = version;
    this.#redigest(path, node);
    return { type: OpCode.setACL, err: KeeperCode.OK, path, stat: this.statOf(node) };
  }

  #closeSession(header: TxnHeader, txn: CloseSessionTxn): TxnResult {
    const owned = Array.from(this.ephemeralsOf(header.clientId));
    for (const path of txn.paths2Delete ?? []) this.#deleteNode(path, header.zxid);
    for (const path of owned) if (this.#nodes.get(path)?.ephemeralOwner === header.clientId) this.#deleteNode(path, header.zxid);
    this.#ephemerals.delete(header.clientId);
    return { type: OpCode.closeSession, err: KeeperCode.OK };
  }

  /** A fuzzy snapshot's table of ACLs can be older than its nodes: a node without a list gets the one it was created with. */
  #adoptAcl(path: string, acl: readonly Acl[]): void {
    const node = this.#nodes.get(path);
    if (node !== undefined && this.aclCache.get(node.aclId) === undefined) node.aclId = this.aclCache.acquire(acl);
  }

  #raiseCversion(path: string, cversion: number, zxid: number): void {
    const node = this.#nodes.get(path);
    if (node === undefined) return;
    const raised = cversion === -1 ? node.cversion + 1 : cversion;
    if (raised <= node.cversion) return;
    node.cversion = raised;
    node.pzxid = zxid;
    this.#redigest(path, node);
  }

  /** After any change of a node in the tree. */
  #redigest(path: string, node: DataNode): void {
    const digest = nodeDigest(path, node.data, node);
    this.#digest += digest - node.digest;
    node.digest = digest;
  }

  #logDigest(zxid: number): void {
    const { digest } = this;
    if (digest === undefined) return;
    this.#digestLog.push({ zxid, digest });
    if (this.#digestLog.length > DIGEST_LOG_LIMIT) this.#digestLog.shift();
  }

  #addNode(path: string, node: DataNode): void {
    this.#nodes.set(path, node);
    this.#redigest(path, node);
    this.#dataSizeBytes += path.length + (node.data?.length ?? 0);
    switch (this.ephemeralType(node)) {
      case 'container':
        this.#containers.add(path);
        break;
      case 'ttl':
        this.#ttls.add(path);
        break;
      case 'session': {
        const paths = this.#ephemerals.get(node.ephemeralOwner);
        if (paths === undefined) this.#ephemerals.set(node.ephemeralOwner, new Set([path]));
        else paths.add(path);
        break;
      }
      case 'void':
    }
  }

  #removeNode(path: string, node: DataNode): void {
    this.#nodes.delete(path);
    this.#digest -= node.digest;
    this.aclCache.release(node.aclId);
    this.#dataSizeBytes -= path.length + (node.data?.length ?? 0);
    this.#containers.delete(path);
    this.#ttls.delete(path);
    const paths = this.#ephemerals.get(node.ephemeralOwner);
    paths?.delete(path);
    if (paths?.size === 0) this.#ephemerals.delete(node.ephemeralOwner);
  }
}
