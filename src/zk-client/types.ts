/** What a ZooKeeper client of this project is, whichever implementation is behind it. */
import { KeeperCode, type KeeperCodeName, keeperCodeName } from '../zookeeper/jute/constants.ts';

export interface Stat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  /** Wall-clock milliseconds. */
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly dataLength: number;
  readonly numChildren: number;
  /** The owner's session id, 8 bytes; all 0 for a node that isn't ephemeral. */
  readonly ephemeralOwner: Buffer;
}

/** An entry of a node's access list. `perms`: 1 read, 2 write, 4 create, 8 delete, 16 admin. */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

export type ZooKeeperCreateMode = 'persistent' | 'ephemeral' | 'persistent-sequential' | 'ephemeral-sequential';

export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
  /** Below the chroot, as the watch was set. */
  readonly path: string;
}
/** Called once. Setting the same function on the same path twice before it fires calls it once. */
export type ZooKeeperWatcher = (event: WatchEvent) => void;

/** An operation of a transaction. Version -1 matches any. */
export type ZooKeeperOp =
  | { readonly type: 'create'; readonly path: string; readonly data: Buffer | null; readonly mode: ZooKeeperCreateMode }
  | { readonly type: 'delete'; readonly path: string; readonly version: number }
  | { readonly type: 'setData'; readonly path: string; readonly data: Buffer | null; readonly version: number }
  | { readonly type: 'check'; readonly path: string; readonly version: number };

export type ZooKeeperOpResult =
  | { readonly type: 'create'; readonly path: string }
  | { readonly type: 'delete' }
  | { readonly type: 'setData'; readonly stat: Stat }
  | { readonly type: 'check' };

/**
 * `connected` again after `disconnected`: the session and its watches live on (changes meanwhile are told).
 * `expired`: the session and its ephemeral nodes are gone, every operation fails from now on; make a new client.
 * `closed`: by `close()`.
 */
export type ZooKeeperState = 'connected' | 'disconnected' | 'expired' | 'closed';

export interface ZooKeeperSessionId {
  /** 8 bytes. */
  readonly id: Buffer;
  /** 16 bytes. */
  readonly password: Buffer;
}

/**
 * Operations are sent in the order of the calls, without waiting for each other, and answered in that order. They reject
 * with `ZooKeeperError`. One that was sent when the connection broke rejects with ConnectionLoss (it may have taken
 * effect); one asked for while disconnected waits for the connection, and rejects with SessionExpired if the session ends.
 */
export interface ZooKeeperClient {
  /** Makes a node, open to anyone. Gives its path, with the number if sequential. NoNode, NodeExists, NoChildrenForEphemerals. */
  create(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<string>;
  createWithStat(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<{ path: string; stat: Stat }>;
  /** NoNode, BadVersion, NotEmpty. */
  delete(path: string, version: number): Promise<void>;
  /** The stat, undefined when there is no node. The watcher hears of creation, deletion, change of data. */
  exists(path: string, watcher?: ZooKeeperWatcher): Promise<Stat | undefined>;
  /** The watcher hears of deletion and change of data; it isn't set when the read fails. NoNode. */
  getData(path: string, watcher?: ZooKeeperWatcher): Promise<{ data: Buffer; stat: Stat }>;
  /** NoNode, BadVersion. */
  setData(path: string, data: Buffer | null, version: number): Promise<Stat>;
  /** The watcher hears of children made and deleted, and of the node's deletion. NoNode. */
  getChildren(path: string, watcher?: ZooKeeperWatcher): Promise<{ children: string[]; stat: Stat }>;
  /** Who may do what. NoNode, NoAuth. A digest's hash comes as `x` to who may not administer the node. */
  getAcl(path: string): Promise<readonly Acl[]>;
  /** All or nothing. Rejects with the error of the operation that failed, its path and `failedOpIndex`. */
  multi(ops: readonly ZooKeeperOp[]): Promise<ZooKeeperOpResult[]>;
  /** Resolves when the server has caught up with the ensemble: reads after it see every write before it. */
  sync(path?: string): Promise<void>;
  /** Hears of state changes from now on; the result stops that. */
  onState(listener: (state: ZooKeeperState) => void): () => void;
  /** undefined once the session has expired or was closed. */
  session(): ZooKeeperSessionId | undefined;
  /** The time-out that the server has granted. */
  readonly sessionTimeoutMs: number;
  /**
   * Ends the session, waiting for the server's word as long as there is a connection. Never rejects; a second call waits for the first.
   * @returns whether the server has said so: without its word the session may live on until it expires.
   */
  close(): Promise<boolean>;
}

/** What the server (or the client itself: ConnectionLoss, SessionExpired) says against an operation. */
export class ZooKeeperError extends Error {
  readonly code: number;
  override readonly name: KeeperCodeName;
  readonly path: string | undefined;
  /** Which operation of a transaction failed. */
  readonly failedOpIndex: number | undefined;

  constructor(code: number, path?: string, failedOpIndex?: number) {
    const name = keeperCodeName(code);
    super(`${name}${path === undefined ? '' : ` for ${path}`}`);
    this.code = code;
    this.name = name;
    this.path = path;
    this.failedOpIndex = failedOpIndex;
  }
}

export function connectionLoss(path?: string): ZooKeeperError {
  return new ZooKeeperError(KeeperCode.ConnectionLoss, path);
}

export function sessionExpired(path?: string): ZooKeeperError {
  return new ZooKeeperError(KeeperCode.SessionExpired, path);
}
