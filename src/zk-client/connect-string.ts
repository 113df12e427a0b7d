/** `host:port,host:port/chroot`; an IPv6 address stands in brackets. The port is 2181 where none is given. */
import type { Endpoint } from '../runtime/net.ts';

export interface ConnectString {
  readonly endpoints: readonly (Endpoint & { readonly host: string; readonly port: number })[];
  /** '' or a path without a slash at its end. */
  readonly chroot: string;
}

const DEFAULT_PORT = 2181;

/** Throws an `Error` that says what is wrong. */
export function parseConnectString(connectString: string): ConnectString {
  const slash = connectString.indexOf('/');
  const hosts = slash < 0 ? connectString : connectString.slice(0, slash);
  const chroot = slash < 0 ? '' : connectString.slice(slash).replace(/\/+$/, '');
  if (chroot.includes('//')) throw new Error(`zookeeper connect string ${connectString}: the chroot has an empty name`);
  const endpoints = hosts.split(',').map((part) => parseHost(part.trim(), connectString));
  return { endpoints, chroot };
}

function parseHost(part: string, connectString: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(part);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535)
    throw new Error(`zookeeper connect string ${connectString}: "${part}" is no host:port`);
  return { host, port };
}

export function withChroot(chroot: string, path: string): string {
  if (chroot === '') return path;
  return path === '/' ? chroot : chroot + path;
}

export function withoutChroot(chroot: string, path: string): string {
  if (chroot === '') return path;
  if (path === chroot) return '/';
  return path.startsWith(`${chroot}/`) ? path.slice(chroot.length) : path;
}
