/** The supervisor with real child processes: stand-ins for brokers and ZooKeeper, which only listen. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeProcesses } from '../../src/runtime/node/node-processes.ts';
import type { ClusterEvent } from '../../src/cluster/control-contract.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import { attachToCluster, ClusterHeldError, openCluster, startCluster } from '../../src/cluster/start-cluster.ts';
import type { StartClusterOptions } from '../../src/cluster/start-cluster.ts';

const fakeChild = join(import.meta.dirname, 'fixtures', 'fake-child.ts');
const entries = { broker: fakeChild, zookeeper: fakeChild };
const cleanups: (() => unknown)[] = [];
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'samsa-test-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(home, { recursive: true, force: true });
});

async function start(options: StartClusterOptions = {}) {
  const cluster = await startCluster({ home, brokers: 2, basePort: 0, entries, ...options });
  cleanups.push(() => cluster.stopHard());
  return cluster;
}

function behave(processId: string, behaviour: string): void {
  const { run } = dataFolderAt(home);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, `${processId}.behaviour`), behaviour);
}

async function answersOn(port: number | null): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: port ?? 0 });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString().trim();
}

/** Not merely there: a zombie that its adoptive parent doesn't look at has ended too. */
const isAlive = (pid: number): boolean => nodeProcesses.identityOf(pid) !== undefined;

describe('a cluster of child processes', () => {
  it('starts all, says where they are, and leaves nothing behind when it stops', async () => {
    const cluster = await start();
    const { processes, state } = await cluster.status();
    expect(processes.map(({ id, state }) => [id, state])).toEqual([
      ['zookeeper', 'running'],
      ['broker-1', 'running'],
      ['broker-2', 'running'],
    ]);
    expect(state).toBe('running');
    expect(cluster.bootstrapServers).toBe(`localhost:${processes[1]?.port},localhost:${processes[2]?.port}`);
    expect(await answersOn(processes[2]?.port ?? null)).toBe('broker-2');
    const pids = processes.map(({ pid }) => pid ?? 0);
    await cluster.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(cluster.folder.lock)).toBe(false);
  });

  it('stops brokers before ZooKeeper', async () => {
    const cluster = await start();
    const order: string[] = [];
    cluster.onEvent((event) => {
      if (event.type === 'process' && event.process.state === 'stopped') order.push(event.process.id);
    });
    await cluster.stop();
    expect(order.at(-1)).toBe('zookeeper');
    expect(order).toHaveLength(3);
  });

  it('starts a broker again that died by itself, as the next generation on the same port', async () => {
    const cluster = await start({ processOptions: { restart: { initialDelayMs: 20 } } });
    const broker = cluster.broker(1);
    const before = broker.status();
    process.kill(before.pid ?? 0, 'SIGKILL');
    await expect.poll(() => broker.status().generation).toBe(2);
    await expect.poll(() => broker.status().state).toBe('running');
    expect(broker.status().port).toBe(before.port);
    expect(broker.status().lastExit).toMatchObject({ signal: 'SIGKILL' });
  });

  it('leaves a broker down that was killed on purpose, until it is started', async () => {
    const cluster = await start({ processOptions: { restart: { initialDelayMs: 1 } } });
    const broker = cluster.broker(1);
    expect((await broker.kill()).state).toBe('stopped');
    expect(broker.pid).toBeUndefined();
    expect((await broker.start()).state).toBe('running');
    expect(broker.status().generation).toBe(2);
  });

  it('gives up on a broker that dies again and again, and tells why', async () => {
    const cluster = await start({ processOptions: { restart: { initialDelayMs: 1, maxDeaths: 3 } } });
    behave('broker-1', 'crash');
    const broker = cluster.broker(1);
    process.kill(broker.pid ?? 0, 'SIGKILL');
    await expect.poll(() => broker.status().state).toBe('failed');
    expect(broker.status().reason).toMatch(/died 3 times.*ended with code 3/);
    expect((await cluster.logs('broker-1', { after: 0, max: 100 })).lines.map(({ text }) => text)).toContain('it hurts');
    behave('broker-1', '');
    expect((await broker.start()).state).toBe('running');
  });

  it('freezes and thaws a broker, and can stop a frozen one', async () => {
    const cluster = await start();
    const broker = cluster.broker(2);
    expect((await broker.freeze()).state).toBe('frozen');
    // The signal is delivered when the process is next scheduled.
    await expect.poll(() => readFileSync(`/proc/${broker.pid}/stat`, 'utf8')).toMatch(/\) T /);
    expect((await broker.thaw()).state).toBe('running');
    await broker.freeze();
    expect((await broker.stop()).lastExit).toMatchObject({ code: 0 });
  });

  it('kills a child that does not stop when told', async () => {
    behave('broker-1', 'deaf');
    const cluster = await start({ processOptions: { stopTimeoutMs: 100 } });
    expect((await cluster.broker(1).stop()).lastExit).toMatchObject({ signal: 'SIGKILL' });
  });

  it('refuses to start when a child says that it can not, and leaves nothing running', async () => {
    behave('broker-2', 'fail');
    await expect(start()).rejects.toThrow(/broker-2: EADDRINUSE: port \d+ is in use/);
    expect(existsSync(dataFolderAt(home).lock)).toBe(false);
  });

  it('keeps settings that it has started with, and not those that it could not start with', async () => {
    const cluster = await start({ config: { 'num.partitions': '4' } });
    await cluster.stop();
    await expect(startCluster({ home, entries, config: { 'log.dirs': '/x' } })).rejects.toThrow(
      /config\['log.dirs'\] is set by the cluster itself/,
    );
    behave('broker-1', 'fail');
    await expect(startCluster({ home, entries, config: { 'num.partitions': 'many' } })).rejects.toThrow(/broker-1/);
    behave('broker-1', '');
    const again = await startCluster({ home, entries });
    cleanups.push(() => again.stopHard());
    expect(again.spec.config).toEqual({ 'num.partitions': '4' });
  });

  it('moves a broker off a taken port, names the holder, and stays there', async () => {
    const cluster = await start();
    const ports = cluster.spec.brokers.map(({ port }) => port);
    await cluster.stop();
    const squatter = createServer().listen(ports[0], '127.0.0.1');
    await once(squatter, 'listening');
    cleanups.push(() => squatter.close());
    const again = await startCluster({ home, entries });
    cleanups.push(() => again.stopHard());
    expect(again.movedPorts).toMatchObject([{ processId: 'broker-1', wanted: ports[0], holder: { pid: process.pid } }]);
    expect(again.spec.brokers[1]?.port).toBe(ports[1]);
    expect(await answersOn(again.spec.brokers[0]?.port ?? null)).toBe('broker-1');
    expect(again.broker(1).status().reason).toMatch(/^port \d+ is taken by .*; using \d+$/);
  });

  it('is refused while another holds the folder, and attached to through the control socket', async () => {
    const cluster = await start();
    await expect(startCluster({ home, entries })).rejects.toMatchObject({ name: 'ClusterHeldError', pid: process.pid, answers: true });
    const control = await attachToCluster({ home });
    expect((await control?.status())?.bootstrapServers).toBe(cluster.bootstrapServers);
    const events: ClusterEvent[] = [];
    control?.onEvent((event) => events.push(event));
    expect(await control?.act('broker-1', 'kill')).toMatchObject({ state: 'stopped' });
    await expect(control?.act('broker-9', 'kill')).rejects.toMatchObject({ code: 'unknown-process' });
    await expect.poll(() => events.filter((event) => event.type === 'process' && event.process.state === 'stopped')).toHaveLength(1);
    await control?.stop();
    expect(await attachToCluster({ home })).toBeUndefined();
    await cluster.closed;
  });

  it('removes the folder of an ephemeral cluster', async () => {
    const cluster = await start({ ephemeral: true });
    expect(cluster.folder.home).not.toBe(home);
    await cluster.stop();
    expect(existsSync(cluster.folder.home)).toBe(false);
  });

  it('lets the children end, takes the folder over and keeps the ports when the supervisor was killed', async () => {
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'supervisor.ts'), home, fakeChild], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => supervisor.kill('SIGKILL'));
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const told = JSON.parse(line.toString()) as { pids: number[]; bootstrapServers: string };
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    const cluster = await startCluster({ home, entries });
    cleanups.push(() => cluster.stopHard());
    expect(told.pids.filter(isAlive)).toEqual([]);
    expect(cluster.bootstrapServers).toBe(told.bootstrapServers);
    expect(cluster.movedPorts).toEqual([]);
  });

  it('refuses a folder whose holder is stopped, with its process id', async () => {
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'supervisor.ts'), home, fakeChild], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => supervisor.kill('SIGKILL'));
    await once(supervisor.stdout, 'data');
    supervisor.kill('SIGSTOP');
    const refused = await openCluster({ home, entries }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ClusterHeldError);
    expect(refused).toMatchObject({ pid: supervisor.pid, answers: false });
  });
});
