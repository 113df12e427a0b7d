/**
 * A local cluster's ZooKeeper: its tree, read through a session of the console's own, and, of the embedded server, its sessions and
 * watches. Everything is bounded: children come in pages, data as a beginning. What changes is told by `znodes` in `live.changes`.
 */
import { z } from 'zod';
import type { ZooKeeperSessionDetails, ZooKeeperSessions, ZooKeeperWatches } from '../../introspection/answers/zookeeper-sessions.ts';
import { clusterId, clusterInput } from './inputs.ts';
import type { Payload } from './messages.ts';
import { bulk, read } from './procedure.ts';

export type { ZooKeeperSession, ZooKeeperWatches } from '../../introspection/answers/zookeeper-sessions.ts';

const path = z
  .string()
  .max(1000)
  .regex(/^\/$|^(\/[^/]+)+$/, 'A path begins with "/" and has no empty part');
const max = z.int().min(1).max(500).default(200);

export interface ZnodeChildren {
  readonly path: string;
  /** All there are. */
  readonly total: number;
  /** In order of their names (numbers by value), from after the name that was given; ones that went meanwhile are left out. */
  readonly children: readonly { readonly name: string; readonly childCount: number; readonly ephemeral: boolean }[];
  /** To go on with as `after`; null at the end. */
  readonly next: string | null;
}

export interface Znode {
  readonly path: string;
  readonly data: Payload;
  readonly stat: {
    /** zxids are in hexadecimal. */
    readonly czxid: string;
    readonly mzxid: string;
    readonly pzxid: string;
    readonly ctimeMs: number;
    readonly mtimeMs: number;
    readonly version: number;
    readonly cversion: number;
    readonly aversion: number;
    readonly childCount: number;
  };
  readonly acl: readonly { readonly perms: readonly string[]; readonly scheme: string; readonly id: string }[];
  /** Of an ephemeral node: its session (`0x…`), and the broker that is registered with it. */
  readonly owner: { readonly session: string; readonly brokerId: number | null } | null;
  /** Whether a change is told; else (too many are watched) the page has to ask. */
  readonly watched: boolean;
}

/** The broker that is registered with each session, by `0x…`. */
export type SessionBrokers = Readonly<Record<string, number>>;

export const zookeeper = {
  children: read
    .input(z.object({ clusterId, path, after: z.string().max(1000).nullable().default(null), max }))
    .output(bulk<ZnodeChildren>()),
  /** `whole`: all of its data (ZooKeeper's own limit is 1 MiB) in place of a beginning. */
  node: read.input(z.object({ clusterId, path, whole: z.boolean().default(false) })).output(bulk<Znode>()),
  /** These three: refused as `unsupported` where ZooKeeper isn't the embedded one. */
  sessions: read
    .input(clusterInput)
    .output(bulk<ZooKeeperSessions & { readonly brokers: SessionBrokers; readonly ownSession: string | null }>()),
  session: read.input(z.object({ clusterId, session: z.string().regex(/^0x[0-9a-f]{1,16}$/i) })).output(bulk<ZooKeeperSessionDetails>()),
  watches: read.input(z.object({ clusterId, prefix: z.string().max(1000).default('/') })).output(bulk<ZooKeeperWatches>()),
};
