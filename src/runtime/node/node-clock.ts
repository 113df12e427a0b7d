import type { Clock } from '../clock.ts';
import type { Cancellable, Scheduler } from '../scheduler.ts';

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const nodeScheduler: Scheduler = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) } satisfies Cancellable;
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return { cancel: () => clearInterval(timer) } satisfies Cancellable;
  },
  endOfTurn(callback) {
    setImmediate(callback);
  },
};
