/**
 * What being watched costs a broker: processor time per question of the flush lab and the retention view, on a topic of 10 partitions, beside
 * the same time without questions. A page asks once a second: the share of a core that is the budget's (2 %).
 * Run: `node bench/introspection/watching.ts [--questions 2000]`.
 */
import { ensureBuilt } from '../support/build.ts';
import { withCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { createTopics } from '../support/kafka-calls.ts';
import { atMost, heading, milliseconds, print, printTable } from '../support/print.ts';
import { sleep } from '../support/deadline.ts';

const BUDGET_SHARE = 0.02;
const TOPIC = 'watched';
const PARTITIONS = 10;

const flags = readFlags(['questions']);
const questions = flags.number('questions', 2_000);
ensureBuilt();
heading('watching');

await withCluster({ brokers: 1 }, async (cluster, { ports, pids }) => {
  const [port = 0] = ports;
  const [pid = 0] = pids;
  await createTopics(port, 1, [{ name: TOPIC, partitions: PARTITIONS, replicas: 1 }]);
  await sleep(1_000);
  const rows: string[][] = [];
  let worst = 0;
  for (const [name, input] of [
    ['log.flush', { topic: TOPIC }],
    ['log.retention', { topic: TOPIC, partition: 0 }],
  ] as const) {
    const startMs = performance.now();
    const before = cpuMs(pid);
    for (let asked = 0; asked < questions; asked++) await cluster.query('broker-1', name, input);
    const asking = cpuMs(pid) - before;
    const tookMs = performance.now() - startMs;
    const idleBefore = cpuMs(pid);
    await sleep(tookMs);
    const perQuestionMs = Math.max(0, asking - (cpuMs(pid) - idleBefore)) / questions;
    worst = Math.max(worst, perQuestionMs / 1_000);
    rows.push([name, milliseconds(perQuestionMs), milliseconds(tookMs / questions), `${((perQuestionMs / 1_000) * 100).toFixed(3)} %`]);
  }
  printTable(['question', 'processor time', 'round trip', 'of a core, asked each second'], rows);
  print(`Budget: at most ${BUDGET_SHARE * 100} % of a core: ${atMost(worst, BUDGET_SHARE)}`);
});
