/** The client's contract, both implementations against our server. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { ManualTime, onManualTime } from '../runtime/testing/manual-time.ts';
import { ZooKeeperServer } from '../zookeeper/server.ts';
import { connectZooKeeper } from './connect.ts';
import { type ContractServer, describeZooKeeperClientContract } from './testing/contract.ts';
import { FlakyProxy } from './testing/flaky-proxy.ts';
import type { ZooKeeperState } from './types.ts';

const runtime = createNodeRuntime(silentLogger);
const implementations = ['own', 'library'] as const;

async function startServer(extra: Partial<ConstructorParameters<typeof ZooKeeperServer>[0]> = {}): Promise<ContractServer> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-contract-'));
  const server = new ZooKeeperServer({
    runtime,
    dataDir,
    hosts: ['127.0.0.1'],
    clientPort: 0,
    tickTimeMs: 200,
    juteMaxBufferBytes: 4 * 1024 * 1024,
    ...extra,
  });
  await server.start();
  return {
    port: server.port,
    async close() {
      await server.close();
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

for (const implementation of implementations) {
  describeZooKeeperClientContract({ serverName: 'our server', implementation, startServer, sessionTimeoutMs: 600 });
}

describe.each(implementations)('the %s client', (implementation) => {
  const withClient = async (
    server: ContractServer,
    use: (client: Awaited<ReturnType<typeof connectZooKeeper>>) => Promise<void>,
  ): Promise<void> => {
    const client = await connectZooKeeper({ connectString: `127.0.0.1:${server.port}`, sessionTimeoutMs: 2000, runtime, implementation });
    try {
      await use(client);
    } finally {
      await client.close();
      await server.close();
    }
  };

  it('writes and reads more than a mebibyte where the server allows it', async () => {
    await withClient(await startServer(), async (client) => {
      const data = Buffer.alloc(3 * 1024 * 1024, 7);
      await client.create('/big', data, 'persistent');
      expect((await client.getData('/big')).data.equals(data)).toBe(true);
    });
  });

  it('sets its watches again on a new connection, also where they don’t fit into one request', async () => {
    const server = await startServer({ juteMaxBufferBytes: 200_000, tickTimeMs: 2000 });
    const proxy = await FlakyProxy.start(server.port);
    const options = { sessionTimeoutMs: 20_000, runtime, implementation };
    const client = await connectZooKeeper({ ...options, connectString: `127.0.0.1:${proxy.port}` });
    onTestFinished(async () => {
      await client.close();
      await proxy.close();
    });
    const heard: string[] = [];
    const paths = Array.from({ length: 3000 }, (_, index) => `/${'n'.repeat(100)}${index}`);
    await Promise.all(paths.map((path) => client.exists(path, (event) => heard.push(event.path))));
    await client.getChildren('/', (event) => heard.push(event.path));
    const states: ZooKeeperState[] = [];
    client.onState((state) => states.push(state));
    proxy.cut();
    await expect.poll(() => states).toEqual(['disconnected', 'connected']);
    await withClient(server, async (other) => {
      for (const path of [paths[0]!, paths.at(-1)!]) await other.create(path, null, 'persistent');
      await expect.poll(() => heard.toSorted()).toEqual(['/', paths[0], paths.at(-1)]);
    });
    expect(states).toEqual(['disconnected', 'connected']);
  });

  it('passes on an error that the library has no name for', async () => {
    await withClient(await startServer({ enforceQuota: true }), async (client) => {
      await client.create('/q', null, 'persistent');
      await client.create('/zookeeper/quota/q', null, 'persistent');
      await client.create('/zookeeper/quota/q/zookeeper_limits', Buffer.from('count=-1,bytes=-1=;countHardLimit=2'), 'persistent');
      await client.create('/zookeeper/quota/q/zookeeper_stats', Buffer.from('count=0,bytes=0'), 'persistent');
      await client.create('/q/one', null, 'persistent');
      await expect(client.create('/q/two', null, 'persistent')).rejects.toMatchObject({ name: 'QuotaExceeded', code: -125 });
      expect((await client.getChildren('/q')).children).toEqual(['one']);
    });
  });
});

/** Client and server on a clock that moves when told, with real sockets between them. */
describe.each(implementations)('on a clock of its own the %s client', (implementation) => {
  async function connected() {
    const time = new ManualTime();
    const slow = onManualTime(runtime, time);
    const server = await startServer({ runtime: slow });
    const proxy = await FlakyProxy.start(server.port);
    const client = await connectZooKeeper({
      connectString: `127.0.0.1:${proxy.port}`,
      sessionTimeoutMs: 4000,
      runtime: slow,
      implementation,
    });
    const states: ZooKeeperState[] = [];
    client.onState((state) => states.push(state));
    onTestFinished(async () => {
      proxy.frozen = false;
      // What waits for an answer gives up when its time has come.
      const closing = client.close();
      await time.advance(10_000);
      await closing;
      await proxy.close();
      await server.close();
    });
    /** What the client sends when time moves on has been answered. */
    const pinged = async (move: () => Promise<void> | void): Promise<void> => {
      const { chunksFromClients, chunksFromServer } = proxy;
      await move();
      await expect.poll(() => proxy.chunksFromClients).toBeGreaterThan(chunksFromClients);
      await expect.poll(() => proxy.chunksFromServer).toBeGreaterThan(chunksFromServer);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    };
    return { time, proxy, client, states, pinged, timeoutMs: client.sessionTimeoutMs };
  }

  it('gives up a server that is silent for two thirds of the session time-out, not before', async () => {
    const { time, proxy, states, timeoutMs } = await connected();
    proxy.frozen = true;
    await time.advance((timeoutMs * 2) / 3 - 100);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(states).toEqual([]);
    await time.advance(200);
    await expect.poll(() => states).toEqual(['disconnected']);
  });

  it('keeps its session and its connection by pings alone', async () => {
    const { time, client, states, pinged, timeoutMs } = await connected();
    const id = client.session()?.id;
    for (let third = 0; third < 9; third++) await pinged(() => time.advance(timeoutMs / 3));
    expect(states).toEqual([]);
    expect(client.session()?.id).toEqual(id);
  });

  it('does not take for the server’s silence that this process itself was held up', async () => {
    const { time, states, pinged, timeoutMs } = await connected();
    for (let round = 0; round < 3; round++) {
      time.leap(0.7 * timeoutMs);
      await pinged(() => time.advance(0));
    }
    expect(states).toEqual([]);
  });
});
