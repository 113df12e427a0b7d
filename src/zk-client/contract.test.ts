/** The client's contract, both implementations against our server. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { ZooKeeperServer } from '../zookeeper/server.ts';
import { connectZooKeeper } from './connect.ts';
import { type ContractServer, describeZooKeeperClientContract } from './testing/contract.ts';

const runtime = createNodeRuntime(silentLogger);
const implementations = ['own', 'library'] as const;

async function startServer(extra: { enforceQuota?: boolean } = {}): Promise<ContractServer> {
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
