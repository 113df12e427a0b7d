/** A failure in words: what was violated, what was done, and what the cluster said of it. */
import { describeStep, type Schedule } from './schedule.ts';
import type { RunResult } from './run.ts';

const LOG_LINES = 60;
/** What is worth reading of a run's log: who leads, who is in sync, who came and went. */
const WORTH = /faults |VIOLATION|BROKEN|ISR of|Leader of|became controller|resigned|diverges|is cut to|starts|has ended|not newer|expired/;

export function explain(schedule: Schedule, result: RunResult): string {
  const lines = [
    `seed ${schedule.seed} with ${schedule.brokers} brokers: ${result.violations.length} violations`,
    ...result.violations.slice(0, 8).map((violation) => `  ${violation}`),
    'steps:',
    ...schedule.steps.map((step) => `  ${describeStep(step)}`),
  ];
  const said = result.log.filter(({ source, text }) => WORTH.test(`${source} ${text}`)).slice(-LOG_LINES);
  if (said.length > 0) lines.push('what happened:');
  for (const { atMs, source, text } of said) lines.push(`  ${(atMs / 1000).toFixed(4)} ${source}: ${text}`);
  return lines.join('\n');
}
