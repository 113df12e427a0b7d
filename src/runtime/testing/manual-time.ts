/**
 * A clock and scheduler that move only when told: for tests of time-outs without waiting.
 * Callbacks due at the same instant run in the order they were scheduled.
 */
import type { Clock } from '../clock.ts';
import type { Runtime } from '../runtime.ts';
import type { Cancellable, Scheduler } from '../scheduler.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
  cancelled: boolean;
}

export class ManualTime implements Clock, Scheduler {
  #nowMs: number;
  #order = 0;
  #entries: Entry[] = [];
  #turnEnd: (() => void)[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  wallMs(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Cancellable {
    return this.#add(this.#nowMs + Math.max(0, delayMs), undefined, callback);
  }

  every(periodMs: number, callback: () => void): Cancellable {
    return this.#add(this.#nowMs + periodMs, periodMs, callback);
  }

  endOfTurn(callback: () => void): void {
    this.#turnEnd.push(callback);
  }

  /** Runs what waits for the end of the turn, and what that adds. */
  runTurnEnd(): void {
    while (this.#turnEnd.length > 0) {
      const due = this.#turnEnd;
      this.#turnEnd = [];
      for (const callback of due) callback();
    }
  }

  /** Moves time on by `durationMs`, running what falls due in order; between callbacks, promises settle. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await this.settle();
    for (;;) {
      const next = this.#takeDue(untilMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.periodMs !== undefined) this.#readd(next, next.atMs + next.periodMs);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Time passes and nothing runs, as for a process that is held up: what has fallen due runs with the next `advance`, late. */
  leap(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** Lets pending promises and turn ends run, without moving time. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      this.runTurnEnd();
      await Promise.resolve();
    }
    this.runTurnEnd();
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingCount(): number {
    return this.#entries.filter((entry) => !entry.cancelled).length;
  }

  #add(atMs: number, periodMs: number | undefined, callback: () => void): Cancellable {
    const entry: Entry = { atMs, order: this.#order++, periodMs, callback, cancelled: false };
    this.#entries.push(entry);
    return handleOf(entry);
  }

  #readd(entry: Entry, atMs: number): void {
    // The handle given out refers to the first entry: its cancellation is read through the callback's guard.
    const again: Entry = { ...entry, atMs, order: this.#order++ };
    Object.defineProperty(again, 'cancelled', { get: () => entry.cancelled });
    this.#entries.push(again);
  }

  #takeDue(untilMs: number): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.cancelled || entry.atMs > untilMs) continue;
      if (best === undefined || entry.atMs < best.atMs || (entry.atMs === best.atMs && entry.order < best.order)) best = entry;
    }
    this.#entries = this.#entries.filter((entry) => entry !== best && !entry.cancelled);
    return best;
  }
}

function handleOf(entry: Entry): Cancellable {
  return {
    cancel() {
      entry.cancelled = true;
    },
  };
}

/** `runtime`, real sockets and disk and all, with clocks that move only when told; turns of the event loop are real. */
export function onManualTime<T extends Pick<Runtime, 'clock' | 'scheduler'>>(runtime: T, time: ManualTime): T {
  const scheduler: Scheduler = {
    after: (delayMs, callback) => time.after(delayMs, callback),
    every: (periodMs, callback) => time.every(periodMs, callback),
    endOfTurn: (callback) => runtime.scheduler.endOfTurn(callback),
  };
  return { ...runtime, clock: time, scheduler };
}
