/** `samsa up` as a user runs it: a process of its own, of which all children are known, so that all can be killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ClusterPorts } from '../../interop/support/free-ports.ts';
import { attachToCluster } from '../../src/cluster/start-cluster.ts';
import { root, samsaCommand } from './build.ts';
import { until } from './deadline.ts';

const STOP_MS = 30_000;

export class SamsaProcess {
  readonly home: string;
  readonly startedMs: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(home: string, ports: ClusterPorts) {
    this.home = home;
    this.startedMs = performance.now();
    const args = [
      samsaCommand,
      'up',
      '--home',
      home,
      '--brokers',
      String(ports.brokers.length),
      '--port',
      String(ports.brokers[0]),
      '--zookeeper-port',
      String(ports.zookeeper),
    ];
    this.#child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (text: Buffer) => (this.#output += text.toString()));
    this.#ended = once(this.#child, 'exit');
  }

  /** What it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Milliseconds since it was spawned. */
  get ageMs(): number {
    return performance.now() - this.startedMs;
  }

  /** Pids of its children, by process id (`broker-1`, `zookeeper`), once all of them run. */
  async childPids(): Promise<ReadonlyMap<string, number>> {
    return until('all processes running', async () => {
      const control = await attachToCluster({ home: this.home });
      if (control === undefined) return undefined;
      const { processes } = await control.status();
      control.close();
      const pids = new Map<string, number>();
      for (const { id, pid, state } of processes) if (pid !== null && state === 'running') pids.set(id, pid);
      return pids.size === processes.length ? pids : undefined;
    });
  }

  /** As Ctrl+C. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** SIGKILL to the supervisor and all of its children in one go. */
  async killAll(): Promise<void> {
    const pids = await this.childPids();
    this.#child.kill('SIGKILL');
    for (const pid of pids.values()) process.kill(pid, 'SIGKILL');
    await this.#ended;
  }
}
