/** A supervisor played by the test: what its process and its socket say of the end, in either order. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import type { ChildHandler, Processes } from '../runtime/processes.ts';
import { LocalClusters } from './local-clusters.ts';
import type { ManagedCluster } from './managed-cluster.ts';

let home: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'samsa-managed-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  rmSync(home, { recursive: true, force: true });
});

/** Greets, answers status and, when `answersStatus` is off, leaves it unanswered; a stop is answered and the socket left open. */
class PlayedSupervisor {
  readonly sockets = new Set<Socket>();
  readonly asked: string[] = [];
  answersStatus = true;
  onStop: () => void = () => {};

  async listen(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.write('{"samsa":1,"pid":4711}\n');
      socket.on('data', (lines) => {
        for (const line of lines.toString().trim().split('\n')) this.#answer(socket, JSON.parse(line) as { id: number; verb: string });
      });
    });
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    cleanups.push(() => {
      server.close();
      for (const socket of this.sockets) socket.destroy();
    });
  }

  #answer(socket: Socket, { id, verb }: { id: number; verb: string }): void {
    this.asked.push(verb);
    if (verb === 'status' && !this.answersStatus) return;
    socket.write(`${JSON.stringify({ id, ok: true, result: verb === 'status' ? { state: 'running' } : null })}\n`);
    if (verb === 'stop') this.onStop();
  }
}

async function started(): Promise<{ supervisor: PlayedSupervisor; cluster: ManagedCluster; exit: () => void; states: string[] }> {
  let events: ChildHandler | undefined;
  const processes: Processes = {
    ...nodeProcesses,
    spawn: (_command, given) => {
      events = given;
      return { pid: 4711, send: () => true, signal: () => true };
    },
  };
  const clusters = new LocalClusters({ runtime: createNodeRuntime(silentLogger), processes, home });
  const zookeeper = { kind: 'external', connect: 'zk:2181' } as const;
  const cluster = await clusters.create({ name: 'played', brokers: 1, basePort: null, logDirsPerBroker: 1, zookeeper });
  const supervisor = new PlayedSupervisor();
  await supervisor.listen(cluster.folder.socket);
  const states: string[] = [];
  cluster.onEvent((event) => event.type === 'cluster' && states.push(event.state));
  await cluster.start();
  return { supervisor, cluster, exit: () => events?.onExit(0, null, undefined), states };
}

test('a supervisor of ours has stopped when its process has ended, whatever its socket still says', async () => {
  const { supervisor, cluster, exit, states } = await started();
  expect((await cluster.status()).state).toBe('running');
  supervisor.onStop = exit;
  await cluster.stop();
  expect([cluster.isRunning, (await cluster.status()).state]).toEqual([false, 'stopped']);
  expect(states).toEqual(['starting', 'stopped']);
});

test('one that ends while it is asked for its status has stopped', async () => {
  const { supervisor, cluster, exit } = await started();
  supervisor.answersStatus = false;
  supervisor.asked.length = 0;
  const asked = cluster.status();
  await expect.poll(() => supervisor.asked).toContain('status');
  for (const socket of supervisor.sockets) socket.destroy();
  expect((await asked).state).toBe('stopped');
  exit();
});
