/** The ZooKeeper process, killed with SIGKILL in the middle of writes: every acknowledged write is there afterwards. And its manners as a child. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/connect.ts';
import type { ZooKeeperClient } from '../../src/zk-client/types.ts';
import { RawSession } from '../../src/zookeeper/testing/raw-session.ts';
import { aboutOurs, onApacheZooKeeper } from './support/zookeeper-under-test.ts';

const MAIN = fileURLToPath(new URL('../../src/zookeeper/main.ts', import.meta.url));
const runtime = createNodeRuntime(silentLogger);
const FULL_DISK = fileURLToPath(new URL('fixtures/zookeeper-on-full-disk.ts', import.meta.url));
const WRITERS = 4;
const ROUNDS = 6;

interface Message {
  readonly type: string;
  readonly port?: number;
  readonly code?: string;
}

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-crash-'));
});
afterEach(async () => {
  await Promise.all(
    children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }),
  );
  fs.rmSync(folder, { recursive: true, force: true });
});

function spawnServer(
  config: object = {},
  { program = MAIN, args = [] }: { readonly program?: string; readonly args?: readonly string[] } = {},
): {
  child: ChildProcess;
  first: Promise<Message>;
  exit: Promise<{ code: number | null; signal: string | null }>;
} {
  const options = {
    dataDir: folder,
    hosts: ['127.0.0.1'],
    clientPort: 0,
    tickTimeMs: 500,
    logFile: path.join(folder, 'zookeeper.log'),
    ...config,
  };
  const child = fork(program, [JSON.stringify(options), ...args], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  children.push(child);
  const first = new Promise<Message>((resolve, reject) => {
    child.once('message', (message: Message) => resolve(message));
    child.once('error', reject);
  });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return { child, first, exit };
}

function connect(port: number | undefined): Promise<ZooKeeperClient> {
  return connectZooKeeper({
    connectString: `127.0.0.1:${port}`,
    sessionTimeoutMs: 10_000,
    connectTimeoutMs: 60_000,
    runtime,
    implementation: 'own',
  });
}

describe.skipIf(onApacheZooKeeper)(aboutOurs('a ZooKeeper process'), () => {
  it('has every acknowledged write after SIGKILL, round after round', async () => {
    /** Last acknowledged number of each writer, and the number that was on its way. */
    const acknowledged: number[] = Array.from({ length: WRITERS }, () => 0);
    const created = new Set<string>();
    let lastZxid = 0;
    let total = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Snapshots fall into the crash too.
      const { child, first, exit } = spawnServer({ snapCount: 300 });
      const { port } = await first;
      const clients = await Promise.all(Array.from({ length: WRITERS }, () => connect(port)));
      const [reader] = clients;
      if (reader === undefined) throw new Error('no client');
      for (let writer = 0; writer < WRITERS; writer++) {
        const stat = await reader.exists(`/w${writer}`);
        if (stat === undefined) {
          expect(acknowledged[writer]).toBe(0);
          await reader.create(`/w${writer}`, Buffer.from('0'), 'persistent');
          continue;
        }
        const value = Number((await reader.getData(`/w${writer}`)).data.toString());
        expect(value).toBeGreaterThanOrEqual(acknowledged[writer] ?? 0);
        expect(stat.mzxid).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
        acknowledged[writer] = value;
      }
      const names = new Set((await reader.getChildren('/')).children);
      for (const name of created) expect(names.has(name), `${name} is lost`).toBe(true);
      const { stat } = await reader.createWithStat(`/round-`, null, 'persistent-sequential');
      expect(stat.czxid).toBeGreaterThan(lastZxid);
      lastZxid = stat.czxid;
      const writing = clients.map(async (client, writer) => {
        for (;;) {
          const next = (acknowledged[writer] ?? 0) + 1;
          const written = await client.setData(`/w${writer}`, Buffer.from(String(next)), -1);
          acknowledged[writer] = next;
          lastZxid = Math.max(lastZxid, written.mzxid);
          total++;
          if (next % 10 === 0) created.add((await client.create('/n-', null, 'persistent-sequential')).slice(1));
        }
      });
      const before = total;
      const enough = 50 + Math.random() * 500;
      await expect.poll(() => total - before, { interval: 5 }).toBeGreaterThan(enough);
      child.kill('SIGKILL');
      await Promise.allSettled(writing.map((writer) => Promise.race([writer, exit.then(() => undefined)])));
      expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
      await Promise.all(clients.map((client) => client.close()));
      await Promise.allSettled(writing);
    }
  });

  it('acknowledges nothing more when the disk is full, says so and ends; with space it has all that it acknowledged', async () => {
    const { first, exit } = spawnServer({}, { program: FULL_DISK, args: ['60000'] });
    const client = await connect((await first).port);
    const acknowledged: string[] = [];
    const writing = Promise.allSettled(
      Array.from({ length: 300 }, async (_, i) => {
        const node = await client.create(`/n-${i}`, Buffer.alloc(300, i), 'persistent');
        acknowledged.push(node);
      }),
    );
    expect(await exit).toEqual({ code: 1, signal: null });
    await client.close();
    await writing;
    expect(acknowledged.length).toBeLessThan(300);
    expect(fs.readFileSync(path.join(folder, 'zookeeper.log'), 'utf8')).toMatch(/the transaction log can't be written: .*ENOSPC/);

    const again = spawnServer();
    const reader = await connect((await again.first).port);
    for (const node of acknowledged) expect(await reader.exists(node), node).toBeDefined();
    await reader.create('/goes-on', null, 'persistent');
    await reader.close();
  });

  it('expires nobody when it was frozen for longer than the sessions last', async () => {
    const sessionTimeoutMs = 4000;
    const config = { tickTimeMs: 200 };
    const { child, first } = spawnServer(config);
    const { port } = await first;
    const clients = await Promise.all(
      Array.from({ length: 3 }, () =>
        connectZooKeeper({
          connectString: `127.0.0.1:${port}`,
          sessionTimeoutMs,
          connectTimeoutMs: 60_000,
          runtime,
          implementation: 'own',
        }),
      ),
    );
    // Another server goes on, and tells how long that is: a session without a sign of life ends there.
    const other = await spawnServer({ ...config, dataDir: path.join(folder, 'other') }).first;
    const states: string[] = [];
    for (const [i, client] of clients.entries()) {
      client.onState((state) => states.push(state));
      await client.create(`/e-${i}`, null, 'ephemeral');
    }
    const owners = clients.map((client) => client.session()?.id.toString('hex'));
    child.kill('SIGSTOP');
    await (await RawSession.open({ port: other.port ?? 0, sessionTimeoutMs })).untilClosed();
    child.kill('SIGCONT');
    // Each comes back to its own session, and its node has never gone.
    await Promise.all(
      clients.map((client, i) =>
        expect.poll(() => client.exists(`/e-${i}`).then((stat) => stat?.ephemeralOwner.toString('hex'), String)).toBe(owners[i]),
      ),
    );
    expect(states).not.toContain('expired');
    for (const client of clients) await client.close();
  });

  it('is ready with its port, and ends cleanly when asked to, when told by a signal, and when its parent is gone', async () => {
    for (const stop of [
      (child: ChildProcess): void => void child.send({ type: 'stop' }),
      (child: ChildProcess): void => void child.kill('SIGTERM'),
      (child: ChildProcess): void => void child.kill('SIGINT'),
      (child: ChildProcess): void => child.disconnect(),
    ]) {
      const { child, first, exit } = spawnServer();
      const { type, port } = await first;
      expect(type).toBe('ready');
      const client = await connect(port);
      await client.create('/s-', null, 'persistent-sequential');
      stop(child);
      expect(await exit).toEqual({ code: 0, signal: null });
      await client.close();
    }
    const logs = fs.readdirSync(path.join(folder, 'version-2')).filter((name) => name.startsWith('log.'));
    // Each ended log was cut to what it holds.
    for (const log of logs) expect(fs.statSync(path.join(folder, 'version-2', log)).size).toBeLessThan(10_000);
  });

  it('says why it can’t start, and exits with 1', async () => {
    const holder = net.createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as net.AddressInfo;
    const { first, exit } = spawnServer({ clientPort: port });
    expect(await first).toMatchObject({ type: 'failed', code: 'EADDRINUSE' });
    expect((await exit).code).toBe(1);
    holder.close();
    const bad = spawnServer({ tickTimeMs: -1 });
    expect(await bad.first).toMatchObject({ type: 'failed' });
    expect((await bad.exit).code).toBe(1);
  });
});
