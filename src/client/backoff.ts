/**
 * Exponential backoff with jitter: `initialMs · 2^attempt`, at most `maxMs`, spread by ±`jitter`.
 * Source: ExponentialBackoff (KIP-144, KIP-580).
 */
import type { Random } from '../runtime/random.ts';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Share of the delay that is left to chance, 0 to 1; Kafka's clients use 0.2. */
  readonly jitter?: number;
}

const DEFAULT_JITTER = 0.2;
/** 2^30 ms is past any maximum: no need to raise further. */
const MAX_DOUBLINGS = 30;

/** The delay in ms before attempt number `attempt` (from 0). Without `random` there is no jitter. */
export function backoffMs(options: BackoffOptions, attempt: number, random?: Pick<Random, 'next'>): number {
  const { initialMs, maxMs, jitter = DEFAULT_JITTER } = options;
  const delayMs = Math.min(maxMs, initialMs * 2 ** Math.min(attempt, MAX_DOUBLINGS));
  const spread = random === undefined ? 1 : 1 - jitter + 2 * jitter * random.next();
  return Math.round(delayMs * spread);
}
