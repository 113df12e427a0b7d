/**
 * How long a partition is without a leader: from SIGKILL of the leader's process to the next record acknowledged with acks=all, seen by
 * a producer that tries as fast as it can. Three brokers, 20 topics of 3 partitions beside the one that is written to; the killed broker
 * is started again, and the next round waits until it is in sync. Where the leader was the controller too, that is
 * told apart: then a new controller comes first.
 * Run: `node bench/failover/main.ts [--rounds 12]`.
 */
import { ensureBuilt } from '../support/build.ts';
import { withCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { sleep } from '../support/deadline.ts';
import { acknowledgedRecord } from '../support/first-record.ts';
import { createTopics, leadersOf, metadataFrom } from '../support/kafka-calls.ts';
import { atMost, heading, milliseconds, print, printTable } from '../support/print.ts';
import { summarize } from '../support/statistics.ts';

const MEDIAN_BUDGET_MS = 1000;
const MAX_BUDGET_MS = 2000;
const TOPIC = 'written';
const OTHER_TOPICS = 20;
const BROKERS = 3;
/** Let the cluster come to rest between two kills. */
const REST_MS = 1000;

const flags = readFlags(['rounds']);
const rounds = flags.number('rounds', 12);
ensureBuilt();
heading('failover');

const all: number[] = [];
const withController: number[] = [];
await withCluster({ brokers: BROKERS }, async (cluster, { ports }) => {
  const [bootstrap = 0] = ports;
  const others = Array.from({ length: OTHER_TOPICS }, (_, index) => ({ name: `other-${index}`, partitions: 3, replicas: BROKERS }));
  await createTopics(bootstrap, BROKERS, [{ name: TOPIC, partitions: 1, replicas: BROKERS }, ...others]);
  for (let round = 0; round < rounds; round++) {
    const [leader] = await leadersOf(bootstrap, TOPIC, 1, BROKERS);
    if (leader === undefined) throw new Error('no leader');
    const { controllerId } = await metadataFrom(leader.port);
    await acknowledgedRecord(ports, TOPIC);
    const broker = cluster.broker(leader.brokerId);
    const killedMs = performance.now();
    const killed = broker.kill();
    await acknowledgedRecord(ports, TOPIC);
    const tookMs = performance.now() - killedMs;
    await killed;
    all.push(tookMs);
    if (controllerId === leader.brokerId) withController.push(tookMs);
    print(
      `round ${round + 1}: broker ${leader.brokerId}${controllerId === leader.brokerId ? ', the controller too' : ''}: ${milliseconds(tookMs)}`,
    );
    await broker.start();
    // Back in the ISR of every partition.
    for (const { name, partitions } of [{ name: TOPIC, partitions: 1 }, ...others]) await leadersOf(bootstrap, name, partitions, BROKERS);
    await sleep(REST_MS);
  }
});

const { median, max, min } = summarize(all);
const controllerRow =
  withController.length === 0
    ? []
    : [
        [
          `of these, the controller killed with it (${withController.length})`,
          milliseconds(summarize(withController).median),
          '',
          milliseconds(summarize(withController).max),
          '',
        ],
      ];
printTable(
  ['leader killed to next acknowledged record', 'median', 'min', 'max', ''],
  [
    [`${all.length} rounds`, milliseconds(median), milliseconds(min), milliseconds(max), ''],
    ...controllerRow,
    [
      'budget',
      milliseconds(MEDIAN_BUDGET_MS),
      '',
      milliseconds(MAX_BUDGET_MS),
      `${atMost(median, MEDIAN_BUDGET_MS)}, ${atMost(max, MAX_BUDGET_MS)}`,
    ],
  ],
);
process.exit();
