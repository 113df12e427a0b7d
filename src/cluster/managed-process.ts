/**
 * One child process through all its lives.
 *
 *     stopped ──start──► starting ──ready──► running ◄──thaw── frozen
 *        ▲                  │                  │  └──freeze──────►┘
 *        │                  └───── died ◄──────┴──────┘
 *        │                           ├─► backoff ──delay──► starting      (again and again, later and later)
 *        │                           └─► failed                           (too often, or it said it can't start)
 *        └──exit── stopping ◄──stop── starting, running, frozen
 *
 * Only a child's exit ends a generation: a signal sent is not a death, a message is not one either. What an earlier
 * generation still has to say is ignored. Killed or stopped by the user it stays down; otherwise it is started again.
 * A request settles once, also when another one crosses it.
 */
import type { ChildCommand, Processes } from '../runtime/processes.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import { ChildGeneration } from './child-generation.ts';
import { ControlError } from './control-contract.ts';
import type { ProcessAction, ProcessState, ProcessStatus } from './control-contract.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { RestartPolicyOptions } from './restart-policy.ts';

export interface ProcessDefinition {
  readonly id: string;
  readonly role: 'zookeeper' | 'broker';
  readonly brokerId: number | null;
  readonly host: string;
  readonly port: number;
  readonly dataDirs: readonly string[];
  readonly logFile: string;
  /** What the child reads: a process that runs with another must be started again to have this one. */
  readonly config: string;
  /** Called before each start: writes what the child reads and says how to start it. */
  prepare(): ChildCommand;
  /** Called after each exit, however it came; a stop and the next start wait for it. */
  afterExit?(): Promise<void>;
  /** Something to tell for as long as it runs, such as a moved port. */
  readonly note: string | null;
}

export interface ProcessRuntime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly processes: Processes;
}

export interface ManagedProcessOptions {
  readonly restart?: RestartPolicyOptions | undefined;
  /** How long a controlled stop may take before SIGKILL. */
  readonly stopTimeoutMs: number;
}

export interface ProcessListener {
  onChange(status: ProcessStatus, previous: ProcessState): void;
  onOutput(line: string): void;
  onEvent(event: unknown): void;
  /** The child of that pid was started, or (undefined) has ended. */
  onPid(pid: number | undefined): void;
}

/** What a child's network is cut off from, as the child is told it (`src/runtime/node/network-faults.ts`). */
export interface CutOff {
  /** For people: process ids and 'clients'. */
  readonly from: readonly string[];
  readonly blockedPorts: readonly number[];
  readonly blockAccepted: boolean;
}

/** What is asked of `afterExit`; after that nobody waits for it any longer. */
const MAX_AFTER_EXIT_MS = 3_000;
const POWER_LOSS_TIMEOUT_MS = 5_000;

export class ManagedProcess {
  #definition: ProcessDefinition;
  /** What takes the place of the definition when the child that runs with it has ended. */
  #next: ProcessDefinition | undefined;
  readonly #runtime: ProcessRuntime;
  readonly #options: ManagedProcessOptions;
  readonly #listener: ProcessListener;
  readonly #policy: RestartPolicy;
  #state: ProcessState = 'stopped';
  /** What the user wants; what happens at an exit depends on it. */
  #wanted: 'up' | 'down' = 'down';
  /** Stops and kills asked for: a start that waits for the child before gives way to those that come meanwhile. */
  #stopRequests = 0;
  #generation: ChildGeneration | undefined;
  #generationNumber = 0;
  #everReady = false;
  #startedAtMs: number | null = null;
  #readyAfterMs: number | null = null;
  #lastExit: ProcessStatus['lastExit'] = null;
  #reason: string | null = null;
  /** What a starting child says of how far it is. */
  #progress: string | null = null;
  #restartAtMs: number | null = null;
  #restartTimer: Cancellable | undefined;
  #cleaning: Promise<void> | undefined;
  #waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(definition: ProcessDefinition, runtime: ProcessRuntime, options: ManagedProcessOptions, listener: ProcessListener) {
    this.#definition = definition;
    this.#runtime = runtime;
    this.#options = options;
    this.#listener = listener;
    this.#policy = new RestartPolicy(options.restart);
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** What it runs with, or will be started with. */
  get definition(): ProcessDefinition {
    return this.#definition;
  }

  /** From its next start on; at once when it isn't there. */
  redefine(definition: ProcessDefinition): void {
    if (this.#generation === undefined || definition.config === this.#definition.config) {
      this.#definition = definition;
      this.#next = undefined;
    } else this.#next = definition;
    this.#listener.onChange(this.status(), this.#state);
  }

  status(): ProcessStatus {
    const { id, role, brokerId, host, port, dataDirs, logFile, note } = this.definition;
    return {
      id,
      role,
      brokerId,
      state: this.#state,
      pid: this.#generation?.child.pid ?? null,
      host,
      port,
      startedAtMs: this.#startedAtMs,
      readyAfterMs: this.#readyAfterMs,
      generation: this.#generationNumber,
      lastExit: this.#lastExit,
      restartAtMs: this.#restartAtMs,
      reason: this.#progress ?? this.#reason ?? note,
      cutOffFrom: this.#generation?.cutOffFrom ?? [],
      dataDirs,
      logFile,
      awaitsRestart: this.#next !== undefined,
    };
  }

  /** Carries out `action`; resolves when it is done. Rejects with `ControlError`. */
  async act(action: ProcessAction): Promise<ProcessStatus> {
    switch (action) {
      case 'start':
        await this.start();
        break;
      case 'stop':
        await this.stop();
        break;
      case 'restart':
        await this.#restart();
        break;
      case 'kill':
        await this.kill();
        break;
      case 'freeze':
        this.#freeze();
        break;
      case 'thaw':
        this.#thaw();
        break;
    }
    return this.status();
  }

  /** Resolves when it is ready; at once when it is. Rejects when it can't be, or is stopped before. */
  async start(): Promise<void> {
    if (this.#state === 'stopping') {
      const stopRequests = this.#stopRequests;
      await this.#generation?.ended;
      this.#refuseIfStoppedSince(stopRequests);
    }
    if (this.#state === 'running' || this.#state === 'frozen') return;
    this.#wanted = 'up';
    const ready = this.#untilReady();
    if (this.#state !== 'starting') {
      this.#policy.reset();
      await this.#spawn();
    }
    await ready;
  }

  /** Asks it to stop; SIGKILL when it takes too long. Resolves when it has ended and what it left behind is cleaned up. */
  async stop(): Promise<void> {
    this.#stopRequests++;
    await this.#end();
  }

  async #restart(): Promise<void> {
    const stopRequests = this.#stopRequests;
    await this.#end();
    this.#refuseIfStoppedSince(stopRequests);
    await this.start();
  }

  #refuseIfStoppedSince(stopRequests: number): void {
    if (this.#stopRequests !== stopRequests) throw new ControlError('refused', `${this.definition.id} was stopped before it was ready`);
  }

  async #end(): Promise<void> {
    this.#wanted = 'down';
    const generation = this.#generation;
    if (generation === undefined) {
      this.#giveUpRestart();
      await this.#cleaning;
      return;
    }
    if (this.#state !== 'stopping') {
      if (this.#state === 'frozen') generation.child.signal('SIGCONT');
      this.#become('stopping');
      if (!generation.child.send({ type: 'stop' })) generation.child.signal('SIGTERM');
      const deadline = this.#runtime.scheduler.after(this.#options.stopTimeoutMs, () => {
        this.#runtime.logger.warn({ process: this.definition.id }, `Killing it: it did not stop within ${this.#options.stopTimeoutMs} ms`);
        generation.child.signal('SIGKILL');
      });
      void generation.ended.then(() => deadline.cancel());
    }
    await generation.ended;
    await this.#cleaning;
  }

  /** SIGKILL. It stays down. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#stopRequests++;
    this.#wanted = 'down';
    const generation = this.#generation;
    if (generation === undefined) {
      this.#giveUpRestart();
      return;
    }
    generation.child.signal('SIGKILL');
    await generation.ended;
  }

  /**
   * The broker notes in `noteFile` what is on the device and kills itself; it stays down. Resolves when it has ended. Rejects with
   * `ControlError`, and it goes on, when it doesn't do so in time.
   */
  async losePower(noteFile: string): Promise<void> {
    const { id, role } = this.definition;
    const generation = this.#generation;
    if (role !== 'broker' || generation === undefined || this.#state !== 'running')
      throw new ControlError('refused', `${id} is ${this.#state}: only a running broker can lose what it has not synced`);
    const late = Promise.withResolvers<'late'>();
    const timer = this.#runtime.scheduler.after(POWER_LOSS_TIMEOUT_MS, () => late.resolve('late'));
    this.#wanted = 'down';
    const isTold = generation.child.send({ type: 'power-loss', file: noteFile });
    const outcome = isTold ? await Promise.race([generation.ended, late.promise]) : 'late';
    timer.cancel();
    if (outcome !== 'late' || generation !== this.#generation) return;
    // It may still do so later; it is started again then, and nothing is cut.
    this.#wanted = 'up';
    throw new ControlError('timeout', `${id} does not answer: nothing was done`);
  }

  /** Ends with the generation. Throws `ControlError` when it isn't running, or is no broker. */
  cutOff({ from, blockedPorts, blockAccepted }: CutOff): void {
    const { id, role } = this.definition;
    if (role !== 'broker') throw new ControlError('refused', `only a broker can be cut off from others: cut the brokers off from ${id}`);
    if (from.includes(id)) throw new ControlError('refused', `${id} can't be cut off from itself`);
    const generation = this.#generation;
    if (generation === undefined || this.#state !== 'running')
      throw new ControlError('refused', `${id} is ${this.#state}: only a running broker can be cut off from others`);
    if (!generation.child.send({ type: 'network', blockedPorts, blockAccepted }))
      throw new ControlError('failed', `${id} could not be told`);
    generation.cutOffFrom = from;
    this.#become(this.#state);
  }

  /** Asks the child about its inside; resolves with the answer's JSON text. Rejects with `ControlError`, at once when it is down or frozen. */
  query(name: string, input: unknown, timeoutMs: number): Promise<string> {
    const { id } = this.definition;
    if (this.#state === 'frozen') return Promise.reject(new ControlError('unavailable', `${id} does not answer: it is frozen`));
    if (this.#generation !== undefined) return this.#generation.queries.ask(name, input, timeoutMs);
    return Promise.reject(
      new ControlError(
        'unavailable',
        `${id} does not answer: it is ${this.#state === 'backoff' ? 'waiting to be started again' : this.#state}`,
      ),
    );
  }

  #freeze(): void {
    if (this.#state === 'frozen') return;
    if (process.platform === 'win32') throw new ControlError('refused', 'Windows has no SIGSTOP: a process can not be frozen there');
    if (this.#state !== 'running')
      throw new ControlError('refused', `${this.definition.id} is ${this.#state}: only a running process can be frozen`);
    this.#generation?.child.signal('SIGSTOP');
    this.#become('frozen');
  }

  #thaw(): void {
    if (this.#state !== 'frozen') throw new ControlError('refused', `${this.definition.id} is ${this.#state}, not frozen`);
    this.#generation?.child.signal('SIGCONT');
    this.#become('running');
  }

  async #spawn(): Promise<void> {
    this.#restartTimer?.cancel();
    this.#restartTimer = undefined;
    this.#restartAtMs = null;
    this.#become('starting');
    await this.#cleaning;
    // Stopped or killed while it waited.
    if (this.#wanted === 'down') {
      this.#become('stopped');
      this.#settleWaiters(new ControlError('refused', `${this.definition.id} was stopped before it was ready`));
      return;
    }
    this.#generationNumber++;
    this.#startedAtMs = this.#runtime.clock.wallMs();
    this.#readyAfterMs = null;
    const started: { generation?: ChildGeneration } = {};
    let command: ChildCommand;
    try {
      command = this.definition.prepare();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    const child = this.#runtime.processes.spawn(command, {
      onMessage: (message) => this.#onMessage(started.generation, message),
      onOutput: (line) => this.#listener.onOutput(line),
      onExit: (code, signal, error) => this.#onExit(started.generation, code, signal, error),
    });
    const { clock, scheduler } = this.#runtime;
    this.#generation = started.generation = new ChildGeneration(this.definition.id, child, clock.monotonicMs(), scheduler);
    this.#reason = null;
    this.#listener.onPid(child.pid);
    this.#become('starting');
  }

  #onMessage(generation: ChildGeneration | undefined, message: unknown): void {
    if (generation === undefined || generation !== this.#generation) return;
    const said = generation.read(message);
    switch (said?.type) {
      case 'ready':
        this.#onReady(generation);
        break;
      case 'progress':
        if (this.#state !== 'starting') break;
        this.#progress = said.text;
        this.#listener.onChange(this.status(), this.#state);
        break;
      case 'failed':
        generation.noteFailure(said.code, said.message);
        break;
      case 'event':
        this.#listener.onEvent(said.event);
        break;
      case undefined:
    }
  }

  #onReady(generation: ChildGeneration): void {
    if (generation.readySinceMs !== undefined) return;
    generation.readySinceMs = this.#runtime.clock.monotonicMs();
    this.#readyAfterMs = Math.round(generation.readySinceMs - generation.startedMs);
    this.#everReady = true;
    if (this.#state !== 'starting') return;
    this.#become('running');
    this.#settleWaiters();
  }

  #onExit(generation: ChildGeneration | undefined, code: number | null, signal: string | null, error: Error | undefined): void {
    if (generation === undefined || generation !== this.#generation) return;
    const nowMs = this.#runtime.clock.monotonicMs();
    this.#generation = undefined;
    generation.queries.end();
    this.#lastExit = { code, signal, atMs: this.#runtime.clock.wallMs() };
    this.#listener.onPid(undefined);
    // After what the child leaves behind, which is where its own definition says.
    this.#cleaning = this.#clean();
    this.#definition = this.#next ?? this.#definition;
    this.#next = undefined;
    const ending =
      error !== undefined ? `could not be started: ${error.message}` : signal !== null ? `ended by ${signal}` : `ended with code ${code}`;
    const why = generation.failure ?? ending;
    if (this.#wanted === 'down') {
      this.#reason = null;
      this.#become('stopped');
      this.#settleWaiters(new ControlError('refused', `${this.definition.id} was stopped before it was ready`));
    } else if (generation.isHopeless || (generation.failure !== undefined && !this.#everReady)) this.#fail(why);
    else this.#restartLater(nowMs, generation, why);
    generation.settleEnded();
  }

  #restartLater(nowMs: number, generation: ChildGeneration, why: string): void {
    const decision = this.#policy.onDeath(nowMs, generation.readySinceMs);
    if (!decision.restart) {
      this.#fail(`died ${decision.deaths} times within ${decision.windowMs / 1_000} s; the last time: ${why}`);
      return;
    }
    this.#reason = why;
    this.#restartAtMs = this.#runtime.clock.wallMs() + decision.delayMs;
    this.#restartTimer = this.#runtime.scheduler.after(decision.delayMs, () => void this.#spawn());
    this.#runtime.logger.warn({ process: this.definition.id, why }, `Process died; starting it again in ${decision.delayMs} ms`);
    this.#become('backoff');
  }

  #fail(why: string): void {
    this.#reason = why;
    this.#runtime.logger.error({ process: this.definition.id }, `Process will not be started again: ${why}`);
    this.#become('failed');
    this.#settleWaiters(new ControlError('failed', `${this.definition.id}: ${why}`));
  }

  #giveUpRestart(): void {
    this.#restartTimer?.cancel();
    this.#restartTimer = undefined;
    this.#restartAtMs = null;
    if (this.#state === 'backoff' || this.#state === 'failed') {
      this.#reason = null;
      this.#become('stopped');
    }
    this.#settleWaiters(new ControlError('refused', `${this.definition.id} was stopped before it was ready`));
  }

  async #clean(): Promise<void> {
    const { definition } = this;
    if (definition.afterExit === undefined) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#runtime.scheduler.after(MAX_AFTER_EXIT_MS, late.resolve);
    try {
      await Promise.race([definition.afterExit(), late.promise]);
    } catch (error) {
      this.#runtime.logger.warn({ err: error, process: definition.id }, 'Cleaning up after the exit failed');
    } finally {
      timer.cancel();
    }
  }

  #untilReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  #settleWaiters(error?: Error): void {
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  #become(state: ProcessState): void {
    const previous = this.#state;
    this.#state = state;
    this.#progress = null;
    this.#listener.onChange(this.status(), previous);
  }
}
