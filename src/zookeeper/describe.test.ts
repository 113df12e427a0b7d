/** Views of sessions and watches, asked the way the console asks. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ZooKeeperQueries } from '../introspection/queries.ts';
import { QueryInput } from '../introspection/query-input.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { zooKeeperQueryHandlers } from './introspection.ts';
import { AddWatchMode, CreateMode, OpCode } from './jute/constants.ts';
import { OPEN_ACL_UNSAFE, writeAcls } from './jute/records.ts';
import { ManualTime, onManualTime } from '../runtime/testing/manual-time.ts';
import { ZooKeeperServer } from './server.ts';
import { RawSession } from './testing/raw-session.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe('a server', () => {
  it('tells of its sessions, of one with its nodes and watches, and of who watches what', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-describe-'));
    const time = new ManualTime();
    const runtime = onManualTime(createNodeRuntime(silentLogger), time);
    const server = new ZooKeeperServer({ runtime, dataDir, hosts: ['127.0.0.1'], clientPort: 0, tickTimeMs: 200 });
    const handlers = zooKeeperQueryHandlers({ info: () => server.describe(), described: () => server.described() });
    const ask = async <Name extends keyof ZooKeeperQueries>(
      name: Name,
      input: ZooKeeperQueries[Name]['input'],
    ): Promise<ZooKeeperQueries[Name]['answer']> => handlers[name](new QueryInput(name, input));
    await expect(ask('zookeeper.sessions', { max: 1 })).rejects.toMatchObject({ code: 'not-ready' });
    await server.start();
    cleanups.push(async () => {
      await server.close();
      fs.rmSync(dataDir, { recursive: true, force: true });
    });
    const [a, b] = [
      await RawSession.open({ port: server.port, sessionTimeoutMs: 3000 }),
      await RawSession.open({ port: server.port, sessionTimeoutMs: 4000 }),
    ];
    cleanups.push(() => a.destroy());
    const id = (session: RawSession): string => `0x${session.sessionId.toString('hex').replace(/^0+/, '')}`;
    await a.request(1, OpCode.create, (body) => {
      writeAcls(body.string('/mine').buffer(null), OPEN_ACL_UNSAFE);
      body.int(CreateMode.EPHEMERAL);
    });
    await a.request(2, OpCode.getData, (body) => void body.string('/mine').bool(true));
    await a.request(3, OpCode.getChildren, (body) => void body.string('/').bool(true));
    await b.request(1, OpCode.addWatch, (body) => void body.string('/').int(AddWatchMode.PERSISTENT_RECURSIVE));
    await a.request(-4, OpCode.auth, (body) => void body.int(0).string('digest').buffer(Buffer.from('alice:secret')));

    const all = await ask('zookeeper.sessions', { max: 10 });
    expect(all.total).toBe(2);
    expect(all.sessions.map((session) => session.id).toSorted()).toEqual([id(a), id(b)].toSorted());
    const mine = await ask('zookeeper.session', { id: id(a), max: 10 });
    expect(mine).toMatchObject({
      address: '127.0.0.1',
      timeoutMs: 3000,
      closing: false,
      ephemerals: 1,
      watches: 2,
      outstanding: 0,
      packetsReceived: 5,
      lastOperation: 'GETC',
      identities: ['ip:127.0.0.1', 'digest:alice'],
      ephemeralPaths: ['/mine'],
      watchedPaths: [
        { path: '/mine', kind: 'data' },
        { path: '/', kind: 'children' },
      ],
    });
    expect(mine.expiresInMs).toBe(3200);
    await time.advance(500);
    expect((await ask('zookeeper.session', { id: id(a), max: 10 })).expiresInMs).toBe(2700);
    expect(await ask('zookeeper.watches', { prefix: '/', max: 10 })).toEqual({
      total: 2,
      paths: [
        {
          path: '/',
          count: 2,
          watchers: [
            { session: id(b), kind: 'recursive' },
            { session: id(a), kind: 'children' },
          ],
        },
        { path: '/mine', count: 1, watchers: [{ session: id(a), kind: 'data' }] },
      ],
    });
    expect(await ask('zookeeper.watches', { prefix: '/m', max: 1 })).toMatchObject({ total: 1 });
    expect((await ask('zookeeper.sessions', { max: 1 })).sessions).toHaveLength(1);
    await expect(ask('zookeeper.session', { id: '0x7', max: 1 })).rejects.toMatchObject({ code: 'not-found' });

    // A session whose client has gone is still there, without an address.
    b.destroy();
    await expect.poll(() => ask('zookeeper.session', { id: id(b), max: 1 })).toMatchObject({ address: null, watches: 0 });
  });
});
