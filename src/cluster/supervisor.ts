/**
 * The processes of one cluster, as one thing: started together, watched, stopped in order (brokers, then ZooKeeper, which
 * they need to leave their cluster properly). ZooKeeper is not waited for at the start: brokers try it until it answers,
 * and four processes that start at once are sooner ready than one after another.
 */
import { CLIENTS, ControlError } from './control-contract.ts';
import type { ClusterEvent, LogPage, LogQuery, PowerLoss, ProcessAction, ProcessStatus } from './control-contract.ts';
import type { Disk } from '../runtime/disk.ts';
import { ManagedProcess } from './managed-process.ts';
import type { ManagedProcessOptions, ProcessDefinition, ProcessRuntime } from './managed-process.ts';
import { losePower } from './power-loss.ts';
import { ProcessLog } from './process-log.ts';

export interface SupervisorRuntime extends ProcessRuntime {
  readonly disk: Disk;
}

export interface SupervisorEvents {
  onEvent(event: ClusterEvent): void;
  /** A child was started (its pid) or has ended (undefined). */
  onPid(processId: string, pid: number | undefined): void;
}

interface Supervised {
  readonly process: ManagedProcess;
  readonly log: ProcessLog;
}

export class Supervisor {
  #supervised = new Map<string, Supervised>();
  /** All is told to end: whatever is under way starts nothing any more. */
  #isEnding = false;
  readonly #runtime: SupervisorRuntime;
  readonly #options: ManagedProcessOptions;
  readonly #events: SupervisorEvents;

  constructor(
    definitions: readonly ProcessDefinition[],
    runtime: SupervisorRuntime,
    options: ManagedProcessOptions,
    events: SupervisorEvents,
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#events = events;
    this.redefine(definitions);
  }

  /**
   * These are the processes from now on. One that is known and runs takes its definition over when it is started again; one that isn't
   * named any more is forgotten (stop it before). Gives the ids of those that are new; they are not started.
   */
  redefine(definitions: readonly ProcessDefinition[]): readonly string[] {
    const before = this.#supervised;
    for (const definition of definitions) before.get(definition.id)?.process.redefine(definition);
    this.#supervised = new Map(
      definitions.map((definition) => [definition.id, before.get(definition.id) ?? this.#superviseOne(definition)]),
    );
    return definitions.flatMap(({ id }) => (before.has(id) ? [] : [id]));
  }

  #superviseOne(definition: ProcessDefinition): Supervised {
    const { id } = definition;
    const wallMs = (): number => this.#runtime.clock.wallMs();
    const log = new ProcessLog(this.#runtime.disk, definition.logFile, wallMs);
    const process = new ManagedProcess(definition, this.#runtime, this.#options, {
      onChange: (status, previous) => this.#events.onEvent({ type: 'process', process: status, previous, atMs: wallMs() }),
      onOutput: (line) => log.addOutput(line),
      onEvent: (event) => this.#events.onEvent({ type: 'child', processId: id, event, atMs: wallMs() }),
      onPid: (pid) => this.#events.onPid(id, pid),
    });
    return { process, log };
  }

  /** Whether the process is there, or will be started again by itself. */
  isUp(processId: string): boolean {
    const state = this.#supervised.get(processId)?.process.state;
    return state !== undefined && state !== 'stopped' && state !== 'failed';
  }

  /** In the order of the definitions. */
  statuses(): ProcessStatus[] {
    return Array.from(this.#supervised.values(), ({ process }) => process.status());
  }

  /** Starts all at once; resolves when all are ready. Rejects with the first that can't be (`ControlError`). */
  async startAll(): Promise<void> {
    await Promise.all(Array.from(this.#supervised.values(), ({ process }) => process.start()));
  }

  /** Rejects with `ControlError` ('unknown-process'; 'refused' for a start once all is told to end). */
  async act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
    if (this.#isEnding && (action === 'start' || action === 'restart')) throw new ControlError('refused', 'the cluster is stopping');
    return this.#find(processId).process.act(action);
  }

  /** As `ClusterControl.cutOff`. Throws `ControlError`. */
  cutOff(processId: string, from: readonly string[]): ProcessStatus {
    const { process } = this.#find(processId);
    const blockedPorts = from.filter((name) => name !== CLIENTS).map((name) => this.#find(name).process.definition.port);
    process.cutOff({ from, blockedPorts, blockAccepted: from.includes(CLIENTS) });
    return process.status();
  }

  /** As `ClusterControl.query`. Throws `ControlError` ('unknown-process'). */
  query(processId: string, name: string, input: unknown, timeoutMs: number): Promise<string> {
    return this.#find(processId).process.query(name, input, timeoutMs);
  }

  /** As `ClusterControl.losePower`. */
  async losePower(processId: string, noteFile: string): Promise<PowerLoss> {
    const { process } = this.#find(processId);
    await process.losePower(noteFile);
    return losePower(this.#runtime.disk, noteFile, process.definition.dataDirs);
  }

  logs(processId: string, query: LogQuery): LogPage {
    return this.#find(processId).log.page(query);
  }

  /** Controlled: brokers, then ZooKeeper. Resolves when all have ended. */
  async stopAll(): Promise<void> {
    this.#isEnding = true;
    for (const role of ['broker', 'zookeeper'] as const) {
      await Promise.all(this.#of(role).map((process) => process.stop()));
    }
  }

  /** SIGKILL to all at once. */
  async killAll(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(Array.from(this.#supervised.values(), ({ process }) => process.kill()));
  }

  #of(role: 'broker' | 'zookeeper'): ManagedProcess[] {
    return Array.from(this.#supervised.values(), ({ process }) => process).filter(({ definition }) => definition.role === role);
  }

  #find(processId: string): Supervised {
    const found = this.#supervised.get(processId);
    if (found !== undefined) return found;
    throw new ControlError(
      'unknown-process',
      `there is no process '${processId}'; there are ${Array.from(this.#supervised.keys()).join(', ')}`,
    );
  }
}
