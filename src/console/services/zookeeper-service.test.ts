import { expect, test } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { MemoryZooKeeper } from '../../zk-client/testing/memory-zookeeper.ts';
import type { Change } from '../contract/live.ts';
import type { ClusterSession } from './cluster-session.ts';
import { ZooKeeperReader } from './zookeeper-reader.ts';
import { znode, znodeChildren, zooKeeperSessions } from './zookeeper-service.ts';

async function cluster(options: { state?: string; external?: boolean } = {}) {
  const server = new MemoryZooKeeper();
  const broker = server.connect();
  for (const path of ['/brokers', '/brokers/ids']) await broker.create(path, null, 'persistent');
  await broker.create('/brokers/ids/1', Buffer.from('{"host":"a"}'), 'ephemeral');
  const published: Change[] = [];
  const clients: ReturnType<MemoryZooKeeper['connect']>[] = [];
  const process = { id: 'zookeeper', role: 'zookeeper', state: options.state ?? 'running', host: 'h', port: 1, lastExit: { atMs: 0 } };
  const lastStatus = { zookeeperConnect: 'h:1', processes: options.external === true ? [] : [process] };
  const reader = new ZooKeeperReader({
    runtime: createNodeRuntime(silentLogger),
    status: () => lastStatus as never,
    publish: (changes) => published.push(...changes),
    connect: () => {
      const client = server.connect();
      clients.push(client);
      return Promise.resolve(client);
    },
  });
  const session = { zookeeper: reader, control: { lastStatus } } as unknown as ClusterSession;
  return { server, broker, reader, session, published, clients };
}

test('lists children in pages, in order of their numbers, and says which have children and which are ephemeral', async () => {
  const { session, broker, reader } = await cluster();
  for (const name of ['10', '9', '2', 'a']) await broker.create(`/brokers/ids/${name}`, null, 'persistent');
  const first = await znodeChildren(session, { path: '/brokers/ids', after: null, max: 3 });
  expect(first).toMatchObject({ total: 5, next: '9' });
  expect(first.children.map(({ name, ephemeral }) => [name, ephemeral])).toEqual([
    ['1', true],
    ['2', false],
    ['9', false],
  ]);
  const rest = await znodeChildren(session, { path: '/brokers/ids', after: first.next, max: 3 });
  expect([rest.children.map(({ name }) => name), rest.next]).toEqual([['10', 'a'], null]);
  expect((await znodeChildren(session, { path: '/', after: null, max: 3 })).children[0]).toMatchObject({ name: 'brokers', childCount: 1 });
  await reader.close();
});

test('shows a node with its data, its access list and the broker that owns it', async () => {
  const { session, reader } = await cluster();
  expect(await znode(session, { path: '/brokers/ids/1', whole: false })).toMatchObject({
    data: { encoding: 'text', data: '{"host":"a"}', truncated: false },
    acl: [{ scheme: 'world', perms: ['read', 'write', 'create', 'delete', 'admin'] }],
    owner: { session: '0x1', brokerId: 1 },
    watched: true,
  });
  await reader.close();
});

test('gives a beginning of large data, and all of it when asked', async () => {
  const { session, broker, reader } = await cluster();
  await broker.create('/large', Buffer.alloc(100_000, 'a'), 'persistent');
  expect((await znode(session, { path: '/large', whole: false })).data).toMatchObject({ sizeBytes: 100_000, truncated: true });
  expect((await znode(session, { path: '/large', whole: true })).data).toMatchObject({ truncated: false });
  await reader.close();
});

test('tells that a node is gone, and of its coming back', async () => {
  const { session, broker, server, published, reader } = await cluster();
  await znode(session, { path: '/brokers/ids/1', whole: false });
  server.endSession(broker);
  await expect.poll(() => published).toEqual([{ kind: 'znodes', ids: ['/brokers/ids/1'] }]);
  await expect(znode(session, { path: '/brokers/ids/1', whole: false })).rejects.toMatchObject({ failure: { kind: 'notFound' } });
  await server.connect().create('/brokers/ids/1', null, 'ephemeral');
  await expect.poll(() => published).toHaveLength(2);
  await reader.close();
});

test('makes a session when it is asked, a new one when that has expired, and none when nobody asks', async () => {
  const { session, published, clients, reader } = await cluster();
  expect(clients).toHaveLength(0);
  await znodeChildren(session, { path: '/', after: null, max: 10 });
  await znodeChildren(session, { path: '/brokers', after: null, max: 10 });
  expect(clients).toHaveLength(1);
  clients[0]?.expire();
  expect(published).toEqual([{ kind: 'znodes', ids: null }]);
  await znodeChildren(session, { path: '/', after: null, max: 10 });
  expect(clients).toHaveLength(2);
  await reader.close();
  expect(clients[1]?.session()).toBeUndefined();
});

test('says since when ZooKeeper is down without waiting for it', async () => {
  const { session } = await cluster({ state: 'stopped' });
  await expect(znode(session, { path: '/', whole: false })).rejects.toMatchObject({
    failure: { kind: 'unreachable', message: 'ZooKeeper at h:1 (stopped) does not answer since 1970-01-01T00:00:00.000Z' },
  });
});

test('refuses a remote cluster, and the sessions of a ZooKeeper that runs elsewhere', async () => {
  expect(() => znode({ zookeeper: undefined } as unknown as ClusterSession, { path: '/', whole: false })).toThrow(/remote cluster/);
  await expect(zooKeeperSessions((await cluster({ external: true })).session)).rejects.toMatchObject({ failure: { kind: 'unsupported' } });
});
