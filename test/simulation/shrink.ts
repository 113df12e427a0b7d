/**
 * Makes a failing schedule shorter while it still fails: leaves out steps, producers, consumers and topics, ends the faults earlier,
 * turns long faults into short ones. What is left is what matters, or close to it: each try is a whole run.
 */
import { runSchedule, type RunOptions } from './run.ts';
import type { Schedule, Step } from './schedule.ts';

const MAX_RUNS = 250;
const AFTER_LAST_STEP_MS = 4000;

/** @param kind what the first violation must be, so that one failure isn't shrunk into another. */
export async function shrink(
  schedule: Schedule,
  options: RunOptions,
  onProgress: (schedule: Schedule) => void = () => {},
): Promise<Schedule> {
  const kind = kindOf((await runSchedule(schedule, options)).violations[0]);
  let runs = 0;
  let best = schedule;
  const fails = async (candidate: Schedule): Promise<boolean> => {
    if (runs++ >= MAX_RUNS) return false;
    const { violations } = await runSchedule(candidate, options);
    if (violations.length === 0 || kindOf(violations[0]) !== kind) return false;
    best = candidate;
    onProgress(candidate);
    return true;
  };
  // Each success makes another list of candidates.
  const shrinkBy = async (candidates: (schedule: Schedule) => Iterable<Schedule>): Promise<void> => {
    for (const candidate of candidates(best)) {
      if (!(await fails(candidate))) continue;
      await shrinkBy(candidates);
      return;
    }
  };
  let before: Schedule;
  do {
    before = best;
    for (const candidates of [withoutSteps, withoutLoad, endingEarlier, withShorterFaults]) await shrinkBy(candidates);
  } while (best !== before);
  return best;
}

/** The words of a violation without its names and numbers. */
function kindOf(violation: string | undefined): string {
  return (violation ?? '')
    .replace(/^[\d.]+ s +/, '')
    .replaceAll(/[\d.]+/g, '#')
    .slice(0, 24);
}

function* withoutSteps(schedule: Schedule): Generator<Schedule> {
  const { steps } = schedule;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length; from += size)
      yield { ...schedule, steps: steps.filter((_, index) => index < from || index >= from + size) };
  }
}

function* withoutLoad(schedule: Schedule): Generator<Schedule> {
  const { producers, topics, consumers, brokers, steps, groups = [] } = schedule;
  for (const { name } of topics) {
    if (topics.length === 1) break;
    yield {
      ...schedule,
      topics: topics.filter((topic) => topic.name !== name),
      producers: producers.filter(({ topic }) => topic !== name),
      groups: groups.map((group) => ({ ...group, topics: group.topics.filter((topic) => topic !== name) })),
      steps: steps.filter((step) => !('topic' in step) || step.topic !== name),
    };
  }
  if (producers.length > 1)
    for (const producer of producers) yield { ...schedule, producers: producers.filter((other) => other !== producer) };
  for (const group of groups) {
    yield { ...schedule, groups: groups.filter((other) => other !== group) };
    if (group.members > 1) yield { ...schedule, groups: groups.with(groups.indexOf(group), { ...group, members: group.members - 1 }) };
  }
  if (consumers > 0) yield { ...schedule, consumers: consumers - 1 };
  if (brokers > 3 && !steps.some((step) => JSON.stringify(step).includes(`broker${brokers}`))) yield { ...schedule, brokers: brokers - 1 };
  for (const [index, topic] of topics.entries()) {
    if (topic.partitions > 1) yield { ...schedule, topics: topics.with(index, { ...topic, partitions: 1 }) };
  }
}

function* endingEarlier(schedule: Schedule): Generator<Schedule> {
  const lastMs = Math.max(3000, ...schedule.steps.map((step) => step.atMs + ('forMs' in step ? step.forMs : 0)));
  const faultsEndMs = lastMs + AFTER_LAST_STEP_MS;
  if (faultsEndMs < schedule.faultsEndMs) yield { ...schedule, faultsEndMs };
}

function* withShorterFaults(schedule: Schedule): Generator<Schedule> {
  for (const [index, step] of schedule.steps.entries()) {
    if (!('forMs' in step) || step.forMs < 1000) continue;
    const shorter: Step = { ...step, forMs: Math.ceil(step.forMs / 2) };
    yield { ...schedule, steps: schedule.steps.with(index, shorter) };
  }
}
