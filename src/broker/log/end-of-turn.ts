/** Runs what logs have queued once, at the end of the turn of the event loop: one timer of the runtime for all of them. */
import type { Scheduler } from '../../runtime/scheduler.ts';

export class EndOfTurn {
  readonly #scheduler: Scheduler;
  #isScheduled = false;
  /** Two arrays in turn, of which `#count` elements count: a new one every turn would have to grow every turn. */
  #waiting: ((() => void) | undefined)[] = [];
  #running: ((() => void) | undefined)[] = [];
  #count = 0;
  #afterAll: (() => void) | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `callback` at the end of this turn. The caller asks once a turn. */
  add(callback: () => void): void {
    this.#waiting[this.#count++] = callback;
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
    const count = this.#count;
    this.#waiting = this.#running;
    this.#running = due;
    this.#count = 0;
    for (let index = 0; index < count; index++) {
      const callback = due[index];
      due[index] = undefined;
      callback?.();
    }
    const afterAll = this.#afterAll;
    this.#afterAll = undefined;
    afterAll?.();
  };
}
