/** Net on `node:net`. Gathered writes go out as one writev: the socket is corked around them. */
import * as net from 'node:net';
import type { Endpoint, Listener, ListenOptions, Net, Socket, SocketHandler } from '../net.ts';

class NodeSocket implements Socket {
  readonly #socket: net.Socket;
  #handler: SocketHandler | undefined;
  #error: Error | undefined;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      const handler = this.#handler;
      this.#handler = undefined;
      handler?.onClose(this.#error);
    });
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }
  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }
  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  setHandler(handler: SocketHandler): void {
    if (this.#handler !== undefined) throw new Error('a socket has one handler');
    this.#handler = handler;
    const socket = this.#socket;
    socket.on('connect', () => this.#handler?.onConnect?.());
    socket.on('drain', () => this.#handler?.onDrain?.());
    socket.on('end', () => this.#handler?.onEnd?.());
    socket.on('data', (chunk: Buffer) => this.#handler?.onData(chunk));
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return false;
    if (chunks.length === 1) return socket.write(chunks[0] ?? new Uint8Array(0));
    socket.cork();
    let flowing = true;
    for (const chunk of chunks) flowing = socket.write(chunk);
    socket.uncork();
    return flowing;
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(): void {
    this.#socket.end();
  }
  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }
}

export const nodeNet: Net = {
  listen(endpoint: Endpoint, onConnection: (socket: Socket) => void, options: ListenOptions = {}): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ allowHalfOpen: false, pauseOnConnect: false }, (socket) => onConnection(new NodeSocket(socket)));
      server.once('error', reject);
      const listening = (): void => {
        server.removeListener('error', reject);
        const address = server.address();
        resolve({
          port: typeof address === 'object' && address !== null ? address.port : 0,
          close() {
            // The callback would wait for every accepted socket; the port is free as soon as close() returns.
            server.close();
            return Promise.resolve();
          },
        });
      };
      const { backlog = 511, ipv6Only = false } = options;
      if ('path' in endpoint) server.listen({ path: endpoint.path, backlog }, listening);
      else server.listen({ host: endpoint.host, port: endpoint.port, backlog, ipv6Only }, listening);
    });
  },

  connect(endpoint: Endpoint, handler: SocketHandler): Socket {
    const socket = new NodeSocket(
      'path' in endpoint ? net.connect({ path: endpoint.path }) : net.connect({ host: endpoint.host, port: endpoint.port }),
    );
    socket.setHandler(handler);
    return socket;
  },
};
