/**
 * Spreads changes to subscribers. Each has one pending set per kind, merged while it doesn't take it: memory is bounded however
 * slow a page is, and what it gets is never stale, only coarser. A kind with more than MAX_IDS ids becomes "all of them" (null).
 */
import type { Clock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/scheduler.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import type { Change, ChangeEvent, ChangeKind } from '../contract/live.ts';

const MAX_IDS = 200;
/** Changes of one cause arrive within a moment of each other; a page should pull once for them. */
const COALESCE_MS = 40;
/** And a page should not be made to pull more often than this. */
const MIN_GAP_MS = 120;

export class ChangeHub {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #subscribers = new Set<Subscriber>();
  readonly #onCount: (count: number) => void;

  /** `onCount` is told how many subscribers there are, whenever that changes. */
  constructor(clock: Clock, scheduler: Scheduler, onCount: (count: number) => void = () => undefined) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#onCount = onCount;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  publish(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const subscriber of this.#subscribers) subscriber.add(changes);
  }

  /** Events until `signal` aborts or the reader leaves; the first one, `first`, at once. */
  async *subscribe(first: readonly Change[], signal: AbortSignal | undefined): AsyncGenerator<ChangeEvent, void, void> {
    const subscriber = new Subscriber();
    const stop = (): void => subscriber.stop();
    if (signal?.aborted === true) return;
    signal?.addEventListener('abort', stop, { once: true });
    this.#subscribers.add(subscriber);
    this.#onCount(this.#subscribers.size);
    try {
      yield { atMs: this.#clock.wallMs(), changes: first };
      let lastMs = this.#clock.monotonicMs();
      for (;;) {
        await subscriber.wait();
        if (subscriber.stopped) return;
        await sleep(this.#scheduler, Math.max(COALESCE_MS, lastMs + MIN_GAP_MS - this.#clock.monotonicMs()));
        if (subscriber.stopped) return;
        lastMs = this.#clock.monotonicMs();
        yield { atMs: this.#clock.wallMs(), changes: subscriber.take() };
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#subscribers.delete(subscriber);
      this.#onCount(this.#subscribers.size);
    }
  }
}

class Subscriber {
  #pending = new Map<ChangeKind, Set<string> | null>();
  #wake: (() => void) | undefined;
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  add(changes: readonly Change[]): void {
    for (const { kind, ids } of changes) {
      const known = this.#pending.get(kind);
      if (known === null) continue;
      const merged = ids === null ? null : new Set([...(known ?? []), ...ids]);
      this.#pending.set(kind, merged !== null && merged.size <= MAX_IDS ? merged : null);
    }
    this.#wake?.();
  }

  /** Resolves when there is something to take, or when stopped. */
  wait(): Promise<void> {
    if (this.#pending.size > 0 || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  take(): Change[] {
    const changes = Array.from(this.#pending, ([kind, ids]) => ({ kind, ids: ids === null ? null : Array.from(ids) }));
    this.#pending = new Map();
    this.#wake = undefined;
    return changes;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }
}
