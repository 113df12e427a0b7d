/**
 * The share of time that something was idle: one processor, or M handler slots. The last 30 to 60 seconds count.
 * (Kafka's `NetworkProcessorAvgIdlePercent` and `RequestHandlerAvgIdlePercent`; processors share the event loop here, so that a
 * processor's busy time is the time the loop spent in it.)
 */
import type { Clock } from '../../runtime/clock.ts';

const WINDOW_MS = 30_000;

export class BusyMeter {
  readonly #clock: Clock;
  #capacity: number;
  #active = 0;
  #sinceMs: number;
  /** Busy slot-milliseconds in the current window, and when it began. */
  #busyMs = 0;
  #windowStartMs: number;
  #previousBusyMs = 0;
  #previousLengthMs = 0;

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#sinceMs = clock.monotonicMs();
    this.#windowStartMs = this.#sinceMs;
  }

  /** Slots in use now. */
  get active(): number {
    return this.#active;
  }

  set capacity(capacity: number) {
    this.#advance(this.#clock.monotonicMs());
    this.#capacity = capacity;
  }

  begin(nowMs: number = this.#clock.monotonicMs()): void {
    this.#advance(nowMs);
    this.#active++;
  }

  end(nowMs: number = this.#clock.monotonicMs()): void {
    this.#advance(nowMs);
    this.#active--;
  }

  /** From 0 (always busy) to 1 (nothing to do). */
  idleRatio(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#advance(nowMs);
    const lengthMs = this.#previousLengthMs + nowMs - this.#windowStartMs;
    if (lengthMs <= 0) return 1;
    return Math.max(0, 1 - (this.#previousBusyMs + this.#busyMs) / (lengthMs * this.#capacity));
  }

  #advance(nowMs: number): void {
    this.#busyMs += this.#active * (nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
    if (nowMs - this.#windowStartMs < WINDOW_MS) return;
    this.#previousBusyMs = this.#busyMs;
    this.#previousLengthMs = nowMs - this.#windowStartMs;
    this.#busyMs = 0;
    this.#windowStartMs = nowMs;
  }
}
