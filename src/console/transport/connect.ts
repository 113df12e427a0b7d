/**
 * The page's way to the console, whichever host it is in: the preload's port in Electron, else the WebSocket of its own origin.
 * One call makes one channel; a page whose channel has closed calls again, with a backoff of its own.
 */
import { CONNECT_EVENT, PORT_MESSAGE, RPC_PATH } from '../contract/host.ts';
import { ChannelClosedError, MAX_RESPONSE_CHARS } from './channel.ts';
import type { Channel } from './channel.ts';
import { portChannel } from './port-channel.ts';
import type { WebPort } from './port-channel.ts';
import { browserSocketChannel } from './websocket-channel.ts';
import type { BrowserSocket } from './websocket-channel.ts';

/** How long main may take to hand over a port: the console process may still be starting. */
const PORT_TIMEOUT_MS = 15_000;

interface PortMessage {
  readonly data: unknown;
  readonly origin: string;
  readonly source: unknown;
  readonly ports: readonly WebPort[];
}

/** The part of `window` that is used. */
export interface PageWindow {
  readonly location: { readonly origin: string; readonly host: string };
  dispatchEvent(event: Event): boolean;
  addEventListener(type: 'message', listener: (event: PortMessage) => void): void;
  removeEventListener(type: 'message', listener: (event: PortMessage) => void): void;
}

/**
 * Opens a channel; pass the result to `connectConsole`. Rejects with ChannelClosedError when no port comes; a WebSocket that
 * can't connect closes the channel instead.
 */
export async function openChannel(page: PageWindow): Promise<Channel> {
  const port = Promise.withResolvers<WebPort>();
  const onMessage = (event: PortMessage): void => {
    // Only this window itself (the preload posts from here) with our own origin may hand over a port.
    if (event.source !== page || event.origin !== page.location.origin || event.data !== PORT_MESSAGE) return;
    const [given] = event.ports;
    if (given) port.resolve(given);
  };
  page.addEventListener('message', onMessage);
  const preloadTookIt = !page.dispatchEvent(new Event(CONNECT_EVENT, { cancelable: true }));
  if (!preloadTookIt) {
    page.removeEventListener('message', onMessage);
    return browserSocketChannel(openSocket(page), MAX_RESPONSE_CHARS);
  }
  const timer = setTimeout(() => port.reject(new ChannelClosedError(`no port came within ${PORT_TIMEOUT_MS} ms`)), PORT_TIMEOUT_MS);
  try {
    return portChannel(await port.promise, MAX_RESPONSE_CHARS);
  } finally {
    clearTimeout(timer);
    page.removeEventListener('message', onMessage);
  }
}

function openSocket(page: PageWindow): BrowserSocket {
  return new WebSocket(`ws://${page.location.host}${RPC_PATH}`);
}
