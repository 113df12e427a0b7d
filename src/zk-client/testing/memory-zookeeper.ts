/**
 * A ZooKeeper in memory, for tests of what is built on the client: nodes with versions and czxid, ephemerals by session,
 * one-shot watches, transactions. Answers come in the order of the calls, one microtask later. Tests can expire a session or
 * lose the connection of a client.
 */
import { KeeperCode } from '../../zookeeper/jute/constants.ts';
import {
  connectionLoss,
  sessionExpired,
  ZooKeeperError,
  type Acl,
  type Stat,
  type WatchEvent,
  type ZooKeeperClient,
  type ZooKeeperCreateMode,
  type ZooKeeperOp,
  type ZooKeeperOpResult,
  type ZooKeeperSessionId,
  type ZooKeeperState,
  type ZooKeeperWatcher,
} from '../types.ts';
import { WatchRegistry } from '../watch-registry.ts';

interface Node {
  data: Buffer;
  czxid: number;
  mzxid: number;
  pzxid: number;
  version: number;
  cversion: number;
  createdCount: number;
  readonly owner: MemoryZooKeeperClient | undefined;
  readonly children: Set<string>;
}

const NO_OWNER = Buffer.alloc(8);

export class MemoryZooKeeper {
  readonly #nodes = new Map<string, Node>();
  readonly #clients = new Set<MemoryZooKeeperClient>();
  #zxid = 0;
  #nextSession = 1;
  /** Transactions and single writes applied so far. */
  writes = 0;
  /** Called after each of them that was made, before its client is answered. */
  onWrite: (client: MemoryZooKeeperClient) => void = () => {};

  constructor() {
    this.#nodes.set('/', this.#newNode(Buffer.alloc(0), undefined));
  }

  /** A client with a new session. */
  connect(): MemoryZooKeeperClient {
    const id = Buffer.alloc(8);
    id.writeUInt32BE(this.#nextSession++, 4);
    const client = new MemoryZooKeeperClient(this, { id, password: Buffer.alloc(16) });
    this.#clients.add(client);
    return client;
  }

  /** Ends a session as its expiry does: its ephemeral nodes go and others hear of it; then it hears of it itself. */
  endSession(client: MemoryZooKeeperClient): void {
    this.#clients.delete(client);
    for (const [path, node] of this.#nodes) if (node.owner === client) this.apply([{ type: 'delete', path, version: -1 }], client);
  }

  /** All paths, sorted: for assertions. */
  paths(): string[] {
    return [...this.#nodes.keys()].toSorted();
  }

  read(path: string): string | undefined {
    return this.#nodes.get(path)?.data.toString('utf8');
  }

  get(path: string): Node | undefined {
    return this.#nodes.get(path);
  }

  statOf(node: Node): Stat {
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.pzxid,
      ctime: 0,
      mtime: 0,
      version: node.version,
      cversion: node.cversion,
      aversion: 0,
      dataLength: node.data.length,
      numChildren: node.children.size,
      ephemeralOwner: node.owner?.session()?.id ?? node.owner?.id ?? NO_OWNER,
    };
  }

  /** All or nothing; every attempt takes a zxid. */
  apply(ops: readonly ZooKeeperOp[], client: MemoryZooKeeperClient): ZooKeeperOpResult[] {
    this.#zxid++;
    this.writes++;
    const undo: (() => void)[] = [];
    const events: WatchEvent[] = [];
    const results: ZooKeeperOpResult[] = [];
    ops.forEach((op, index) => {
      const outcome = this.#applyOne(op, client, undo, events);
      if (typeof outcome === 'number') {
        for (const step of undo.toReversed()) step();
        throw new ZooKeeperError(outcome, op.path, ops.length === 1 ? undefined : index);
      }
      results.push(outcome);
    });
    for (const event of events) for (const watching of this.#clients) watching.fire(event);
    this.onWrite(client);
    return results;
  }

  #applyOne(op: ZooKeeperOp, client: MemoryZooKeeperClient, undo: (() => void)[], events: WatchEvent[]): ZooKeeperOpResult | number {
    if (op.type === 'create') return this.#create(op.path, op.data, op.mode, client, undo, events);
    const node = this.#nodes.get(op.path);
    if (node === undefined) return KeeperCode.NoNode;
    if (op.version !== -1 && op.version !== node.version) return KeeperCode.BadVersion;
    if (op.type === 'check') return { type: 'check' };
    if (op.type === 'setData') {
      const { data, version, mzxid } = node;
      undo.push(() => Object.assign(node, { data, version, mzxid }));
      Object.assign(node, { data: op.data ?? Buffer.alloc(0), version: version + 1, mzxid: this.#zxid });
      events.push({ type: 'dataChanged', path: op.path });
      return { type: 'setData', stat: this.statOf(node) };
    }
    if (node.children.size > 0) return KeeperCode.NotEmpty;
    const parentPath = parentOf(op.path);
    const parent = this.#nodes.get(parentPath);
    this.#nodes.delete(op.path);
    parent?.children.delete(op.path);
    undo.push(() => {
      this.#nodes.set(op.path, node);
      parent?.children.add(op.path);
    });
    events.push({ type: 'deleted', path: op.path }, { type: 'childrenChanged', path: parentPath });
    return { type: 'delete' };
  }

  #create(
    asked: string,
    data: Buffer | null,
    mode: ZooKeeperCreateMode,
    client: MemoryZooKeeperClient,
    undo: (() => void)[],
    events: WatchEvent[],
  ): ZooKeeperOpResult | number {
    const parentPath = parentOf(asked);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return KeeperCode.NoNode;
    const path = mode.endsWith('sequential') ? `${asked}${String(parent.createdCount).padStart(10, '0')}` : asked;
    if (this.#nodes.has(path)) return KeeperCode.NodeExists;
    this.#nodes.set(path, this.#newNode(data ?? Buffer.alloc(0), mode.startsWith('ephemeral') ? client : undefined));
    parent.children.add(path);
    parent.createdCount++;
    parent.cversion++;
    undo.push(() => {
      this.#nodes.delete(path);
      parent.children.delete(path);
      parent.createdCount--;
      parent.cversion--;
    });
    events.push({ type: 'created', path }, { type: 'childrenChanged', path: parentPath });
    return { type: 'create', path };
  }

  #newNode(data: Buffer, owner: MemoryZooKeeperClient | undefined): Node {
    const zxid = this.#zxid;
    return { data, czxid: zxid, mzxid: zxid, pzxid: zxid, version: 0, cversion: 0, createdCount: 0, owner, children: new Set() };
  }
}

export class MemoryZooKeeperClient implements ZooKeeperClient {
  readonly sessionTimeoutMs = 6000;
  readonly id: Buffer;
  readonly #server: MemoryZooKeeper;
  readonly #sessionId: ZooKeeperSessionId;
  readonly #watches = new WatchRegistry();
  readonly #listeners = new Set<(state: ZooKeeperState) => void>();
  #state: ZooKeeperState = 'connected';
  #waiting: (() => void)[] = [];

  constructor(server: MemoryZooKeeper, sessionId: ZooKeeperSessionId) {
    this.#server = server;
    this.#sessionId = sessionId;
    this.id = sessionId.id;
  }

  /** Expires the session. */
  expire(): void {
    this.#server.endSession(this);
    this.#become('expired');
  }

  /** Loses the connection: operations wait until `reconnect`. */
  disconnect(): void {
    this.#become('disconnected');
  }

  reconnect(): void {
    this.#become('connected');
  }

  /** The next operation rejects with ConnectionLoss; `applied`: after it has taken effect. */
  loseNext(applied: boolean): void {
    this.#lose = applied ? 'after' : 'before';
  }

  #lose: 'before' | 'after' | undefined;

  fire(event: WatchEvent): void {
    for (const watcher of this.#watches.take(event)) queueMicrotask(() => watcher(event));
  }

  create(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<string> {
    return this.#run(path, () => {
      const result = this.#server.apply([{ type: 'create', path, data, mode }], this)[0];
      return result?.type === 'create' ? result.path : path;
    });
  }

  async createWithStat(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<{ path: string; stat: Stat }> {
    const created = await this.create(path, data, mode);
    const stat = await this.exists(created);
    if (stat === undefined) throw new ZooKeeperError(KeeperCode.NoNode, created);
    return { path: created, stat };
  }

  delete(path: string, version: number): Promise<void> {
    return this.#run(path, () => void this.#server.apply([{ type: 'delete', path, version }], this));
  }

  exists(path: string, watcher?: ZooKeeperWatcher): Promise<Stat | undefined> {
    return this.#run(path, () => {
      const node = this.#server.get(path);
      if (watcher !== undefined) this.#watches.add(node === undefined ? 'exist' : 'data', path, watcher);
      return node === undefined ? undefined : this.#server.statOf(node);
    });
  }

  getData(path: string, watcher?: ZooKeeperWatcher): Promise<{ data: Buffer; stat: Stat }> {
    return this.#run(path, () => {
      const node = this.#nodeOrThrow(path);
      if (watcher !== undefined) this.#watches.add('data', path, watcher);
      return { data: Buffer.from(node.data), stat: this.#server.statOf(node) };
    });
  }

  setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    return this.#run(path, () => {
      this.#server.apply([{ type: 'setData', path, data, version }], this);
      return this.#server.statOf(this.#nodeOrThrow(path));
    });
  }

  getChildren(path: string, watcher?: ZooKeeperWatcher): Promise<{ children: string[]; stat: Stat }> {
    return this.#run(path, () => {
      const node = this.#nodeOrThrow(path);
      if (watcher !== undefined) this.#watches.add('child', path, watcher);
      return { children: Array.from(node.children, (child) => child.slice(child.lastIndexOf('/') + 1)), stat: this.#server.statOf(node) };
    });
  }

  getAcl(path: string): Promise<readonly Acl[]> {
    return this.#run(path, () => {
      this.#nodeOrThrow(path);
      return [{ perms: 31, scheme: 'world', id: 'anyone' }];
    });
  }

  multi(ops: readonly ZooKeeperOp[]): Promise<ZooKeeperOpResult[]> {
    return this.#run(ops[0]?.path, () => {
      try {
        return this.#server.apply(ops, this);
      } catch (error) {
        if (error instanceof ZooKeeperError && error.failedOpIndex === undefined) throw new ZooKeeperError(error.code, error.path, 0);
        throw error;
      }
    });
  }

  sync(): Promise<void> {
    return this.#run(undefined, () => undefined);
  }

  onState(listener: (state: ZooKeeperState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  session(): ZooKeeperSessionId | undefined {
    return this.#state === 'expired' || this.#state === 'closed' ? undefined : this.#sessionId;
  }

  close(): Promise<boolean> {
    const confirmed = this.#state === 'connected';
    if (this.#state !== 'closed' && this.#state !== 'expired') this.#server.endSession(this);
    if (this.#state !== 'expired') this.#become('closed');
    return Promise.resolve(confirmed);
  }

  async #run<T>(path: string | undefined, operation: () => T): Promise<T> {
    while (this.#state === 'disconnected') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#state !== 'connected') throw sessionExpired(path);
    const lose = this.#lose;
    this.#lose = undefined;
    if (lose === 'before') throw connectionLoss(path);
    const result = operation();
    if (lose === 'after') throw connectionLoss(path);
    return result;
  }

  #nodeOrThrow(path: string): Node {
    const node = this.#server.get(path);
    if (node === undefined) throw new ZooKeeperError(KeeperCode.NoNode, path);
    return node;
  }

  #become(state: ZooKeeperState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
