/** The addresses that a client starts from. Source: ClientUtils.parseAndValidateAddresses. */
import type { Node } from './connection.ts';

const ADDRESS = /^(?:\[(?<bracketed>[0-9A-Fa-f:.%]+)\]|(?<name>[^:\s[\]]+)):(?<port>\d{1,5})$/;

/** A `bootstrap.servers` value that can't be used. */
export class InvalidBootstrapError extends Error {
  constructor(value: string, why: string) {
    super(`bootstrap.servers: '${value}' ${why}; allowed is host:port or [IPv6 address]:port, several separated by commas`);
    this.name = 'InvalidBootstrapError';
  }
}

/**
 * The nodes of a `bootstrap.servers` list, with ids -1, -2, … since the brokers' own are not known yet.
 * Throws `InvalidBootstrapError`.
 */
export function parseBootstrapServers(servers: string | readonly string[]): Node[] {
  const addresses = (typeof servers === 'string' ? servers.split(',') : servers)
    .map((address) => address.trim())
    .filter((address) => address !== '');
  if (addresses.length === 0) throw new InvalidBootstrapError(String(servers), 'names no broker');
  return addresses.map((address, index) => {
    const groups = ADDRESS.exec(address)?.groups;
    const host = groups?.['bracketed'] ?? groups?.['name'];
    const port = Number(groups?.['port']);
    if (host === undefined) throw new InvalidBootstrapError(address, 'is no address');
    if (port < 1 || port > 65_535) throw new InvalidBootstrapError(address, 'has no valid port');
    return { id: -1 - index, host, port };
  });
}
