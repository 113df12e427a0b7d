/**
 * A local cluster that this process does not supervise itself: its supervisor is a process of its own (`samsa up` on the cluster's data
 * folder), started here or by somebody else, and spoken to through its control socket. While there is none the cluster is stopped, and its
 * status is told from its spec. A supervisor that was started here ends, in order, with the process that started it: its channel closes.
 */
import type { Child, ChildCommand, Processes } from '../runtime/processes.ts';
import { sleep } from '../runtime/scheduler.ts';
import { bootstrapServersOf, logDirsOf, processIdOf, zookeeperConnectOf } from './child-config.ts';
import { removeLeftBehind, settleChange } from './change-cluster.ts';
import type { ClusterChange } from './cluster-change.ts';
import { readClusterSpec, writeClusterSpec } from './cluster-spec.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { connectControl } from './control-client.ts';
import type { ControlClient } from './control-client.ts';
import { CONTROL_VERSION, ControlError } from './control-contract.ts';
import type {
  ClusterControl,
  ClusterEvent,
  ClusterState,
  ClusterStatus,
  LogPage,
  LogQuery,
  PowerLoss,
  ProcessAction,
  ProcessStatus,
  Reshaped,
} from './control-contract.ts';
import type { DataFolder } from './data-folder.ts';
import { acquireFolderLock, findHolder } from './folder-lock.ts';
import type { ClusterRuntime } from './local-cluster.ts';

export interface ManagedClusterOptions {
  readonly runtime: ClusterRuntime;
  readonly processes: Processes;
  readonly name: string;
  readonly folder: DataFolder;
  /** Starts the supervisor. */
  readonly command: ChildCommand;
}

/** Until the supervisor answers: it waits for what an earlier one left behind, and looks at the ports. */
const ANSWER_MS = 20_000;
const LOOK_MS = 50;
const KEPT_LINES = 20;

export class ManagedCluster implements ClusterControl {
  readonly name: string;
  readonly folder: DataFolder;
  readonly #options: ManagedClusterOptions;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  #client: ControlClient | undefined;
  #child: { readonly child: Child; readonly ended: Promise<void>; readonly lines: string[] } | undefined;
  #starting: Promise<void> | undefined;
  /** Why the last start came to nothing. */
  #problem: string | undefined;

  constructor(options: ManagedClusterOptions) {
    this.#options = options;
    this.name = options.name;
    this.folder = options.folder;
  }

  get isRunning(): boolean {
    return this.#client !== undefined;
  }

  /** Whether it ends with this process. */
  get isOurs(): boolean {
    return this.#child !== undefined;
  }

  /** Throws `SpecError` for a spec that can't be read, `ControlError` when there is none any more. */
  get spec(): ClusterSpec {
    const spec = readClusterSpec(this.#options.runtime.disk, this.folder.spec);
    if (spec === undefined) throw new ControlError('not-found', `there is no cluster in ${this.folder.home}`);
    return spec;
  }

  /** Attaches to a supervisor that runs already, where there is one. Never rejects: what holds the folder and doesn't answer is told by a start. */
  async attach(): Promise<void> {
    if (this.#starting === undefined) await this.#attach();
  }

  async #attach(): Promise<void> {
    if (this.#client !== undefined) return;
    const { runtime, processes } = this.#options;
    const { lock, socket } = this.folder;
    try {
      const holder = await findHolder({ runtime, processes, lockFile: lock, socketPath: socket });
      if (holder === undefined) return;
      const client = await this.#connect();
      if (this.#client === undefined) this.#use(client);
      else client.close();
    } catch {
      // Stopped, as far as anybody can tell.
    }
  }

  /** Resolves when the supervisor answers; how its processes come up is told by events. Rejects with `ControlError`. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    await this.#attach();
    if (this.#client !== undefined) return;
    const { runtime, processes, command } = this.#options;
    this.#problem = undefined;
    const lines: string[] = [];
    const ended = Promise.withResolvers<void>();
    let isGone = false;
    const child = processes.spawn(command, {
      onMessage: () => undefined,
      onOutput: (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
      },
      onExit: (code, _signal, error) => {
        isGone = true;
        this.#child = undefined;
        // Its socket may be told of the end later.
        this.#client?.close();
        this.#client = undefined;
        if (error !== undefined || (code !== 0 && code !== null)) this.#problem = error?.message ?? lastWords(lines);
        ended.resolve();
        this.#tell('stopped');
      },
    });
    this.#child = { child, ended: ended.promise, lines };
    this.#tell('starting');
    const lateMs = runtime.clock.monotonicMs() + ANSWER_MS;
    for (;;) {
      try {
        this.#use(await this.#connect());
        return;
      } catch (error) {
        if (isGone) throw new ControlError('failed', this.#problem ?? `the supervisor of ${this.name} ended`);
        if (runtime.clock.monotonicMs() > lateMs) {
          child.signal('SIGTERM');
          throw error;
        }
      }
      await Promise.race([sleep(runtime.scheduler, LOOK_MS), ended.promise]);
    }
  }

  /** To a supervisor that answers: one that has only just taken the folder greets, and hangs up. */
  async #connect(): Promise<ControlClient> {
    const client = await connectControl({ runtime: this.#options.runtime, socketPath: this.folder.socket, timeoutMs: ANSWER_MS });
    try {
      await client.status();
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  #use(client: ControlClient): void {
    this.#client = client;
    client.onEvent((event) => {
      // The end as a whole is told when the supervisor is gone: until then its folder is not free.
      if (event.type !== 'cluster' || event.state !== 'stopped') this.#emit(event);
    });
    client.onClose(() => {
      if (this.#client !== client) return;
      this.#client = undefined;
      // One of ours tells it at its exit, when its folder is free.
      if (this.#child === undefined) this.#tell('stopped');
    });
  }

  async status(): Promise<ClusterStatus> {
    try {
      if (this.#client !== undefined) return await this.#client.status();
    } catch (error) {
      // It has ended while it was asked.
      if (!(error instanceof ControlError) || error.code !== 'disconnected') throw error;
    }
    const { spec, folder } = this;
    return {
      version: CONTROL_VERSION,
      name: spec.name ?? null,
      supervisorPid: 0,
      state: this.#starting === undefined ? 'stopped' : 'starting',
      startedAtMs: 0,
      home: folder.home,
      ephemeral: false,
      bootstrapServers: bootstrapServersOf(spec),
      zookeeperConnect: zookeeperConnectOf(spec),
      processes: this.#stoppedProcesses(spec),
    };
  }

  #stoppedProcesses(spec: ClusterSpec): ProcessStatus[] {
    const common = {
      state:
        this.#starting !== undefined ? ('starting' as const) : this.#problem === undefined ? ('stopped' as const) : ('failed' as const),
      pid: null,
      host: 'localhost',
      startedAtMs: null,
      readyAfterMs: null,
      generation: 0,
      lastExit: null,
      restartAtMs: null,
      reason: this.#problem ?? null,
      cutOffFrom: [],
      awaitsRestart: false,
    };
    const { folder } = this;
    const { zookeeper } = spec;
    const brokers = spec.brokers.map((broker): ProcessStatus => {
      const id = processIdOf(broker);
      const dataDirs = logDirsOf(spec, broker, folder);
      return { ...common, id, role: 'broker', brokerId: broker.id, port: broker.port, dataDirs, logFile: folder.log(id) };
    });
    if (zookeeper.kind === 'external') return brokers;
    const dataDirs = [folder.zookeeper];
    return [
      { ...common, id: 'zookeeper', role: 'zookeeper', brokerId: null, port: zookeeper.port, dataDirs, logFile: folder.log('zookeeper') },
      ...brokers,
    ];
  }

  /** Stops its processes and its supervisor, whoever started that. Resolves when they have ended. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const client = this.#client;
    const ended = this.#child?.ended;
    await client?.stop();
    await (ended ?? client?.ended);
  }

  /** Lets go of it: a supervisor that is ours is stopped, another's goes on. Never rejects. */
  async close(): Promise<void> {
    this.#listeners.clear();
    if (this.isOurs) await this.stop().catch(() => undefined);
    this.#child?.child.signal('SIGTERM');
    this.#client?.close();
  }

  act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
    return this.#running().act(processId, action);
  }

  cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus> {
    return this.#running().cutOff(processId, from);
  }

  query(processId: string, name: string, input: unknown, timeoutMs?: number): Promise<string> {
    return this.#running().query(processId, name, input, timeoutMs);
  }

  losePower(processId: string): Promise<PowerLoss> {
    return this.#running().losePower(processId);
  }

  configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    return this.#running().configure(changes);
  }

  async readSpec(): Promise<ClusterSpec> {
    return this.#client === undefined ? this.spec : this.#client.readSpec();
  }

  async reshape(change: ClusterChange): Promise<Reshaped> {
    if (this.#client !== undefined) return this.#client.reshape(change);
    if (this.#starting !== undefined) throw new ControlError('refused', `the cluster ${this.name} is being started`);
    const { runtime, processes } = this.#options;
    const { folder } = this;
    // Whoever starts it meanwhile waits, and reads the spec afterwards.
    const held = await acquireFolderLock({ runtime, processes, lockFile: folder.lock, socketPath: folder.socket });
    if (held.outcome !== 'acquired') throw new ControlError('refused', `${folder.home} is held by process ${held.pid}`);
    try {
      const context = { runtime, processes, folder, isUp: () => false };
      const settled = await settleChange(context, this.spec, change);
      await removeLeftBehind(context, settled);
      writeClusterSpec(runtime.disk, folder.spec, settled.spec);
    } finally {
      await held.lock.release();
    }
    // What the last start stumbled on may be mended by it.
    this.#problem = undefined;
    this.#tell('stopped');
    return { awaitRestart: [] };
  }

  logs(processId: string, query: LogQuery): Promise<LogPage> {
    return this.#running().logs(processId, query);
  }

  onEvent(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #running(): ControlClient {
    if (this.#client === undefined) throw new ControlError('unavailable', `the cluster ${this.name} is stopped: start it first`);
    return this.#client;
  }

  #tell(state: ClusterState): void {
    this.#emit({ type: 'cluster', state, atMs: this.#options.runtime.clock.wallMs() });
  }

  #emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** What the command said last, without its own name before it. */
function lastWords(lines: readonly string[]): string {
  const said = lines.findLast((line) => line.startsWith('samsa: ')) ?? lines.at(-1) ?? 'it ended without a word';
  return said.replace(/^samsa: /, '');
}
