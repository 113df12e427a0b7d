/**
 * The simulated world: virtual time, and one event after another in it. Between two events every promise settles, so that what an
 * event sets off in a process is over before the next one begins, as in a turn of an event loop.
 *
 * All that happens depends on the seed alone: chance comes from one stream per component, and `traceHash` runs over every event
 * (when, in which process, of what kind) and over every byte that the network carries. Two runs of a seed have the same hash.
 */
import { crc32 } from 'node:zlib';
import type { Random } from '../../../src/runtime/random.ts';
import { SeededRandom } from '../../../src/runtime/testing/seeded-random.ts';
import { type EventKind, EventQueue, type SimEvent } from './event-queue.ts';
import type { SimProcess } from './sim-process.ts';

/** Where virtual time begins on the wall: some day, the same in every run. */
export const START_WALL_MS = 1_700_000_000_000;
/** After so many events the real event loop gets a turn, in which Node reports promises that nobody handled. */
const EVENTS_PER_REAL_TURN = 512;
/** More than any run needs: a run that doesn't come forward in virtual time is ended by it. */
const MAX_EVENTS = 1_500_000;

export interface LogLine {
  readonly atMs: number;
  readonly source: string;
  readonly text: string;
}

export class World {
  readonly seed: number;
  readonly log: LogLine[] = [];
  readonly isLogging: boolean;
  /** What must not happen and did: a broken invariant in a process, a promise that nobody handled. */
  readonly breakdowns: string[] = [];
  #nowMs = 0;
  #order = 0;
  #events = 0;
  #traceHash = 0x811c_9dc5;
  readonly #queue = new EventQueue();
  #turnEnds: { readonly process: SimProcess; readonly run: () => void }[] = [];
  #turnEndHead = 0;
  #current: SimProcess | undefined;
  #lastProcess = '';

  constructor(seed: number, { isLogging = false }: { readonly isLogging?: boolean } = {}) {
    this.seed = seed;
    this.isLogging = isLogging;
  }

  /** Milliseconds of virtual time since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get eventCount(): number {
    return this.#events;
  }

  get traceHash(): string {
    return this.#traceHash.toString(16).padStart(8, '0');
  }

  /** The process whose code runs now. */
  get current(): SimProcess | undefined {
    return this.#current;
  }

  /** The stream of one component. */
  random(component: string): Random {
    return new SeededRandom(this.seed ^ crc32(component));
  }

  note(source: string, text: string): void {
    if (this.isLogging) this.log.push({ atMs: this.#nowMs, source, text });
  }

  at(atMs: number, kind: EventKind, process: SimProcess | undefined, run: () => void): SimEvent {
    const event: SimEvent = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, process, kind, run, cancelled: false };
    this.#queue.push(event);
    return event;
  }

  /** Gives an event that a process could not take at its time a later one; among others at that instant it keeps its place. */
  postpone(event: SimEvent, atMs: number): void {
    event.atMs = atMs;
    this.#queue.push(event);
  }

  atTurnEnd(process: SimProcess, run: () => void): void {
    this.#turnEnds.push({ process, run });
  }

  /** Runs `run` as code of `process` inside of the event that happens now. */
  runIn(process: SimProcess, run: () => void): void {
    const before = this.#current;
    this.#current = process;
    try {
      run();
    } catch (error) {
      process.crash(error);
    } finally {
      this.#current = before;
    }
  }

  trace(word: number): void {
    this.#traceHash = Math.imul(this.#traceHash ^ word, 0x0100_0193) >>> 0;
  }

  traceBytes(bytes: Uint8Array): void {
    this.trace(crc32(bytes));
  }

  /** Runs everything up to `untilMs`; time stands there afterwards. Ends early when `isOver` says so. */
  runUntil(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        this.#current = undefined;
        try {
          if (isOver() || !this.#runNext(untilMs)) {
            resolve();
            return;
          }
          if (this.#events > MAX_EVENTS) {
            this.breakdowns.push(
              `more than ${MAX_EVENTS} events by ${Math.round(this.#nowMs)} ms, the last in ${this.#lastProcess}: something spins`,
            );
            resolve();
            return;
          }
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        if (this.#events % EVENTS_PER_REAL_TURN === 0) setImmediate(step);
        else queueMicrotask(hop);
      };
      // Node runs a tick only once no microtask is left: everything that the event set off is over then.
      const hop = (): void => process.nextTick(step);
      process.nextTick(step);
    });
  }

  /** False when nothing is left to run before `untilMs`. */
  #runNext(untilMs: number): boolean {
    const turnEnd = this.#turnEnds[this.#turnEndHead];
    if (turnEnd !== undefined) {
      this.#turnEndHead++;
      if (this.#turnEndHead === this.#turnEnds.length) {
        this.#turnEnds = [];
        this.#turnEndHead = 0;
      }
      this.#events++;
      this.#lastProcess = turnEnd.process.name;
      turnEnd.process.take(turnEnd.run);
      return true;
    }
    const event = this.#queue.first;
    if (event === undefined || event.atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#queue.pop();
    if (event.cancelled) return true;
    const { process } = event;
    if (process !== undefined && !process.canTake(event)) return true;
    this.#events++;
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    this.trace(event.order);
    this.trace(Math.round(event.atMs * 1000) | 0);
    this.trace((process?.index ?? 0) * 16 + event.kind);
    this.#current = process;
    this.#lastProcess = process?.name ?? 'the network';
    if (process === undefined) event.run();
    else this.runIn(process, event.run);
    return true;
  }
}
