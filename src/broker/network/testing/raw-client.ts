/** A bare TCP client for tests: writes what it is told, gathers the frames that come back. */
import * as net from 'node:net';
import type { Api } from '../../../protocol/api.ts';
import { decodeResponse, encodeRequest } from '../../../protocol/frames.ts';

export class RawClient {
  readonly socket: net.Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #changed: (() => void)[] = [];
  nextCorrelationId = 1;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#notify();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#notify();
    });
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.setNoDelay(true);
        resolve(new RawClient(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.#closed;
  }
  get receivedBytes(): number {
    return this.#received.length;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, version: number, body: ReqIn): number {
    const correlationId = this.nextCorrelationId++;
    this.write(requestBytes(api, version, correlationId, body));
    return correlationId;
  }

  /** The next response frame, without its size. Rejects when the connection closes first. */
  async nextFrame(): Promise<Buffer> {
    for (;;) {
      if (this.#received.length >= 4) {
        const size = this.#received.readInt32BE(0);
        if (this.#received.length >= 4 + size) {
          const frame = this.#received.subarray(4, 4 + size);
          this.#received = this.#received.subarray(4 + size);
          return frame;
        }
      }
      if (this.#closed) throw new Error('the connection was closed before a response came');
      await this.#change();
    }
  }

  async call<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, version: number, body: ReqIn): Promise<Res> {
    const correlationId = this.send(api, version, body);
    const response = decodeResponse(api, version, await this.nextFrame());
    if (response.correlationId !== correlationId) throw new Error(`answer ${response.correlationId} to request ${correlationId}`);
    return response.body;
  }

  async closed(): Promise<void> {
    while (!this.#closed) await this.#change();
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #notify(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

/** A request with its size in front. */
export function requestBytes<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  version: number,
  correlationId: number,
  body: ReqIn,
): Buffer {
  return Buffer.concat(encodeRequest(api, version, correlationId, 'raw-client', body));
}
