/**
 * What every ZooKeeperClient must do, run on both implementations, against our server and (in interop/) Apache's.
 * Real sockets on loopback; time-outs are as short as the server allows.
 */
import * as net from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { closeSession, connectZooKeeper } from '../connect.ts';
import type { WatchEvent, ZooKeeperClient, ZooKeeperState } from '../types.ts';
import { FlakyProxy } from './flaky-proxy.ts';

export interface ContractServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface ContractOptions {
  readonly serverName: string;
  readonly implementation: 'library' | 'own';
  readonly startServer: () => Promise<ContractServer>;
  /** The shortest session time-out that the server grants. */
  readonly sessionTimeoutMs: number;
}

const runtime = createNodeRuntime(silentLogger);
const text = (value: string): Buffer => Buffer.from(value);

export function describeZooKeeperClientContract({ serverName, implementation, startServer, sessionTimeoutMs }: ContractOptions): void {
  describe(`the ${implementation} client against ${serverName}`, () => {
    let server: ContractServer;
    let proxy: FlakyProxy;
    let client: ZooKeeperClient;
    let root: string;
    const clients: ZooKeeperClient[] = [];
    let states: ZooKeeperState[];
    let rootNumber = 0;

    const connect = async (
      connectString: string,
      extra: { resume?: { id: Buffer; password: Buffer }; connectTimeoutMs?: number } = {},
    ): Promise<ZooKeeperClient> => {
      const made = await connectZooKeeper({ connectString, sessionTimeoutMs, connectTimeoutMs: 60_000, runtime, implementation, ...extra });
      clients.push(made);
      return made;
    };
    const direct = (chroot = ''): Promise<ZooKeeperClient> => connect(`127.0.0.1:${server.port}${chroot}`);
    const until = <T>(probe: () => T): Promise<T> => vi.waitFor(probe, { timeout: 60_000, interval: 5 });
    const untilState = (state: ZooKeeperState): Promise<void> => until(() => expect(states).toContain(state));

    beforeAll(async () => {
      server = await startServer();
    });
    afterAll(() => server.close());

    beforeEach(async () => {
      proxy = await FlakyProxy.start(server.port);
      client = await connect(`127.0.0.1:${proxy.port}`);
      states = [];
      client.onState((state) => states.push(state));
      root = `/contract-${implementation}-${++rootNumber}`;
      await client.create(root, null, 'persistent');
    });
    afterEach(async () => {
      proxy.frozen = false;
      proxy.refusing = false;
      await Promise.all(clients.splice(0).map((made) => made.close()));
      await proxy.close();
    });

    it('creates, reads, writes and deletes a node', async () => {
      const path = `${root}/a`;
      const beforeMs = runtime.clock.wallMs();
      expect(await client.exists(path)).toBeUndefined();
      expect(await client.create(path, text('one'), 'persistent')).toBe(path);
      const { data, stat } = await client.getData(path);
      expect(data.toString()).toBe('one');
      expect(stat).toMatchObject({ version: 0, cversion: 0, aversion: 0, dataLength: 3, numChildren: 0 });
      expect(stat.mzxid).toBe(stat.czxid);
      expect(stat.ephemeralOwner).toEqual(Buffer.alloc(8));
      expect(stat.ctime).toBeGreaterThanOrEqual(beforeMs);
      expect(stat.ctime).toBeLessThanOrEqual(runtime.clock.wallMs());
      const written = await client.setData(path, text('three'), 0);
      expect(written).toMatchObject({ version: 1, dataLength: 5 });
      expect(written.mzxid).toBeGreaterThan(written.czxid);
      expect(await client.exists(path)).toEqual(written);
      await client.delete(path, 1);
      expect(await client.exists(path)).toBeUndefined();
    });

    it('reads a node without data as no bytes', async () => {
      await client.create(`${root}/null`, null, 'persistent');
      await client.create(`${root}/empty`, Buffer.alloc(0), 'persistent');
      expect((await client.getData(`${root}/null`)).data).toEqual(Buffer.alloc(0));
      expect((await client.getData(`${root}/empty`)).data).toEqual(Buffer.alloc(0));
      expect((await client.setData(`${root}/empty`, null, -1)).dataLength).toBe(0);
    });

    it('gives the stat of the node that it created', async () => {
      const { path, stat } = await client.createWithStat(`${root}/s-`, text('x'), 'ephemeral-sequential');
      expect(path).toBe(`${root}/s-0000000000`);
      expect(stat).toEqual(await client.exists(path));
    });

    it('numbers sequential nodes by the creations below their parent', async () => {
      expect(await client.create(`${root}/n-`, null, 'persistent-sequential')).toBe(`${root}/n-0000000000`);
      await client.delete(`${root}/n-0000000000`, -1);
      expect(await client.create(`${root}/n-`, null, 'ephemeral-sequential')).toBe(`${root}/n-0000000001`);
      expect(await client.getAcl(root)).toEqual([{ perms: 31, scheme: 'world', id: 'anyone' }]);
      const { children, stat } = await client.getChildren(root);
      expect(children).toEqual(['n-0000000001']);
      // Two creations and one deletion.
      expect(stat.cversion).toBe(3);
    });

    it('owns ephemeral nodes, which end with the session', async () => {
      const other = await direct();
      await client.create(`${root}/e`, null, 'ephemeral');
      expect((await other.exists(`${root}/e`))?.ephemeralOwner).toEqual(client.session()?.id);
      await client.close();
      expect(await other.exists(`${root}/e`)).toBeUndefined();
    });

    it('names what the server says against an operation', async () => {
      const path = `${root}/a`;
      await client.create(path, null, 'persistent');
      await client.setData(path, text('1'), 0);
      await expect(client.create(path, null, 'persistent')).rejects.toMatchObject({ name: 'NodeExists', code: -110, path });
      await expect(client.getData(`${root}/b`)).rejects.toMatchObject({ name: 'NoNode', code: -101 });
      await expect(client.create(`${root}/b/c`, null, 'persistent')).rejects.toMatchObject({ name: 'NoNode' });
      await expect(client.setData(path, null, 0)).rejects.toMatchObject({ name: 'BadVersion', code: -103 });
      await expect(client.delete(path, 0)).rejects.toMatchObject({ name: 'BadVersion' });
      await expect(client.delete(root, -1)).rejects.toMatchObject({ name: 'NotEmpty', code: -111 });
      await client.create(`${root}/e`, null, 'ephemeral');
      await expect(client.create(`${root}/e/c`, null, 'persistent')).rejects.toMatchObject({ name: 'NoChildrenForEphemerals' });
      await expect(client.create(`${root}/..`, null, 'persistent')).rejects.toMatchObject({ name: 'BadArguments' });
    });

    it('does all operations of a transaction, in order', async () => {
      await client.create(`${root}/a`, null, 'persistent');
      await client.create(`${root}/gone`, null, 'persistent');
      const results = await client.multi([
        { type: 'check', path: `${root}/a`, version: 0 },
        { type: 'setData', path: `${root}/a`, data: text('new'), version: 0 },
        { type: 'create', path: `${root}/m-`, data: text('m'), mode: 'persistent-sequential' },
        { type: 'delete', path: `${root}/gone`, version: 0 },
      ]);
      expect(results.map((result) => result.type)).toEqual(['check', 'setData', 'create', 'delete']);
      expect(results[1]).toMatchObject({ stat: { version: 1, dataLength: 3 } });
      expect(results[2]).toMatchObject({ path: `${root}/m-0000000002` });
      expect((await client.getChildren(root)).children.toSorted()).toEqual(['a', 'm-0000000002']);
    });

    it('does nothing of a transaction that fails, and tells which operation failed', async () => {
      await client.create(`${root}/a`, null, 'persistent');
      const failed = client.multi([
        { type: 'create', path: `${root}/b`, data: null, mode: 'persistent' },
        { type: 'setData', path: `${root}/missing`, data: null, version: -1 },
        { type: 'delete', path: `${root}/a`, version: -1 },
      ]);
      await expect(failed).rejects.toMatchObject({ name: 'NoNode', failedOpIndex: 1, path: `${root}/missing` });
      expect((await client.getChildren(root)).children).toEqual(['a']);
    });

    it('compares with version 0 inside a transaction', async () => {
      const path = `${root}/a`;
      await client.create(path, null, 'persistent');
      await client.setData(path, text('1'), -1);
      for (const op of [
        { type: 'check', path, version: 0 },
        { type: 'setData', path, data: text('lost'), version: 0 },
        { type: 'delete', path, version: 0 },
      ] as const) {
        await expect(client.multi([op])).rejects.toMatchObject({ name: 'BadVersion', failedOpIndex: 0 });
      }
      expect((await client.getData(path)).data.toString()).toBe('1');
    });

    it('accepts an empty transaction and a sync', async () => {
      expect(await client.multi([])).toEqual([]);
      await client.sync();
    });

    it('tells a watcher of data once, and calls the same function once', async () => {
      const path = `${root}/a`;
      await client.create(path, null, 'persistent');
      const events: WatchEvent[] = [];
      const watcher = (event: WatchEvent): void => void events.push(event);
      await client.getData(path, watcher);
      await client.exists(path, watcher);
      await client.setData(path, text('1'), -1);
      await client.setData(path, text('2'), -1);
      await client.sync();
      expect(events).toEqual([{ type: 'dataChanged', path }]);
    });

    it('tells of creation, deletion and children', async () => {
      const path = `${root}/a`;
      const events: string[] = [];
      const watcher =
        (name: string) =>
        (event: WatchEvent): void =>
          void events.push(`${name} ${event.type} ${event.path}`);
      await client.exists(path, watcher('exists'));
      await client.getChildren(root, watcher('children'));
      await client.create(path, null, 'persistent');
      await client.getData(path, watcher('data'));
      await client.getChildren(path, watcher('children of a'));
      await client.delete(path, -1);
      await client.sync();
      expect(events).toEqual([
        `exists created ${path}`,
        `children childrenChanged ${root}`,
        `data deleted ${path}`,
        `children of a deleted ${path}`,
      ]);
    });

    it('sets no watch when a read fails', async () => {
      const watcher = vi.fn<(event: WatchEvent) => void>();
      await expect(client.getData(`${root}/a`, watcher)).rejects.toMatchObject({ name: 'NoNode' });
      await client.create(`${root}/a`, null, 'persistent');
      await client.sync();
      expect(watcher).not.toHaveBeenCalled();
    });

    it('keeps the order of operations that don’t wait for each other', async () => {
      const path = `${root}/a`;
      const created = client.create(path, text('0'), 'persistent');
      const versions = Array.from({ length: 300 }, (_, i) => client.setData(path, text(String(i)), i).then((stat) => stat.version));
      const last = client.getData(path);
      await created;
      expect(await Promise.all(versions)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
      expect((await last).data.toString()).toBe('299');
    });

    it('lives below its chroot', async () => {
      const below = await direct(root);
      const events: WatchEvent[] = [];
      await below.getChildren('/', (event) => events.push(event));
      expect(await below.create('/a', text('x'), 'persistent')).toBe('/a');
      expect(await below.multi([{ type: 'create', path: '/b', data: null, mode: 'persistent' }])).toEqual([{ type: 'create', path: '/b' }]);
      expect((await client.getChildren(root)).children.toSorted()).toEqual(['a', 'b']);
      expect((await below.getChildren('/')).children.toSorted()).toEqual(['a', 'b']);
      await expect(below.create('/a', null, 'persistent')).rejects.toMatchObject({ name: 'NodeExists', path: '/a' });
      expect(events).toEqual([{ type: 'childrenChanged', path: '/' }]);
    });

    it('comes back to its session with its watches, and hears of what it missed', async () => {
      const other = await direct();
      for (const name of ['a', 'b', 'c']) await client.create(`${root}/${name}`, null, 'persistent');
      const before = client.session();
      const events: string[] = [];
      const watcher = (event: WatchEvent): void => void events.push(`${event.type} ${event.path.slice(root.length)}`);
      await client.getData(`${root}/a`, watcher);
      await client.getData(`${root}/b`, watcher);
      await client.exists(`${root}/new`, watcher);
      await client.getChildren(root, watcher);
      proxy.refusing = true;
      proxy.cut();
      await untilState('disconnected');
      await other.setData(`${root}/a`, text('1'), -1);
      await other.create(`${root}/new`, null, 'persistent');
      proxy.refusing = false;
      await untilState('connected');
      await until(() => expect(events.toSorted()).toEqual(['childrenChanged ', 'created /new', 'dataChanged /a']));
      await other.setData(`${root}/b`, text('1'), -1);
      await until(() => expect(events).toContain('dataChanged /b'));
      expect(client.session()).toEqual(before);
      expect(states).toEqual(['disconnected', 'connected']);
    });

    it('rejects what was sent when the connection broke, and sends what was asked for after', async () => {
      proxy.frozen = true;
      const sent = client.getData(root);
      sent.catch(() => undefined);
      await until(() => expect(proxy.swallowedBytes).toBeGreaterThan(0));
      proxy.cut();
      await untilState('disconnected');
      const waiting = client.create(`${root}/later`, null, 'persistent');
      proxy.frozen = false;
      await expect(sent).rejects.toMatchObject({ name: 'ConnectionLoss', code: -4 });
      expect(await waiting).toBe(`${root}/later`);
    });

    it('survives a connection that is cut inside a frame', async () => {
      await client.create(`${root}/big`, Buffer.alloc(10_000, 1), 'persistent');
      const session = client.session();
      for (const bytes of [2, 4, 10, 500, 9000]) {
        states.length = 0;
        proxy.cutAfter(bytes);
        await expect(client.getData(`${root}/big`)).rejects.toMatchObject({ name: 'ConnectionLoss' });
        await untilState('connected');
        expect((await client.getData(`${root}/big`)).data.length).toBe(10_000);
      }
      expect(client.session()).toEqual(session);
    });

    it('gives up a server that has gone silent', async () => {
      proxy.frozen = true;
      await untilState('disconnected');
      proxy.frozen = false;
      proxy.cut();
      await untilState('connected');
      await client.getData(root);
    });

    it('goes on to the next server when one accepts and says nothing', async () => {
      const silent = net.createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as net.AddressInfo;
      for (let round = 0; round < 3; round++) {
        const made = await connect(`127.0.0.1:${port},127.0.0.1:${server.port}`);
        await made.exists('/');
      }
      silent.close();
    });

    it('keeps its session by pings alone', async () => {
      const id = client.session()?.id;
      const before = proxy.chunksFromClients;
      // Three of them last for as long as the session.
      await until(() => expect(proxy.chunksFromClients - before).toBeGreaterThanOrEqual(8));
      expect(states).not.toContain('expired');
      expect(client.session()?.id).toEqual(id);
    });

    it('expires when its session was ended elsewhere, and rejects what waits', async () => {
      const session = client.session();
      if (session === undefined) throw new Error('no session');
      proxy.refusing = true;
      proxy.cut();
      await untilState('disconnected');
      const waiting = client.getData(root);
      waiting.catch(() => undefined);
      expect(await closeSession({ connectString: `127.0.0.1:${server.port}`, session, runtime })).toBe('closed');
      proxy.refusing = false;
      await untilState('expired');
      await expect(waiting).rejects.toMatchObject({ name: 'SessionExpired', code: -112 });
      await expect(client.getData(root)).rejects.toMatchObject({ name: 'SessionExpired' });
      expect(client.session()).toBeUndefined();
      // Another comes, is served and leaves: time enough for a client that would not give up.
      const other = await connect(`127.0.0.1:${proxy.port}`);
      await other.getData(root);
      await other.close();
      expect(states).toEqual(['disconnected', 'expired']);
    });

    it('goes on with a session of another client', async () => {
      await client.create(`${root}/e`, null, 'ephemeral');
      const session = client.session();
      if (session === undefined) throw new Error('no session');
      proxy.refusing = true;
      proxy.cut();
      const heir = await connect(`127.0.0.1:${server.port}`, { resume: session });
      expect(heir.session()).toEqual(session);
      expect((await heir.exists(`${root}/e`))?.ephemeralOwner).toEqual(session.id);
      const stranger = connect(`127.0.0.1:${server.port}`, { resume: { id: session.id, password: Buffer.alloc(16, 7) } });
      await expect(stranger).rejects.toMatchObject({ name: 'SessionExpired' });
    });

    it('ends the session of a dead process at once', async () => {
      const lifeline = await FlakyProxy.start(server.port);
      const dead = await connect(`127.0.0.1:${lifeline.port}`);
      const session = dead.session();
      if (session === undefined) throw new Error('no session');
      await dead.create(`${root}/ghost`, null, 'ephemeral');
      const gone = vi.fn<(event: WatchEvent) => void>();
      await client.exists(`${root}/ghost`, gone);
      // Dead: it can't take its session back.
      lifeline.refusing = true;
      lifeline.cut();
      const connectString = `127.0.0.1:${server.port}`;
      expect(await closeSession({ connectString, session, runtime })).toBe('closed');
      await until(() => expect(gone).toHaveBeenCalledWith({ type: 'deleted', path: `${root}/ghost` }));
      expect(await closeSession({ connectString, session, runtime })).toBe('unknown');
      await lifeline.close();
    });

    it('ends a session also when the answer to that is lost', async () => {
      const abandoned = await FlakyProxy.start(server.port);
      const dead = await connect(`127.0.0.1:${abandoned.port}`);
      const session = dead.session();
      if (session === undefined) throw new Error('no session');
      await dead.create(`${root}/ghost`, null, 'ephemeral');
      abandoned.refusing = true;
      abandoned.cut();
      // The handshake gets through, 41 bytes of it, and nothing after it.
      proxy.cutAfter(41);
      expect(await closeSession({ connectString: `127.0.0.1:${proxy.port}`, session, runtime })).toBe('closed');
      expect(await (await direct()).exists(`${root}/ghost`)).toBeUndefined();
      await abandoned.close();
    });

    it('is closed once and for all', async () => {
      await client.close();
      await client.close();
      expect(states).toEqual(['closed']);
      expect(client.session()).toBeUndefined();
      await expect(client.getData(root)).rejects.toMatchObject({ name: 'ConnectionLoss' });
    });

    it('rejects when no server answers in time', async () => {
      const unused = await FlakyProxy.start(server.port);
      const { port } = unused;
      await unused.close();
      await expect(connect(`127.0.0.1:${port}`, { connectTimeoutMs: 300 })).rejects.toMatchObject({ name: 'ConnectionLoss' });
    });

    it('lives on when a server talks nonsense', async () => {
      const nonsense = [
        Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
        Buffer.from([0x7f, 0xff, 0xff, 0xff]),
        Buffer.from([0, 0, 0, 2, 1, 2]),
        Buffer.alloc(64, 0xff),
      ];
      const liar = net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(nonsense.shift() ?? Buffer.alloc(8));
      });
      await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
      const { port } = liar.address() as net.AddressInfo;
      const made = await connect(`127.0.0.1:${port},127.0.0.1:${server.port}`);
      await made.exists('/');
      liar.close();
    });
  });
}
