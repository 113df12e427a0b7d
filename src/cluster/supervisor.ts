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
  readonly #supervised = new Map<string, Supervised>();
  readonly #disk: Disk;

  constructor(
    definitions: readonly ProcessDefinition[],
    runtime: SupervisorRuntime,
    options: ManagedProcessOptions,
    events: SupervisorEvents,
  ) {
    this.#disk = runtime.disk;
    const wallMs = (): number => runtime.clock.wallMs();
    for (const definition of definitions) {
      const log = new ProcessLog(runtime.disk, definition.logFile, wallMs);
      const process = new ManagedProcess(definition, runtime, options, {
        onChange: (status, previous) => events.onEvent({ type: 'process', process: status, previous, atMs: wallMs() }),
        onOutput: (line) => log.addOutput(line),
        onEvent: (event) => events.onEvent({ type: 'child', processId: definition.id, event, atMs: wallMs() }),
        onPid: (pid) => events.onPid(definition.id, pid),
      });
      this.#supervised.set(definition.id, { process, log });
    }
  }

  /** In the order of the definitions. */
  statuses(): ProcessStatus[] {
    return Array.from(this.#supervised.values(), ({ process }) => process.status());
  }

  /** Starts all at once; resolves when all are ready. Rejects with the first that can't be (`ControlError`). */
  async startAll(): Promise<void> {
    await Promise.all(Array.from(this.#supervised.values(), ({ process }) => process.start()));
  }

  /** Throws `ControlError` ('unknown-process'). */
  act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
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
    return losePower(this.#disk, noteFile, process.definition.dataDirs);
  }

  logs(processId: string, query: LogQuery): LogPage {
    return this.#find(processId).log.page(query);
  }

  /** Controlled: brokers, then ZooKeeper. Resolves when all have ended. */
  async stopAll(): Promise<void> {
    for (const role of ['broker', 'zookeeper'] as const) {
      await Promise.all(this.#of(role).map((process) => process.stop()));
    }
  }

  /** SIGKILL to all at once. */
  async killAll(): Promise<void> {
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
