/**
 * Deferred work. Everything the engine does later goes through here, so that a test can own time.
 * A callback that throws is a broken invariant: the runtime's Halt is told and the process ends.
 */
export interface Cancellable {
  /** Forgets the callback if it has not run; harmless when it has. */
  cancel(): void;
}

export interface Scheduler {
  /** Runs `callback` once, `delayMs` (0 or more, at most 2^31 - 1) from now. */
  after(delayMs: number, callback: () => void): Cancellable;
  /** Runs `callback` every `periodMs` (1 or more), first after one period, until cancelled. */
  every(periodMs: number, callback: () => void): Cancellable;
  /** Runs `callback` at the end of this turn of the event loop, after the I/O that is ready now. */
  endOfTurn(callback: () => void): void;
}

/** Resolves `delayMs` from now. */
export function sleep(scheduler: Scheduler, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after(delayMs, resolve);
  });
}
