/**
 * Faults for real, as many rounds as wanted: `node test/faults/main.ts [--rounds 200] [--seed N] [--fault TEXT]`. Prints each round and, at the
 * end, how long partitions were without a leader as a distribution. Ends with 1 at the first broken promise, and leaves the cluster's folder
 * with its logs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { SeededRandom } from '../../src/runtime/testing/seeded-random.ts';
import { summarize } from '../../bench/support/statistics.ts';
import { testEntries } from '../integration/support/zookeeper-under-test.ts';
import { FaultRun } from './fault-run.ts';
import type { RoundOutcome } from './fault-run.ts';
import { FAULTS } from './faults.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' }, fault: { type: 'string' } } });
const rounds = Number(values.rounds ?? 200);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const faults = FAULTS.filter(({ name }) => values.fault === undefined || name.includes(values.fault));
if (faults.length === 0 || !Number.isSafeInteger(rounds) || !Number.isSafeInteger(seed)) {
  process.stderr.write(`usage: [--rounds N] [--seed N] [--fault TEXT of: ${FAULTS.map(({ name }) => name).join(', ')}]\n`);
  process.exit(2);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const ms = (value: number): string => `${Math.round(value)} ms`;

function printDistribution(title: string, outcomes: readonly RoundOutcome[]): void {
  if (outcomes.length === 0) return;
  const gaps = summarize(outcomes.map(({ gapMs }) => gapMs));
  const pauses = summarize(outcomes.map(({ pauseMs }) => pauseMs));
  const recovered = summarize(outcomes.map(({ recoveredMs }) => recoveredMs));
  const cells = [gaps.median, gaps.p90, gaps.max, pauses.median, pauses.p90, pauses.max, recovered.median, recovered.max].map(ms);
  print(`| ${title} | ${outcomes.length} | ${cells.join(' | ')} |`);
}

function countByCode(outcomes: readonly RoundOutcome[]): string {
  const counts = new Map<string, number>();
  for (const { code } of outcomes.flatMap(({ gaveUp }) => gaveUp)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts.size === 0 ? 'no' : Array.from(counts, ([code, count]) => `${count} (${code})`).join(', ');
}

print(`faults: ${rounds} rounds, seed ${seed}`);
const home = mkdtempSync(join(tmpdir(), 'samsa-faults-'));
const cluster = await startCluster({ brokers: 3, home, basePort: 0, entries: testEntries });
const outcomes: RoundOutcome[] = [];
try {
  const run = new FaultRun(cluster, new SeededRandom(seed), faults);
  await run.prepare();
  for (let round = 0; round < rounds; round++) {
    const outcome = await run.round();
    outcomes.push(outcome);
    const { fault, lastedMs, gapMs, pauseMs, recoveredMs, acknowledged, gaveUp } = outcome;
    print(
      `${round + 1}. ${fault} for ${ms(lastedMs)}: next write ${ms(gapMs)}, longest pause ${ms(pauseMs)}, in sync after ${ms(recoveredMs)}, ${acknowledged} acknowledged`,
    );
    for (const { code, reason, refusals } of gaveUp)
      print([`   librdkafka gave up: ${code}: ${reason}`, ...refusals.map((line) => `      ${line}`)].join('\n'));
  }
  await run.close();
  const total = outcomes.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  print(`\n${total} records acknowledged in ${outcomes.length} rounds: each there once and in order.`);
  print(`librdkafka gave up ${countByCode(outcomes)} producers.\n`);
  print(
    '| fault | rounds | to the next acknowledged write: median | p90 | max | longest pause: median | p90 | max | in sync again: median | max |',
  );
  print('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  for (const { name } of faults)
    printDistribution(
      name,
      outcomes.filter(({ fault }) => fault === name),
    );
  printDistribution(
    'all that take the leader',
    outcomes.filter(({ takesLeader }) => takesLeader),
  );
} catch (error) {
  print(String(error));
  print(`The cluster's folder is ${home}`);
  process.exitCode = 1;
} finally {
  await cluster.stopHard();
  if (process.exitCode !== 1) rmSync(home, { recursive: true, force: true });
}
process.exit();
