/**
 * When a process that died is started again: at once-ish the first time, then later and later; not at all after too many
 * deaths in a short time, until the user says so. A process that ran well for a while starts with a clean record.
 */
export interface RestartPolicyOptions {
  readonly initialDelayMs?: number;
  readonly maxDelayMs?: number;
  /** So many deaths within `windowMs` open the breaker. */
  readonly maxDeaths?: number;
  readonly windowMs?: number;
  /** Running so long after ready clears the record. */
  readonly healthyAfterMs?: number;
}

export type RestartDecision =
  | { readonly restart: true; readonly delayMs: number }
  | { readonly restart: false; readonly deaths: number; readonly windowMs: number };

export class RestartPolicy {
  readonly #options: Required<RestartPolicyOptions>;
  #deathsMs: number[] = [];

  constructor(options: RestartPolicyOptions = {}) {
    this.#options = { initialDelayMs: 250, maxDelayMs: 10_000, maxDeaths: 6, windowMs: 60_000, healthyAfterMs: 30_000, ...options };
  }

  /** A process died at `nowMs` (monotonic) that had been ready since `readySinceMs` (undefined: never was). */
  onDeath(nowMs: number, readySinceMs: number | undefined): RestartDecision {
    const { initialDelayMs, maxDelayMs, maxDeaths, windowMs, healthyAfterMs } = this.#options;
    if (readySinceMs !== undefined && nowMs - readySinceMs >= healthyAfterMs) this.#deathsMs = [];
    this.#deathsMs = this.#deathsMs.filter((deathMs) => nowMs - deathMs < windowMs);
    this.#deathsMs.push(nowMs);
    const deaths = this.#deathsMs.length;
    if (deaths >= maxDeaths) return { restart: false, deaths, windowMs };
    return { restart: true, delayMs: Math.min(maxDelayMs, initialDelayMs * 2 ** (deaths - 1)) };
  }

  /** The user has a hand in it: earlier deaths don't count. */
  reset(): void {
    this.#deathsMs = [];
  }
}
