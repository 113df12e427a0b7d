/**
 * One process on a machine, from its start to its end, with the runtime that its code sees.
 *
 *   running ◄──► paused (SIGSTOP: its timers and sockets wait, the kernel goes on)        running, paused ──► dead
 *
 * A dead process takes no event any more: its timers, sockets and what the disk still had to tell are gone at once. While synchronous
 * disk calls hold its event loop, what falls due waits until they are over.
 */
import type { Logger, LogMethod } from '../../../src/runtime/logger.ts';
import { MetricsRegistry } from '../../../src/runtime/metrics.ts';
import type { OffloadTask } from '../../../src/runtime/offload.ts';
import type { Random } from '../../../src/runtime/random.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import type { Cancellable } from '../../../src/runtime/scheduler.ts';
import { EventKind, type SimEvent } from './event-queue.ts';
import type { Machine } from './machine.ts';
import { SimDisk } from './sim-disk.ts';
import { SimNet } from './sim-net.ts';
import { START_WALL_MS, type World } from './world.ts';

const OFFLOAD_MS = 3;

/** Ends the code that called halt: nothing of it may run on. */
export class Halted extends Error {}

export class SimProcess {
  readonly machine: Machine;
  readonly world: World;
  readonly runtime: Runtime;
  readonly net: SimNet;
  /** Which writes a slow disk holds up. */
  readonly writeRandom: Random;
  /** Tells processes apart in the trace. */
  readonly index: number;
  readonly name: string;
  #state: 'running' | 'paused' | 'dead' = 'running';
  /** Its start, when it was never paused. */
  resumedAtMs: number;
  /** Synchronous calls hold the event loop until then. */
  #busyUntilMs = 0;
  readonly #startedAtMs: number;
  #held: SimEvent[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(machine: Machine, incarnation: number) {
    const { world } = machine;
    this.machine = machine;
    this.world = world;
    this.index = machine.index * 64 + incarnation;
    this.name = `${machine.name}#${incarnation}`;
    this.#startedAtMs = world.nowMs;
    this.resumedAtMs = world.nowMs;
    this.net = new SimNet(this);
    const random = world.random(this.name);
    this.writeRandom = world.random(`${this.name} writes`);
    this.runtime = {
      clock: {
        wallMs: () => Math.floor(START_WALL_MS + this.localMs + machine.wallOffsetMs),
        // Its origin is arbitrary: each process has another one.
        monotonicMs: () => this.localMs - this.#startedAtMs + 1000 * incarnation,
      },
      scheduler: {
        after: (delayMs, callback) => this.#timer(delayMs, callback),
        every: (periodMs, callback) => this.#every(periodMs, callback),
        endOfTurn: (callback) => {
          if (this.isAlive) world.atTurnEnd(this, callback);
        },
      },
      disk: new SimDisk(this, machine.disk),
      net: this.net,
      random,
      offload: {
        run: (task, input) => this.#offload(task, input),
        close: () => Promise.resolve(),
      },
      halt: {
        halt: (exitCode, reason, error): never => {
          this.crash(error ?? new Error(reason), `halted with ${exitCode}: ${reason}`);
          throw new Halted(reason);
        },
      },
      logger: createLogger(world, this.name, () => this.isAlive),
      metrics: new MetricsRegistry(),
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** The time that its own code sees: behind synchronous calls later than the world's. */
  get localMs(): number {
    return Math.max(this.world.nowMs, this.#busyUntilMs);
  }

  /** A synchronous call took so long. */
  spend(durationMs: number): void {
    this.#busyUntilMs = this.localMs + durationMs;
  }

  /** Whether it takes `event` now; if not it is dropped (dead), kept (paused), or given a later time (its event loop is held). */
  canTake(event: SimEvent): boolean {
    if (this.#state === 'dead') return false;
    if (this.#state === 'paused') {
      this.#held.push(event);
      return false;
    }
    if (this.#busyUntilMs <= event.atMs) return true;
    this.world.postpone(event, this.#busyUntilMs);
    return false;
  }

  /** Runs `run` at the end of its turn. */
  take(run: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused') this.schedule(this.world.nowMs, EventKind.turnEnd, run);
    else this.world.runIn(this, run);
  }

  /** True when its event loop is free at this instant. */
  get isFree(): boolean {
    return this.#state === 'running' && this.#busyUntilMs <= this.world.nowMs;
  }

  schedule(atMs: number, kind: EventKind, run: () => void): SimEvent {
    return this.world.at(atMs, kind, this, run);
  }

  /** Calls `callback` when the process ends, however it ends. */
  onDeath(callback: () => void): void {
    this.#onDeath.push(callback);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.resumedAtMs = this.world.nowMs;
    const held = this.#held;
    this.#held = [];
    for (const event of held) if (!event.cancelled) this.world.postpone(event, this.world.nowMs);
  }

  /** Ends at once. @param losesPower its peers hear nothing of it; else its kernel resets its connections. */
  kill(losesPower = false): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#held = [];
    this.net.onProcessDeath(losesPower);
    for (const callback of this.#onDeath.splice(0)) callback();
  }

  /** It broke: an exception that nobody caught, or Halt. */
  crash(error: unknown, what = 'threw'): void {
    if (error instanceof Halted || this.#state === 'dead') return;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.world.breakdowns.push(`${this.name} ${what}: ${detail}`);
    this.world.note(this.name, `BROKEN: ${what}: ${detail}`);
    this.kill();
  }

  /** As Node's: whole milliseconds, at least one. */
  #timer(delayMs: number, callback: () => void): Cancellable {
    const event = this.schedule(this.localMs + Math.max(1, Math.trunc(delayMs)), EventKind.timer, callback);
    return cancellable(event);
  }

  #every(periodMs: number, callback: () => void): Cancellable {
    let isCancelled = false;
    const run = (): void => {
      if (isCancelled) return;
      event = this.schedule(this.localMs + periodMs, EventKind.timer, run);
      callback();
    };
    let event = this.schedule(this.localMs + periodMs, EventKind.timer, run);
    return {
      cancel() {
        isCancelled = true;
        event.cancelled = true;
      },
    };
  }

  /** A worker's work, done in place on the machine's disk: it takes no time of the event loop, and its result comes some time later. */
  #offload<Input, Output>(task: OffloadTask<Input, Output>, input: Input): Promise<Output> {
    return new Promise((resolve, reject) => {
      this.schedule(this.localMs + OFFLOAD_MS, EventKind.offload, () => {
        try {
          resolve(task.inPlace(structuredClone(input), this.machine.disk));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}

function cancellable(event: SimEvent): Cancellable {
  return {
    cancel() {
      event.cancelled = true;
    },
  };
}

function createLogger(world: World, source: string, isAlive: () => boolean): Logger {
  if (!world.isLogging) return silentLogger;
  const method =
    (level: string): LogMethod =>
    (first: string | object, message?: string): void => {
      if (!isAlive()) return;
      const error = typeof first === 'object' && 'err' in first && first.err instanceof Error ? ` (${first.err.message})` : '';
      world.note(source, `${level} ${typeof first === 'string' ? first : (message ?? '')}${error}`);
    };
  const logger: Logger = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child: () => logger,
  };
  return logger;
}

const silent: LogMethod = () => {};
const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent, fatal: silent, child: () => silentLogger };
