/**
 * A channel on a WebSocket: the browser's (`browserSocketChannel`) and the `ws` package's on the server (`serverSocketChannel`),
 * both typed by what is used of them, so that neither is imported here.
 */
import { ChannelClosedError, checkMessage } from './channel.ts';
import type { Channel, ChannelHandler } from './channel.ts';

const OPEN = 1;
/** Closed for a message that breaks the rules (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;
/** A browser's socket has no drain event: above this much unsent, a sender looks again every few milliseconds. */
const HIGH_WATER_BYTES = 1024 * 1024;
const DRAIN_POLL_MS = 10;

export interface BrowserSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(message: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void,
  ): void;
}

/** The part of a `ws` socket that is used. */
export interface ServerSocket {
  readonly readyState: number;
  send(message: string, callback: (error?: Error | null) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number, reason: { toString(): string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A channel on a browser's WebSocket, open or still connecting: `send` waits for it to open. */
export function browserSocketChannel(socket: BrowserSocket, maxChars: number): Channel {
  let handler: ChannelHandler | undefined;
  let closed: { reason: string | undefined } | undefined;
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined);

  const end = (reason: string | undefined): void => {
    if (closed) return;
    closed = { reason };
    opened.reject(new ChannelClosedError(reason));
    handler?.onClose(reason);
  };
  const close = (reason?: string): void => {
    if (closed) return;
    // A browser may only send 1000 and 3000 to 4999; the reason has room for 123 bytes.
    if (reason === undefined) socket.close();
    else socket.close(4000, reason.slice(0, 100));
    end(reason);
  };
  if (socket.readyState === OPEN) opened.resolve();
  else socket.addEventListener('open', () => opened.resolve());

  return {
    start(given) {
      handler = given;
      socket.addEventListener('message', ({ data }) => {
        if (closed) return;
        const checked = checkMessage(data, maxChars);
        if ('refused' in checked) close(checked.refused);
        else given.onMessage(checked.message);
      });
      socket.addEventListener('close', ({ code, reason, wasClean }) =>
        end(wasClean && code === 1000 ? undefined : reason || `the socket was closed (${code})`),
      );
    },
    async send(message) {
      await opened.promise;
      while (socket.readyState === OPEN && socket.bufferedAmount > HIGH_WATER_BYTES)
        await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
      if (closed || socket.readyState !== OPEN) throw new ChannelClosedError(closed?.reason);
      socket.send(message);
    },
    close,
  };
}

/** A channel on a server's socket; `send` resolves when the bytes have been handed to the kernel. */
export function serverSocketChannel(socket: ServerSocket, maxChars: number): Channel {
  let closed: { reason: string | undefined } | undefined;
  let handler: ChannelHandler | undefined;
  const end = (reason: string | undefined): void => {
    if (closed) return;
    closed = { reason };
    handler?.onClose(reason);
  };
  const close = (reason?: string): void => {
    if (closed) return;
    socket.close(reason === undefined ? GOING_AWAY : POLICY_VIOLATION, reason?.slice(0, 100));
    end(reason);
  };
  return {
    start(given) {
      handler = given;
      socket.on('message', (data, isBinary) => {
        if (closed) return;
        const checked = checkMessage(isBinary ? undefined : data.toString(), maxChars);
        if ('refused' in checked) close(checked.refused);
        else given.onMessage(checked.message);
      });
      // An error (a frame over maxPayload, bad UTF-8) is followed by a close.
      socket.on('error', (error) => {
        end(error.message);
        socket.terminate();
      });
      socket.on('close', (code) => end(code === 1000 || code === GOING_AWAY ? undefined : `the socket was closed (${code})`));
    },
    send(message) {
      return new Promise((resolve, reject) => {
        if (closed || socket.readyState !== OPEN) {
          reject(new ChannelClosedError(closed?.reason));
          return;
        }
        socket.send(message, (error) => (error ? reject(new ChannelClosedError(error.message)) : resolve()));
      });
    },
    close,
  };
}
