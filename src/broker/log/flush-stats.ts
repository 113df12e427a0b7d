/**
 * What a log's flushes, and those of all logs of a broker, have cost: counts that only grow, and the times of the latest ones. A log that
 * was never flushed has none, so that idle partitions pay nothing. Kafka counts the times of all logs only (LogFlushRateAndTimeMs).
 */
import { FLUSH_REASONS } from '../../introspection/answers/log-flush.ts';
import type { FlushReason, FlushSummary } from '../../introspection/answers/log-flush.ts';

export interface Flush {
  readonly reason: FlushReason;
  /** Wall clock of its end. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Calls of fsync: log file, index files, snapshots, folder. */
  readonly fsyncs: number;
  readonly messages: number;
  readonly bytes: number;
}

/** What is older says nothing of how the device is now. */
const WINDOW_MS = 60_000;

export class FlushStats {
  readonly #tookMs: Float64Array;
  readonly #atMs: Float64Array;
  readonly #byReason = new Map<FlushReason, number>();
  #count = 0;
  #fsyncs = 0;
  #messages = 0;
  #bytes = 0;
  #totalMs = 0;
  #last: Flush | undefined;

  /** @param kept how many of the latest times are kept for the quantiles. */
  constructor(kept: number) {
    this.#tookMs = new Float64Array(kept);
    this.#atMs = new Float64Array(kept);
  }

  record(flush: Flush): void {
    const slot = this.#count % this.#tookMs.length;
    this.#tookMs[slot] = flush.tookMs;
    this.#atMs[slot] = flush.atMs;
    this.#count++;
    this.#fsyncs += flush.fsyncs;
    this.#messages += flush.messages;
    this.#bytes += flush.bytes;
    this.#totalMs += flush.tookMs;
    this.#byReason.set(flush.reason, (this.#byReason.get(flush.reason) ?? 0) + 1);
    this.#last = flush;
  }

  summary(nowMs: number): FlushSummary {
    const latest = this.#latest(nowMs);
    const last = this.#last;
    return {
      flushes: this.#count,
      fsyncs: this.#fsyncs,
      messages: this.#messages,
      bytes: this.#bytes,
      totalMs: this.#totalMs,
      byReason: Object.fromEntries(FLUSH_REASONS.map((reason) => [reason, this.#byReason.get(reason) ?? 0])) as Record<FlushReason, number>,
      latency:
        latest.length === 0
          ? null
          : { samples: latest.length, p50Ms: quantile(latest, 0.5), p99Ms: quantile(latest, 0.99), maxMs: quantile(latest, 1) },
      last: last === undefined ? null : { ...last },
    };
  }

  /** The times within the window, ascending. */
  #latest(nowMs: number): Float64Array {
    const kept = Math.min(this.#count, this.#tookMs.length);
    const since = nowMs - WINDOW_MS;
    return this.#tookMs
      .subarray(0, kept)
      .filter((_, index) => (this.#atMs[index] ?? 0) >= since)
      .toSorted();
  }
}

/** Of ascending values, by the nearest rank. */
function quantile(ascending: Float64Array, q: number): number {
  return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)] ?? 0;
}
