/** A few rounds of faults for every run of the tests; `main.ts` is for many. */
import { afterEach, expect, it } from 'vitest';
import { SeededRandom } from '../../src/runtime/testing/seeded-random.ts';
import { Cleanups, startTestCluster } from '../integration/support/clusters.ts';
import { firstFault, FaultRun } from './fault-run.ts';
import { FAULTS } from './faults.ts';

const ROUNDS = 5;

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

it('loses, doubles and reorders nothing that was acknowledged, whatever happens to processes and links', { timeout: 240_000 }, async () => {
  const cluster = await startTestCluster(cleanups);
  const seed = Number(process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000);
  process.stdout.write(`faults: seed ${seed}\n`);
  const run = new FaultRun(cluster, new SeededRandom(seed));
  cleanups.add(() => run.close());
  await run.prepare();
  for (let round = 0; round < ROUNDS; round++) {
    const { fault, gapMs, recoveredMs, acknowledged } = await run.round();
    process.stdout.write(
      `${fault}: next write ${Math.round(gapMs)} ms, in sync after ${Math.round(recoveredMs)} ms, ${acknowledged} records\n`,
    );
    expect(acknowledged).toBeGreaterThan(30);
  }
});

it('has a check that finds what is lost, doubled or out of order', () => {
  expect(FAULTS.length).toBeGreaterThan(10);
  expect(firstFault(['a', 'b'], ['a', 'x', 'b'])).toBeUndefined();
  expect(firstFault(['a', 'b'], ['a'])).toContain('b was acknowledged and is gone');
  expect(firstFault(['a'], ['a', 'a'])).toContain('twice');
  expect(firstFault(['a', 'b'], ['b', 'a'])).toContain('out of order');
});
