/** What the flush lab's charts draw: rates from counts that only grow, one sample a look, per broker. Pure. */
import type { FlushLabState } from '../../../console/contract/flush-lab.ts';

export interface BrokerSample {
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly fsyncs: number;
  readonly fsyncsPerSecond: number | null;
  readonly p99Ms: number | null;
  readonly atRiskBytes: number;
}

export interface FlushSample {
  readonly atMs: number;
  /** Brokers that did not answer are missing. */
  readonly brokers: ReadonlyMap<number, BrokerSample>;
}

export const HISTORY_SECONDS = 120;

/** `samples` with the look `state`; older ones go. */
export function withSample(samples: readonly FlushSample[], state: FlushLabState): readonly FlushSample[] {
  const last = samples.at(-1);
  if (last !== undefined && state.atMs <= last.atMs) return samples;
  const brokers = new Map<number, BrokerSample>();
  for (const { brokerId, flush } of state.brokers) {
    if (flush === null) continue;
    const { fsyncs, p99Ms, unflushedBytes } = flush.total;
    brokers.set(brokerId, {
      nowMs: flush.nowMs,
      startedAtMs: flush.startedAtMs,
      fsyncs,
      fsyncsPerSecond: rateSince(last?.brokers.get(brokerId), { nowMs: flush.nowMs, startedAtMs: flush.startedAtMs, fsyncs }),
      p99Ms,
      atRiskBytes: unflushedBytes,
    });
  }
  const kept = samples.filter(({ atMs }) => atMs > state.atMs - HISTORY_SECONDS * 1000);
  return [...kept, { atMs: state.atMs, brokers }];
}

/** Null where there is no look before this one, or the broker was started again since. */
function rateSince(before: BrokerSample | undefined, now: Pick<BrokerSample, 'nowMs' | 'startedAtMs' | 'fsyncs'>): number | null {
  if (before === undefined || before.startedAtMs !== now.startedAtMs || now.nowMs <= before.nowMs) return null;
  return Math.max(0, ((now.fsyncs - before.fsyncs) * 1000) / (now.nowMs - before.nowMs));
}
