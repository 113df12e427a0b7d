/**
 * ZooKeeperClient on node-zookeeper-client 1.1.3. Requests are built from the library's records and go straight to its
 * connection manager, past its Transaction (which turns version 0 into -1, and so loses the compare-and-set) and past its
 * Client (which refuses data over 1 MiB). The chroot is ours, on both ways.
 *
 * What the library can't send: createWithStat is a create and an exists (the stat may be younger than the node); sync is an
 * empty transaction, which an ensemble orders behind every write before it.
 */
import jute, { type JuteResponse, type LibraryStat, type TransactionResult } from 'node-zookeeper-client/lib/jute/index.js';
import { KeeperCode, OpCode } from '../../zookeeper/jute/constants.ts';
import { OPEN_ACL_UNSAFE } from '../../zookeeper/jute/records.ts';
import { type ConnectString, withChroot, withoutChroot } from '../connect-string.ts';
import { CREATE_MODES } from '../jute-operations.ts';
import { throwIfFailed } from '../multi-errors.ts';
import type { ZooKeeperClientRuntime } from '../own/session-connection.ts';
import {
  type Stat,
  type ZooKeeperClient,
  type ZooKeeperCreateMode,
  ZooKeeperError,
  type Acl,
  type ZooKeeperOp,
  type ZooKeeperOpResult,
  type ZooKeeperSessionId,
  type ZooKeeperState,
  type ZooKeeperWatcher,
} from '../types.ts';
import { WatchRegistry } from '../watch-registry.ts';
import { MendedConnection } from './mended-connection.ts';

export interface LibraryClientOptions {
  readonly runtime: ZooKeeperClientRuntime;
  readonly connectString: ConnectString;
  readonly sessionTimeoutMs: number;
  readonly resume: ZooKeeperSessionId | undefined;
}

type Payload = NonNullable<JuteResponse['payload']>;

const NO_DATA = Buffer.alloc(0);
const CLOSE_TIMEOUT_MS = 2000;

export class LibraryZooKeeperClient implements ZooKeeperClient {
  readonly #runtime: ZooKeeperClientRuntime;
  readonly #chroot: string;
  readonly #connection: MendedConnection;
  /** By whole paths, as the library sees them. */
  readonly #watches = new WatchRegistry();
  readonly #listeners = new Set<(state: ZooKeeperState) => void>();
  /** A watcher as the registry has it, which strips the chroot; one per function, so that it is called once. */
  readonly #wrapped = new WeakMap<ZooKeeperWatcher, ZooKeeperWatcher>();
  #closing: Promise<boolean> | undefined;

  constructor(options: LibraryClientOptions) {
    this.#runtime = options.runtime;
    this.#chroot = options.connectString.chroot;
    this.#connection = new MendedConnection({
      runtime: options.runtime,
      servers: options.connectString.endpoints,
      sessionTimeoutMs: options.sessionTimeoutMs,
      resume: options.resume,
      watches: this.#watches,
      onState: (state) => this.#onState(state),
    });
  }

  start(): void {
    this.#connection.start();
  }

  get sessionTimeoutMs(): number {
    return this.#connection.sessionTimeoutMs;
  }

  session(): ZooKeeperSessionId | undefined {
    return this.#connection.session();
  }

  onState(listener: (state: ZooKeeperState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  create(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<string> {
    const payload = record('CreateRequest', {
      path: this.#whole(path),
      data: data ?? undefined,
      acl: openAcl(),
      flags: CREATE_MODES[mode],
    });
    return this.#call(OpCode.create, path, payload, (reply) => withoutChroot(this.#chroot, reply.path));
  }

  async createWithStat(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<{ path: string; stat: Stat }> {
    const created = await this.create(path, data, mode);
    const stat = await this.exists(created);
    if (stat === undefined) throw new ZooKeeperError(KeeperCode.NoNode, created);
    return { path: created, stat };
  }

  delete(path: string, version: number): Promise<void> {
    return this.#call(OpCode.delete, path, record('DeleteRequest', { path: this.#whole(path), version }), () => undefined);
  }

  exists(path: string, watcher?: ZooKeeperWatcher): Promise<Stat | undefined> {
    return new Promise((resolve, reject) => {
      this.#connection.request(OpCode.exists, this.#pathWatch('ExistsRequest', path, watcher), (code, response) => {
        const there = code === KeeperCode.OK;
        if (!there && code !== KeeperCode.NoNode) {
          reject(new ZooKeeperError(code, path));
          return;
        }
        this.#watch(there ? 'data' : 'exist', path, watcher);
        resolve(there && response?.payload ? statOf(response.payload.stat) : undefined);
      });
    });
  }

  getData(path: string, watcher?: ZooKeeperWatcher): Promise<{ data: Buffer; stat: Stat }> {
    return this.#call(OpCode.getData, path, this.#pathWatch('GetDataRequest', path, watcher), (reply) => {
      this.#watch('data', path, watcher);
      return { data: reply.data ?? NO_DATA, stat: statOf(reply.stat) };
    });
  }

  setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    const payload = record('SetDataRequest', { path: this.#whole(path), data: data ?? undefined, version });
    return this.#call(OpCode.setData, path, payload, (reply) => statOf(reply.stat));
  }

  getChildren(path: string, watcher?: ZooKeeperWatcher): Promise<{ children: string[]; stat: Stat }> {
    return this.#call(OpCode.getChildren2, path, this.#pathWatch('GetChildren2Request', path, watcher), (reply) => {
      this.#watch('child', path, watcher);
      return { children: reply.children, stat: statOf(reply.stat) };
    });
  }

  getAcl(path: string): Promise<readonly Acl[]> {
    return this.#call(OpCode.getACL, path, record('GetACLRequest', { path: this.#whole(path) }), (reply) =>
      reply.acl.map(({ perms, id }) => ({ perms, scheme: id.scheme, id: id.id })),
    );
  }

  multi(ops: readonly ZooKeeperOp[]): Promise<ZooKeeperOpResult[]> {
    const payload = new jute.TransactionRequest(ops.map((op) => this.#transactionOp(op)));
    return this.#call(OpCode.multi, undefined, payload, (reply) => {
      throwIfFailed(
        reply.results.filter((result) => result.type === OpCode.error).map((result) => result.err ?? KeeperCode.SystemError),
        ops,
      );
      return reply.results.map((result, index) => this.#opResult(result, ops[index]));
    });
  }

  async sync(): Promise<void> {
    await this.multi([]);
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    let confirmed = false;
    if (this.#connection.connected) {
      confirmed = await new Promise<boolean>((resolve) => {
        const timer = this.#runtime.scheduler.after(CLOSE_TIMEOUT_MS, () => resolve(false));
        this.#connection.request(OpCode.closeSession, null, (code) => {
          timer.cancel();
          resolve(code === KeeperCode.OK);
        });
      });
    }
    this.#connection.terminate('closed');
    this.#watches.clear();
    return confirmed;
  }

  #call<T>(type: number, path: string | undefined, payload: object, read: (reply: Payload) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#connection.request(type, payload, (code, response) => {
        if (code !== KeeperCode.OK) {
          reject(new ZooKeeperError(code, path));
          return;
        }
        settle(() => read(response?.payload ?? EMPTY_PAYLOAD), resolve, reject);
      });
    });
  }

  #whole(path: string): string {
    return withChroot(this.#chroot, path);
  }

  #pathWatch(name: string, path: string, watcher: ZooKeeperWatcher | undefined): object {
    return record(name, { path: this.#whole(path), watch: watcher !== undefined });
  }

  #watch(kind: 'data' | 'exist' | 'child', path: string, watcher: ZooKeeperWatcher | undefined): void {
    if (watcher === undefined) return;
    let wrapped = this.#wrapped.get(watcher);
    if (wrapped === undefined) {
      wrapped = (event) => watcher({ type: event.type, path: withoutChroot(this.#chroot, event.path) });
      this.#wrapped.set(watcher, wrapped);
    }
    this.#watches.add(kind, this.#whole(path), wrapped);
  }

  #transactionOp(op: ZooKeeperOp): object {
    const path = this.#whole(op.path);
    switch (op.type) {
      case 'create':
        return {
          type: OpCode.create,
          path,
          data: op.data ?? undefined,
          acls: openAcl().map((acl) => ({ toRecord: () => acl })),
          mode: CREATE_MODES[op.mode],
        };
      case 'setData':
        return { type: OpCode.setData, path, data: op.data ?? undefined, version: op.version };
      case 'delete':
        return { type: OpCode.delete, path, version: op.version };
      default:
        return { type: OpCode.check, path, version: op.version };
    }
  }

  #opResult(result: TransactionResult, op: ZooKeeperOp | undefined): ZooKeeperOpResult {
    if (result.type === OpCode.create) return { type: 'create', path: withoutChroot(this.#chroot, result.path ?? '') };
    if (result.type === OpCode.setData && result.stat !== undefined) return { type: 'setData', stat: statOf(result.stat) };
    if (result.type === OpCode.delete && op?.type === 'delete') return { type: 'delete' };
    if (result.type === OpCode.check && op?.type === 'check') return { type: 'check' };
    throw new ZooKeeperError(KeeperCode.MarshallingError, op?.path);
  }

  #onState(state: ZooKeeperState): void {
    if (state === 'expired' || state === 'closed') this.#watches.clear();
    for (const listener of Array.from(this.#listeners)) listener(state);
  }
}

const EMPTY_PAYLOAD: Payload = {
  path: '',
  data: undefined,
  children: [],
  acl: [],
  results: [],
  stat: {
    czxid: Buffer.alloc(8),
    mzxid: Buffer.alloc(8),
    ctime: Buffer.alloc(8),
    mtime: Buffer.alloc(8),
    pzxid: Buffer.alloc(8),
    ephemeralOwner: Buffer.alloc(8),
    version: 0,
    cversion: 0,
    aversion: 0,
    dataLength: 0,
    numChildren: 0,
  },
};

function settle<T>(read: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  let value: T;
  try {
    value = read();
  } catch (error) {
    reject(error);
    return;
  }
  resolve(value);
}

/** One of the library's records with its fields set. */
function record(name: string, fields: Record<string, unknown>): object {
  const Class = jute.protocol[name];
  if (Class === undefined) throw new Error(`node-zookeeper-client has no record ${name}`);
  return Object.assign(new Class(), fields);
}

function openAcl(): { perms: number; id: { scheme: string; id: string } }[] {
  const Acl = (jute as unknown as { data: Record<string, new (...fields: unknown[]) => object> }).data;
  const { ACL, Id } = Acl;
  if (ACL === undefined || Id === undefined) throw new Error('node-zookeeper-client has no record ACL');
  return OPEN_ACL_UNSAFE.map(
    (acl) => new ACL(acl.perms, new Id(acl.id.scheme, acl.id.id)) as { perms: number; id: { scheme: string; id: string } },
  );
}

function statOf(stat: LibraryStat): Stat {
  return {
    czxid: longOf(stat.czxid),
    mzxid: longOf(stat.mzxid),
    pzxid: longOf(stat.pzxid),
    ctime: longOf(stat.ctime),
    mtime: longOf(stat.mtime),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
    ephemeralOwner: stat.ephemeralOwner,
  };
}

function longOf(bytes: Buffer): number {
  return bytes.readInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4);
}
