/**
 * The simulated cluster as a stage of the tests: that it is deterministic, that what it once found stays mended (`schedules/`), and new
 * seeds each time (`SIMULATION_SEEDS`, 50, from `SIMULATION_FROM`, the time). A failure is told with its shrunk schedule, to be kept.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { makeSchedule } from './make-schedule.ts';
import { runSchedule } from './run.ts';
import type { Schedule } from './schedule.ts';
import { shrink } from './shrink.ts';

const SCHEDULES = new URL('schedules/', import.meta.url);
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 50);
const FROM = Number(process.env['SIMULATION_FROM'] ?? Date.now() % 0x4000_0000);

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

test('without faults also what was sent with acks=1 and acks=0, five batches at a time, is there once, in order, and all of it', async () => {
  const [spec] = CALM.producers;
  const producers = ([1, 0] as const).map((acks) => ({ ...spec!, acks, isIdempotent: false, pipeline: 5, gapMs: 2, distanceMs: 20 }));
  const result = await runSchedule({ ...CALM, producers });
  expect(result.violations).toEqual([]);
  expect(result.read).toBeGreaterThan(result.acknowledged + 100);
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

for (const name of readdirSync(SCHEDULES).toSorted()) {
  const schedule = JSON.parse(readFileSync(new URL(name, SCHEDULES), 'utf8')) as Schedule;
  test(`${name}: ${schedule.note}`, async () => {
    expect((await runSchedule(schedule)).violations).toEqual([]);
  });
}

test(`${SEEDS} seeds from ${FROM} on hold`, async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const schedule = makeSchedule(seed);
    const { violations } = await runSchedule(schedule);
    if (violations.length === 0) continue;
    const short = await shrink(schedule, {});
    const told = explain(short, await runSchedule(short, { isLogging: true }));
    expect.fail(`${told}\nfor schedules/:\n${JSON.stringify(short)}`);
  }
});
