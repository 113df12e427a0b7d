/**
 * A local cluster's supervisor as the console sees it: in this process (`samsa serve`) or through its control socket, both of
 * which are a `ClusterControl` of src/cluster. Keeps the last status fresh by its events, and turns them into timeline entries.
 */
import { join } from 'node:path';
import type {
  ClusterControl as SupervisorControl,
  ClusterEvent,
  ClusterStatus,
  ProcessStatus as SupervisorProcess,
  Reshaped,
} from '../../cluster/control-contract.ts';
import type { ClusterChange } from '../../cluster/cluster-change.ts';
import { SpecError } from '../../cluster/cluster-spec.ts';
import type { ClusterSpec } from '../../cluster/cluster-spec.ts';
import { NoFreePortError } from '../../cluster/ports.ts';
import { ControlError } from '../../cluster/control-contract.ts';
import type { PowerLossReport } from '../contract/flush-lab.ts';
import type { LogPage, ProcessStatus } from '../contract/processes.ts';
import type { FailureKind } from '../contract/failure.ts';
import type { ClusterControl, ControlEvent, ControlStatus, LogQuery, ProcessAction } from './cluster-control.ts';
import { childTimelineEntry } from './child-events.ts';
import { FailureError, refuse, toFailure } from './failures.ts';
import type { NewEntry } from './timeline.ts';

export interface SupervisorControlOptions {
  readonly control: SupervisorControl;
  /** Frees what carries `control`: the socket's client, where there is one. */
  readonly close?: () => Promise<void> | void;
}

const FAILURE_KINDS: Readonly<Record<ControlError['code'], FailureKind>> = {
  'bad-request': 'invalid',
  'unknown-process': 'notFound',
  'not-found': 'notFound',
  unavailable: 'unreachable',
  refused: 'refused',
  failed: 'refused',
  disconnected: 'unreachable',
  timeout: 'timeout',
};

export class SupervisorConsoleControl implements ClusterControl {
  readonly #control: SupervisorControl;
  readonly #options: SupervisorControlOptions;
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  readonly #stopListening: () => void;
  #last: ControlStatus | undefined;

  constructor(options: SupervisorControlOptions) {
    this.#options = options;
    this.#control = options.control;
    this.#stopListening = options.control.onEvent((event) => this.#onEvent(event));
  }

  get lastStatus(): ControlStatus | undefined {
    return this.#last;
  }

  async status(): Promise<ControlStatus> {
    const status = await this.#ask(() => this.#control.status());
    this.#last = consoleStatus(status);
    return this.#last;
  }

  async act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
    const process = await this.#ask(() => this.#control.act(processId, action));
    this.#replace(process);
    return consoleProcess(process);
  }

  query(processId: string, name: string, input: unknown, timeoutMs?: number): Promise<unknown> {
    return this.#ask(async () => JSON.parse(await this.#control.query(processId, name, input, timeoutMs)) as unknown);
  }

  losePower(processId: string): Promise<PowerLossReport> {
    return this.#ask(() => this.#control.losePower(processId));
  }

  configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    return this.#ask(() => this.#control.configure(changes));
  }

  readSpec(): Promise<ClusterSpec> {
    return this.#ask(() => this.#control.readSpec());
  }

  async reshape(change: ClusterChange): Promise<Reshaped> {
    const reshaped = await this.#ask(() => this.#control.reshape(change));
    await this.status().catch(() => undefined);
    return reshaped;
  }

  async cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus> {
    const process = await this.#ask(() => this.#control.cutOff(processId, from));
    this.#replace(process);
    return consoleProcess(process);
  }

  logs(processId: string, query: LogQuery): Promise<LogPage> {
    return this.#ask(() => this.#control.logs(processId, query));
  }

  onEvent(listener: (event: ControlEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#listeners.clear();
    await this.#options.close?.();
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw toControlFailure(error) ?? new FailureError(toFailure(error, { api: 'supervisor' }));
    }
  }

  #onEvent(event: ClusterEvent): void {
    const cutOff = event.type === 'process' ? this.#cutOffEntry(event.process, event.atMs) : undefined;
    if (event.type === 'process') this.#replace(event.process);
    if (event.type === 'cluster' && this.#last) this.#last = { ...this.#last, stopping: event.state === 'stopping' };
    const entry = cutOff ?? entryOf(event);
    const told: ControlEvent[] =
      event.type === 'child' ? [] : [{ type: 'status', processId: event.type === 'process' ? event.process.id : null }];
    if (entry) told.push({ type: 'timeline', entry });
    for (const listener of this.#listeners) for (const one of told) listener(one);
    const isNew = event.type === 'process' && this.#last?.processes.every(({ id }) => id !== event.process.id) === true;
    if (event.type === 'cluster' || isNew) void this.#lookAgain();
  }

  /** A supervisor that came or is gone knows, or leaves, other processes than those told of last. */
  async #lookAgain(): Promise<void> {
    try {
      await this.status();
      for (const listener of this.#listeners) listener({ type: 'status', processId: null });
    } catch {
      // The next who asks hears why.
    }
  }

  /** What a running broker is cut off from has changed. */
  #cutOffEntry(process: SupervisorProcess, atMs: number): NewEntry | undefined {
    const before = this.#last?.processes.find(({ id }) => id === process.id)?.cutOffFrom ?? [];
    const { cutOffFrom, id, brokerId } = process;
    if (process.state !== 'running' || cutOffFrom.join() === before.join()) return undefined;
    const about = { atMs, processId: id, brokerId };
    if (cutOffFrom.length === 0) return { ...about, type: 'network.mended', text: `The network of ${id} is mended` };
    return { ...about, type: 'network.cut', severity: 'warning', text: `${id} is cut off from ${cutOffFrom.join(', ')}` };
  }

  #replace(process: SupervisorProcess): void {
    if (!this.#last) return;
    const processes = this.#last.processes.map((known) => (known.id === process.id ? consoleProcess(process) : known));
    this.#last = { ...this.#last, processes };
  }
}

/** Undefined for an error that the supervisor doesn't foresee. */
export function toControlFailure(error: unknown): FailureError | undefined {
  if (error instanceof SpecError) return refuse('invalid', error.message, { api: 'supervisor' });
  if (error instanceof NoFreePortError) return refuse('refused', error.message, { api: 'supervisor' });
  if (!(error instanceof ControlError)) return undefined;
  return refuse(FAILURE_KINDS[error.code], error.message, { api: 'supervisor' });
}

function consoleStatus(status: ClusterStatus): ControlStatus {
  const brokers = status.processes.flatMap(({ brokerId, dataDirs }) => (brokerId === null ? [] : [[brokerId, dataDirs] as const]));
  return {
    name: status.name ?? null,
    processes: status.processes.map(consoleProcess),
    bootstrapServers: status.bootstrapServers,
    zookeeperConnect: status.zookeeperConnect === '' ? null : status.zookeeperConnect,
    dataFolder: join(status.home),
    ephemeral: status.ephemeral,
    supervisorPid: status.supervisorPid === 0 ? null : status.supervisorPid,
    logDirs: new Map(brokers),
    stopping: status.state === 'stopping',
  };
}

function consoleProcess(process: SupervisorProcess): ProcessStatus {
  const { id, role, brokerId, state, pid, host, port, startedAtMs, generation, lastExit, restartAtMs, reason, cutOffFrom, awaitsRestart } =
    process;
  return { id, role, brokerId, state, pid, host, port, startedAtMs, generation, lastExit, restartAtMs, reason, cutOffFrom, awaitsRestart };
}

function entryOf(event: ClusterEvent): NewEntry | undefined {
  const { atMs } = event;
  if (event.type === 'child') return childTimelineEntry(event.processId, event.event, atMs);
  if (event.type === 'cluster') return { atMs, type: `cluster.${event.state}`, text: `The cluster is ${event.state}` };
  const { process, previous } = event;
  // The same state with other details (a pid, a reason): for the lists, not for the story.
  if (process.state === previous) return undefined;
  const about = { processId: process.id, brokerId: process.brokerId };
  const why = process.reason === null ? '' : `: ${process.reason}`;
  switch (process.state) {
    case 'starting':
      return {
        atMs,
        ...about,
        type: 'process.starting',
        text: `${process.id} is being started${process.generation > 1 ? ` again (number ${process.generation})` : ''}`,
      };
    case 'running':
      if (previous === 'frozen') return { atMs, ...about, type: 'process.thawed', text: `${process.id} goes on` };
      return { atMs, ...about, type: 'process.started', text: `${process.id} is running as process ${process.pid ?? '?'}` };
    case 'frozen':
      return { atMs, ...about, type: 'process.frozen', severity: 'warning', text: `${process.id} is frozen` };
    case 'stopping':
      return { atMs, ...about, type: 'process.stopping', text: `${process.id} is being stopped` };
    case 'stopped':
      return {
        atMs,
        ...about,
        type: 'process.stopped',
        severity: process.lastExit?.signal === 'SIGKILL' ? 'warning' : 'info',
        text: `${process.id} has ended${exitText(process)}${why}`,
      };
    case 'backoff':
      return {
        atMs,
        ...about,
        type: 'process.exited',
        severity: 'error',
        text: `${process.id} died${exitText(process)}${why}; it will be started again`,
      };
    case 'failed':
      return { atMs, ...about, type: 'process.failed', severity: 'error', text: `${process.id} failed${exitText(process)}${why}` };
    default:
      return undefined;
  }
}

function exitText({ lastExit }: SupervisorProcess): string {
  if (lastExit === null) return '';
  if (lastExit.signal !== null) return ` by ${lastExit.signal}`;
  return lastExit.code === null || lastExit.code === 0 ? '' : ` with code ${lastExit.code}`;
}
