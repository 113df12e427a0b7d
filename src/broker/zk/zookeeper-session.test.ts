/** The session on the real server and both real clients: what the one in memory could hide. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../zk-client/zookeeper-client.ts';
import { ZooKeeperServer } from '../../zookeeper/server.ts';
import { ZooKeeperSession } from './zookeeper-session.ts';

const runtime = createNodeRuntime(silentLogger);

it.each(['own', 'library'] as const)('gives up what is larger than ZooKeeper takes, and goes on (%s client)', async (implementation) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'samsa-session-'));
  const server = new ZooKeeperServer({ runtime, dataDir, hosts: ['127.0.0.1'], clientPort: 0, tickTimeMs: 2000 });
  await server.start();
  const session = await ZooKeeperSession.open({
    ...runtime,
    connect: () => connectZooKeeper({ connectString: `127.0.0.1:${server.port}`, sessionTimeoutMs: 20_000, runtime, implementation }),
  });
  onTestFinished(async () => {
    await session.close();
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const data = Buffer.alloc(2 * 1024 * 1024);
  await session.create('/t', null);
  await expect(session.create('/big', data)).rejects.toThrow(/2097152 bytes.*jute\.maxbuffer/);
  await expect(session.setData('/t', data, -1)).rejects.toThrow(/jute\.maxbuffer/);
  await expect(session.multi([{ type: 'setData', path: '/t', data, version: -1 }])).rejects.toThrow(/jute\.maxbuffer/);
  expect((await session.setData('/t', Buffer.from('small'), -1)).version).toBe(1);
});
