/**
 * The console's own session with a local cluster's ZooKeeper: made when a page first asks, given up when nothing was asked for a
 * minute. It only reads. It sets one-shot watches on what was read, at most `MAX_WATCHES`, and publishes paths that changed; after the
 * session has ended it says that everything may have changed, so that pages ask again and the watches are set anew.
 */
import type { Cancellable } from '../../runtime/scheduler.ts';
import { connectZooKeeper, ZooKeeperError } from '../../zk-client/zookeeper-client.ts';
import type { WatchEvent, ZooKeeperClient } from '../../zk-client/zookeeper-client.ts';
import type { Change } from '../contract/live.ts';
import type { ControlStatus } from './cluster-control.ts';
import type { SessionRuntime } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { within } from './within.ts';

const SESSION_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 3_000;
const IDLE_MS = 60_000;
const MAX_WATCHES = 2_000;
const API = 'ZooKeeper';

export interface ZooKeeperReaderOptions {
  readonly runtime: SessionRuntime;
  /** Of the supervisor; undefined before the first. */
  readonly status: () => ControlStatus | undefined;
  readonly publish: (changes: readonly Change[]) => void;
  readonly connect?: (connectString: string) => Promise<ZooKeeperClient>;
}

interface Connected {
  readonly connectString: string;
  readonly client: Promise<ZooKeeperClient>;
  readonly watched: Set<string>;
}

export class ZooKeeperReader {
  readonly #options: ZooKeeperReaderOptions;
  #connected: Connected | undefined;
  #downSinceMs: number | undefined;
  #idle: Cancellable | undefined;
  #closed = false;

  constructor(options: ZooKeeperReaderOptions) {
    this.#options = options;
  }

  /** `0x…`; null while there is none. */
  ownSession: string | null = null;

  /**
   * What `work` gives. `watch(path)` is the watcher to read `path` with, undefined when no more are set. Rejects with a FailureError:
   * `unreachable` while ZooKeeper is down (since when), `notFound` for a node that isn't there.
   */
  async read<T>(
    work: (client: ZooKeeperClient, watch: (path: string) => ((event: WatchEvent) => void) | undefined) => Promise<T>,
  ): Promise<T> {
    const { runtime } = this.#options;
    const connected = this.#connect();
    this.#idle?.cancel();
    this.#idle = runtime.scheduler.after(IDLE_MS, () => void this.#leave());
    try {
      const client = await connected.client;
      const answer = await within(
        runtime.scheduler,
        CALL_TIMEOUT_MS,
        work(client, (path) => this.#watcher(connected, path)).then((value) => ({ value })),
      );
      if (answer === undefined) throw this.#isDown(connected.connectString);
      this.#downSinceMs = undefined;
      return answer.value;
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error;
      if (error.name === 'NoNode') throw refuse('notFound', `There is no node ${error.path ?? ''}`, { api: API, name: error.name });
      if (error.name === 'NoAuth')
        throw refuse('notPermitted', `The access list of ${error.path ?? 'the node'} keeps the console out`, {
          api: API,
          name: error.name,
        });
      if (error.name !== 'ConnectionLoss' && error.name !== 'SessionExpired')
        throw refuse('internal', error.message, { api: API, name: error.name });
      throw this.#isDown(connected.connectString);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#leave();
  }

  #connect(): Connected {
    if (this.#closed) throw refuse('unreachable', 'The console is closing');
    const status = this.#options.status();
    const process = status?.processes.find(({ role }) => role === 'zookeeper');
    if (process !== undefined && process.state !== 'running') {
      this.#downSinceMs ??= process.lastExit?.atMs;
      throw this.#isDown(`${process.host}:${process.port ?? '?'} (${process.state})`);
    }
    const connectString = status?.zookeeperConnect ?? null;
    if (connectString === null) throw refuse('unreachable', 'The supervisor has not told yet where ZooKeeper is', { api: API });
    if (this.#connected?.connectString === connectString) return this.#connected;
    void this.#leave();
    const { runtime } = this.#options;
    const connect =
      this.#options.connect ??
      ((at) =>
        connectZooKeeper({
          connectString: at,
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
          runtime,
          implementation: 'own',
        }));
    const client = connect(connectString);
    const connected: Connected = { connectString, client, watched: new Set() };
    this.#connected = connected;
    client.then(
      (ready) => {
        const id = ready
          .session()
          ?.id.toString('hex')
          .replace(/^0+(?=.)/, '');
        this.ownSession = id === undefined ? null : `0x${id}`;
        ready.onState((state) => {
          if (state === 'disconnected') this.#downSinceMs ??= runtime.clock.wallMs();
          else if (state === 'connected') this.#downSinceMs = undefined;
          else this.#ended(connected, state === 'expired');
        });
      },
      () => this.#ended(connected, false),
    );
    return connected;
  }

  #ended(connected: Connected, tell: boolean): void {
    if (this.#connected !== connected) return;
    this.#connected = undefined;
    this.ownSession = null;
    if (tell) this.#options.publish([{ kind: 'znodes', ids: null }]);
  }

  #watcher(connected: Connected, path: string): ((event: WatchEvent) => void) | undefined {
    if (!connected.watched.has(path) && connected.watched.size >= MAX_WATCHES) return undefined;
    connected.watched.add(path);
    return this.#onEvent;
  }

  /** One function for all: set twice on a path it is called once. */
  readonly #onEvent = ({ path }: WatchEvent): void => {
    this.#connected?.watched.delete(path);
    this.#options.publish([{ kind: 'znodes', ids: [path] }]);
  };

  #isDown(where: string): Error {
    const nowMs = this.#options.runtime.clock.wallMs();
    this.#downSinceMs ??= nowMs;
    const since = new Date(this.#downSinceMs).toISOString();
    return refuse('unreachable', `ZooKeeper at ${where} does not answer since ${since}`, { api: API });
  }

  async #leave(): Promise<void> {
    this.#idle?.cancel();
    const connected = this.#connected;
    this.#connected = undefined;
    this.ownSession = null;
    const client = await connected?.client.catch(() => undefined);
    await client?.close();
  }
}
