/**
 * A cluster that this process supervises. It holds the data folder's lock as long as it lives, and answers on the
 * control socket from the moment it is opened, so that it can be watched while it starts.
 */
import { QUERY_TIMEOUT_MS } from '../introspection/queries.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Processes } from '../runtime/processes.ts';
import { refuseIfHolding, removeLeftBehind, settleChange } from './change-cluster.ts';
import type { ChangeContext } from './change-cluster.ts';
import { processIdOf, zookeeperConnectOf } from './child-config.ts';
import { planChange } from './cluster-change.ts';
import type { ClusterChange } from './cluster-change.ts';
import { SpecError } from './cluster-spec.ts';
import type { BrokerSpec, ClusterSpec } from './cluster-spec.ts';
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
import { ControlServer } from './control-server.ts';
import type { DataFolder } from './data-folder.ts';
import type { FolderLock } from './folder-lock.ts';
import type { ChildRecords } from './leftover-children.ts';
import type { ManagedProcessOptions, ProcessDefinition } from './managed-process.ts';
import type { MovedPort } from './ports.ts';
import { processDefinitions } from './process-definitions.ts';
import { Supervisor } from './supervisor.ts';
import { describeZooKeeper, waitForZooKeeper } from './zookeeper-servers.ts';

export type ClusterRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'disk' | 'net' | 'random' | 'logger'>;

export interface LocalClusterParts {
  readonly runtime: ClusterRuntime;
  readonly processes: Processes;
  readonly folder: DataFolder;
  readonly spec: ClusterSpec;
  readonly lock: FolderLock;
  readonly children: ChildRecords;
  readonly movedPorts: readonly MovedPort[];
  /** The home is removed at the end. */
  readonly ephemeral: boolean;
  readonly processOptions: ManagedProcessOptions;
  /** Other programs than our own for the children. */
  readonly entries: { readonly broker?: string | undefined; readonly zookeeper?: string | undefined };
  /** Writes the spec, when everything has started with it. */
  keepSpec(spec: ClusterSpec): void;
  /** Closes the ZooKeeper session that a dead broker left in `sessionFile`, if there is one. */
  closeDeadSession(sessionFile: string, zookeeperConnect: string): Promise<void>;
}

/** What can be done to one process; all resolve when it is done and reject with `ControlError`. */
export interface ProcessHandle {
  readonly id: string;
  /** Undefined while it is down. */
  readonly pid: number | undefined;
  status(): ProcessStatus;
  /** Resolves when it is ready. */
  start(): Promise<ProcessStatus>;
  /** Controlled. */
  stop(): Promise<ProcessStatus>;
  restart(): Promise<ProcessStatus>;
  /** SIGKILL; it stays down until `start`. */
  kill(): Promise<ProcessStatus>;
  /** SIGSTOP and SIGCONT. */
  freeze(): Promise<ProcessStatus>;
  thaw(): Promise<ProcessStatus>;
  /** As `ClusterControl.cutOff`. */
  cutOff(from: readonly string[]): Promise<ProcessStatus>;
  /** As `ClusterControl.losePower`. */
  losePower(): Promise<PowerLoss>;
}

export class LocalCluster implements ClusterControl {
  readonly folder: DataFolder;
  readonly movedPorts: readonly MovedPort[];
  /** Resolves when everything has ended and the folder is given back. */
  readonly closed: Promise<void>;
  readonly #parts: LocalClusterParts;
  readonly #supervisor: Supervisor;
  readonly #server: ControlServer;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #startedAtMs: number;
  readonly #settleClosed: () => void;
  #spec: ClusterSpec;
  #state: ClusterState = 'stopped';
  /** Changes of the spec are made one after another. */
  #changing: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(parts: LocalClusterParts) {
    const { runtime, spec, folder } = parts;
    this.#parts = parts;
    this.#spec = spec;
    this.folder = folder;
    this.movedPorts = parts.movedPorts;
    this.#startedAtMs = runtime.clock.wallMs();
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.#settleClosed = closed.resolve;
    this.#supervisor = new Supervisor(this.#definitions(), { ...runtime, processes: parts.processes }, parts.processOptions, {
      onEvent: (event) => this.#emit(event),
      onPid: (processId, pid) => parts.children.set(processId, pid),
    });
    this.#server = new ControlServer(this, runtime.logger.child({ component: 'control-server' }));
    parts.lock.onConnection = (socket) => this.#server.accept(socket);
  }

  get spec(): ClusterSpec {
    return this.#spec;
  }

  /** Where the brokers listen now: one whose port was changed takes the new one over when it is restarted. */
  get bootstrapServers(): string {
    const brokers = this.processes().filter(({ role }) => role === 'broker');
    return brokers.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  get zookeeperConnect(): string {
    return zookeeperConnectOf(this.#spec);
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** Starts all processes; resolves when all are ready. Rejects with `ControlError` naming the first that can't be; the others go on. */
  async start(): Promise<void> {
    if (this.#stopping !== undefined) throw new ControlError('refused', 'the cluster is stopping');
    this.#become('starting');
    const { runtime } = this.#parts;
    if (this.#spec.zookeeper.kind === 'external') await waitForZooKeeper(runtime, this.zookeeperConnect);
    if (this.#state !== 'starting') return;
    this.#closeLeftSessions();
    await this.#supervisor.startAll();
    if (this.#state !== 'starting') return;
    this.#parts.keepSpec(this.#spec);
    this.#become('running');
  }

  /**
   * After SIGKILL of everything ZooKeeper believes all brokers alive. Each closes its predecessor's session itself, but the first one
   * up would be controller of a cluster of ghosts, elect them, and elect again as they vanish one by one.
   */
  #closeLeftSessions(): void {
    const { folder, runtime } = this.#parts;
    for (const broker of this.#spec.brokers) {
      // The file is read at once, before the broker is there to write its own.
      this.#parts.closeDeadSession(folder.session(processIdOf(broker)), this.zookeeperConnect).catch((error: unknown) => {
        runtime.logger.info(
          { err: error, brokerId: broker.id },
          'The session that a broker left behind could not be closed; it does so itself',
        );
      });
    }
  }

  /** The processes as they are now, ZooKeeper first. */
  processes(): ProcessStatus[] {
    return this.#supervisor.statuses();
  }

  /** Throws `ControlError` ('unknown-process'). */
  broker(id: number): ProcessHandle {
    return this.#handle(processIdOf({ id }));
  }

  /** Undefined when ZooKeeper runs elsewhere. */
  get zookeeper(): ProcessHandle | undefined {
    return this.spec.zookeeper.kind === 'embedded' ? this.#handle('zookeeper') : undefined;
  }

  status(): Promise<ClusterStatus> {
    return Promise.resolve({
      version: CONTROL_VERSION,
      name: this.#spec.name ?? null,
      supervisorPid: this.#parts.processes.ownPid,
      state: this.#state,
      startedAtMs: this.#startedAtMs,
      home: this.folder.home,
      ephemeral: this.#parts.ephemeral,
      bootstrapServers: this.bootstrapServers,
      zookeeperConnect: this.zookeeperConnect,
      processes: this.processes(),
    });
  }

  async act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
    if (this.#stopping !== undefined) throw new ControlError('refused', 'the cluster is stopping');
    return this.#supervisor.act(processId, action);
  }

  async cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus> {
    if (this.#stopping !== undefined) throw new ControlError('refused', 'the cluster is stopping');
    return this.#supervisor.cutOff(processId, from);
  }

  async losePower(processId: string): Promise<PowerLoss> {
    if (this.#stopping !== undefined) throw new ControlError('refused', 'the cluster is stopping');
    const { runtime } = this.#parts;
    const noteFile = `${this.folder.run}/${processId.replaceAll(/[^\w-]/g, '')}.power-loss.json`;
    if (runtime.disk.exists(noteFile)) runtime.disk.remove(noteFile);
    const lost = await this.#supervisor.losePower(processId, noteFile);
    const bytes = lost.logs.reduce((sum, { lostBytes }) => sum + lostBytes, 0);
    const event = {
      type: 'power-loss',
      severity: 'warning',
      brokerId: lost.brokerId,
      text: `Broker ${lost.brokerId} lost what it had not synced, as in a power loss: ${bytes} bytes of ${lost.logs.length} logs`,
    };
    this.#emit({ type: 'child', processId, event, atMs: runtime.clock.wallMs() });
    return lost;
  }

  configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    return this.#inTurn(() => this.#configure(changes));
  }

  async #configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    if (this.#state !== 'running') throw new ControlError('refused', `the cluster is ${this.#state}, not running`);
    const before = this.#spec;
    try {
      this.#use(planChange(before, { config: changes }).spec);
      await this.#restartBrokers();
    } catch (error) {
      this.#use(before);
      if (error instanceof SpecError) throw new ControlError('bad-request', error.message);
      await this.#restartBrokers();
      const why = error instanceof Error ? error.message : String(error);
      throw new ControlError('refused', `the brokers run with what was set before, since they did not start with the change: ${why}`);
    }
    this.#parts.keepSpec(this.#spec);
  }

  readSpec(): Promise<ClusterSpec> {
    return Promise.resolve(this.#spec);
  }

  reshape(change: ClusterChange): Promise<Reshaped> {
    return this.#inTurn(() => this.#reshape(change));
  }

  async #reshape(change: ClusterChange): Promise<Reshaped> {
    if (this.#stopping !== undefined) throw new ControlError('refused', 'the cluster is stopping');
    const { runtime, processes, entries } = this.#parts;
    const { folder } = this;
    const isUp = (id: string): boolean => this.#supervisor.isUp(id);
    const context = { runtime, processes, folder, brokerEntry: entries.broker, isUp };
    const before = this.#spec;
    const settled = await settleChange(context, before, change);
    for (const broker of settled.removed) await this.#letGo(context, broker);
    await removeLeftBehind(context, settled);
    const someUp = before.brokers.some((broker) => isUp(processIdOf(broker)));
    const added = this.#use(settled.spec);
    this.#parts.keepSpec(settled.spec);
    // How they come up is told by their events.
    if (someUp) for (const id of added) this.act(id, 'start').catch(() => undefined);
    return { awaitRestart: this.processes().flatMap(({ id, awaitsRestart }) => (awaitsRestart ? [id] : [])) };
  }

  /** Stops a broker that holds nothing. What came to it meanwhile keeps it. */
  async #letGo(context: ChangeContext, broker: BrokerSpec): Promise<void> {
    const id = processIdOf(broker);
    const wasUp = context.isUp(id);
    await this.#supervisor.act(id, 'stop');
    try {
      refuseIfHolding(context, this.#spec, broker);
    } catch (error) {
      if (wasUp) await this.#supervisor.act(id, 'start');
      throw error;
    }
  }

  /** From now on; what runs takes it over when it is started again. Gives the processes that are new. */
  #use(spec: ClusterSpec): readonly string[] {
    this.#spec = spec;
    return this.#supervisor.redefine(this.#definitions());
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changing = this.#changing.then(change);
    // The next one waits, however this one ends.
    this.#changing = changing.catch(() => undefined);
    return changing;
  }

  /** One after another, so that the others lead meanwhile. What the user has stopped, killed or frozen stays so. */
  async #restartBrokers(): Promise<void> {
    const wanted = this.processes().filter(({ role, state }) => role === 'broker' && state !== 'stopped' && state !== 'frozen');
    for (const { id } of wanted) await this.#supervisor.act(id, 'restart');
  }

  async query(processId: string, name: string, input: unknown, timeoutMs = QUERY_TIMEOUT_MS): Promise<string> {
    if (processId === 'supervisor') {
      if (name !== 'supervisor.zookeeper') throw new ControlError('bad-request', `the supervisor knows no query ${name}`);
      return JSON.stringify(await describeZooKeeper(this.#parts.runtime, this.spec.zookeeper.kind, this.zookeeperConnect));
    }
    if (processId === 'zookeeper' && this.spec.zookeeper.kind === 'external')
      throw new ControlError(
        'unavailable',
        `ZooKeeper runs elsewhere (${this.zookeeperConnect}): only its clients' view of it can be shown`,
      );
    return this.#supervisor.query(processId, name, input, timeoutMs);
  }

  async logs(processId: string, query: LogQuery): Promise<LogPage> {
    return this.#supervisor.logs(processId, query);
  }

  onEvent(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Brokers in a controlled way, then ZooKeeper; then the folder is given back. A second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end(() => this.#supervisor.stopAll());
    return this.#stopping;
  }

  /** SIGKILL to all, also in the middle of `stop`. */
  async stopHard(): Promise<void> {
    this.#stopping ??= this.#end(() => this.#supervisor.killAll());
    await this.#supervisor.killAll();
    await this.#stopping;
  }

  async #end(endProcesses: () => Promise<void>): Promise<void> {
    this.#become('stopping');
    await endProcesses();
    const { runtime, lock, folder, ephemeral } = this.#parts;
    await lock.release();
    if (ephemeral) await runtime.disk.removeTreeAsync(folder.home);
    this.#become('stopped');
    // After the reply to whoever asked for this over the socket.
    runtime.scheduler.endOfTurn(() => {
      this.#server.close();
      this.#settleClosed();
    });
  }

  #handle(id: string): ProcessHandle {
    const find = (): ProcessStatus => {
      const status = this.processes().find((candidate) => candidate.id === id);
      if (status === undefined) throw new ControlError('unknown-process', `there is no process '${id}'`);
      return status;
    };
    find();
    return {
      id,
      get pid() {
        return find().pid ?? undefined;
      },
      status: find,
      start: () => this.act(id, 'start'),
      stop: () => this.act(id, 'stop'),
      restart: () => this.act(id, 'restart'),
      kill: () => this.act(id, 'kill'),
      freeze: () => this.act(id, 'freeze'),
      thaw: () => this.act(id, 'thaw'),
      cutOff: (from) => this.cutOff(id, from),
      losePower: () => this.losePower(id),
    };
  }

  #definitions(): ProcessDefinition[] {
    const { disk } = this.#parts.runtime;
    return processDefinitions(this.#spec, { ...this.#parts, disk });
  }

  #become(state: ClusterState): void {
    this.#state = state;
    this.#emit({ type: 'cluster', state, atMs: this.#parts.runtime.clock.wallMs() });
  }

  #emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
