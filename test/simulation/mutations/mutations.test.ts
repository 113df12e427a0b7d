/** Each mistake that Kafka once made is caught when it is made again, and the same run finds nothing without it. */
import { expect, test } from 'vitest';
import { type Focus, makeSchedule } from '../make-schedule.ts';
import { runSchedule } from '../run.ts';
import { MUTATIONS } from './mutations.ts';

/** Where each is looked for, and how many seeds that may take; what it took when it was written: 1, 2, 1, 10 and 3. */
const HUNTS: Readonly<Record<string, { readonly focus: Focus; readonly maxSeeds: number }>> = {
  'KIP-101': { focus: 'failover', maxSeeds: 20 },
  'KIP-279': { focus: 'unclean', maxSeeds: 30 },
  'KIP-320': { focus: 'unclean', maxSeeds: 30 },
  'KAFKA-7128': { focus: 'rejoin', maxSeeds: 50 },
  'KAFKA-1120': { focus: 'bounce', maxSeeds: 20 },
};

for (const { name, what, begin, options } of MUTATIONS) {
  const hunt = HUNTS[name];
  if (hunt === undefined) continue;
  const { focus, maxSeeds } = hunt;
  test(`${name} is caught within ${maxSeeds} seeds: ${what}`, async () => {
    const caught = await firstCaught(begin, options, focus, maxSeeds);
    expect(caught).toBeDefined();
    // Without the mistake the same run is sound.
    if (caught !== undefined) expect((await runSchedule(makeSchedule(caught.seed, focus))).violations).toEqual([]);
  });
}

async function firstCaught(
  begin: () => () => void,
  options: { readonly consumersFence?: boolean },
  focus: Focus,
  maxSeeds: number,
): Promise<{ seed: number; violation: string } | undefined> {
  const end = begin();
  try {
    for (let seed = 1; seed <= maxSeeds; seed++) {
      const [violation] = (await runSchedule(makeSchedule(seed, focus), options)).violations;
      if (violation !== undefined) return { seed, violation };
    }
    return undefined;
  } finally {
    end();
  }
}
