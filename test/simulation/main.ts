/**
 * Runs simulations: `node test/simulation/main.ts --seeds 1000 --from 1`, `--schedule FILE.json`, `--seeds 1 --from 7 --log`.
 * Prints a line for each seed that fails, with what was violated, and ends with 1 then.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeSchedule } from './make-schedule.ts';
import { runSchedule } from './run.ts';
import { describeStep, type Schedule } from './schedule.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    schedule: { type: 'string' },
    log: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function runOne(schedule: Schedule): Promise<boolean> {
  const startedMs = performance.now();
  const result = await runSchedule(schedule, { isLogging: values.log });
  const tookMs = Math.round(performance.now() - startedMs);
  const hasFailed = result.violations.length > 0;
  if (values.log) for (const { atMs, source, text } of result.log) say(`${(atMs / 1000).toFixed(4)} ${source} ${text}`);
  if (hasFailed || values.verbose || values.log) {
    say(
      `seed ${schedule.seed}: ${hasFailed ? 'FAILED' : 'ok'}, ${tookMs} ms, ${result.events} events, ${(result.virtualMs / 1000).toFixed(1)} s, ` +
        `${result.acknowledged} acknowledged, ${result.read} read, trace ${result.traceHash}`,
    );
  }
  if (hasFailed) {
    for (const violation of result.violations.slice(0, 6)) say(`    ${violation}`);
    for (const step of schedule.steps) say(`      ${describeStep(step)}`);
  }
  return !hasFailed;
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const schedules: Schedule[] = [];
  if (values.schedule !== undefined) schedules.push(JSON.parse(readFileSync(values.schedule, 'utf8')) as Schedule);
  else for (let index = 0; index < Number(values.seeds); index++) schedules.push(makeSchedule(Number(values.from) + index));
  let failed = 0;
  for (const schedule of schedules) if (!(await runOne(schedule))) failed++;
  const seconds = (performance.now() - startedMs) / 1000;
  say(`${schedules.length} runs, ${failed} failed, ${seconds.toFixed(1)} s, ${(seconds / schedules.length).toFixed(2)} s each`);
  if (failed > 0) process.exitCode = 1;
}

await main();
