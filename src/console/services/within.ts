/** Waiting no longer than a page should: what comes later is there for the next pull. */
import type { Scheduler } from '../../runtime/scheduler.ts';

/** `work`'s value, or undefined when it takes longer than `ms`; rejects as `work` does. `work` goes on. */
export function within<T>(scheduler: Scheduler, ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = scheduler.after(ms, () => resolve(undefined));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
