/**
 * ZooKeeper as the broker uses it: operations that outlast a lost connection, watches by path, and a new session after expiry.
 *
 * - An operation that the connection took with it is sent again when there is a connection. Whether it had taken effect before
 *   is not known: callers of create, delete and conditional set deal with NodeExists, NoNode and BadVersion that may be their own.
 * - When the session expires, operations fail with SessionExpired until the handlers' `beforeInitializingSession` have run;
 *   then they wait for the new session. `afterInitializingSession` runs when it is there: who had ephemeral nodes or watches
 *   makes them again.
 * - A handler registered for a path hears of changes only after the path was read through this class: ZooKeeper's watches are
 *   one-shot, so each read with a handler in place arms one. Hearing means: read again.
 *
 * Source: kafka.zookeeper.ZooKeeperClient, kafka.zk.KafkaZkClient.retryRequestsUntilConnected.
 */
import type { Logger } from '../../runtime/logger.ts';
import { sleep, type Scheduler } from '../../runtime/scheduler.ts';
import type { Stat, WatchEvent, ZooKeeperClient, ZooKeeperOp, ZooKeeperOpResult } from '../../zk-client/zookeeper-client.ts';
import { isZooKeeperError, sessionExpiredError } from './zk-ops.ts';

export interface ZNodeChangeHandler {
  onCreated?(): void;
  onDeleted?(): void;
  onDataChanged?(): void;
}

export interface ZNodeChildChangeHandler {
  onChildrenChanged(): void;
}

export interface StateChangeHandler {
  readonly name: string;
  /** The session has expired; the new one does not exist yet. */
  beforeInitializingSession?(): Promise<void> | void;
  /** The new session exists. */
  afterInitializingSession?(): Promise<void> | void;
}

export interface ZooKeeperSessionOptions {
  /** Makes a client with a new session; resolves when it is connected. */
  readonly connect: () => Promise<ZooKeeperClient>;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Operations of one batch that may be under way at once (zookeeper.max.in.flight.requests). */
  readonly maxInFlightRequests?: number;
}

/** Kafka's default is 10; a larger window lets the server's group commit work at a failover of thousands of partitions. */
const DEFAULT_MAX_IN_FLIGHT = 256;
const RECONNECT_BACKOFF_MS = 500;
/** jute.maxbuffer where nothing is configured: a server answers what is larger than its own by closing the connection. */
const DEFAULT_MAX_BUFFER_BYTES = 0xfffff;
/** So many connections are lost over one operation of more than that before it is given up. */
const MAX_LOSSES_OF_LARGE = 3;

type WatchKind = 'data' | 'children';
type Watcher = (event: WatchEvent) => void;

export class ZooKeeperSession {
  readonly #options: ZooKeeperSessionOptions;
  readonly #maxInFlight: number;
  readonly #stateChangeHandlers = new Map<string, StateChangeHandler>();
  readonly #changeHandlers = new Map<string, ZNodeChangeHandler>();
  readonly #childChangeHandlers = new Map<string, ZNodeChildChangeHandler>();
  #watchers: Record<WatchKind, Map<string, Watcher>> = { data: new Map(), children: new Map() };
  #client: ZooKeeperClient;
  /** Set while a new session is being made. */
  #initializing: Promise<void> | undefined;
  #connected = true;
  /** From the expiry until the new session is there. */
  #expired = false;
  #closed = false;
  /** Closed when the connection is lost. */
  #impatient = false;
  #waiters: (() => void)[] = [];
  #sessionId: Buffer | undefined;
  #previousSessionId: Buffer | undefined;

  private constructor(options: ZooKeeperSessionOptions, client: ZooKeeperClient) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlightRequests ?? DEFAULT_MAX_IN_FLIGHT;
    this.#client = client;
    this.#adopt(client);
  }

  /** Connects; rejects when `connect` does. */
  static async open(options: ZooKeeperSessionOptions): Promise<ZooKeeperSession> {
    return new ZooKeeperSession(options, await options.connect());
  }

  /** Id and password of the current session, for the file that lets the supervisor close it when this process has died. */
  session(): { readonly id: Buffer; readonly password: Buffer } | undefined {
    return this.#client.session();
  }

  /** The id of the session before this one, whose ephemeral nodes may still be there. */
  get previousSessionId(): Buffer | undefined {
    return this.#previousSessionId;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  registerStateChangeHandler(handler: StateChangeHandler): void {
    this.#stateChangeHandlers.set(handler.name, handler);
  }

  unregisterStateChangeHandler(name: string): void {
    this.#stateChangeHandlers.delete(name);
  }

  /** Heard after the next `exists` or `getData` of the path. One handler per path. */
  registerZNodeChangeHandler(path: string, handler: ZNodeChangeHandler): void {
    this.#changeHandlers.set(path, handler);
  }

  /** As above, and arms the watch; resolves whether the znode exists. */
  async registerZNodeChangeHandlerAndCheckExistence(path: string, handler: ZNodeChangeHandler): Promise<boolean> {
    this.registerZNodeChangeHandler(path, handler);
    return (await this.exists(path)) !== undefined;
  }

  unregisterZNodeChangeHandler(path: string): void {
    this.#changeHandlers.delete(path);
    this.#watchers.data.delete(path);
  }

  /** Heard after the next `getChildren` of the path. One handler per path. */
  registerZNodeChildChangeHandler(path: string, handler: ZNodeChildChangeHandler): void {
    this.#childChangeHandlers.set(path, handler);
  }

  unregisterZNodeChildChangeHandler(path: string): void {
    this.#childChangeHandlers.delete(path);
    this.#watchers.children.delete(path);
  }

  // Operations

  exists(path: string): Promise<Stat | undefined> {
    return this.#retryUntilConnected((client) => client.exists(path, this.#dataWatcher(path)));
  }

  /** Data and stat, or undefined when there is no such znode (its creation is then not watched: use `exists` for that). */
  async getData(path: string): Promise<{ data: Buffer; stat: Stat } | undefined> {
    try {
      return await this.#retryUntilConnected((client) => client.getData(path, this.#dataWatcher(path)));
    } catch (error) {
      if (isZooKeeperError(error, 'NoNode')) return undefined;
      throw error;
    }
  }

  /** Names of the children; none when there is no such znode. */
  async getChildren(path: string): Promise<readonly string[]> {
    try {
      return (await this.#retryUntilConnected((client) => client.getChildren(path, this.#childWatcher(path)))).children;
    } catch (error) {
      if (isZooKeeperError(error, 'NoNode')) return [];
      throw error;
    }
  }

  create(path: string, data: Buffer | null, mode: 'persistent' | 'ephemeral' | 'persistent-sequential' = 'persistent'): Promise<string> {
    return this.#retryUntilConnected((client) => client.create(path, data, mode), data?.length);
  }

  setData(path: string, data: Buffer, version: number): Promise<Stat> {
    return this.#retryUntilConnected((client) => client.setData(path, data, version), data.length);
  }

  /** True when it was there. */
  async delete(path: string, version = -1): Promise<boolean> {
    try {
      await this.#retryUntilConnected((client) => client.delete(path, version));
      return true;
    } catch (error) {
      if (isZooKeeperError(error, 'NoNode')) return false;
      throw error;
    }
  }

  multi(ops: readonly ZooKeeperOp[]): Promise<ZooKeeperOpResult[]> {
    const bytes = ops.reduce((sum, op) => sum + ('data' in op ? (op.data?.length ?? 0) : 0), 0);
    return this.#retryUntilConnected((client) => client.multi([...ops]), bytes);
  }

  /** Runs `operation` for each item, pipelined within the window; results in the items' order. Rejects with the first failure, when all have settled. */
  async pipelined<Item, Result>(items: readonly Item[], operation: (item: Item) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    let next = 0;
    let failure: { readonly error: unknown } | undefined;
    const worker = async (): Promise<void> => {
      while (next < items.length && failure === undefined) {
        const index = next++;
        try {
          results[index] = await operation(items[index]!);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#maxInFlight, items.length) }, worker));
    if (failure !== undefined) throw failure.error;
    return results;
  }

  /**
   * The broker ends: without a connection, now or later, the session is closed on this side, and what waits for one fails. Nobody waits for
   * a ZooKeeper that is away and may never come back.
   */
  stopWaiting(): void {
    this.#impatient = true;
    if (!this.#connected) void this.close();
  }

  /** Ends the session: its ephemeral nodes go. False when ZooKeeper did not say so: then they may stay until the session expires. */
  async close(): Promise<boolean> {
    this.#closed = true;
    this.#wake();
    return this.#client.close();
  }

  // Connection and session

  #adopt(client: ZooKeeperClient): void {
    this.#connected = true;
    this.#sessionId = client.session()?.id;
    client.onState((state) => {
      if (client !== this.#client || this.#closed) return;
      this.#connected = state === 'connected';
      if (state === 'connected') this.#wake();
      else if (this.#impatient) void this.close();
      else if (state === 'expired') void this.#reinitialize();
      else this.#options.logger.warn(`ZooKeeper: ${state}`);
    });
  }

  async #reinitialize(): Promise<void> {
    if (this.#initializing !== undefined || this.#closed) return;
    const { logger } = this.#options;
    logger.warn('the ZooKeeper session has expired: making a new one');
    // Who waits for the connection of the dead session learns that it will not come.
    this.#expired = true;
    this.#wake();
    for (const handler of this.#stateChangeHandlers.values()) await this.#callHandler(handler, 'beforeInitializingSession');
    this.#initializing = this.#makeNewSession();
    await this.#initializing;
    this.#initializing = undefined;
    if (this.#closed) return;
    logger.info('a new ZooKeeper session was made');
    for (const handler of this.#stateChangeHandlers.values()) await this.#callHandler(handler, 'afterInitializingSession');
  }

  async #makeNewSession(): Promise<void> {
    const { connect, scheduler, logger } = this.#options;
    const old = this.#client;
    this.#previousSessionId = this.#sessionId;
    await old.close().catch(() => undefined);
    while (!this.#closed) {
      try {
        const client = await connect();
        if (this.#closed) {
          await client.close();
          return;
        }
        this.#watchers = { data: new Map(), children: new Map() };
        this.#client = client;
        this.#expired = false;
        this.#adopt(client);
        return;
      } catch (error) {
        logger.warn({ err: error }, 'could not make a new ZooKeeper session; trying again');
        await sleep(scheduler, RECONNECT_BACKOFF_MS);
      }
    }
  }

  async #callHandler(handler: StateChangeHandler, hook: 'beforeInitializingSession' | 'afterInitializingSession'): Promise<void> {
    try {
      await handler[hook]?.();
    } catch (error) {
      this.#options.logger.error({ err: error }, `${handler.name} failed in ${hook}`);
    }
  }

  /** `dataBytes`: what the operation writes. */
  async #retryUntilConnected<T>(send: (client: ZooKeeperClient) => Promise<T>, dataBytes = 0): Promise<T> {
    for (let losses = 1; ; losses++) {
      if (this.#initializing !== undefined) await this.#initializing;
      if (this.#closed || this.#expired) throw sessionExpiredError();
      const client = this.#client;
      try {
        return await send(client);
      } catch (error) {
        if (!isZooKeeperError(error, 'ConnectionLoss')) throw error;
        // Sent for ever, it would take the connection from everything else each time.
        if (dataBytes > DEFAULT_MAX_BUFFER_BYTES && losses === MAX_LOSSES_OF_LARGE) {
          const message = `ZooKeeper closed the connection ${losses} times over a request with ${dataBytes} bytes: its jute.maxbuffer is smaller, it seems`;
          throw new Error(message, { cause: error });
        }
        await this.#waitUntilConnected(client);
      }
    }
  }

  async #waitUntilConnected(client: ZooKeeperClient): Promise<void> {
    while (!this.#connected && client === this.#client && !this.#expired && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    if (client !== this.#client || this.#expired || this.#closed) throw sessionExpiredError();
    // Connected already again: give the client a turn before the operation is repeated.
    await new Promise<void>((resolve) => this.#options.scheduler.endOfTurn(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  // Watches

  #dataWatcher(path: string): Watcher | undefined {
    return this.#changeHandlers.has(path) ? this.#watcher('data', path) : undefined;
  }

  #childWatcher(path: string): Watcher | undefined {
    return this.#childChangeHandlers.has(path) ? this.#watcher('children', path) : undefined;
  }

  /** One function per path and session, so that a client that keeps watchers in a set calls it once. */
  #watcher(kind: WatchKind, path: string): Watcher {
    const watchers = this.#watchers[kind];
    let watcher = watchers.get(path);
    if (watcher === undefined) {
      watcher = (event) => {
        if (this.#watchers[kind] === watchers) this.#fire(kind, path, event);
      };
      watchers.set(path, watcher);
    }
    return watcher;
  }

  #fire(kind: WatchKind, path: string, event: WatchEvent): void {
    if (kind === 'children') {
      if (event.type === 'childrenChanged') this.#childChangeHandlers.get(path)?.onChildrenChanged();
      return;
    }
    const handler = this.#changeHandlers.get(path);
    if (event.type === 'created') handler?.onCreated?.();
    else if (event.type === 'deleted') handler?.onDeleted?.();
    else if (event.type === 'dataChanged') handler?.onDataChanged?.();
  }
}
