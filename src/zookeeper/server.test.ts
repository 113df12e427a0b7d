/** The server on loopback: what clients can do to it and to each other. The wire's bytes are compared with Apache's in interop/. */
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Disk, DiskFile } from '../runtime/disk.ts';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import type { ZooKeeperConfigInput } from './config.ts';
import { CreateMode, OpCode } from './jute/constants.ts';
import { JuteReader } from './jute/jute-reader.ts';
import { JuteWriter } from './jute/jute-writer.ts';
import { OPEN_ACL_UNSAFE, readStat, writeAcls } from './jute/records.ts';
import { ZooKeeperServer } from './server.ts';
import { RawSession } from './testing/raw-session.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(config: Partial<ZooKeeperConfigInput> = {}, disk: Disk = nodeDisk): Promise<ZooKeeperServer> {
  const dataDir = config.dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-'));
  const server = new ZooKeeperServer({
    runtime: { ...createNodeRuntime(silentLogger), disk },
    hosts: ['127.0.0.1'],
    clientPort: 0,
    // Sessions last for 20 of them at most: none expires unless a test is about that.
    tickTimeMs: 6000,
    preAllocSizeBytes: 65_536,
    ...config,
    dataDir,
  });
  await server.start();
  cleanups.push(async () => {
    await server.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  return server;
}

async function session(
  server: ZooKeeperServer,
  options: { sessionId?: Buffer; password?: Buffer; lastZxidSeen?: number } = {},
): Promise<RawSession> {
  const opened = await RawSession.open({ port: server.port, sessionTimeoutMs: 120_000, ...options });
  cleanups.push(() => opened.destroy());
  return opened;
}

const create =
  (node: string, mode: number = CreateMode.PERSISTENT) =>
  (body: JuteWriter): void => {
    writeAcls(body.string(node).buffer(Buffer.from('data')), OPEN_ACL_UNSAFE);
    body.int(mode);
  };
const watched =
  (node: string, watch = false) =>
  (body: JuteWriter): void =>
    void body.string(node).bool(watch);
const setData =
  (node: string, data: string, version = -1) =>
  (body: JuteWriter): void =>
    void body.string(node).buffer(Buffer.from(data)).int(version);

interface Reply {
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  readonly body: JuteReader;
}
function replyOf(frame: Buffer | undefined): Reply {
  const body = new JuteReader(frame ?? Buffer.alloc(0));
  return { xid: body.int(), zxid: body.long(), err: body.int(), body };
}
const only = (opened: RawSession): Reply => replyOf(opened.takeFrames().at(-1));

/** Sends bytes and gives what comes back until the server hangs up. */
function talk(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** A disk whose log syncs only when told. */
function gatedDisk(): { disk: Disk; release: () => void; waiting: () => number } {
  let gates: (() => void)[] = [];
  let open = true;
  const disk: Disk = {
    ...nodeDisk,
    open(file, mode): DiskFile {
      const opened = nodeDisk.open(file, mode);
      if (!/log\.[0-9a-f]+$/.test(file)) return opened;
      const syncAsync = async (): Promise<void> => {
        await opened.syncAsync();
        if (!open) await new Promise<void>((resolve) => gates.push(resolve));
      };
      return new Proxy(opened, {
        get: (target, key) => {
          const value: unknown = key === 'syncAsync' ? syncAsync : Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
  return {
    disk,
    waiting: () => gates.length,
    release: () => {
      open = !open;
      const released = gates;
      gates = [];
      for (const gate of released) gate();
    },
  };
}

describe('a write', () => {
  it('is neither answered nor seen by anyone before its fsync has returned', async () => {
    const gate = gatedDisk();
    const server = await start({}, gate.disk);
    const [writer, other] = [await session(server), await session(server)];
    await writer.request(1, OpCode.create, create('/a'));
    await other.request(1, OpCode.getData, watched('/a', true));
    writer.takeFrames();
    other.takeFrames();
    gate.release();
    const write = writer.request(2, OpCode.setData, setData('/a', 'new'));
    await expect.poll(() => gate.waiting()).toBe(1);
    await other.request(2, OpCode.getData, watched('/a', true));
    const seen = replyOf(other.takeFrames().at(-1));
    expect(seen.body.buffer()?.toString()).toBe('data');
    expect(writer.takeFrames()).toEqual([]);
    gate.release();
    await write;
    expect(only(writer).err).toBe(0);
    await other.request(3, OpCode.getData, watched('/a'));
    const [notification, after] = other.takeFrames().map(replyOf);
    expect(notification).toMatchObject({ xid: -1, zxid: -1 });
    expect(after?.body.buffer()?.toString()).toBe('new');
  });

  it('is seen by a read behind it on the same connection, which is answered behind it', async () => {
    const gate = gatedDisk();
    const server = await start({}, gate.disk);
    const client = await session(server);
    await client.request(1, OpCode.create, create('/a'));
    client.takeFrames();
    gate.release();
    void client.request(2, OpCode.setData, setData('/a', 'one'));
    void client.request(3, OpCode.getData, watched('/a'));
    void client.request(4, OpCode.setData, setData('/a', 'two'));
    void client.request(5, OpCode.getData, watched('/a'));
    const last = client.request(-2, OpCode.ping);
    await expect.poll(() => gate.waiting()).toBe(1);
    expect(client.takeFrames()).toEqual([]);
    gate.release();
    await last;
    const replies = client.takeFrames().map(replyOf);
    expect(replies.map(({ xid }) => xid)).toEqual([2, 3, 4, 5, -2]);
    expect([replies[1]?.body.buffer()?.toString(), replies[3]?.body.buffer()?.toString()]).toEqual(['one', 'two']);
  });

  it('shares its fsync with the writes that came while another was under way', async () => {
    const gate = gatedDisk();
    const server = await start({}, gate.disk);
    const client = await session(server);
    gate.release();
    void client.request(1, OpCode.create, create('/a'));
    await expect.poll(() => gate.waiting()).toBe(1);
    for (let i = 0; i < 50; i++) void client.request(2 + i, OpCode.setData, setData('/a', String(i), i));
    await client.settle();
    gate.release();
    gate.release();
    await expect.poll(() => client.frameCount).toBe(1);
    await expect.poll(() => gate.waiting()).toBe(1);
    gate.release();
    await expect.poll(() => client.frameCount).toBe(51);
    expect(client.takeFrames().every((frame) => replyOf(frame).err === 0)).toBe(true);
  });

  it('takes a zxid when it fails, and the zxid goes on after a restart', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-'));
    const first = await start({ dataDir });
    const client = await session(first);
    await client.request(1, OpCode.create, create('/a'));
    const before = only(client).zxid;
    await client.request(2, OpCode.create, create('/a'));
    expect(only(client)).toMatchObject({ err: -110, zxid: before + 1 });
    await first.close();
    const second = await start({ dataDir });
    const next = await session(second);
    await next.request(1, OpCode.create, create('/b'));
    // One for the new session.
    expect(only(next).zxid).toBe(before + 3);
  });
});

describe('a session', () => {
  it('moves to the connection that knows its password, and the old one is closed', async () => {
    const server = await start();
    const old = await session(server);
    await old.request(1, OpCode.create, create('/e', CreateMode.EPHEMERAL));
    const moved = await session(server, { sessionId: old.sessionId, password: old.password });
    expect(moved.sessionId).toEqual(old.sessionId);
    expect(moved.password).toEqual(old.password);
    await old.untilClosed();
    await moved.request(1, OpCode.exists, watched('/e'));
    const { err, body } = only(moved);
    expect(err).toBe(0);
    expect(readStat(body).ephemeralOwner).toBe(old.sessionId.toString('hex'));
  });

  it('sees on its next connection what it wrote on the one before, also when that is not committed yet', async () => {
    const gate = gatedDisk();
    const server = await start({}, gate.disk);
    const client = await session(server);
    gate.release();
    void client.request(1, OpCode.create, create('/lock', CreateMode.EPHEMERAL));
    await expect.poll(() => gate.waiting()).toBe(1);
    const again = await session(server, { sessionId: client.sessionId, password: client.password });
    const found = again.request(2, OpCode.exists, watched('/lock'));
    void again.request(3, OpCode.delete, (body) => void body.string('/lock').int(-1));
    const gone = again.request(4, OpCode.exists, watched('/lock'));
    await again.settle();
    gate.release();
    await found;
    await gone;
    expect(again.takeFrames().map(replyOf)).toMatchObject([
      { xid: 2, err: 0 },
      { xid: 3, err: 0 },
      { xid: 4, err: -101 },
    ]);
  });

  it('is refused with a wrong password or an unknown id, and nobody else notices', async () => {
    const server = await start();
    const live = await session(server);
    for (const options of [
      { sessionId: live.sessionId, password: Buffer.alloc(16, 1) },
      { sessionId: Buffer.alloc(8, 9), password: Buffer.alloc(16) },
    ]) {
      const refused = await session(server, options);
      expect(refused.handshake?.toString('hex')).toBe(`${'00'.repeat(16)}00000010${'00'.repeat(16)}`);
      await refused.untilClosed();
    }
    await live.request(1, OpCode.exists, watched('/'));
    expect(only(live).err).toBe(0);
  });

  it('is not given to a client that has seen more than this server', async () => {
    const server = await start();
    const ahead = await session(server, { lastZxidSeen: 1_000_000 });
    expect(ahead.handshake).toBeUndefined();
    expect(ahead.closed).toBe(true);
  });

  it('has its time-out within 2 and 20 ticks', async () => {
    const server = await start({ tickTimeMs: 200 });
    for (const [asked, granted] of [
      [1, 400],
      [1000, 1000],
      [1_000_000, 4000],
    ] as const) {
      const opened = await RawSession.open({ port: server.port, sessionTimeoutMs: asked });
      cleanups.push(() => opened.destroy());
      expect(opened.handshake?.readInt32BE(4)).toBe(granted);
    }
  });

  it('expires without a sign of life, with its ephemeral nodes, and its connection is closed', async () => {
    const server = await start({ tickTimeMs: 50 });
    const watcher = await session(server);
    const dying = await RawSession.open({ port: server.port, sessionTimeoutMs: 100 });
    cleanups.push(() => dying.destroy());
    await dying.request(1, OpCode.create, create('/e', CreateMode.EPHEMERAL));
    await watcher.request(1, OpCode.exists, watched('/e', true));
    await dying.untilClosed();
    await watcher.request(2, OpCode.exists, watched('/e'));
    const [, notification, after] = watcher.takeFrames().map(replyOf);
    expect(notification?.xid).toBe(-1);
    expect(after?.err).toBe(-101);
  });

  it('lives on over a restart, and so do its nodes', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-'));
    const first = await start({ dataDir });
    const before = await session(first);
    await before.request(1, OpCode.create, create('/e', CreateMode.EPHEMERAL));
    await first.close();
    const second = await start({ dataDir });
    const after = await session(second, { sessionId: before.sessionId, password: before.password });
    await after.request(1, OpCode.exists, watched('/e'));
    expect(only(after).err).toBe(0);
  });
});

describe('garbage', () => {
  it.each([
    ['random bytes', Buffer.from('d3adb33fd3adb33fd3adb33f', 'hex')],
    ['a length of 2 GiB', Buffer.from('7fffffff', 'hex')],
    ['a negative length', Buffer.from('80000000', 'hex')],
    ['an empty handshake', Buffer.from('00000000', 'hex')],
    ['a handshake that is cut short', Buffer.from('0000000800000000000000ff', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['TLS', Buffer.from('16030100c8010000c4', 'hex')],
  ])('%s instead of a handshake closes that connection only', async (_name, bytes) => {
    const server = await start();
    const live = await session(server);
    expect(await talk(server.port, bytes)).toBe('');
    await live.request(1, OpCode.exists, watched('/'));
    expect(only(live).err).toBe(0);
  });

  it('in a session closes that connection, or is answered with an error', async () => {
    const server = await start();
    const live = await session(server);
    for (const bytes of [Buffer.from('7fffffff', 'hex'), Buffer.from('00000003000000', 'hex'), new JuteWriter().int(2_000_000).finish()]) {
      const bad = await session(server);
      bad.sendBytes(bytes);
      await bad.untilClosed();
    }
    const odd = await session(server);
    await odd.request(1, OpCode.create, (body) => void body.int(0x7fffffff));
    expect(only(odd).err).toBe(-5);
    await odd.request(2, OpCode.getData, (body) => void body.int(-7));
    expect(only(odd).err).toBe(-5);
    await odd.request(3, OpCode.multi, (body) => void body.int(99).bool(false).int(0));
    expect(only(odd).err).toBe(-5);
    await odd.request(4, OpCode.exists, watched('/'));
    expect(only(odd).err).toBe(0);
    await live.request(1, OpCode.exists, watched('/'));
    expect(only(live).err).toBe(0);
  });

  it('of every operation with every kind of body leaves the server alive', async () => {
    const server = await start();
    const live = await session(server);
    const bodies = [
      Buffer.alloc(0),
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.from('000000022f61ffffffff00000000', 'hex'),
      Buffer.from('00000001000000017fffffff', 'hex'),
    ];
    for (const type of [...Object.values(OpCode), 999, -12345]) {
      for (const body of bodies) {
        const bad = await session(server);
        await bad.request(type === OpCode.ping ? -2 : 77, type, (writer) => void writer.bytes(body));
        bad.destroy();
      }
    }
    await live.request(1, OpCode.exists, watched('/'));
    expect(only(live).err).toBe(0);
  });

  it('larger than jute.maxbuffer is refused, what fits is not', async () => {
    const server = await start({ juteMaxBufferBytes: 10_000 });
    const client = await session(server);
    await client.request(1, OpCode.create, create('/a'));
    await client.request(2, OpCode.setData, setData('/a', 'x'.repeat(9900)));
    expect(only(client).err).toBe(0);
    await client.request(3, OpCode.setData, setData('/a', 'x'.repeat(10_000)));
    expect(client.closed).toBe(true);
  });
});

describe('odd requests', () => {
  it('have the answers that Apache ZooKeeper gives, and none breaks the tree', async () => {
    const server = await start({ extendedTypesEnabled: true });
    const client = await session(server);
    // Apache 3.8 dies of a createTTL without a TTL: a node with such an owner could not be read back.
    await client.request(1, OpCode.createTTL, (body) => {
      create('/plain')(body);
      body.long(-1);
    });
    expect(only(client)).toMatchObject({ zxid: 2, err: -8 });
    // The empty path is the root for reads.
    await client.request(2, OpCode.getData, watched(''));
    expect(only(client).err).toBe(0);
    await client.request(3, OpCode.reconfig);
    expect(only(client)).toMatchObject({ zxid: 2, err: -5 });
    client.sendBytes(Buffer.from('000000080000004d0000000b', 'hex'));
    await client.request(4, OpCode.sync, (body) => void body.string('/'));
    expect(client.takeFrames().map((frame) => replyOf(frame).xid)).toEqual([-2, 4]);
    await client.request(5, OpCode.sasl);
    expect(client.closed).toBe(true);
  });
});

describe('limits', () => {
  it('refuse connections from one address above maxClientCnxns', async () => {
    const server = await start({ maxClientCnxns: 2 });
    const [first] = [await session(server), await session(server)];
    const third = await session(server);
    expect(third.handshake).toBeUndefined();
    first.destroy();
    await expect.poll(async () => (await session(server)).handshake).toBeDefined();
  });

  it('pause clients that send faster than the log is written, and lose nothing', async () => {
    const server = await start({ globalOutstandingLimit: 5 });
    const client = await session(server);
    void client.request(1, OpCode.create, create('/a'));
    for (let i = 0; i < 500; i++) void client.request(2 + i, OpCode.setData, setData('/a', String(i), i));
    await expect.poll(() => client.frameCount).toBe(501);
    expect(client.takeFrames().every((frame) => replyOf(frame).err === 0)).toBe(true);
  });

  it('pause only those that send: others are heard, and their sessions live on', async () => {
    const gate = gatedDisk();
    const server = await start({ globalOutstandingLimit: 10 }, gate.disk);
    const [writer, idle] = [await session(server), await session(server)];
    gate.release();
    for (let i = 0; i < 100; i++) void writer.request(1 + i, OpCode.create, create(`/n${i}`));
    await expect.poll(() => gate.waiting()).toBe(1);
    await writer.settle();
    void idle.request(-2, OpCode.ping);
    let resumed: RawSession | undefined;
    void session(server, { sessionId: idle.sessionId, password: idle.password }).then((again) => (resumed = again));
    try {
      await expect.poll(() => [idle.frameCount, resumed?.sessionId]).toEqual([1, idle.sessionId]);
    } finally {
      gate.release();
    }
    await expect.poll(() => writer.frameCount).toBe(100);
  });
});

describe('an ACL', () => {
  it('has an id that may be null, as kazoo sends it', async () => {
    const server = await start();
    const client = await session(server);
    await client.request(-4, OpCode.auth, (body) => void body.int(0).string('digest').buffer(Buffer.from('user:password')));
    await client.request(
      1,
      OpCode.create,
      (body) => void body.string('/mine').buffer(null).int(1).int(31).string('auth').string(null).int(0),
    );
    expect(only(client).err).toBe(0);
    await client.request(2, OpCode.getACL, (body) => void body.string('/mine'));
    const { body } = only(client);
    expect([body.int(), body.int(), body.string(), body.string()]).toEqual([1, 31, 'digest', 'user:tpUq/4Pn5A64fVZyQ0gOJ8ZWqkY=']);
    const stranger = await session(server);
    await stranger.request(1, OpCode.getData, watched('/mine'));
    expect(only(stranger).err).toBe(-102);
  });
});

describe('a client that reads slowly', () => {
  it.each(['at once', 'behind a write'])('gets all its answers, and the server holds only some of them at a time: %s', async (when) => {
    const gate = gatedDisk();
    const server = await start({ juteMaxBufferBytes: 4 * 1024 * 1024 }, gate.disk);
    const client = await session(server);
    await client.request(1, OpCode.create, create('/big'));
    await client.request(2, OpCode.setData, setData('/big', 'x'.repeat(1024 * 1024)));
    client.takeFrames();
    const before = process.memoryUsage().external;
    client.pause();
    const isBehind = when === 'behind a write';
    if (isBehind) gate.release();
    if (isBehind) void client.request(3, OpCode.create, create('/before'));
    for (let i = 0; i < 400; i++) void client.request(4 + i, OpCode.getData, watched('/big'));
    // All have been read by then that will be: what the sockets don't hold holds up the rest.
    await client.settle();
    if (isBehind) await expect.poll(() => gate.waiting()).toBe(1);
    if (isBehind) gate.release();
    await client.settle();
    void client.request(404, OpCode.create, create('/after'));
    await client.settle();
    expect(process.memoryUsage().external - before).toBeLessThan(100 * 1024 * 1024);
    client.resume();
    const xids: number[] = [];
    const expected = Array.from({ length: isBehind ? 402 : 401 }, (_, index) => index + (isBehind ? 3 : 4));
    await expect
      .poll(() => (xids.push(...client.takeFrames().map((frame) => replyOf(frame).xid)), xids.length), { interval: 5 })
      .toBe(expected.length);
    expect(xids).toEqual(expected);
  });
});

describe('a four-letter word', () => {
  it('is answered with ZooKeeper’s text', async () => {
    const server = await start();
    const client = await session(server);
    await client.request(1, OpCode.create, create('/e', CreateMode.EPHEMERAL));
    await client.request(2, OpCode.getData, watched('/e', true));
    const ask = (word: string): Promise<string> => talk(server.port, Buffer.from(word));
    expect(await ask('ruok')).toBe('imok');
    expect(await ask('isro')).toBe('rw');
    expect(await ask('srvr')).toMatch(
      /^Zookeeper version: 3\.8\.\S+ built on .*\nLatency min\/avg\/max: \d+\/[\d.]+\/\d+\nReceived: \d+\nSent: \d+\nConnections: 2\nOutstanding: 0\nZxid: 0x2\nMode: standalone\nNode count: 6\n$/,
    );
    expect(await ask('stat')).toMatch(
      /Clients:\n \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=3,sent=3\)\n \/127\.0\.0\.1:\d+\[0\]\(queued=0,recved=1,sent=0\)\n\nLatency/,
    );
    const mntr = await ask('mntr');
    for (const line of [
      'zk_server_state\tstandalone',
      'zk_ephemerals_count\t1',
      'zk_znode_count\t6',
      'zk_watch_count\t1',
      'zk_global_sessions\t1',
    ])
      expect(mntr).toContain(`${line}\n`);
    // What a standalone Apache ZooKeeper 3.8 prints, and three of the sums over namespaces, five lines each.
    expect(mntr.split('\n').filter((line) => line.startsWith('zk_') && !line.includes('_per_namespace'))).toHaveLength(485);
    const values = new Map(mntr.split('\n').map((line) => line.split('\t') as [string, string]));
    expect(values.get('zk_cnt_updatelatency')).toBe('2');
    expect(values.get('zk_cnt_readlatency')).toBe('1');
    expect(values.get('zk_sum_sync_processor_batch_size')).toBe('2');
    expect(values.get('zk_cnt_fsynctime')).toBe('2');
    expect(values.get('zk_sum_e_write_per_namespace')).toBe('6');
    expect(values.get('zk_sum_e_read_per_namespace')).toBe('74');
    expect(values.get('zk_connection_request_count')).toBe('1');
    expect(await ask('conf')).toContain(`clientPort=${server.port}\n`);
    expect(await ask('cons')).toContain(`sid=0x${client.sessionId.toString('hex').replace(/^0/, '')}`);
    expect(await ask('dump')).toContain('\t/e\n');
    expect(await ask('wchs')).toBe('1 connections watching 1 paths\nTotal watches:1\n');
    expect(await ask('wchp')).toMatch(/^\/e\n\t0x1[0-9a-f]+\n\n$/);
    expect(await ask('wchc')).toMatch(/^0x1[0-9a-f]+\n\t\/e\n\n$/);
    expect(await ask('envi')).toContain('zookeeper.version=');
    expect(await ask('dump')).toMatch(
      /Connections Sets \(2\)\/\(2\):\n1 expire at \w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}:\n\tip: \/127\.0\.0\.1:\d+ sessionId: 0x1/,
    );
    expect(await ask('gtmk')).toBe('306');
    expect(await talk(server.port, Buffer.from('stmk\0\0\0\0\0\0\0\x07', 'latin1'))).toBe('7');
    expect(await ask('gtmk')).toBe('7');
    expect(await ask('stmk')).toBe('');
    await client.request(3, OpCode.setData, setData('/e', 'other'));
    expect(await ask('mntr')).toContain('zk_sum_node_changed_watch_count\t1\n');
    expect(await ask('srst')).toBe('Server stats reset.\n');
    expect(await ask('mntr')).toContain('zk_cnt_updatelatency\t0\n');
    expect(await ask('crst')).toBe('Connection stats reset.\n');
    expect(await ask('dirs')).toMatch(/^datadir_size: \d+\nlogdir_size: \d+\n$/);
  });

  it('is refused when it is not in the whitelist, except srvr', async () => {
    const server = await start({ fourLetterWordWhitelist: 'ruok' });
    expect(await talk(server.port, Buffer.from('ruok'))).toBe('imok');
    expect(await talk(server.port, Buffer.from('stat'))).toBe('stat is not executed because it is not in the whitelist.\n');
    expect(await talk(server.port, Buffer.from('srvr'))).toContain('Mode: standalone');
  });
});

describe('starting', () => {
  it('does without an address that the machine lacks, but not without the first', async () => {
    const server = await start({ hosts: ['127.0.0.1', '192.0.2.1'] });
    await session(server);
    await expect(start({ hosts: ['192.0.2.1'] })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  it('names the port that is taken', async () => {
    const server = await start();
    await expect(start({ clientPort: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('refuses a value that makes no sense, by its key', () => {
    const runtime = createNodeRuntime(silentLogger);
    expect(() => new ZooKeeperServer({ runtime, dataDir: '' })).toThrow(/dataDir/);
    expect(() => new ZooKeeperServer({ runtime, dataDir: '/x', tickTimeMs: 0 })).toThrow(/tickTimeMs is 0: allowed is an integer from 1/);
    expect(() => new ZooKeeperServer({ runtime, dataDir: '/x', minSessionTimeoutMs: 9, maxSessionTimeoutMs: 8 })).toThrow(
      /minSessionTimeoutMs/,
    );
  });
});

describe('stopping', () => {
  it('commits the writes that came before, and takes no more: it would not end while clients go on writing', async () => {
    const gate = gatedDisk();
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-'));
    const server = await start({ dataDir }, gate.disk);
    const client = await session(server);
    gate.release();
    void client.request(1, OpCode.create, create('/a'));
    await expect.poll(() => gate.waiting()).toBe(1);
    const closing = server.close();
    for (let xid = 2; xid < 10; xid++) void client.request(xid, OpCode.setData, setData('/a', 'data'));
    await client.settle();
    gate.release();
    await closing;
    const reader = await session(await start({ dataDir }));
    await reader.request(1, OpCode.exists, watched('/a'));
    expect(readStat(only(reader).body).version).toBe(0);
  });
});

describe('containers and TTL nodes', () => {
  it('go when they are empty, a container not before it had a child', async () => {
    const server = await start({ extendedTypesEnabled: true, containerCheckIntervalMs: 20 });
    const client = await session(server);
    await client.request(1, OpCode.createContainer, create('/never-used', CreateMode.CONTAINER));
    await client.request(2, OpCode.createContainer, create('/used', CreateMode.CONTAINER));
    await client.request(3, OpCode.create, create('/used/child'));
    await client.request(4, OpCode.createTTL, (body) => {
      create('/short', CreateMode.PERSISTENT_WITH_TTL)(body);
      body.long(30);
    });
    await client.request(5, OpCode.createTTL, (body) => {
      create('/long', CreateMode.PERSISTENT_WITH_TTL)(body);
      body.long(3_600_000);
    });
    await client.request(6, OpCode.delete, (body) => void body.string('/used/child').int(-1));
    let xid = 7;
    const names = async (): Promise<string[]> => {
      await client.request(xid++, OpCode.getChildren, watched('/'));
      return only(client).body.strings().toSorted();
    };
    await expect.poll(names).toEqual(['long', 'never-used', 'zookeeper']);
  });
});
