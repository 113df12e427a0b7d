/**
 * Runs tasks after a delay, cheaply for very many of which most are cancelled: a timing wheel, and one timer of the runtime
 * armed for the earliest bucket. Nothing ticks while no bucket is due. (Kafka's `SystemTimer` and its reaper thread.)
 *
 * A task never runs early: it is due `delayMs` after the millisecond that follows its adding, on the monotonic clock.
 * Tasks that are due at once run inside `add`.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';
import { BucketQueue } from './bucket-queue.ts';
import type { TaskCounter, TimerTask } from './timer-task.ts';
import { TimingWheel } from './timing-wheel.ts';

/** The longest delay that the runtime's scheduler takes; the timer wakes up and arms again. */
const MAX_ARM_MS = 2 ** 31 - 1;

export interface TimerOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly tickMs?: number;
  readonly wheelSize?: number;
}

export class Timer {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #queue = new BucketQueue();
  readonly #counter: TaskCounter = { count: 0 };
  readonly #wheel: TimingWheel;
  #armed: Cancellable | undefined = undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  #advancing = false;
  #closed = false;

  constructor({ clock, scheduler, tickMs = 1, wheelSize = 20 }: TimerOptions) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#wheel = new TimingWheel(tickMs, wheelSize, Math.floor(clock.monotonicMs()), this.#queue, this.#counter);
  }

  /** Tasks that have neither run nor been cancelled. */
  get size(): number {
    return this.#counter.count;
  }

  /** Runs `task` after its `delayMs`. Adding one that waits already moves it. */
  add(task: TimerTask): void {
    if (this.#closed) throw new Error('the timer is closed');
    task.cancel();
    const nowMs = this.#clock.monotonicMs();
    task.expirationMs = Math.ceil(nowMs) + Math.max(0, task.delayMs);
    this.#catchUp(Math.floor(nowMs));
    this.#addOrRun(task);
    this.#arm();
  }

  /** Forgets every task without running it; nothing can be added any more. */
  close(): void {
    this.#closed = true;
    this.#armed?.cancel();
    this.#armed = undefined;
    for (const bucket of this.#wheel.buckets()) {
      while (bucket.takeFirst() !== undefined);
    }
  }

  /** After an idle time the wheel's clock is behind; moved up to the earliest bucket, tasks land in fine buckets at once. */
  #catchUp(nowMs: number): void {
    if (this.#advancing) return;
    const earliest = this.#queue.peek();
    this.#wheel.advanceClock(earliest === undefined ? nowMs : Math.min(nowMs, earliest.expirationMs));
  }

  #addOrRun(task: TimerTask): void {
    if (!this.#wheel.add(task)) task.run();
  }

  /** Empties the buckets that are due: tasks run, or move to a finer wheel. */
  #advance(): void {
    this.#armed = undefined;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    const nowMs = Math.floor(this.#clock.monotonicMs());
    this.#advancing = true;
    try {
      this.#emptyDueBuckets(nowMs);
    } finally {
      this.#advancing = false;
    }
    this.#arm();
  }

  #emptyDueBuckets(nowMs: number): void {
    for (let bucket = this.#queue.peek(); bucket !== undefined && bucket.expirationMs <= nowMs; bucket = this.#queue.peek()) {
      this.#queue.pop();
      const { expirationMs } = bucket;
      bucket.expirationMs = -1;
      this.#wheel.advanceClock(expirationMs);
      // The wheel's clock stands at this bucket's time: nothing that is added meanwhile can come into it again.
      for (let task = bucket.takeFirst(); task !== undefined && !this.#closed; task = bucket.takeFirst()) this.#addOrRun(task);
    }
  }

  #arm(): void {
    if (this.#closed || this.#advancing) return;
    const earliest = this.#queue.peek();
    if (earliest === undefined || earliest.expirationMs >= this.#armedForMs) return;
    this.#armed?.cancel();
    this.#armedForMs = earliest.expirationMs;
    const delayMs = Math.min(MAX_ARM_MS, Math.max(0, Math.ceil(earliest.expirationMs - this.#clock.monotonicMs())));
    this.#armed = this.#scheduler.after(delayMs, () => this.#advance());
  }
}
