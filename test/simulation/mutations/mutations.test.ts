/** Each mistake that Kafka once made is caught when it is made again, and the same run finds nothing without it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Focus, makeSchedule } from '../make-schedule.ts';
import { type RunOptions, runSchedule } from '../run.ts';
import type { Schedule } from '../schedule.ts';
import { MUTATIONS } from './mutations.ts';

interface Hunt {
  readonly focus?: Focus;
  readonly maxSeeds?: number;
  /** Of `schedules/`, where hardly any seed brings together what the mistake needs. */
  readonly schedule?: string;
  /** What it shows as. */
  readonly as: RegExp;
}

/** Where each is looked for, and how many seeds that may take; what it took when this was written is in docs/internals/simulation.md. */
const HUNTS: Readonly<Record<string, Hunt>> = {
  'KIP-101': { focus: 'failover', maxSeeds: 20, as: /learns that the log was cut|LOST|differ from byte/ },
  'KIP-279': { focus: 'unclean', maxSeeds: 30, as: /the logs of .* differ from byte/ },
  'KIP-320': { focus: 'unclean', maxSeeds: 30, as: /and was not told/ },
  'KIP-207': { focus: 'failover', maxSeeds: 80, as: /ends at .* it was told/ },
  'KAFKA-7128': { focus: 'rejoin', maxSeeds: 50, as: /OUT_OF_ORDER_SEQUENCE_NUMBER|LOST|learns that the log was cut/ },
  'KAFKA-1120': { focus: 'bounce', maxSeeds: 20, as: /NOT LIVE/ },
  'sure-leaders': { focus: 'storage', maxSeeds: 20, as: /OUT_OF_ORDER_SEQUENCE_NUMBER/ },
  'forgotten-refusals': { focus: 'rejoin', maxSeeds: 20, as: /OUT_OF_ORDER_SEQUENCE_NUMBER/ },
  'lazy-high-watermark': { schedule: 'gone-before-it-joined.json', as: /the high watermark of .* stays/ },
  'short-memories': { focus: 'any', maxSeeds: 60, as: /OUT_OF_ORDER_SEQUENCE_NUMBER/ },
  'last-values-gone': { focus: 'any', maxSeeds: 10, as: /LOST: .* its key|the last value of key/ },
  'old-leaders': { schedule: 'moved-away-new-controller.json', as: /goes on as the leader/ },
  'early-commits': { focus: 'groups', maxSeeds: 40, as: /COMMIT LOST|is owned by/ },
};

test('every mistake is hunted', () => {
  expect(Object.keys(HUNTS).toSorted()).toEqual(MUTATIONS.map(({ name }) => name).toSorted());
});

for (const { name, what, begin, options, setting } of MUTATIONS) {
  const hunt = HUNTS[name];
  if (hunt === undefined) continue;
  const schedules = schedulesOf(hunt);
  test(`${name} is caught within ${schedules.length} runs: ${what}`, async () => {
    const caught = await firstCaught(begin, { ...setting, ...options }, schedules, hunt.as);
    expect(caught).toBeDefined();
    // Without the mistake the same run is sound.
    if (caught !== undefined) expect((await runSchedule(caught, setting)).violations).toEqual([]);
  });
}

function schedulesOf({ schedule, focus, maxSeeds = 0 }: Hunt): Schedule[] {
  if (schedule !== undefined) return [JSON.parse(readFileSync(new URL(`../schedules/${schedule}`, import.meta.url), 'utf8')) as Schedule];
  return Array.from({ length: maxSeeds }, (_, index) => makeSchedule(index + 1, focus));
}

/** The schedule that shows it. */
async function firstCaught(
  begin: () => () => void,
  options: RunOptions,
  schedules: readonly Schedule[],
  as: RegExp,
): Promise<Schedule | undefined> {
  const end = begin();
  try {
    for (const schedule of schedules) {
      const { violations } = await runSchedule(schedule, options);
      if (violations.some((text) => as.test(text))) return schedule;
    }
    return undefined;
  } finally {
    end();
  }
}
