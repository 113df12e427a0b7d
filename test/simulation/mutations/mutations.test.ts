/** Each mistake that Kafka once made is caught when it is made again, and the same run finds nothing without it. */
import { expect, test } from 'vitest';
import { type Focus, makeSchedule } from '../make-schedule.ts';
import { type RunOptions, runSchedule } from '../run.ts';
import { MUTATIONS } from './mutations.ts';

interface Hunt {
  readonly focus: Focus;
  readonly maxSeeds: number;
  /** What it shows as. */
  readonly as: RegExp;
}

/** Where each is looked for, and how many seeds that may take; what it took when this was written is in docs/internals/simulation.md. */
const HUNTS: Readonly<Record<string, Hunt>> = {
  'KIP-101': { focus: 'failover', maxSeeds: 20, as: /learns that the log was cut|LOST|differ from byte/ },
  'KIP-279': { focus: 'unclean', maxSeeds: 30, as: /the logs of .* differ from byte/ },
  'KIP-320': { focus: 'unclean', maxSeeds: 30, as: /and was not told/ },
  'KIP-207': { focus: 'failover', maxSeeds: 20, as: /ends at .* it was told/ },
  'KAFKA-7128': { focus: 'rejoin', maxSeeds: 50, as: /OUT_OF_ORDER_SEQUENCE_NUMBER|LOST|learns that the log was cut/ },
  'KAFKA-1120': { focus: 'bounce', maxSeeds: 20, as: /NOT LIVE/ },
  'sure-leaders': { focus: 'storage', maxSeeds: 20, as: /OUT_OF_ORDER_SEQUENCE_NUMBER/ },
  'early-commits': { focus: 'groups', maxSeeds: 40, as: /COMMIT LOST|is owned by/ },
};

test('every mistake is hunted', () => {
  expect(Object.keys(HUNTS).toSorted()).toEqual(MUTATIONS.map(({ name }) => name).toSorted());
});

for (const { name, what, begin, options, setting } of MUTATIONS) {
  const hunt = HUNTS[name];
  if (hunt === undefined) continue;
  const { focus, maxSeeds } = hunt;
  test(`${name} is caught within ${maxSeeds} seeds: ${what}`, async () => {
    const caught = await firstCaught(begin, { ...setting, ...options }, hunt);
    expect(caught).toBeDefined();
    // Without the mistake the same run is sound.
    if (caught !== undefined) expect((await runSchedule(makeSchedule(caught.seed, focus), setting)).violations).toEqual([]);
  });
}

async function firstCaught(
  begin: () => () => void,
  options: RunOptions,
  { focus, maxSeeds, as }: Hunt,
): Promise<{ seed: number; violation: string } | undefined> {
  const end = begin();
  try {
    for (let seed = 1; seed <= maxSeeds; seed++) {
      const violation = (await runSchedule(makeSchedule(seed, focus), options)).violations.find((text) => as.test(text));
      if (violation !== undefined) return { seed, violation };
    }
    return undefined;
  } finally {
    end();
  }
}
