/** Our own ZooKeeper client: on the runtime's net and clock, so that a simulated cluster can run on it. */
import { KeeperCode, OpCode } from '../../zookeeper/jute/constants.ts';
import { JuteError, type JuteReader } from '../../zookeeper/jute/jute-reader.ts';
import type { JuteWriter } from '../../zookeeper/jute/jute-writer.ts';
import { readAcls, readStat } from '../../zookeeper/jute/records.ts';
import { readMultiHeader, writeCreate, writeMulti } from '../../zookeeper/jute/requests.ts';
import { type ConnectString, withChroot, withoutChroot } from '../connect-string.ts';
import { juteCreate, juteOp, statOf } from '../jute-operations.ts';
import { throwIfFailed } from '../multi-errors.ts';
import {
  type Acl,
  type Stat,
  type ZooKeeperClient,
  type ZooKeeperCreateMode,
  ZooKeeperError,
  type ZooKeeperOp,
  type ZooKeeperOpResult,
  type ZooKeeperSessionId,
  type ZooKeeperState,
  type ZooKeeperWatcher,
} from '../types.ts';
import { WatchRegistry, watchEventType } from '../watch-registry.ts';
import { SessionConnection, type ZooKeeperClientRuntime } from './session-connection.ts';

export interface OwnClientOptions {
  readonly runtime: ZooKeeperClientRuntime;
  readonly connectString: ConnectString;
  readonly sessionTimeoutMs: number;
  readonly resume: ZooKeeperSessionId | undefined;
}

/** Longest setWatches request: more paths go in several. */
const SET_WATCHES_BYTES = 128 * 1024;
/** How long `close` waits for the server. */
const CLOSE_TIMEOUT_MS = 2000;

export class OwnZooKeeperClient implements ZooKeeperClient {
  readonly #connection: SessionConnection;
  readonly #runtime: ZooKeeperClientRuntime;
  readonly #chroot: string;
  readonly #watches = new WatchRegistry();
  readonly #listeners = new Set<(state: ZooKeeperState) => void>();
  #closing: Promise<boolean> | undefined;

  constructor(options: OwnClientOptions) {
    this.#runtime = options.runtime;
    this.#chroot = options.connectString.chroot;
    this.#connection = new SessionConnection({
      runtime: options.runtime,
      servers: options.connectString.endpoints,
      sessionTimeoutMs: options.sessionTimeoutMs,
      resume: options.resume,
      watchFrames: (relativeZxid) => this.#watchFrames(relativeZxid),
      onNotification: (type, path) => this.#onNotification(type, path),
      onState: (state) => this.#onState(state),
    });
  }

  /** Begins to connect; the outcome comes as a state. */
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
    const request = juteCreate(OpCode.create, withChroot(this.#chroot, path), data, mode);
    return this.#call(
      OpCode.create,
      path,
      (body) => writeCreate(body, request),
      (reply) => withoutChroot(this.#chroot, reply.string()),
    );
  }

  createWithStat(path: string, data: Buffer | null, mode: ZooKeeperCreateMode): Promise<{ path: string; stat: Stat }> {
    const request = juteCreate(OpCode.create2, withChroot(this.#chroot, path), data, mode);
    return this.#call(
      OpCode.create2,
      path,
      (body) => writeCreate(body, request),
      (reply) => ({ path: withoutChroot(this.#chroot, reply.string()), stat: statOf(readStat(reply)) }),
    );
  }

  delete(path: string, version: number): Promise<void> {
    return this.#call(
      OpCode.delete,
      path,
      (body) => body.string(withChroot(this.#chroot, path)).int(version),
      () => undefined,
    );
  }

  async exists(path: string, watcher?: ZooKeeperWatcher): Promise<Stat | undefined> {
    const watched = (kind: 'data' | 'exist'): void => {
      if (watcher !== undefined) this.#watches.add(kind, path, watcher);
    };
    return await this.#call(
      OpCode.exists,
      path,
      this.#pathWatch(path, watcher),
      (reply) => {
        watched('data');
        return statOf(readStat(reply));
      },
      (err) => {
        if (err !== KeeperCode.NoNode) return false;
        watched('exist');
        return true;
      },
    );
  }

  getData(path: string, watcher?: ZooKeeperWatcher): Promise<{ data: Buffer; stat: Stat }> {
    return this.#call(OpCode.getData, path, this.#pathWatch(path, watcher), (reply) => {
      // A copy: the caller may keep it, the frame goes.
      const data = Buffer.from(reply.buffer() ?? []);
      const stat = statOf(readStat(reply));
      if (watcher !== undefined) this.#watches.add('data', path, watcher);
      return { data, stat };
    });
  }

  setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    return this.#call(
      OpCode.setData,
      path,
      (body) => body.string(withChroot(this.#chroot, path)).buffer(data).int(version),
      (reply) => statOf(readStat(reply)),
    );
  }

  getChildren(path: string, watcher?: ZooKeeperWatcher): Promise<{ children: string[]; stat: Stat }> {
    return this.#call(OpCode.getChildren2, path, this.#pathWatch(path, watcher), (reply) => {
      const children = reply.strings();
      const stat = statOf(readStat(reply));
      if (watcher !== undefined) this.#watches.add('child', path, watcher);
      return { children, stat };
    });
  }

  getAcl(path: string): Promise<readonly Acl[]> {
    return this.#call(
      OpCode.getACL,
      path,
      (body) => body.string(withChroot(this.#chroot, path)),
      (reply) => readAcls(reply).map(({ perms, id }) => ({ perms, scheme: id.scheme, id: id.id })),
    );
  }

  multi(ops: readonly ZooKeeperOp[]): Promise<ZooKeeperOpResult[]> {
    const juteOps = ops.map((op) => juteOp(op, this.#chroot));
    return this.#call(
      OpCode.multi,
      undefined,
      (body) => writeMulti(body, juteOps),
      (reply) => this.#readMultiReply(reply, ops),
    );
  }

  sync(path = '/'): Promise<void> {
    return this.#call(
      OpCode.sync,
      path,
      (body) => body.string(withChroot(this.#chroot, path)),
      () => undefined,
    );
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Asks the server to end the session. False when the connection broke, or too much time passed, before it said that it has. */
  endSession(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#runtime.scheduler.after(CLOSE_TIMEOUT_MS, () => resolve(false));
      const settle = (ended: boolean): void => {
        timer.cancel();
        resolve(ended);
      };
      this.#connection.request({
        type: OpCode.closeSession,
        path: undefined,
        write: () => undefined,
        onReply: (err) => settle(err === KeeperCode.OK),
        onFailure: () => settle(false),
      });
    });
  }

  async #close(): Promise<boolean> {
    const confirmed = this.#connection.phase === 'connected' && (await this.endSession());
    this.#connection.terminate('closed');
    this.#watches.clear();
    return confirmed;
  }

  #call<T>(
    type: number,
    path: string | undefined,
    write: (body: JuteWriter) => unknown,
    read: (reply: JuteReader) => T,
    /** Whether an error is an answer all the same, then `undefined`. */
    toleratesError?: (err: number) => boolean,
  ): Promise<T>;
  #call<T>(
    type: number,
    path: string | undefined,
    write: (body: JuteWriter) => unknown,
    read: (reply: JuteReader) => T,
    toleratesError: (err: number) => boolean = () => false,
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#connection.request({
        type,
        path,
        write,
        onReply: (err, reply) => {
          if (err === KeeperCode.OK) resolveWith(resolve, reject, () => read(reply));
          else if (toleratesError(err)) resolve(undefined);
          else reject(new ZooKeeperError(err, path));
        },
        onFailure: reject,
      });
    });
  }

  #pathWatch(path: string, watcher: ZooKeeperWatcher | undefined): (body: JuteWriter) => void {
    return (body) => body.string(withChroot(this.#chroot, path)).bool(watcher !== undefined);
  }

  /** Results in order. Throws the error of the operation that failed: the first that is neither success nor "aborted". */
  #readMultiReply(reply: JuteReader, ops: readonly ZooKeeperOp[]): ZooKeeperOpResult[] {
    const results: ZooKeeperOpResult[] = [];
    const errors: number[] = [];
    for (let header = readMultiHeader(reply); !header.done; header = readMultiHeader(reply)) {
      switch (header.type) {
        case OpCode.error:
          errors.push(reply.int());
          break;
        case OpCode.create:
          results.push({ type: 'create', path: withoutChroot(this.#chroot, reply.string()) });
          break;
        case OpCode.setData:
          results.push({ type: 'setData', stat: statOf(readStat(reply)) });
          break;
        case OpCode.delete:
          results.push({ type: 'delete' });
          break;
        case OpCode.check:
          results.push({ type: 'check' });
          break;
        default:
          throw new JuteError(`a result of type ${header.type} in a multi`);
      }
    }
    throwIfFailed(errors, ops);
    return results;
  }

  #onNotification(type: number, path: string): void {
    const eventType = watchEventType(type);
    if (eventType === undefined) return;
    const event = { type: eventType, path: withoutChroot(this.#chroot, path) };
    for (const watcher of this.#watches.take(event)) watcher(event);
  }

  #onState(state: ZooKeeperState): void {
    if (state === 'expired' || state === 'closed') this.#watches.clear();
    for (const listener of Array.from(this.#listeners)) listener(state);
  }

  #watchFrames(relativeZxid: number): { type: number; write: (body: JuteWriter) => void }[] {
    const whole = (path: string): string => withChroot(this.#chroot, path);
    return this.#watches.batches(SET_WATCHES_BYTES).map(({ data, exist, child }) => ({
      type: OpCode.setWatches,
      write: (body) => {
        body.long(relativeZxid).strings(data.map(whole)).strings(exist.map(whole)).strings(child.map(whole));
      },
    }));
  }
}

function resolveWith<T>(resolve: (value: T) => void, reject: (error: unknown) => void, read: () => T): void {
  try {
    resolve(read());
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error;
    reject(error);
  }
}
