/** A ZooKeeper session that sends what it is told, byte for byte, and shows every frame that comes back. */
import * as net from 'node:net';
import { FrameDecoder } from '../../src/zookeeper/jute/frame-decoder.ts';
import { type JuteWriter, finishFrame } from '../../src/zookeeper/jute/jute-writer.ts';
import { encodeConnectRequest, requestFrame } from '../../src/zookeeper/jute/session-records.ts';

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
  #handshake: Buffer | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder(2 ** 30, {
      onFrame: (frame) => {
        if (this.#handshake === undefined) this.#handshake = Buffer.from(frame);
        else this.#frames.push(Buffer.from(frame));
        this.#wake?.();
        return true;
      },
      onBadLength: () => socket.destroy(),
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
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
    const before = this.#frames.length;
    this.#socket.write(finishFrame(frame));
    await this.#until(() => this.#frames.slice(before).some((reply) => reply.readInt32BE(0) === xid));
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
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
