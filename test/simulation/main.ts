/**
 * Runs simulations: `node test/simulation/main.ts --seeds 1000 --from 1`, `--schedule FILE.json`, `--seeds 1 --from 7 --log`.
 * Prints a line for each seed that fails, with what was violated, and ends with 1 then. `--shrink DIRECTORY` makes the schedule of
 * each failure short and writes it there. `--mutation KIP-101` puts a known mistake in.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { explain } from './explain.ts';
import { type Focus, makeSchedule } from './make-schedule.ts';
import { MUTATIONS } from './mutations/mutations.ts';
import { runSchedule } from './run.ts';
import { describeStep, type Schedule } from './schedule.ts';
import { shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    schedule: { type: 'string' },
    log: { type: 'boolean', default: false },
    shrink: { type: 'string' },
    mutation: { type: 'string' },
    focus: { type: 'string' },
    'stop-at-first': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

// `--log | head` has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const PROGRESS_EVERY = 100;
const mutation = MUTATIONS.find(({ name }) => name === values.mutation);
if (values.mutation !== undefined && mutation === undefined)
  throw new Error(`there is no mutation ${values.mutation}; there are: ${MUTATIONS.map(({ name }) => name).join(', ')}`);
mutation?.begin();
const runOptions = { ...mutation?.setting, ...mutation?.options };

async function runOne(schedule: Schedule): Promise<boolean> {
  const startedMs = performance.now();
  const result = await runSchedule(schedule, { ...runOptions, isLogging: values.log });
  const tookMs = Math.round(performance.now() - startedMs);
  const hasFailed = result.violations.length > 0;
  if (values.log) for (const { atMs, source, text } of result.log) say(`${(atMs / 1000).toFixed(4)} ${source} ${text}`);
  if (hasFailed || values.verbose || values.log) {
    say(
      `seed ${schedule.seed}: ${hasFailed ? 'FAILED' : 'ok'}, ${tookMs} ms, ${result.events} events, ${(result.virtualMs / 1000).toFixed(1)} s, ` +
        `${result.acknowledged} acknowledged, ${result.read} read, ${result.commits} commits in ${result.generations} generations, trace ${result.traceHash}`,
    );
  }
  if (hasFailed) {
    for (const violation of result.violations.slice(0, 6)) say(`    ${violation}`);
    for (const step of schedule.steps) say(`      ${describeStep(step)}`);
  }
  if (hasFailed && values.shrink !== undefined) await shrinkInto(schedule, values.shrink);
  return !hasFailed;
}

async function shrinkInto(schedule: Schedule, directory: string): Promise<void> {
  const short = await shrink(schedule, runOptions);
  const result = await runSchedule(short, { ...runOptions, isLogging: true });
  const path = `${directory}/seed-${schedule.seed}.json`;
  writeFileSync(path, `${JSON.stringify({ ...short, note: `seed ${schedule.seed}: ${result.violations[0]}` }, null, 2)}\n`);
  say(`  shrunk to ${path}:`);
  say(explain(short, result));
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const schedules: Schedule[] = [];
  if (values.schedule !== undefined) schedules.push(JSON.parse(readFileSync(values.schedule, 'utf8')) as Schedule);
  else
    for (let index = 0; index < Number(values.seeds); index++)
      schedules.push(makeSchedule(Number(values.from) + index, values.focus as Focus | undefined));
  let failed = 0;
  let runs = 0;
  for (const schedule of schedules) {
    runs++;
    if (!(await runOne(schedule))) failed++;
    if (failed > 0 && values['stop-at-first']) break;
    if (runs % PROGRESS_EVERY === 0) say(`${runs} of ${schedules.length} runs, ${failed} failed`);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6 / runs;
  say(
    `${runs} runs, ${failed} failed, ${seconds.toFixed(1)} s; a run takes ${(seconds / runs).toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU`,
  );
  if (failed > 0) process.exitCode = 1;
}

await main();
