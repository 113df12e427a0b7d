/** Net without a network: connections stay as the test puts them. For time-outs, backoff and idle closes on ManualTime. */
import type { Endpoint, Listener, Net, Socket, SocketHandler } from '../../runtime/net.ts';

export class FakeSocket implements Socket {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 9092;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 50_000;
  bufferedBytes = 0;
  readonly endpoint: Endpoint;
  readonly written: Buffer[] = [];
  destroyed = false;
  ended = false;
  readonly #handler: SocketHandler;

  constructor(endpoint: Endpoint, handler: SocketHandler) {
    this.endpoint = endpoint;
    this.#handler = handler;
  }

  setHandler(): void {
    throw new Error('an outgoing socket has its handler');
  }
  write(chunks: readonly Uint8Array[]): boolean {
    this.written.push(Buffer.concat(chunks));
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.ended = true;
    if (this.bufferedBytes === 0) this.destroy();
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => this.#handler.onClose());
  }

  accept(): void {
    this.#handler.onConnect?.();
  }
  receive(bytes: Buffer): void {
    this.#handler.onData(bytes);
  }
  fail(message: string): void {
    this.destroyed = true;
    this.#handler.onClose(new Error(message));
  }
}

export class FakeNet implements Net {
  readonly sockets: FakeSocket[] = [];

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing has connected yet');
    return socket;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error('this net only connects'));
  }

  connect(endpoint: Endpoint, handler: SocketHandler): Socket {
    const socket = new FakeSocket(endpoint, handler);
    this.sockets.push(socket);
    return socket;
  }
}
