/**
 * A channel on a message port: the web's MessagePort (renderer, worker), Node's, and Electron's MessagePortMain.
 *
 * A port has no back-pressure: what is posted piles up in the receiver. So each side acknowledges what it has handled with a
 * message `+N` (N characters; the contract's own messages begin with `{`), and a sender holds back while more than WINDOW_CHARS are unacknowledged.
 */
import { ChannelClosedError, checkMessage } from './channel.ts';
import type { Channel, ChannelHandler } from './channel.ts';

const WINDOW_CHARS = 2 * 1024 * 1024;
/** A sender waits in this queue; over it something is looping, and the channel closes. */
const MAX_WAITING_SENDS = 10_000;

/** The web's MessagePort, and Node's. */
export interface WebPort {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data?: unknown }) => void): void;
  addEventListener(type: 'close' | 'messageerror', listener: () => void): void;
  start(): void;
  close(): void;
}

/** Electron's MessagePortMain (main and utility process). */
export interface ElectronPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** A channel that closes when it receives something else than a string of at most `maxChars`. */
export function portChannel(port: WebPort | ElectronPort, maxChars: number): Channel {
  return new PortChannel(port, maxChars);
}

class PortChannel implements Channel {
  readonly #port: WebPort | ElectronPort;
  readonly #maxChars: number;
  readonly #waiting: { message: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  #handler: ChannelHandler | undefined;
  #unacknowledged = 0;
  #closed: { reason: string | undefined } | undefined;

  constructor(port: WebPort | ElectronPort, maxChars: number) {
    this.#port = port;
    this.#maxChars = maxChars;
  }

  start(handler: ChannelHandler): void {
    this.#handler = handler;
    const onMessage = (event: { readonly data?: unknown }): void => this.#receive(event.data);
    const onClose = (): void => this.#end('the other side is gone');
    if ('addEventListener' in this.#port) {
      this.#port.addEventListener('message', onMessage);
      this.#port.addEventListener('close', onClose);
      this.#port.addEventListener('messageerror', () => this.close('a message could not be read'));
    } else {
      this.#port.on('message', onMessage);
      this.#port.on('close', onClose);
    }
    this.#port.start();
  }

  send(message: string): Promise<void> {
    if (this.#closed) return Promise.reject(new ChannelClosedError(this.#closed.reason));
    if (this.#waiting.length === 0 && this.#unacknowledged < WINDOW_CHARS) {
      this.#post(message);
      return Promise.resolve();
    }
    if (this.#waiting.length >= MAX_WAITING_SENDS) {
      this.close(`over ${MAX_WAITING_SENDS} messages are waiting to be sent`);
      return Promise.reject(new ChannelClosedError(this.#reason()));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
    });
  }

  close(reason?: string): void {
    if (this.#closed) return;
    this.#port.close();
    this.#end(reason);
  }

  #receive(data: unknown): void {
    if (this.#closed) return;
    if (typeof data === 'string' && data.startsWith('+')) {
      this.#acknowledged(data);
      return;
    }
    const checked = checkMessage(data, this.#maxChars);
    if ('refused' in checked) {
      this.close(checked.refused);
      return;
    }
    this.#handler?.onMessage(checked.message);
    if (!this.#closed) this.#postText(`+${checked.message.length}`);
  }

  #acknowledged(data: string): void {
    const chars = Number(data);
    if (!Number.isSafeInteger(chars) || chars > this.#unacknowledged) {
      this.close('an acknowledgement is wrong');
      return;
    }
    this.#unacknowledged -= chars;
    while (this.#unacknowledged < WINDOW_CHARS) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#post(next.message);
      next.resolve();
    }
  }

  #post(message: string): void {
    this.#unacknowledged += message.length;
    this.#postText(message);
  }

  #postText(text: string): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has one other end; origins are for windows
    this.#port.postMessage(text);
  }

  #end(reason: string | undefined): void {
    if (this.#closed) return;
    this.#closed = { reason };
    for (const { reject } of this.#waiting.splice(0)) reject(new ChannelClosedError(reason));
    this.#handler?.onClose(reason);
  }

  #reason(): string | undefined {
    return this.#closed?.reason;
  }
}
