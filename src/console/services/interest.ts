/**
 * What pages have looked at lately, by name, bounded: the watcher looks closely (offsets, members, commits) only at these when a
 * cluster is too large to look at everything.
 */
import type { Clock } from '../../runtime/clock.ts';

const MAX_NAMES = 2_000;
const MAX_AGE_MS = 60_000;

export class Interest {
  readonly #clock: Clock;
  readonly #seenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(names: Iterable<string>): void {
    const nowMs = this.#clock.monotonicMs();
    for (const name of names) {
      // Deleted first, so that the map stays ordered by age.
      this.#seenAtMs.delete(name);
      this.#seenAtMs.set(name, nowMs);
    }
    for (const name of this.#seenAtMs.keys()) {
      if (this.#seenAtMs.size <= MAX_NAMES) break;
      this.#seenAtMs.delete(name);
    }
  }

  names(): string[] {
    const oldestMs = this.#clock.monotonicMs() - MAX_AGE_MS;
    for (const [name, seenAtMs] of this.#seenAtMs) {
      if (seenAtMs >= oldestMs) break;
      this.#seenAtMs.delete(name);
    }
    return Array.from(this.#seenAtMs.keys());
  }
}
