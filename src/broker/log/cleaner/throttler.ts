/** Holds the cleaner to `log.cleaner.io.max.bytes.per.second`, all of its threads together. Source: Kafka's Throttler. */
import type { Clock } from '../../../runtime/clock.ts';
import type { Scheduler } from '../../../runtime/scheduler.ts';
import { sleep } from '../../../runtime/scheduler.ts';

/** A share of the allowance shorter than this isn't waited for. */
const CHECK_INTERVAL_MS = 300;

export class Throttler {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #bytesPerSecond: () => number;
  #periodStartMs: number;
  #bytesInPeriod = 0;

  constructor(runtime: { clock: Clock; scheduler: Scheduler }, bytesPerSecond: () => number) {
    this.#clock = runtime.clock;
    this.#scheduler = runtime.scheduler;
    this.#bytesPerSecond = bytesPerSecond;
    this.#periodStartMs = runtime.clock.monotonicMs();
  }

  /** How many bytes may be asked for at a time, so that the rate is held within about a check interval. */
  portion(atMost: number): number {
    return Math.max(1, Math.min(atMost, (this.#bytesPerSecond() * CHECK_INTERVAL_MS) / 1000));
  }

  /** Counts `bytes` and waits until they are within the rate; `check` is called now and then, and throws when nobody waits any more. */
  async throttle(bytes: number, check: () => void): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#bytesInPeriod += bytes;
    const elapsedMs = nowMs - this.#periodStartMs;
    const allowedMs = (this.#bytesInPeriod / this.#bytesPerSecond()) * 1000;
    if (allowedMs <= elapsedMs) {
      // Time in which nothing was done gives no right to a burst.
      if (elapsedMs > CHECK_INTERVAL_MS) this.#restart(nowMs);
      return;
    }
    if (allowedMs - elapsedMs < CHECK_INTERVAL_MS / 10) return;
    const untilMs = nowMs + allowedMs - elapsedMs;
    this.#restart(untilMs);
    for (let leftMs = untilMs - nowMs; leftMs > 0; leftMs = untilMs - this.#clock.monotonicMs()) {
      await sleep(this.#scheduler, Math.min(leftMs, CHECK_INTERVAL_MS));
      check();
    }
  }

  #restart(nowMs: number): void {
    this.#periodStartMs = nowMs;
    this.#bytesInPeriod = 0;
  }
}
