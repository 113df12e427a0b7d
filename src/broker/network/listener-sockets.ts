/**
 * Binds the addresses of one listener to one port. `localhost` is 127.0.0.1 and ::1, since clients try either; no host is all
 * interfaces. A machine without IPv6 is served on IPv4. With port 0 the system chooses; all addresses get the same port.
 */
import type { Listener, Net, Socket } from '../../runtime/net.ts';

/** What systems without (this address of) IPv6 say. */
const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'EPROTONOSUPPORT']);
/** Tries with port 0, when the port found on the first address is taken on the second. */
const MAX_PORT_TRIES = 10;

export interface BoundListener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @param host a name, an address, or empty for all interfaces.
 * @throws Node's error with `code` (EADDRINUSE, EACCES, …) and `port` when an address can't be bound.
 */
export async function bindListener(
  net: Net,
  host: string,
  port: number,
  backlog: number,
  onConnection: (socket: Socket) => void,
): Promise<BoundListener> {
  const addresses = addressesOf(host);
  for (let attempt = 1; ; attempt++) {
    const bound: Listener[] = [];
    try {
      for (const address of addresses) {
        const boundPort = bound[0]?.port ?? port;
        const listener = await bindUnlessNoIpv6(net, address, boundPort, backlog, onConnection, addresses.length > 1);
        if (listener !== undefined) bound.push(listener);
        if (listener !== undefined && address === '::') break;
      }
      const [first] = bound;
      if (first === undefined) throw new Error(`no address of ${host === '' ? 'any interface' : host} can be bound`);
      return { port: first.port, close: () => closeAll(bound) };
    } catch (error) {
      await closeAll(bound);
      if (port !== 0 || codeOf(error) !== 'EADDRINUSE' || attempt >= MAX_PORT_TRIES) throw error;
    }
  }
}

function addressesOf(host: string): readonly string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  // A socket on :: takes IPv4 connections too; 0.0.0.0 is for machines without IPv6.
  if (host === '') return ['::', '0.0.0.0'];
  return [host];
}

async function bindUnlessNoIpv6(
  net: Net,
  host: string,
  port: number,
  backlog: number,
  onConnection: (socket: Socket) => void,
  hasAlternative: boolean,
): Promise<Listener | undefined> {
  try {
    return await net.listen({ host, port }, onConnection, { backlog, ipv6Only: host === '::1' });
  } catch (error) {
    if (hasAlternative && host.includes(':') && NO_IPV6.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
