/**
 * How this window reaches the console's services. In Electron the preload posts a MessagePort to the window (a message of
 * this very origin, from this very window, that says `samsa:port`); in the browser host it is a WebSocket to `/rpc` of the server
 * that the page came from. Whichever it is, a peer counts once it has answered `session.hello`.
 */
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { MAX_RESPONSE_CHARS } from '../../../console/transport/channel.ts';
import { connectConsole } from '../../../console/transport/client.ts';
import { portChannel } from '../../../console/transport/port-channel.ts';
import { browserSocketChannel } from '../../../console/transport/websocket-channel.ts';
import type { Connector, ConsolePeer } from './connection.ts';

export const PORT_MESSAGE = 'samsa:port';
/** On http(s) the preload of a harness may still be about to post its port; a server is asked after this long. */
const PORT_HEAD_START_MS = 150;
const HELLO_TIMEOUT_MS = 10_000;

/** Listens from the moment it is called: call it before anything asynchronous, or the port's message is missed. */
export function windowConnector(): Connector {
  let port: MessagePort | undefined;
  let arrived = Promise.withResolvers<void>();
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.source !== window || event.origin !== location.origin || event.data !== PORT_MESSAGE) return;
    port = event.ports[0];
    arrived.resolve();
  });
  const takePort = (): MessagePort | undefined => {
    const taken = port;
    port = undefined;
    arrived = Promise.withResolvers<void>();
    return taken;
  };
  const hasServer = location.protocol === 'http:' || location.protocol === 'https:';
  let usesPort = !hasServer;

  return async () => {
    await (usesPort ? arrived.promise : Promise.race([arrived.promise, new Promise((resolve) => setTimeout(resolve, PORT_HEAD_START_MS))]));
    const given = takePort();
    if (given !== undefined) {
      usesPort = true;
      return greeted(connectConsole(portChannel(given, MAX_RESPONSE_CHARS)));
    }
    const url = new URL('rpc', location.origin);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    return greeted(connectConsole(browserSocketChannel(new WebSocket(url), MAX_RESPONSE_CHARS)));
  };
}

async function greeted(peer: ConsolePeer): Promise<ConsolePeer> {
  try {
    await peer.client.session.hello(undefined, { signal: AbortSignal.timeout(HELLO_TIMEOUT_MS) });
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
