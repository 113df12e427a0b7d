import { expect, test } from 'vitest';
import type { FlushLabState, FlushSummary } from '../../../console/contract/flush-lab.ts';
import { HISTORY_SECONDS, withSample } from './flush-history.ts';

const summary = (fsyncs: number, p99Ms: number | null): FlushSummary => ({
  flushes: fsyncs,
  fsyncs,
  messages: 0,
  bytes: 0,
  totalMs: 0,
  byReason: { roll: 0, 'flush.messages': fsyncs, 'flush.ms': 0, close: 0, request: 0 },
  latency: p99Ms === null ? null : { samples: 1, p50Ms: p99Ms, p99Ms, maxMs: p99Ms },
  last: null,
});

function look(atMs: number, fsyncs: readonly number[] | null, startedAtMs = 0): FlushLabState {
  const total = { replicas: 2, fsyncs: (fsyncs ?? []).reduce((sum, count) => sum + count, 0), p99Ms: 5, unflushedBytes: 20 };
  const flush = fsyncs === null ? null : { brokerId: 1, nowMs: atMs, startedAtMs, replicas: [], total, broker: summary(0, null) };
  return { atMs, brokers: [{ brokerId: 1, state: 'running', flush, failure: null }], load: null };
}

test('makes rates of counts over all replicas of a broker, by the broker’s own clock', () => {
  const samples = [look(1_000, [5, 5]), look(3_000, [9, 11])].reduce(withSample, []);
  expect(samples.map(({ brokers }) => brokers.get(1)?.fsyncsPerSecond)).toEqual([null, 5]);
  expect(samples.at(-1)?.brokers.get(1)).toMatchObject({ p99Ms: 5, atRiskBytes: 20 });
});

test('has no rate across a restart, and no sample of a broker that does not answer', () => {
  const samples = [look(1_000, [100]), look(2_000, null), look(3_000, [3], 2_500), look(4_000, [5], 2_500)].reduce(withSample, []);
  expect(samples.map(({ brokers }) => brokers.get(1)?.fsyncsPerSecond)).toEqual([null, undefined, null, 2]);
});

test('keeps what is on the chart, and takes each look once', () => {
  let samples = withSample([], look(1_000, [1]));
  samples = withSample(samples, look(1_000, [1]));
  expect(samples).toHaveLength(1);
  samples = withSample(samples, look(1_000 + HISTORY_SECONDS * 1_000, [1]));
  expect(samples.map(({ atMs }) => atMs)).toEqual([1_000 + HISTORY_SECONDS * 1_000]);
});
