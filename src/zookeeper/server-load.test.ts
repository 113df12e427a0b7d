/** Many of everything at once: connections, watches, sessions that expire together. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { CreateMode, OpCode } from './jute/constants.ts';
import { finishFrame } from './jute/jute-writer.ts';
import { OPEN_ACL_UNSAFE, writeAcls } from './jute/records.ts';
import { requestFrame } from './jute/session-records.ts';
import { ZooKeeperServer } from './server.ts';
import { RawSession } from './testing/raw-session.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(tickTimeMs: number): Promise<ZooKeeperServer> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-load-'));
  const server = new ZooKeeperServer({
    runtime: createNodeRuntime(silentLogger),
    dataDir,
    hosts: ['127.0.0.1'],
    clientPort: 0,
    tickTimeMs,
  });
  await server.start();
  cleanups.push(async () => {
    await server.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  return server;
}

function create(xid: number, node: string, mode: number): Buffer {
  const frame = requestFrame(xid, OpCode.create);
  writeAcls(frame.string(node).buffer(null), OPEN_ACL_UNSAFE);
  return finishFrame(frame.int(mode));
}

describe('a server', () => {
  it(
    'holds a thousand connections, and ends a thousand sessions that expire together with all they own',
    { timeout: 180_000 },
    async () => {
      const server = await start(500);
      const sessions: RawSession[] = [];
      // Their time-out is the longest; they are cut down before anything counts.
      while (sessions.length < 1000)
        sessions.push(
          ...(await Promise.all(Array.from({ length: 100 }, () => RawSession.open({ port: server.port, sessionTimeoutMs: 10_000 })))),
        );
      cleanups.push(() => {
        for (const session of sessions) session.destroy();
      });
      await Promise.all(
        sessions.map(async (session, i) => {
          session.sendBytes(create(1, `/e-${i}`, CreateMode.EPHEMERAL));
          await session.request(2, OpCode.exists, (body) => void body.string(`/e-${i}`).bool(false));
        }),
      );
      expect(server.describe()).toMatchObject({ connections: 1000, sessions: 1000, ephemerals: 1000 });
      for (const session of sessions) session.destroy();
      await expect.poll(() => server.describe()).toMatchObject({ connections: 0, sessions: 0, ephemerals: 0, nodes: 5 });
    },
  );

  it(
    'keeps ten thousand watches of one client, tells each once, and forgets those of a client that goes',
    { timeout: 180_000 },
    async () => {
      const server = await start(2000);
      const [watcher, writer] = [
        await RawSession.open({ port: server.port, sessionTimeoutMs: 40_000 }),
        await RawSession.open({ port: server.port, sessionTimeoutMs: 40_000 }),
      ];
      cleanups.push(() => writer.destroy());
      const count = 10_000;
      const watch = (xid: number, node: string): Buffer => finishFrame(requestFrame(xid, OpCode.exists).string(node).bool(true));
      for (let i = 0; i < count; i++) watcher.sendBytes(watch(i, `/w-${i}`));
      await watcher.request(count, OpCode.sync, (body) => void body.string('/'));
      expect(server.describe()?.watches).toBe(count);
      watcher.takeFrames();
      for (let i = 0; i < count / 2; i++) writer.sendBytes(create(i, `/w-${i}`, CreateMode.PERSISTENT));
      await writer.request(count, OpCode.sync, (body) => void body.string('/'));
      await watcher.request(count + 1, OpCode.sync, (body) => void body.string('/'));
      const told = watcher.takeFrames().filter((frame) => frame.readInt32BE(0) === -1);
      expect(told).toHaveLength(count / 2);
      expect(server.describe()?.watches).toBe(count / 2);
      watcher.destroy();
      await expect.poll(() => server.describe()?.watches).toBe(0);
    },
  );
});
