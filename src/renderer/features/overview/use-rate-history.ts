/** Records per second over the last minutes, one sample per overview answer, for the chart. Kept per cluster while the window lives. */
import { shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';
import type { Overview } from '../../../console/contract/overview.ts';

export interface RateHistory {
  /** Seconds since the epoch, ascending. */
  readonly times: readonly number[];
  readonly rates: readonly number[];
}

export const HISTORY_SECONDS = 300;
const histories = new Map<string, RateHistory>();
export const NO_HISTORY: RateHistory = { times: [], rates: [] };

/** At most one sample a second, none older than HISTORY_SECONDS. */
export function withSample(history: RateHistory, atSeconds: number, rate: number): RateHistory {
  const isSameSecond = history.times.at(-1) === atSeconds;
  const times = isSameSecond ? history.times : [...history.times, atSeconds];
  const rates = isSameSecond ? [...history.rates.slice(0, -1), rate] : [...history.rates, rate];
  const first = times.findIndex((time) => time > atSeconds - HISTORY_SECONDS);
  return first <= 0 ? { times, rates } : { times: times.slice(first), rates: rates.slice(first) };
}

export function useRateHistory(
  clusterId: () => string,
  overview: () => Overview | undefined,
  nowMs: () => number,
): ShallowRef<RateHistory> {
  const history = shallowRef(histories.get(clusterId()) ?? NO_HISTORY);
  // A second without news is a sample too: the last rate known still holds, or the overview would have said otherwise.
  watch([overview, nowMs], ([current, now]) => {
    const rate = current?.recordsPerSecond;
    if (rate === undefined || rate === null) return;
    history.value = withSample(history.value, Math.floor(now / 1000), rate);
    histories.set(clusterId(), history.value);
  });
  return history;
}
