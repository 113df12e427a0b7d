/** For tests: a ZooKeeper session that sends what it is told, byte for byte, and shows every frame that comes back. */
import * as net from 'node:net';
import { FrameDecoder } from '../jute/frame-decoder.ts';
import { type JuteWriter, finishFrame } from '../jute/jute-writer.ts';
import { encodeConnectRequest, requestFrame } from '../jute/session-records.ts';

export interface RawSessionOptions {
  readonly port: number;
  readonly sessionTimeoutMs: number;
  readonly sessionId?: Buffer;
  readonly password?: Buffer;
  /** Sends the readOnly byte. */
  readonly readOnly?: boolean;
  readonly lastZxidSeen?: number;
}

export class RawSession {
  readonly #socket: net.Socket;
  readonly #frames: Buffer[] = [];
  /** Xids of all frames ever. */
  readonly #received: number[] = [];
  #handshake: Buffer | undefined;
  #closed = false;
  #waiters: (() => void)[] = [];

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder(2 ** 30, {
      onFrame: (frame) => {
        if (this.#handshake === undefined) this.#handshake = Buffer.from(frame);
        else {
          this.#frames.push(Buffer.from(frame));
          this.#received.push(frame.readInt32BE(0));
        }
        this.#wake();
        return true;
      },
      onBadLength: () => socket.destroy(),
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects and shakes hands; the answer is in `handshake`, undefined when the server only hung up. */
  static async open(options: RawSessionOptions): Promise<RawSession> {
    const socket = net.connect(options.port, '127.0.0.1');
    const session = new RawSession(socket);
    socket.write(
      encodeConnectRequest({
        protocolVersion: 0,
        lastZxidSeen: options.lastZxidSeen ?? 0,
        timeOut: options.sessionTimeoutMs,
        sessionId: options.sessionId?.toString('hex') ?? '0000000000000000',
        passwd: options.password ?? Buffer.alloc(16),
        readOnly: options.readOnly,
      }),
    );
    await session.#until(() => session.#handshake !== undefined);
    return session;
  }

  get handshake(): Buffer | undefined {
    return this.#handshake;
  }

  get sessionId(): Buffer {
    return this.#handshake?.subarray(8, 16) ?? Buffer.alloc(8);
  }

  get password(): Buffer {
    return this.#handshake?.subarray(20, 36) ?? Buffer.alloc(16);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a request and waits for its reply, or for the server to hang up. */
  async request(xid: number, type: number, write: (body: JuteWriter) => void = () => undefined): Promise<void> {
    const frame = requestFrame(xid, type);
    write(frame);
    const seen = this.#received.length;
    this.#socket.write(finishFrame(frame));
    await this.#until(() => this.#received.includes(xid, seen));
  }

  get frameCount(): number {
    return this.#frames.length;
  }

  /** Lets what was sent arrive: the server on this event loop has read it then. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Every frame since the last call, in order. */
  takeFrames(): Buffer[] {
    return this.#frames.splice(0);
  }

  untilClosed(): Promise<void> {
    return this.#until(() => false);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
