/**
 * The session of our own client: one socket at a time to one of the servers, the handshake, heartbeats and deadlines,
 * reconnecting, and requests matched with replies in order (ClientCnxn).
 *
 * - Nothing sent for 1/3 of the session time-out: a ping. Nothing read for 2/3, or no answer to the handshake for 1/2:
 *   the socket is given up. The next server is tried at once, after a round of all of them with a growing pause.
 * - A request that was sent when the socket broke is rejected with ConnectionLoss; one not yet sent waits.
 * - On a new socket, watches are set again before anything else is sent, from the last zxid seen on.
 */
import type { Socket } from '../../runtime/net.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { OpCode, Xid } from '../../zookeeper/jute/constants.ts';
import { FrameDecoder } from '../../zookeeper/jute/frame-decoder.ts';
import { JuteError, JuteReader } from '../../zookeeper/jute/jute-reader.ts';
import { JuteWriter, finishFrame } from '../../zookeeper/jute/jute-writer.ts';
import { encodeConnectRequest, readConnectResponse, requestFrame } from '../../zookeeper/jute/session-records.ts';
import { type ZooKeeperSessionId, type ZooKeeperState, connectionLoss, sessionExpired, type ZooKeeperError } from '../types.ts';
import { type ConnectString } from '../connect-string.ts';

export type ZooKeeperClientRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'random' | 'logger'>;

export interface SessionConnectionOptions {
  readonly runtime: ZooKeeperClientRuntime;
  readonly servers: ConnectString['endpoints'];
  readonly sessionTimeoutMs: number;
  readonly resume: ZooKeeperSessionId | undefined;
  /** Frames that set the watches again, sent first on a new socket. */
  readonly watchFrames: (relativeZxid: number) => readonly { readonly type: number; readonly write: (body: JuteWriter) => void }[];
  /** type, path */
  readonly onNotification: (type: number, path: string) => void;
  readonly onState: (state: ZooKeeperState) => void;
}

/** A request and what becomes of it. */
export interface ZooKeeperRequest {
  readonly type: number;
  readonly path: string | undefined;
  write(body: JuteWriter): void;
  /** The reply's error code and body. */
  onReply(err: number, body: JuteReader): void;
  onFailure(error: ZooKeeperError): void;
}

const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** Requests in flight, and requests that wait for a connection; more of either are refused with ConnectionLoss. */
const MAX_REQUESTS = 100_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
const NEW_SESSION: ZooKeeperSessionId = { id: Buffer.alloc(8), password: Buffer.alloc(16) };

type Phase = 'idle' | 'connecting' | 'handshake' | 'connected' | 'expired' | 'closed';

export class SessionConnection {
  readonly #options: SessionConnectionOptions;
  readonly #runtime: ZooKeeperClientRuntime;
  #phase: Phase = 'idle';
  #session: ZooKeeperSessionId;
  #sessionTimeoutMs: number;
  #lastZxid = 0;
  #nextXid = 1;
  #socket: Socket | undefined;
  /** Sent and not answered, in order. */
  #inFlight: { readonly xid: number; readonly request: ZooKeeperRequest }[] = [];
  #inFlightHead = 0;
  #waiting: ZooKeeperRequest[] = [];
  #out: Buffer[] = [];
  #flushScheduled = false;
  #serverIndex: number;
  #attempts = 0;
  #lastSentMs = 0;
  #lastReadMs = 0;
  #timer: Cancellable | undefined;
  #hasBeenConnected = false;

  constructor(options: SessionConnectionOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#session = options.resume ?? NEW_SESSION;
    this.#sessionTimeoutMs = options.sessionTimeoutMs;
    this.#serverIndex = options.servers.length > 1 ? options.runtime.random.int(options.servers.length) : 0;
  }

  get sessionTimeoutMs(): number {
    return this.#sessionTimeoutMs;
  }

  get phase(): Phase {
    return this.#phase;
  }

  session(): ZooKeeperSessionId | undefined {
    if (!this.#hasBeenConnected || this.#phase === 'expired' || this.#phase === 'closed') return undefined;
    return this.#session;
  }

  start(): void {
    this.#connect();
  }

  request(request: ZooKeeperRequest): void {
    if (this.#phase === 'expired') request.onFailure(sessionExpired(request.path));
    else if (this.#phase === 'closed') request.onFailure(connectionLoss(request.path));
    else if (Math.max(this.#waiting.length, this.#inFlight.length - this.#inFlightHead) >= MAX_REQUESTS)
      request.onFailure(connectionLoss(request.path));
    else if (this.#phase === 'connected') this.#send(request);
    else this.#waiting.push(request);
  }

  /** Gives up the socket and everything that waits. */
  terminate(phase: 'expired' | 'closed'): void {
    if (this.#phase === 'expired' || this.#phase === 'closed') {
      this.#phase = phase;
      return;
    }
    this.#phase = phase;
    this.#timer?.cancel();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#failInFlight();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) request.onFailure(phase === 'expired' ? sessionExpired(request.path) : connectionLoss(request.path));
    this.#options.onState(phase);
  }

  // --- the socket ---

  #connect(): void {
    const { servers } = this.#options;
    const server = servers[this.#serverIndex++ % servers.length];
    if (server === undefined) return;
    this.#phase = 'connecting';
    this.#attempts++;
    const decoder = new FrameDecoder(MAX_REPLY_BYTES, {
      onFrame: (frame) => {
        if (this.#socket !== socket) return false;
        this.#onFrame(frame);
        return true;
      },
      onBadLength: (length) => this.#dropSocket(`a reply of ${length} bytes`),
    });
    const current = (): boolean => this.#socket === socket;
    const socket: Socket = this.#runtime.net.connect(server, {
      onConnect: () => {
        if (current()) this.#sendHandshake();
      },
      onData: (chunk) => {
        if (!current()) return;
        this.#lastReadMs = this.#runtime.clock.monotonicMs();
        decoder.push(chunk);
      },
      onClose: (error) => {
        if (current()) this.#onSocketGone(error?.message ?? 'the server closed the connection');
      },
    });
    this.#socket = socket;
    const deadlineMs = Math.max(1, this.#sessionTimeoutMs / 2 / servers.length);
    this.#arm(deadlineMs, () => this.#dropSocket(`no answer from ${server.host}:${server.port} for ${Math.round(deadlineMs)} ms`));
  }

  #sendHandshake(): void {
    this.#phase = 'handshake';
    const frame = encodeConnectRequest({
      protocolVersion: 0,
      lastZxidSeen: this.#lastZxid,
      timeOut: this.#options.sessionTimeoutMs,
      sessionId: this.#session.id.toString('hex'),
      passwd: this.#session.password,
      readOnly: false,
    });
    this.#socket?.write([frame]);
  }

  #dropSocket(reason: string): void {
    this.#socket?.destroy();
    this.#onSocketGone(reason);
  }

  #onSocketGone(reason: string): void {
    this.#socket = undefined;
    this.#timer?.cancel();
    if (this.#phase === 'expired' || this.#phase === 'closed') return;
    const wasConnected = this.#phase === 'connected';
    this.#phase = 'idle';
    this.#out = [];
    this.#failInFlight();
    if (wasConnected) {
      this.#runtime.logger.info({ reason }, `lost the connection to ZooKeeper: ${reason}`);
      this.#options.onState('disconnected');
    } else this.#runtime.logger.debug({ reason }, `no connection to ZooKeeper: ${reason}`);
    // A listener may have closed the client.
    if (this.#phase === 'idle') this.#scheduleReconnect();
  }

  #scheduleReconnect(): void {
    const rounds = Math.floor(this.#attempts / this.#options.servers.length);
    if (this.#attempts % this.#options.servers.length !== 0 || rounds === 0) {
      this.#connect();
      return;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(rounds - 1, 10));
    this.#arm(pauseMs * (0.5 + this.#runtime.random.next() / 2), () => this.#connect());
  }

  // --- frames ---

  #onFrame(frame: Buffer): void {
    const reader = new JuteReader(frame);
    try {
      if (this.#phase === 'handshake') this.#onHandshake(reader);
      else this.#onReply(reader);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#dropSocket(`a reply that makes no sense: ${error.message}`);
    }
  }

  #onHandshake(reader: JuteReader): void {
    const response = readConnectResponse(reader);
    if (response.timeOut <= 0) {
      this.terminate('expired');
      return;
    }
    this.#session = { id: Buffer.from(response.sessionId, 'hex'), password: Buffer.from(response.passwd) };
    this.#sessionTimeoutMs = response.timeOut;
    this.#phase = 'connected';
    this.#attempts = 0;
    this.#hasBeenConnected = true;
    const nowMs = this.#runtime.clock.monotonicMs();
    this.#lastSentMs = nowMs;
    this.#lastReadMs = nowMs;
    this.#armHeartbeat();
    for (const { type, write } of this.#options.watchFrames(this.#lastZxid)) {
      this.#send({ type, path: undefined, write, onReply: () => undefined, onFailure: () => undefined });
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#send(request);
    this.#options.onState('connected');
  }

  #onReply(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.long();
    const err = reader.int();
    if (xid === Xid.ping) return;
    if (xid === Xid.notification) {
      const type = reader.int();
      reader.int();
      this.#options.onNotification(type, reader.string());
      return;
    }
    const head = this.#inFlight[this.#inFlightHead];
    if (head === undefined || head.xid !== xid) {
      this.#dropSocket(`a reply to request ${xid}, expected is ${head?.xid ?? 'none'}`);
      return;
    }
    this.#inFlightHead++;
    if (this.#inFlightHead === this.#inFlight.length) {
      this.#inFlight = [];
      this.#inFlightHead = 0;
    } else if (this.#inFlightHead > 1024) {
      this.#inFlight = this.#inFlight.slice(this.#inFlightHead);
      this.#inFlightHead = 0;
    }
    if (zxid > 0) this.#lastZxid = zxid;
    try {
      head.request.onReply(err, reader);
    } catch (error) {
      head.request.onFailure(connectionLoss(head.request.path));
      throw error;
    }
  }

  #send(request: ZooKeeperRequest): void {
    const xid = this.#nextXid;
    this.#nextXid = this.#nextXid === 0x7fffffff ? 1 : this.#nextXid + 1;
    const frame = requestFrame(xid, request.type);
    request.write(frame);
    this.#inFlight.push({ xid, request });
    this.#queueOut(finishFrame(frame));
  }

  /** Frames of one turn leave as one write. */
  #queueOut(frame: Buffer): void {
    this.#out.push(frame);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#runtime.scheduler.endOfTurn(() => {
      this.#flushScheduled = false;
      const out = this.#out;
      this.#out = [];
      if (out.length === 0 || this.#socket === undefined) return;
      this.#socket.write(out);
      this.#lastSentMs = this.#runtime.clock.monotonicMs();
    });
  }

  #failInFlight(): void {
    const failed = this.#inFlight.slice(this.#inFlightHead);
    this.#inFlight = [];
    this.#inFlightHead = 0;
    for (const { request } of failed) {
      request.onFailure(this.#phase === 'expired' ? sessionExpired(request.path) : connectionLoss(request.path));
    }
  }

  // --- time ---

  #armHeartbeat(): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    const pingAtMs = this.#lastSentMs + this.#sessionTimeoutMs / 3;
    const deadAtMs = this.#lastReadMs + (this.#sessionTimeoutMs * 2) / 3;
    const delayMs = Math.max(1, Math.min(pingAtMs, deadAtMs) - nowMs);
    this.#arm(delayMs, () => {
      const atMs = this.#runtime.clock.monotonicMs();
      // This process was held up: it has asked nothing and not read what came. The server has a third more to answer a ping.
      if (atMs - nowMs - delayMs >= this.#sessionTimeoutMs / 6) this.#lastReadMs = atMs - this.#sessionTimeoutMs / 3;
      if (atMs >= this.#lastReadMs + (this.#sessionTimeoutMs * 2) / 3) {
        this.#dropSocket(`nothing from the server for ${Math.round(atMs - this.#lastReadMs)} ms`);
        return;
      }
      if (atMs >= this.#lastSentMs + this.#sessionTimeoutMs / 3) {
        this.#lastSentMs = atMs;
        this.#queueOut(finishFrame(requestFrame(Xid.ping, OpCode.ping)));
      }
      this.#armHeartbeat();
    });
  }

  #arm(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.scheduler.after(delayMs, callback);
  }
}
