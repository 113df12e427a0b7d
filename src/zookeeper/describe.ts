/**
 * What a running server tells of its sessions and watches: for the console, not for clients. Made when it is asked for, in
 * one go, and bounded: a list is cut at `max` and says how many there are.
 */
import type {
  ZooKeeperSession,
  ZooKeeperSessionDetails,
  ZooKeeperSessions,
  ZooKeeperWatch,
  ZooKeeperWatches,
} from '../introspection/answers/zookeeper-sessions.ts';
import type { ClientConnection } from './client-connection.ts';
import type { LongHex } from './jute/records.ts';
import type { Session, SessionTracker } from './session-tracker.ts';
import type { DataTree } from './tree/data-tree.ts';
import type { WatchManager } from './tree/watch-manager.ts';

export interface DescribedServer {
  readonly tree: DataTree<ClientConnection>;
  readonly sessions: SessionTracker;
  /** The connection that a session is on. */
  readonly connectionOf: (session: LongHex) => ClientConnection | undefined;
  readonly nowWallMs: number;
  readonly nowMonotonicMs: number;
}

/** Watchers listed of one path. */
const MAX_WATCHERS_PER_PATH = 50;

export function describeSessions(server: DescribedServer, max: number): ZooKeeperSessions {
  const { sessions, nowWallMs } = server;
  const ids = Array.from(sessions.ids()).toSorted().slice(0, max);
  const described = ids.flatMap((id) => sessions.get(id) ?? []).map((session) => describeSession(server, session));
  return { total: sessions.count, nowMs: nowWallMs, sessions: described };
}

/** Undefined when there is no such session; `id` with `0x` in front. */
export function describeOneSession(server: DescribedServer, id: string, max: number): ZooKeeperSessionDetails | undefined {
  const { tree, sessions, connectionOf } = server;
  const key = /^0x([0-9a-f]{1,16})$/i.exec(id)?.[1]?.toLowerCase().padStart(16, '0');
  const session = key === undefined ? undefined : sessions.get(key);
  if (session === undefined) return undefined;
  const connection = connectionOf(session.id);
  return {
    ...describeSession(server, session),
    ephemeralPaths: Array.from(tree.ephemeralsOf(session.id)).toSorted().slice(0, max),
    watchedPaths: connection === undefined ? [] : watchesOf(tree, connection).slice(0, max),
  };
}

export function describeWatches({ tree }: DescribedServer, prefix: string, max: number): ZooKeeperWatches {
  const all = new Set<string>();
  for (const { paths } of [tree.dataWatches, tree.childWatches]) for (const path of paths()) if (path.startsWith(prefix)) all.add(path);
  const chosen = Array.from(all).toSorted().slice(0, max);
  return {
    total: all.size,
    paths: chosen.map((path) => {
      const watchers = [...kindsAt(tree.dataWatches, path, 'data'), ...kindsAt(tree.childWatches, path, 'children')];
      return { path, count: watchers.length, watchers: watchers.slice(0, MAX_WATCHERS_PER_PATH) };
    }),
  };
}

function describeSession(server: DescribedServer, session: Session): ZooKeeperSession {
  const { tree, sessions, connectionOf, nowMonotonicMs } = server;
  const connection = connectionOf(session.id);
  return {
    id: `0x${shortHex(session.id)}`,
    address: connection?.address ?? null,
    port: connection?.port ?? null,
    timeoutMs: session.timeoutMs,
    lastSeenMsAgo: Math.max(0, Math.round(nowMonotonicMs - session.lastSeenMs)),
    expiresInMs: Math.max(0, Math.round(sessions.expiresInMs(session.id))),
    closing: session.closing,
    ephemerals: tree.ephemeralsOf(session.id).size,
    watches: connection === undefined ? 0 : watchesOf(tree, connection).length,
    outstanding: connection?.outstanding ?? 0,
    packetsReceived: connection?.packetsReceived ?? 0,
    packetsSent: connection?.packetsSent ?? 0,
    connectedSinceMs: connection?.acceptedAtMs ?? null,
    lastOperation: connection?.lastOperation ?? null,
    averageLatencyMs: connection?.latency.averageMs ?? null,
    maxLatencyMs: connection?.latency.maxMs ?? null,
    identities: (connection?.authInfo ?? []).map(({ scheme, id }) => `${scheme}:${scheme === 'digest' ? id.replace(/:.*/, '') : id}`),
  };
}

function watchesOf(tree: DataTree<ClientConnection>, connection: ClientConnection): ZooKeeperWatch[] {
  const found: ZooKeeperWatch[] = [];
  for (const [manager, standard] of [
    [tree.dataWatches, 'data'],
    [tree.childWatches, 'children'],
  ] as const) {
    for (const path of manager.pathsOf(connection)) {
      const mode = manager.modeOf(path, connection);
      // A persistent watch lies in both.
      if (mode === 'standard') found.push({ path, kind: standard });
      else if (mode !== undefined && standard === 'data') found.push({ path, kind: mode });
    }
  }
  return found;
}

function* kindsAt(
  manager: WatchManager<ClientConnection>,
  path: string,
  standard: 'data' | 'children',
): Iterable<{ session: string; kind: ZooKeeperWatch['kind'] }> {
  for (const [connection, mode] of manager.watchersOf(path)) {
    if (mode !== 'standard' && standard === 'children') continue;
    yield { session: `0x${shortHex(connection.sessionId)}`, kind: mode === 'standard' ? standard : mode };
  }
}

/** Long.toHexString. */
export function shortHex(id: LongHex): string {
  return id.replace(/^0+(?=.)/, '');
}
