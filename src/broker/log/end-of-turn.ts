/** Runs what logs have queued once, at the end of the turn of the event loop: one timer of the runtime for all of them. */
import type { Scheduler } from '../../runtime/scheduler.ts';

export class EndOfTurn {
  readonly #scheduler: Scheduler;
  #waiting: (() => void)[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `callback` at the end of this turn. The caller asks once a turn. */
  add(callback: () => void): void {
    this.#waiting.push(callback);
    if (this.#waiting.length === 1) this.#scheduler.endOfTurn(() => this.#run());
  }

  #run(): void {
    const due = this.#waiting;
    this.#waiting = [];
    for (const callback of due) callback();
  }
}
