/**
 * node-zookeeper-client's ConnectionManager (sockets, handshake, codec, re-connect) with its faults mended from outside:
 *
 * - frames are cut here and handed in one by one: a connection cut inside a frame leaves nothing behind (there: a false
 *   expiry and an uncaught range error), many replies in one chunk cost no recursion and no copy of the rest each;
 * - bytes that make no sense, and what its decoder throws on them, end the socket and not the process;
 * - error codes that it doesn't know reach the caller instead of an exception;
 * - deadlines: no ConnectResponse for 1/2 of the session time-out, nothing read for 2/3: the socket is given up;
 * - a ping every third of the time-out also while the server sends (there: only when the socket is quiet both ways);
 * - watches are kept by our registry (one-shot, no limit, unknown events ignored); on a new socket they are set again once
 *   and before anything else, in requests that a server takes (there: in one of any size, which ends each connection);
 * - its session ends once: what it does after expiry or `terminate` is not heard.
 */
import ConnectionManager, { type LibraryError, type Packet } from 'node-zookeeper-client/lib/ConnectionManager.js';
import jute, { type JuteResponse } from 'node-zookeeper-client/lib/jute/index.js';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { KeeperCode, OpCode, Xid } from '../../zookeeper/jute/constants.ts';
import { FrameDecoder } from '../../zookeeper/jute/frame-decoder.ts';
import type { ConnectString } from '../connect-string.ts';
import type { ZooKeeperClientRuntime } from '../own/session-connection.ts';
import type { WatchEvent, ZooKeeperSessionId, ZooKeeperState } from '../types.ts';
import { WatchRegistry, watchEventType } from '../watch-registry.ts';

export interface MendedConnectionOptions {
  readonly runtime: ZooKeeperClientRuntime;
  readonly servers: ConnectString['endpoints'];
  readonly sessionTimeoutMs: number;
  readonly resume: ZooKeeperSessionId | undefined;
  readonly watches: WatchRegistry;
  readonly onState: (state: ZooKeeperState) => void;
}

const { STATES } = ConnectionManager;
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** Requests in flight or waiting; more are refused with ConnectionLoss. */
const MAX_REQUESTS = 100_000;
/** Longest request to set watches: more paths go in several. */
const SET_WATCHES_BYTES = 128 * 1024;
/** The longest random pause after a round of all servers. */
const SPIN_DELAY_MS = 50;
/** Length, xid, zxid: where a reply's error code lies in a frame. */
const ERR_OFFSET = 4 + 4 + 8;
/** Codes that the library can make an exception of; for others it throws. */
const KNOWN_CODES: ReadonlySet<number> = new Set([
  0, -1, -2, -3, -4, -5, -6, -7, -8, -100, -101, -102, -103, -108, -110, -111, -112, -113, -114, -115,
]);

export class MendedConnection {
  readonly #options: MendedConnectionOptions;
  readonly #runtime: ZooKeeperClientRuntime;
  readonly #manager: ConnectionManager;
  #decoder: FrameDecoder | undefined;
  #lastReadMs = 0;
  #timer: Cancellable | undefined;
  #ended: 'expired' | 'closed' | undefined;
  #connected = false;
  /** The error code of the reply being handled, as the server sent it. */
  #replyCode: number = KeeperCode.OK;
  #events: WatchEvent[] = [];

  constructor(options: MendedConnectionOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    const { resume, sessionTimeoutMs } = options;
    const session = resume === undefined ? {} : { sessionId: resume.id, sessionPassword: resume.password };
    const manager = new ConnectionManager(
      'localhost:2181',
      { sessionTimeout: sessionTimeoutMs, spinDelay: SPIN_DELAY_MS, retries: 0, ...session },
      (state) => this.#onManagerState(state),
    );
    // Its own parser knows no IPv6. The time-out to connect is shared among the servers.
    manager.servers = options.servers.map(({ host, port }) => ({ host, port }));
    (manager as unknown as { updateTimeout(ms: number): void }).updateTimeout(sessionTimeoutMs);
    manager.watcherManager = watcherManagerOn(options.watches, (event) => this.#events.push(event));
    const handleFrame = manager.onSocketData.bind(manager);
    manager.onSocketData = (chunk) => this.#onData(chunk, handleFrame);
    this.#manager = manager;
  }

  start(): void {
    this.#manager.connect();
  }

  get connected(): boolean {
    return this.#connected;
  }

  get sessionTimeoutMs(): number {
    return this.#manager.sessionTimeout;
  }

  session(): ZooKeeperSessionId | undefined {
    const id = this.#manager.getSessionId();
    if (this.#ended !== undefined || id.every((byte) => byte === 0)) return undefined;
    return { id, password: this.#manager.getSessionPassword() };
  }

  /** Sends a request when there is a connection. `callback` gets the server's code, or the library's own for a lost connection. */
  request(type: number, payload: object | null, callback: (code: number, response: JuteResponse | undefined) => void): void {
    if (this.#ended !== undefined) {
      callback(this.#ended === 'expired' ? KeeperCode.SessionExpired : KeeperCode.ConnectionLoss, undefined);
      return;
    }
    if (this.#manager.packetQueue.queue.length + this.#manager.pendingQueue.length >= MAX_REQUESTS) {
      callback(KeeperCode.ConnectionLoss, undefined);
      return;
    }
    const header = new jute.protocol.RequestHeader();
    header.type = type;
    this.#manager.queue(new jute.Request(header, payload), (error: LibraryError | null | undefined, response) => {
      if (error === null || error === undefined) callback(KeeperCode.OK, response);
      else callback(response === undefined ? error.code : this.#replyCode, response);
    });
  }

  /** Ends it all: the socket goes, no more states, no more attempts. */
  terminate(ended: 'expired' | 'closed'): void {
    const first = this.#ended === undefined;
    this.#ended = ended;
    if (!first) return;
    this.#connected = false;
    this.#timer?.cancel();
    const manager = this.#manager;
    // What its timers still begin ends here.
    manager.connect = () => undefined;
    const code = ended === 'expired' ? KeeperCode.SessionExpired : KeeperCode.ConnectionLoss;
    const unsent = manager.packetQueue.queue.splice(0);
    manager.state = ended === 'expired' ? STATES.SESSION_EXPIRED : STATES.CLOSING;
    manager.socket?.destroy();
    for (const packet of [...manager.pendingQueue.splice(0), ...unsent]) packet.callback(Object.assign(new Error(ended), { code }));
    this.#options.onState(ended);
  }

  #onManagerState(state: number): void {
    if (this.#ended !== undefined) return;
    if (state === STATES.CONNECTING) this.#onConnecting();
    else if (state === STATES.CONNECTED) this.#onConnected();
    else if (state === STATES.SESSION_EXPIRED) this.terminate('expired');
    else if (state === STATES.DISCONNECTED) {
      this.#timer?.cancel();
      if (!this.#connected) return;
      this.#connected = false;
      this.#options.onState('disconnected');
    }
  }

  #onConnecting(): void {
    this.#manager.pendingBuffer = null;
    this.#decoder = undefined;
    // A handshake that failed has left its request for the watches behind.
    const { queue } = this.#manager.packetQueue;
    queue.splice(0, queue.length, ...queue.filter((packet) => packet.request.header.type !== OpCode.setWatches));
    this.#arm(this.#manager.sessionTimeout / 2, () => this.#giveUpSocket('no answer to the handshake'));
  }

  #onConnected(): void {
    this.#connected = true;
    this.#lastReadMs = this.#runtime.clock.monotonicMs();
    const { queue } = this.#manager.packetQueue;
    const at = queue.findIndex((packet) => packet.request.header.type === OpCode.setWatches);
    if (at >= 0) queue.unshift(...queue.splice(at, 1).flatMap((packet) => this.#inParts(packet)));
    this.#armHeartbeat();
    this.#options.onState('connected');
  }

  /** The library's request to set the watches again, as several that a server takes. */
  #inParts({ request, callback }: Packet): Packet[] {
    const SetWatches = jute.protocol['SetWatches'];
    if (SetWatches === undefined) throw new Error('node-zookeeper-client has no record SetWatches');
    const { relativeZxid } = request.payload as { relativeZxid: Buffer };
    return this.#options.watches.batches(SET_WATCHES_BYTES).map(({ data, exist, child }) => {
      const header = new jute.protocol.RequestHeader(Xid.setWatches, OpCode.setWatches);
      const payload = Object.assign(new SetWatches(), { relativeZxid, dataWatches: data, existWatches: exist, childWatches: child });
      return { request: new jute.Request(header, payload), callback };
    });
  }

  #onData(chunk: Buffer, handleFrame: (frame: Buffer) => void): void {
    if (this.#ended !== undefined) return;
    this.#lastReadMs = this.#runtime.clock.monotonicMs();
    this.#decoder ??= new FrameDecoder(MAX_REPLY_BYTES, {
      onFrame: (body) => this.#onFrame(body, handleFrame),
      onBadLength: (length) => this.#giveUpSocket(`a reply of ${length} bytes`),
    });
    this.#decoder.push(chunk);
  }

  #onFrame(body: Buffer, handleFrame: (frame: Buffer) => void): boolean {
    const decoder = this.#decoder;
    const frame = Buffer.allocUnsafe(body.length + 4);
    frame.writeInt32BE(body.length, 0);
    body.copy(frame, 4);
    if (this.#manager.state === STATES.CONNECTED && frame.length >= ERR_OFFSET + 4) {
      this.#replyCode = frame.readInt32BE(ERR_OFFSET);
      if (!KNOWN_CODES.has(this.#replyCode)) frame.writeInt32BE(KeeperCode.APIError, ERR_OFFSET);
    }
    try {
      handleFrame(frame);
    } catch (error) {
      // Its record classes throw plain errors on input that is too short.
      this.#giveUpSocket(`a reply that makes no sense: ${String(error)}`);
      return false;
    }
    const events = this.#events;
    this.#events = [];
    for (const event of events) for (const watcher of this.#options.watches.take(event)) watcher(event);
    return this.#decoder === decoder && this.#ended === undefined;
  }

  #giveUpSocket(reason: string): void {
    this.#runtime.logger.info({ reason }, `giving up the connection to ZooKeeper: ${reason}`);
    this.#decoder?.discard();
    this.#manager.socket?.destroy();
  }

  #armHeartbeat(): void {
    const timeoutMs = this.#manager.sessionTimeout;
    const nowMs = this.#runtime.clock.monotonicMs();
    const delayMs = Math.max(1, Math.min(timeoutMs / 3, this.#lastReadMs + (timeoutMs * 2) / 3 - nowMs));
    this.#arm(delayMs, () => {
      const atMs = this.#runtime.clock.monotonicMs();
      // This process was held up: it has asked nothing and not read what came. The server has a third more to answer a ping.
      if (atMs - nowMs - delayMs >= timeoutMs / 6) this.#lastReadMs = atMs - timeoutMs / 3;
      const silentMs = atMs - this.#lastReadMs;
      if (silentMs >= (timeoutMs * 2) / 3) {
        this.#giveUpSocket(`nothing from the server for ${Math.round(silentMs)} ms`);
        return;
      }
      this.#manager.queue(new jute.Request(new jute.protocol.RequestHeader(Xid.ping, OpCode.ping), null), () => undefined);
      this.#armHeartbeat();
    });
  }

  #arm(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.scheduler.after(delayMs, callback);
  }
}

/** What the manager asks of its WatcherManager, on our registry. Events are kept until the frame has been handled. */
function watcherManagerOn(watches: WatchRegistry, onEvent: (event: WatchEvent) => void): object {
  return {
    isEmpty: () => watches.isEmpty,
    getDataWatcherPaths: () => watches.paths('data'),
    getExistenceWatcherPaths: () => watches.paths('exist'),
    getChildWatcherPaths: () => watches.paths('child'),
    emit: ({ type, path }: { type: number; path: string }) => {
      const event = watchEventType(type);
      if (event !== undefined) onEvent({ type: event, path });
    },
  };
}
