/** Runs what logs have queued once, at the end of the turn of the event loop: one timer of the runtime for all of them. */
import type { Scheduler } from '../../runtime/scheduler.ts';

export class EndOfTurn {
  readonly #scheduler: Scheduler;
  #isScheduled = false;
  #waiting: (() => void)[] = [];
  #afterAll: (() => void) | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `callback` at the end of this turn. The caller asks once a turn. */
  add(callback: () => void): void {
    this.#waiting.push(callback);
    this.#schedule();
  }

  /** Calls `callback` when all the others have been. There is one at a time, the clock's. */
  afterAll(callback: () => void): void {
    this.#afterAll = callback;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#scheduler.endOfTurn(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    const due = this.#waiting;
    this.#waiting = [];
    for (const callback of due) callback();
    const afterAll = this.#afterAll;
    this.#afterAll = undefined;
    afterAll?.();
  };
}
