/** The simulated cluster as a stage of the tests: that it is deterministic, and that it holds. */
import { expect, test } from 'vitest';
import { makeSchedule } from './make-schedule.ts';
import { runSchedule } from './run.ts';
import type { Schedule } from './schedule.ts';

const CALM: Schedule = {
  seed: 1,
  brokers: 3,
  faultsEndMs: 6000,
  topics: [{ name: 'orders', partitions: 2, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }],
  producers: [{ topic: 'orders', acks: -1, isIdempotent: true, codec: 'none', intervalMs: 100, pipeline: 2, maxRecords: 4 }],
  consumers: 1,
  steps: [],
};

test('a cluster without faults acknowledges and delivers everything', async () => {
  const result = await runSchedule(CALM);
  expect(result.violations).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(100);
  expect(result.read).toBe(result.acknowledged);
});

test('the same seed gives the same run, byte for byte, and another seed another', async () => {
  const [first, second, other] = [
    await runSchedule(makeSchedule(7)),
    await runSchedule(makeSchedule(7)),
    await runSchedule(makeSchedule(8)),
  ];
  expect(second.traceHash).toBe(first.traceHash);
  expect([second.events, second.acknowledged, second.read]).toEqual([first.events, first.acknowledged, first.read]);
  expect(other.traceHash).not.toBe(first.traceHash);
});
