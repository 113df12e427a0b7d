/** One data folder, taken over in turns by our server and by Apache ZooKeeper, also when the one before was killed. */
import { type ChildProcess, fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/connect.ts';
import { CreateMode, OpCode } from '../../src/zookeeper/jute/constants.ts';
import { type Acl, OPEN_ACL_UNSAFE, writeAcls } from '../../src/zookeeper/jute/records.ts';
import { RawSession } from '../../src/zookeeper/testing/raw-session.ts';
import type { ZooKeeperClient } from '../../src/zk-client/types.ts';
import { SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled, fourLetterWord, startApacheZooKeeper } from './apache-zookeeper.ts';

const MAIN = fileURLToPath(new URL('../../src/zookeeper/main.ts', import.meta.url));
const runtime = createNodeRuntime(silentLogger);
const TICK_TIME_MS = 500;

interface Server {
  readonly port: number;
  close(): Promise<void>;
  kill(): Promise<void>;
}

function startOurs(dataDir: string, extra: object = {}): Promise<Server> {
  const child = fork(
    MAIN,
    [JSON.stringify({ dataDir, hosts: ['127.0.0.1'], clientPort: 0, tickTimeMs: TICK_TIME_MS, logLevel: 'silent', ...extra })],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  return new Promise((resolve, reject) => {
    child.once('message', (message: { type: string; port?: number; message?: string }) => {
      if (message.type !== 'ready' || message.port === undefined) reject(new Error(message.message));
      else resolve({ port: message.port, close: () => end(child, 'SIGTERM'), kill: () => end(child, 'SIGKILL') });
    });
    child.once('exit', (code) => reject(new Error(`our server ended with ${code}`)));
  });
}

function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

const connect = (port: number, resume?: { id: Buffer; password: Buffer }): Promise<ZooKeeperClient> =>
  connectZooKeeper({
    connectString: `127.0.0.1:${port}`,
    sessionTimeoutMs: 10_000,
    runtime,
    implementation: 'own',
    ...(resume === undefined ? {} : { resume }),
  });

/** Everything below `top`: data and whole stats. */
async function dump(client: ZooKeeperClient, top = '/'): Promise<Map<string, object>> {
  const nodes = new Map<string, object>();
  const pending = [top];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const { data, stat } = await client.getData(at);
    nodes.set(at, { data: data.toString('hex'), ...stat });
    const { children } = await client.getChildren(at);
    for (const child of children) pending.push(at === '/' ? `/${child}` : `${at}/${child}`);
  }
  return new Map(Array.from(nodes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A turn of work: creations, changes, deletions, transactions, failures; everything of the turns before stays. */
async function work(client: ZooKeeperClient, turn: string): Promise<void> {
  await client.create(`/${turn}`, Buffer.from(`made by ${turn}`), 'persistent');
  for (let i = 0; i < 20; i++) await client.create(`/${turn}/s-`, Buffer.alloc(i * 10, i), 'persistent-sequential');
  await client.delete(`/${turn}/s-0000000003`, -1);
  await client.setData(`/${turn}/s-0000000004`, null, 0);
  await client.multi([
    { type: 'create', path: `/${turn}/m`, data: null, mode: 'persistent' },
    { type: 'setData', path: `/${turn}`, data: Buffer.from('changed'), version: 0 },
    { type: 'delete', path: `/${turn}/s-0000000005`, version: 0 },
  ]);
  await client
    .multi([
      { type: 'create', path: `/${turn}/never`, data: null, mode: 'persistent' },
      { type: 'check', path: '/none', version: 0 },
    ])
    .catch(() => undefined);
  await client.create('/none/below', null, 'persistent').catch(() => undefined);
}

/** Nodes of every kind, with lists of their own, below a name of the round. */
async function makeKinds(session: RawSession, round: number): Promise<void> {
  let xid = 1000 * (round + 1);
  const create = async (type: number, node: string, mode: number, acl: readonly Acl[], ttl?: number, data = node): Promise<void> => {
    await session.request(xid++, type, (body) => {
      writeAcls(body.string(node).buffer(Buffer.from(data)), acl);
      body.int(mode);
      if (ttl !== undefined) body.long(ttl);
    });
    const reply = session.takeFrames().at(-1);
    expect(reply?.readInt32BE(12), node).toBe(0);
  };
  const own: Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await create(OpCode.create, `/big-${round}`, CreateMode.PERSISTENT, OPEN_ACL_UNSAFE);
  await create(OpCode.createContainer, `/container-${round}`, CreateMode.CONTAINER, OPEN_ACL_UNSAFE);
  await create(OpCode.create2, `/container-${round}/child`, CreateMode.PERSISTENT, own);
  await create(OpCode.createTTL, `/ttl-${round}`, CreateMode.PERSISTENT_WITH_TTL, OPEN_ACL_UNSAFE, 3_600_000);
  await create(OpCode.createTTL, `/ttl-${round}/s-`, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, own, 2 ** 40 - 1);
  await create(OpCode.create, `/read-${round}`, CreateMode.PERSISTENT, [{ perms: 1, id: { scheme: 'ip', id: '127.0.0.0/8' } }, ...own]);
  await create(OpCode.create, `/zookeeper/quota/big-${round}`, CreateMode.PERSISTENT, OPEN_ACL_UNSAFE);
  const quota = `/zookeeper/quota/big-${round}`;
  await create(
    OpCode.create,
    `${quota}/zookeeper_limits`,
    CreateMode.PERSISTENT,
    OPEN_ACL_UNSAFE,
    undefined,
    'count=5000,bytes=-1=;byteHardLimit=99999999;countHardLimit=-1',
  );
  await create(OpCode.create, `${quota}/zookeeper_stats`, CreateMode.PERSISTENT, OPEN_ACL_UNSAFE, undefined, 'count=0,bytes=0');
}

/** The whole tree, and who may do what with each node. */
async function kindsOf(client: ZooKeeperClient, session: RawSession): Promise<Map<string, object>> {
  const paths = Array.from((await dumpReadable(client, session)).entries());
  let xid = 1_000_000;
  const all = new Map<string, object>();
  for (const [node, seen] of paths) {
    await session.request(xid++, OpCode.getACL, (body) => void body.string(node));
    all.set(node, { seen, acl: session.takeFrames().at(-1)?.subarray(12).toString('hex') });
  }
  return all;
}

/** Data and stat of each node as the session sees it, behind xid and zxid. */
async function dumpReadable(client: ZooKeeperClient, session: RawSession): Promise<Map<string, string>> {
  const nodes = new Map<string, string>();
  const pending = ['/'];
  let xid = 2_000_000;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const node = at;
    await session.request(xid++, OpCode.getData, (body) => void body.string(node).bool(false));
    nodes.set(at, session.takeFrames().at(-1)?.subarray(12).toString('hex') ?? '');
    const children = await client.getChildren(at).catch(() => ({ children: [] as string[] }));
    for (const child of children.children) pending.push(at === '/' ? `/${child}` : `${at}/${child}`);
  }
  return new Map(Array.from(nodes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const APACHE_PROPERTIES = { extendedTypesEnabled: 'true', snapCount: '100' };

async function digestMismatches(server: Server): Promise<number> {
  const [, count] = /^zk_digest_mismatches_count\t(\d+)$/m.exec(await fourLetterWord(server.port, 'mntr')) ?? [];
  return Number(count);
}

describe.skipIf(!apacheZooKeeperInstalled)(apacheZooKeeperInstalled ? 'a data folder' : `a data folder (${SKIPPED_WITHOUT_APACHE})`, () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-folder-'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it.each(['close', 'kill'] as const)('goes back and forth between ours and Apache’s, each ended by %s', async (ending) => {
    const dataDir = path.join(folder, ending);
    let expected: Map<string, object> | undefined;
    for (const [round, start] of (
      [
        startOurs,
        (dir: string) => startApacheZooKeeper({ dataDir: dir, tickTimeMs: TICK_TIME_MS }),
        startOurs,
        (dir: string) => startApacheZooKeeper({ dataDir: dir, tickTimeMs: TICK_TIME_MS }),
      ] as const
    ).entries()) {
      const server = await start(dataDir);
      const client = await connect(server.port);
      if (expected !== undefined) expect(await dump(client)).toEqual(expected);
      await work(client, `turn-${round}`);
      expected = await dump(client);
      await client.close();
      await server[ending]();
    }
  });

  it('carries sessions over, with their passwords and ephemeral nodes', async () => {
    const dataDir = path.join(folder, 'sessions');
    const ours = await startOurs(dataDir);
    const client = await connect(ours.port);
    await client.create('/mine', null, 'ephemeral');
    const session = client.session();
    if (session === undefined) throw new Error('no session');
    await ours.kill();
    const apache = await startApacheZooKeeper({ dataDir, tickTimeMs: TICK_TIME_MS });
    const atApache = await connect(apache.port, session);
    expect((await atApache.exists('/mine'))?.ephemeralOwner).toEqual(session.id);
    await apache.kill();
    const oursAgain = await startOurs(dataDir);
    const back = await connect(oursAgain.port, session);
    expect(back.session()).toEqual(session);
    expect((await back.exists('/mine'))?.ephemeralOwner).toEqual(session.id);
    await back.close();
    await oursAgain.close();
    await client.close();
    await atApache.close();
  });

  it.each(['close', 'kill'] as const)(
    'keeps containers, TTL nodes, ACLs, quotas and a big tree over both, each ended by %s',
    async (ending) => {
      const dataDir = path.join(folder, `kinds-${ending}`);
      const startApache = (): Promise<Server> => startApacheZooKeeper({ dataDir, tickTimeMs: TICK_TIME_MS, properties: APACHE_PROPERTIES });
      const startOwn = (): Promise<Server> => startOurs(dataDir, { extendedTypesEnabled: true, snapCount: 100 });
      let expected: Map<string, object> | undefined;
      for (const [round, start] of [startOwn, startApache, startOwn, startApache].entries()) {
        const found = path.join(folder, `kinds-${ending}-${round}`);
        if (round > 0) fs.cpSync(dataDir, found, { recursive: true });
        const server = await start();
        const session = await RawSession.open({ port: server.port, sessionTimeoutMs: 10_000 });
        await session.request(-4, OpCode.auth, (body) => void body.int(0).string('digest').buffer(Buffer.from('alice:secret')));
        const client = await connect(server.port);
        if (expected !== undefined) expect(await kindsOf(client, session)).toEqual(expected);
        // Each has compared its tree with the digests in the other's log and snapshot.
        const mismatches = await digestMismatches(server);
        if (mismatches > 0) {
          // Apache writes a snapshot beside its transactions: one that is half done may be in it already, and not in its digest.
          const judge = await startApacheZooKeeper({ dataDir: found, tickTimeMs: TICK_TIME_MS, properties: APACHE_PROPERTIES });
          const ofApache = await digestMismatches(judge);
          await judge.close();
          expect([start === startOwn, mismatches], 'by ours, as many as Apache finds').toEqual([true, ofApache]);
        }
        await makeKinds(session, round);
        const writes = Array.from({ length: 300 }, (_, i) =>
          client.create(`/big-${round}/n${i % 40}-${i}`, Buffer.alloc(i % 300, i), 'persistent'),
        );
        await Promise.all(writes);
        expected = await kindsOf(client, session);
        expect(await fourLetterWord(server.port, 'hash')).toMatch(/^[0-9a-f]*[08]0: \d+\n/);
        await client.close();
        session.destroy();
        await server[ending]();
      }
    },
  );

  it('has snapshots of ours, taken under load, that Apache reads to the same tree', async () => {
    const dataDir = path.join(folder, 'snapshots');
    const ours = await startOurs(dataDir, { snapCount: 200 });
    const client = await connect(ours.port);
    await client.create('/load', null, 'persistent');
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 3000; i++) {
      const node = `/load/n${i % 50}`;
      writes.push(client.create(node, Buffer.from(String(i)), 'persistent').catch(() => client.setData(node, Buffer.from(String(i)), -1)));
      if (i % 7 === 0) writes.push(client.delete(node, -1).catch(() => undefined));
      if (i % 100 === 0) await Promise.all(writes.splice(0)).catch(() => undefined);
    }
    await Promise.allSettled(writes);
    const expected = await dump(client);
    expect(fs.readdirSync(path.join(dataDir, 'version-2')).filter((name) => name.startsWith('snapshot.')).length).toBeGreaterThan(1);
    await client.close();
    await ours.kill();
    const apache = await startApacheZooKeeper({ dataDir, tickTimeMs: TICK_TIME_MS });
    const reader = await connect(apache.port);
    expect(await dump(reader)).toEqual(expected);
    expect(await fourLetterWord(apache.port, 'srvr')).toContain('Mode: standalone');
    await reader.close();
    await apache.kill();
  });
});
