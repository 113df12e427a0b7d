/**
 * A value that is fetched when someone needs it younger than what is known, by one fetch however many ask at once.
 * It is what keeps ten open pages, the watcher and a burst of calls at one request each.
 */
import type { Clock } from '../../runtime/clock.ts';

export interface Aged<T> {
  readonly value: T;
  /** Monotonic, when the fetch that gave it began: nothing that happened before is missing from it. */
  readonly fetchedAtMs: number;
  /** Wall clock, for people. */
  readonly asOfMs: number;
  /** What the fetch cost. */
  readonly tookMs: number;
}

/** A value that took long to fetch is kept for so many times as long. */
const DUTY = 10;
/** But never longer than this: one broker that doesn't answer makes a fetch slow, not dear. */
const MAX_AGE_MS = 5_000;

export class SharedValue<T> {
  readonly #clock: Clock;
  readonly #fetch: () => Promise<T>;
  #last: Aged<T> | undefined;
  #isStale = false;
  #running: { readonly startedAtMs: number; readonly promise: Promise<Aged<T>> } | undefined;

  constructor(clock: Clock, fetch: () => Promise<T>) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** What was known last, also when it is not to be given any more: better than nothing for who can't wait. */
  get last(): Aged<T> | undefined {
    return this.#last;
  }

  /** The value as of at most `maxAgeMs` ago; 0 starts a fetch of its own. Rejects with what the fetch rejects with. */
  async get(maxAgeMs: number): Promise<Aged<T>> {
    const oldestMs = this.#clock.monotonicMs() - maxAgeMs;
    if (maxAgeMs > 0 && !this.#isStale && this.#last && this.#last.fetchedAtMs >= oldestMs) return this.#last;
    if (this.#running && this.#running.startedAtMs >= oldestMs) return this.#running.promise;
    return this.#start();
  }

  /** As `get` with `minAgeMs`, or with an older value where fetching is dear: asking again and again takes at most a tenth of the time. */
  getCheaply(minAgeMs: number): Promise<Aged<T>> {
    return this.get(Math.min(MAX_AGE_MS, Math.max(minAgeMs, DUTY * (this.#last?.tookMs ?? 0))));
  }

  /** What is known is not to be given any more (something was just changed). */
  invalidate(): void {
    this.#isStale = true;
    this.#running = undefined;
  }

  #start(): Promise<Aged<T>> {
    const startedAtMs = this.#clock.monotonicMs();
    const asOfMs = this.#clock.wallMs();
    const run = async (): Promise<Aged<T>> => {
      const value = await this.#fetch();
      const aged = { value, fetchedAtMs: startedAtMs, asOfMs, tookMs: this.#clock.monotonicMs() - startedAtMs };
      // A slow fetch must not replace what a later one brought.
      if (this.#running === running && (this.#last === undefined || this.#last.fetchedAtMs <= startedAtMs)) {
        this.#last = aged;
        this.#isStale = false;
      }
      return aged;
    };
    const promise = run().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    const running = { startedAtMs, promise };
    this.#running = running;
    return promise;
  }
}
