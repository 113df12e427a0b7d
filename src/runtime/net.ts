/**
 * Stream sockets: TCP on a host and port, or a local socket (a path; on Windows a named pipe).
 * A socket has one handler; it is set once, before any byte is delivered, and never sees a call after `onClose`.
 */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

export interface SocketHandler {
  /** An outgoing socket is connected. Not called for accepted ones. */
  onConnect?(): void;
  onData(chunk: Buffer): void;
  /** What was written has left for the kernel; called after a `write` that returned false. */
  onDrain?(): void;
  /** The peer has ended its side. The socket is closed by the runtime right after. */
  onEnd?(): void;
  /** Once, the last call. `error` when it was not an orderly close. */
  onClose(error?: Error): void;
}

export interface Socket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes accepted by `write` and not yet handed to the kernel. */
  readonly bufferedBytes: number;
  setHandler(handler: SocketHandler): void;
  /** Queues `chunks` in order as one gathered write; false asks the caller to wait for `onDrain`. Chunks must not change until sent. */
  write(chunks: readonly Uint8Array[]): boolean;
  /** No `onData` until `resume`. `onEnd` and `onClose` may come all the same. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(error?: Error): void;
}

export interface Listener {
  /** The port bound, useful after asking for port 0; 0 for a local socket. */
  readonly port: number;
  /** Stops accepting; accepted sockets live on. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Longest queue of connections not yet accepted. */
  readonly backlog?: number;
  /** Bind IPv6 only, so that the same port can be bound on IPv4 beside it. */
  readonly ipv6Only?: boolean;
}

export interface Net {
  /** Rejects with Node's error (`EADDRINUSE`, `EACCES`, …). */
  listen(endpoint: Endpoint, onConnection: (socket: Socket) => void, options?: ListenOptions): Promise<Listener>;
  /** Starts connecting; the outcome comes to the handler. */
  connect(endpoint: Endpoint, handler: SocketHandler): Socket;
}
