/** The ZooKeeper page: nodes and their children by the console's own session, sessions and watches by the embedded server itself. */
import type { ZooKeeperSessionDetails, ZooKeeperSessions, ZooKeeperWatches } from '../../introspection/answers/zookeeper-sessions.ts';
import { ZooKeeperError } from '../../zk-client/zookeeper-client.ts';
import type { ZooKeeperClient } from '../../zk-client/zookeeper-client.ts';
import type { SessionBrokers, Znode, ZnodeChildren } from '../contract/zookeeper.ts';
import { askZooKeeper } from './ask-process.ts';
import type { ClusterSession } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { payloadOf } from './message-rows.ts';
import type { ZooKeeperReader } from './zookeeper-reader.ts';

const PREVIEW_BYTES = 16 * 1024;
const MAX_WHOLE_BYTES = 4 * 1024 * 1024;
const MAX_TOLD = 500;
const BROKER_IDS = '/brokers/ids';
const PERMISSIONS = ['read', 'write', 'create', 'delete', 'admin'] as const;

const collator = new Intl.Collator('en', { numeric: true });
/** Numbers by value; names that are the same number by their letters, so that `after` always goes on. */
const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);

export function znodeChildren(
  session: ClusterSession,
  { path, after, max }: { readonly path: string; readonly after: string | null; readonly max: number },
): Promise<ZnodeChildren> {
  return readerOf(session).read(async (client, watch) => {
    const all = (await client.getChildren(path, watch(path))).children.toSorted(byName);
    const from = after === null ? 0 : all.findIndex((name) => byName(name, after) > 0);
    const names = from < 0 ? [] : all.slice(from, from + max);
    const stats = await Promise.all(names.map((name) => client.exists(below(path, name))));
    const children = names.flatMap((name, at) => {
      const stat = stats[at];
      return stat === undefined ? [] : [{ name, childCount: stat.numChildren, ephemeral: sessionId(stat.ephemeralOwner) !== null }];
    });
    return { path, total: all.length, children, next: from >= 0 && from + max < all.length ? (names.at(-1) ?? null) : null };
  });
}

export function znode(session: ClusterSession, { path, whole }: { readonly path: string; readonly whole: boolean }): Promise<Znode> {
  return readerOf(session).read(async (client, watch) => {
    const watcher = watch(path);
    const [read, acl] = await Promise.all([readOrAwait(client, path, watcher), client.getAcl(path)]);
    const { data, stat } = read;
    const owner = sessionId(stat.ephemeralOwner);
    return {
      path,
      data: payloadOf(data, whole ? MAX_WHOLE_BYTES : PREVIEW_BYTES) ?? { sizeBytes: 0, encoding: 'text', data: '', truncated: false },
      stat: {
        czxid: hex(stat.czxid),
        mzxid: hex(stat.mzxid),
        pzxid: hex(stat.pzxid),
        ctimeMs: stat.ctime,
        mtimeMs: stat.mtime,
        version: stat.version,
        cversion: stat.cversion,
        aversion: stat.aversion,
        childCount: stat.numChildren,
      },
      acl: acl.map(({ perms, scheme, id }) => ({
        perms: PERMISSIONS.filter((_, bit) => (perms & (1 << bit)) !== 0),
        scheme,
        id: scheme === 'digest' ? id.replace(/:.*/, '') : id,
      })),
      owner: owner === null ? null : { session: owner, brokerId: (await sessionBrokers(client))[owner] ?? null },
      watched: watcher !== undefined,
    };
  });
}

export async function zooKeeperSessions(
  session: ClusterSession,
): Promise<ZooKeeperSessions & { readonly brokers: SessionBrokers; readonly ownSession: string | null }> {
  embeddedOnly(session);
  const reader = readerOf(session);
  const brokers = await reader.read((client) => sessionBrokers(client));
  const answer = await askZooKeeper(session, 'zookeeper.sessions', { max: MAX_TOLD });
  return { ...answer, brokers, ownSession: reader.ownSession };
}

export async function zooKeeperSession(session: ClusterSession, id: string): Promise<ZooKeeperSessionDetails> {
  embeddedOnly(session);
  return askZooKeeper(session, 'zookeeper.session', { id, max: MAX_TOLD });
}

export async function zooKeeperWatches(session: ClusterSession, prefix: string): Promise<ZooKeeperWatches> {
  embeddedOnly(session);
  return askZooKeeper(session, 'zookeeper.watches', { prefix, max: MAX_TOLD });
}

/** A node that is gone is waited for: the page hears when it is made again. */
async function readOrAwait(client: ZooKeeperClient, path: string, watcher: Parameters<ZooKeeperClient['getData']>[1]) {
  try {
    return await client.getData(path, watcher);
  } catch (error) {
    if (error instanceof ZooKeeperError && error.name === 'NoNode') await client.exists(path, watcher);
    throw error;
  }
}

async function sessionBrokers(client: ZooKeeperClient): Promise<SessionBrokers> {
  const brokers: Record<string, number> = {};
  const { children } = await client.getChildren(BROKER_IDS).catch((error: unknown) => {
    if (error instanceof ZooKeeperError && error.name === 'NoNode') return { children: [] };
    throw error;
  });
  const stats = await Promise.all(children.map((id) => client.exists(below(BROKER_IDS, id))));
  for (const [at, stat] of stats.entries()) {
    const owner = stat === undefined ? null : sessionId(stat.ephemeralOwner);
    if (owner !== null) brokers[owner] = Number(children[at]);
  }
  return brokers;
}

function readerOf(session: ClusterSession): ZooKeeperReader {
  if (session.zookeeper === undefined)
    throw refuse('unsupported', 'The ZooKeeper of a remote cluster cannot be looked into: a Kafka client does not know where it is');
  return session.zookeeper;
}

function embeddedOnly(session: ClusterSession): void {
  readerOf(session);
  if (session.control?.lastStatus?.processes.some(({ role }) => role === 'zookeeper') === false)
    throw refuse('unsupported', 'Only the embedded ZooKeeper tells its sessions and watches: one that runs elsewhere shows its tree alone');
}

/** `0x…`; null for no session. */
function sessionId(owner: Buffer): string | null {
  const id = owner.toString('hex').replace(/^0+(?=.)/, '');
  return id === '0' ? null : `0x${id}`;
}

const hex = (zxid: number): string => `0x${zxid.toString(16)}`;

const below = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);
