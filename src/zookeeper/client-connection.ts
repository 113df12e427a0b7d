/**
 * One client's socket: framing, the handshake, the order of replies, watch notifications, back-pressure (NIOServerCnxn).
 *
 * Replies leave in the order of requests: a read that comes behind writes of this connection in flight waits for them, and
 * so sees them. Replies and notifications of one turn of the event loop leave as one write.
 */
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import type { Socket } from '../runtime/net.ts';
import { isAllowed } from './auth.ts';
import { FrameDecoder } from './jute/frame-decoder.ts';
import { KEEPER_STATE_SYNC_CONNECTED, NOTIFICATION_ZXID, Perms, Xid, type EventType } from './jute/constants.ts';
import { finishFrame } from './jute/jute-writer.ts';
import { type Acl, type Id, type LongHex, NO_OWNER } from './jute/records.ts';
import { replyFrame } from './jute/session-records.ts';
import { LatencyStats } from './server-stats.ts';
import type { Watcher } from './tree/watch-manager.ts';

/** Frames before a session is open: a ConnectRequest is 44 or 45 bytes. */
const MAX_HANDSHAKE_BYTES = 4096;
const FRAME_LENGTH_BYTES = 4;
/** Unsent bytes at which the socket is no longer read, and at which a client that doesn't read is cut off. */
const PAUSE_AT_BUFFERED_BYTES = 4 * 1024 * 1024;
const CUT_OFF_AT_BUFFERED_BYTES = 256 * 1024 * 1024;

/** Requests of one connection that wait for their turn to be answered before it is no longer read. */
const PAUSE_AT_QUEUED = 1000;
/** How long a client may take to close its side once this one is closed. */
const LINGER_MS = 1000;

export interface ConnectionOwner {
  /** The first frame. */
  onConnectRequest(connection: ClientConnection, frame: Buffer): void;
  /** Any later frame. */
  onRequest(connection: ClientConnection, frame: Buffer): void;
  /** Four bytes that can't be a handshake's length, and what came with them; true when they were a command and have been answered. */
  onFourLetterWord(connection: ClientConnection, word: string, argument: Buffer): boolean;
  /** `dropped`: the client's side ended while its session was open. */
  onConnectionClosed(connection: ClientConnection, dropped: boolean): void;
  onPacketSent(): void;
  /** A reply or a notification of that many bytes, without its length. */
  onReplySent(bytes: number): void;
  onNotificationSent(bytes: number): void;
}

/** A request whose turn to be answered hasn't come: `run` answers it. A write has none until it is committed. */
interface QueuedRequest {
  run: (() => void) | undefined;
}

type PauseReason = 'handshake' | 'outstanding' | 'queue' | 'output';
export type ConnectionState = 'new' | 'connecting' | 'open' | 'closed';

export class ClientConnection implements Watcher {
  readonly address: string;
  readonly port: number;
  readonly latency = new LatencyStats();
  readonly acceptedAtMs: number;
  packetsReceived = 0;
  packetsSent = 0;
  lastOperation = 'NA';
  lastXid = 0;
  lastZxid = 0;
  lastResponseMs: number;
  state: ConnectionState = 'new';
  sessionId: LongHex = NO_OWNER;
  sessionTimeoutMs = 0;
  /** Whether the client sent the readOnly byte, and so gets one. */
  sendsReadOnly = false;
  authInfo: Id[];

  readonly #socket: Socket;
  readonly #scheduler: Scheduler;
  readonly #owner: ConnectionOwner;
  readonly #decoder: FrameDecoder;
  readonly #maxFrameBytes: number;
  #queue: QueuedRequest[] = [];
  #queueHead = 0;
  #answering = false;
  #throttled = false;
  #out: Buffer[] = [];
  #outBytes = 0;
  #flushScheduled = false;
  #endAfterFlush = false;
  #linger: Cancellable | undefined;
  readonly #pauseReasons = new Set<PauseReason>();

  constructor(
    socket: Socket,
    scheduler: Scheduler,
    owner: ConnectionOwner,
    options: { readonly maxFrameBytes: number; readonly nowMs: number },
  ) {
    this.#socket = socket;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#maxFrameBytes = options.maxFrameBytes;
    this.address = socket.remoteAddress;
    this.port = socket.remotePort;
    this.authInfo = [{ scheme: 'ip', id: this.address }];
    this.acceptedAtMs = options.nowMs;
    this.lastResponseMs = options.nowMs;
    this.#decoder = new FrameDecoder(MAX_HANDSHAKE_BYTES, {
      onFrame: (frame) => this.#onFrame(frame),
      onBadLength: (length, rest) => this.#onBadLength(length, rest),
    });
    socket.setHandler({
      onData: (chunk) => this.#decoder.push(chunk),
      onDrain: () => this.#onOutputDrained(),
      onClose: () => this.#onClose(),
    });
  }

  /** The session is there: requests may come. */
  open(sessionId: LongHex, sessionTimeoutMs: number): void {
    this.state = 'open';
    this.sessionId = sessionId;
    this.sessionTimeoutMs = sessionTimeoutMs;
    this.#decoder.maxFrameBytes = this.#maxFrameBytes;
    this.#removePause('handshake');
    this.#decoder.resume();
  }

  /** Requests not answered yet. */
  get outstanding(): number {
    return this.#queue.length - this.#queueHead;
  }

  /** Runs a read now, or when the writes before it are answered. */
  enqueueRead(run: () => void): void {
    if (this.outstanding === 0) run();
    else this.#enqueue({ run });
  }

  enqueueWrite(): void {
    this.#enqueue({ run: undefined });
  }

  /** The oldest write of this connection that is not committed yet now is: `answer` and the reads behind it have their turn. */
  onWriteCommitted(answer: () => void = () => undefined): void {
    if (this.state === 'closed') return;
    let index = this.#queueHead;
    while (this.#queue[index]?.run !== undefined) index++;
    const write = this.#queue[index];
    if (write !== undefined) write.run = answer;
    this.#answerQueued(PAUSE_AT_BUFFERED_BYTES);
  }

  /** Up to the first write that is not committed, or until so many bytes wait to be sent: the rest is answered when they are out. */
  #answerQueued(maxOutBytes: number): void {
    // An answer may be the connection's last.
    if (this.#answering) return;
    this.#answering = true;
    for (let next = this.#queue[this.#queueHead]; next?.run !== undefined; next = this.#queue[this.#queueHead]) {
      if (this.#outBytes > maxOutBytes) {
        this.#addPause('output');
        break;
      }
      this.#queueHead++;
      next.run();
    }
    this.#answering = false;
    if (this.outstanding <= PAUSE_AT_QUEUED / 2) this.#removePause('queue');
    if (this.#queueHead === this.#queue.length) {
      this.#queue = [];
      this.#queueHead = 0;
    } else if (this.#queueHead > 1024) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }

  /** Sends a whole frame (or text) at the end of the turn. */
  send(frame: Buffer): void {
    if (this.state === 'closed' || this.#endAfterFlush) return;
    this.#out.push(frame);
    this.#outBytes += frame.length;
    this.packetsSent++;
    this.#owner.onPacketSent();
    this.#scheduleFlush();
  }

  /** Sends the reply to a request. */
  sendReply(frame: Buffer): void {
    this.#owner.onReplySent(frame.length - FRAME_LENGTH_BYTES);
    this.send(frame);
  }

  /** A watch has fired: a notification, if the client may read the node. */
  process(type: EventType, path: string, acl: readonly Acl[]): void {
    if (!isAllowed(acl, Perms.READ, this.authInfo)) return;
    const frame = replyFrame(Xid.notification, NOTIFICATION_ZXID, 0).int(type).int(KEEPER_STATE_SYNC_CONNECTED).string(path);
    const bytes = finishFrame(frame);
    this.#owner.onNotificationSent(bytes.length - FRAME_LENGTH_BYTES);
    this.send(bytes);
  }

  addAuth(ids: readonly Id[]): void {
    for (const id of ids) {
      if (!this.authInfo.some((known) => known.scheme === id.scheme && known.id === id.id)) this.authInfo = [...this.authInfo, id];
    }
  }

  /**
   * Stops or goes on reading because of the requests in work on the whole server. A connection that has none of them is read all the same:
   * its signs of life must be heard, and a session that comes back.
   */
  setThrottled(throttled: boolean): void {
    this.#throttled = throttled;
    if (!throttled) this.#removePause('outstanding');
    else if (this.outstanding > 0) this.#addPause('outstanding');
  }

  /** Sends what is queued, then closes. Nothing is sent any more, and what still comes is thrown away. */
  end(): void {
    if (this.#endAfterFlush) return;
    this.#answerQueued(CUT_OFF_AT_BUFFERED_BYTES);
    this.#endAfterFlush = true;
    this.#decoder.discard();
    for (const reason of Array.from(this.#pauseReasons)) this.#removePause(reason);
    this.#linger = this.#scheduler.after(LINGER_MS, () => this.destroy());
    this.#scheduleFlush();
  }

  /** Closes at once. */
  destroy(): void {
    this.#endAfterFlush = true;
    this.#socket.destroy();
    this.#onClose();
  }

  #onFrame(frame: Buffer): boolean {
    if (this.state === 'closed' || this.#endAfterFlush) return false;
    if (this.state === 'open') {
      this.#owner.onRequest(this, frame);
      // A few short requests can have very long answers: they go out before the next is looked at.
      if (this.#outBytes <= PAUSE_AT_BUFFERED_BYTES) return true;
      this.#addPause('output');
      return false;
    }
    this.state = 'connecting';
    this.#addPause('handshake');
    this.#owner.onConnectRequest(this, frame);
    // A session resumed has been opened inside; one that is made waits for its transaction.
    return (this.state as ConnectionState) === 'open';
  }

  #onOutputDrained(): void {
    if (!this.#pauseReasons.has('output')) return;
    this.#removePause('output');
    this.#answerQueued(PAUSE_AT_BUFFERED_BYTES);
    if (!this.#pauseReasons.has('output')) this.#decoder.resume();
  }

  #enqueue(request: QueuedRequest): void {
    this.#queue.push(request);
    if (this.outstanding > PAUSE_AT_QUEUED) this.#addPause('queue');
    if (this.#throttled) this.#addPause('outstanding');
  }

  #onBadLength(length: number, rest: Buffer): void {
    if (this.state === 'new') {
      const word = Buffer.alloc(4);
      word.writeInt32BE(length, 0);
      if (this.#owner.onFourLetterWord(this, word.toString('latin1'), rest)) return;
    }
    this.destroy();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#scheduler.endOfTurn(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.state === 'closed') return;
    if (this.#out.length > 0) {
      const out = this.#out;
      this.#out = [];
      this.#outBytes = 0;
      const flowing = this.#socket.write(out);
      const { bufferedBytes } = this.#socket;
      if (!flowing && bufferedBytes > CUT_OFF_AT_BUFFERED_BYTES) {
        this.destroy();
        return;
      }
      if (!flowing && bufferedBytes > PAUSE_AT_BUFFERED_BYTES) this.#addPause('output');
      else this.#onOutputDrained();
    }
    if (this.#endAfterFlush) this.#socket.end();
  }

  #addPause(reason: PauseReason): void {
    if (this.#endAfterFlush) return;
    if (this.#pauseReasons.size === 0) this.#socket.pause();
    this.#pauseReasons.add(reason);
  }

  #removePause(reason: PauseReason): void {
    if (this.#pauseReasons.delete(reason) && this.#pauseReasons.size === 0) this.#socket.resume();
  }

  #onClose(): void {
    if (this.state === 'closed') return;
    const dropped = this.state === 'open' && !this.#endAfterFlush;
    this.state = 'closed';
    this.#linger?.cancel();
    this.#out = [];
    this.#queue = [];
    this.#queueHead = 0;
    this.#owner.onConnectionClosed(this, dropped);
  }
}
