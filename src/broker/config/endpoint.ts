/**
 * Listeners as configured: `NAME://host:port`, and the security protocol that each name stands for.
 * Kafka 3.9: `EndPoint`, `SocketServerConfigs.listenerListToEndPoints`, `ListenerName` (names are upper-cased).
 */
import { ConfigException } from './config-def.ts';

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

export interface EndPoint {
  /** Upper case. */
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  /** Empty for all interfaces. */
  readonly host: string;
  readonly port: number;
}

const LISTENER = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/;
const SECURITY_PROTOCOLS: ReadonlySet<string> = new Set(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']);

function isSecurityProtocol(name: string): name is SecurityProtocol {
  return SECURITY_PROTOCOLS.has(name);
}

/** Parses `NAME:PROTOCOL,…`. @throws ConfigException */
export function parseSecurityProtocolMap(key: string, text: string): ReadonlyMap<string, SecurityProtocol> {
  const map = new Map<string, SecurityProtocol>();
  for (const item of itemsOf(text)) {
    const colon = item.lastIndexOf(':');
    const name = item.slice(0, Math.max(0, colon)).trim().toUpperCase();
    const protocol = item
      .slice(colon + 1)
      .trim()
      .toUpperCase();
    if (name === '') throw new ConfigException(key, text, 'Each item must be NAME:PROTOCOL');
    if (!isSecurityProtocol(protocol)) {
      throw new ConfigException(key, text, `The protocol of ${name} must be one of: ${Array.from(SECURITY_PROTOCOLS).join(', ')}`);
    }
    map.set(name, protocol);
  }
  return map;
}

/**
 * Parses `NAME://host:port,…`. Names must differ, and ports too if `distinctPorts` (0 and one IPv4 beside one IPv6 address apart).
 * @throws ConfigException
 */
export function parseEndPoints(
  key: string,
  text: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  distinctPorts: boolean,
): readonly EndPoint[] {
  const endPoints: EndPoint[] = [];
  for (const item of itemsOf(text)) {
    const match = LISTENER.exec(item);
    if (match === null) throw new ConfigException(key, text, `Each listener must be NAME://host:port, not ${item}`);
    const [, name = '', host = '', portText = ''] = match;
    const listenerName = name.toUpperCase();
    const port = Number(portText);
    if (port < 0 || port > 65_535) throw new ConfigException(key, text, `A port must be from 0 to 65535, not ${portText}`);
    const securityProtocol = protocols.get(listenerName);
    if (securityProtocol === undefined) {
      throw new ConfigException(key, text, `No security protocol defined for listener ${listenerName} in listener.security.protocol.map`);
    }
    if (endPoints.some((other) => other.listenerName === listenerName)) {
      throw new ConfigException(key, text, 'Each listener must have a different name');
    }
    const clash = endPoints.find((other) => other.port === port && port !== 0 && familyOf(other.host) === familyOf(host));
    if (distinctPorts && clash !== undefined) throw new ConfigException(key, text, 'Each listener must have a different port');
    endPoints.push(Object.freeze({ listenerName, securityProtocol, host, port }));
  }
  return Object.freeze(endPoints);
}

function familyOf(host: string): 'ipv4' | 'ipv6' | 'name' {
  if (host.includes(':')) return 'ipv6';
  return /^\d+(\.\d+){3}$/.test(host) ? 'ipv4' : 'name';
}

function itemsOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
