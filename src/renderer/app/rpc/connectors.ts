/**
 * How this window reaches the console's services: over a MessagePort where a preload hands one over (Electron), else over a
 * WebSocket to the server that the page came from. The preload says so at once by cancelling CONNECT_EVENT; its port then comes as a
 * message of this very window and origin. Whichever it is, a peer counts once it has answered `session.hello`.
 */
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { CONNECT_EVENT, PORT_MESSAGE, RPC_PATH } from '../../../console/contract/host.ts';
import { MAX_RESPONSE_CHARS } from '../../../console/transport/channel.ts';
import { connectConsole } from '../../../console/transport/client.ts';
import { portChannel } from '../../../console/transport/port-channel.ts';
import { browserSocketChannel } from '../../../console/transport/websocket-channel.ts';
import type { Connector, ConsolePeer } from './connection.ts';

const ANSWER_TIMEOUT_MS = 10_000;

export function windowConnector(): Connector {
  return async () => {
    const port = askForPort();
    if (port !== null) return greeted(connectConsole(portChannel(await port, MAX_RESPONSE_CHARS)));
    const url = new URL(RPC_PATH, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return greeted(connectConsole(browserSocketChannel(new WebSocket(url), MAX_RESPONSE_CHARS)));
  };
}

/** Null: nobody here hands over ports. */
function askForPort(): Promise<MessagePort> | null {
  const { promise, resolve, reject } = Promise.withResolvers<MessagePort>();
  const hear = (event: MessageEvent<unknown>): void => {
    if (event.source !== window || event.origin !== location.origin || event.data !== PORT_MESSAGE) return;
    const [port] = event.ports;
    if (port !== undefined) resolve(port);
  };
  window.addEventListener('message', hear);
  const isHandedOver = !window.dispatchEvent(new Event(CONNECT_EVENT, { cancelable: true }));
  if (!isHandedOver) {
    window.removeEventListener('message', hear);
    return null;
  }
  const timer = setTimeout(() => reject(new Error('No port was handed over')), ANSWER_TIMEOUT_MS);
  return promise.finally(() => {
    clearTimeout(timer);
    window.removeEventListener('message', hear);
  });
}

async function greeted(peer: ConsolePeer): Promise<ConsolePeer> {
  try {
    await peer.client.session.hello(undefined, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return peer;
  } catch (error) {
    peer.close();
    throw error;
  }
}

/** A connector for a client that is already there: tests and the development build. */
export function fixedConnector(client: ConsoleClient): Connector {
  return () => Promise.resolve({ client, closed: new Promise(() => undefined), close: () => undefined });
}
