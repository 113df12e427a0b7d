/**
 * A follower that was away: how fast it copies what it missed, and what that does meanwhile to producers, acks=all throughout. Three brokers;
 * one is stopped, `--mib` MiB of 1-KiB records are written to one topic, and it is started again. Producers go on at a steady pace, to that
 * topic and to another one in which the follower is in sync again at once, so that its records wait for the follower too. Beside it: the
 * same producers at the same pace with everybody in sync, just before; and Apache Kafka under the same procedure with `--peer apache`.
 * Run: `node bench/replication/catch-up.ts [--peer apache] [--mib 1024] [--pace 100] [--seconds 3] [--rounds 1]`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { whyNoApacheKafka } from '../../interop/support/apache-kafka/jars.ts';
import { withApacheKafka } from '../support/apache-kafka.ts';
import { ensureBuilt } from '../support/build.ts';
import { produceFrame } from '../support/batches.ts';
import { withCluster } from '../support/cluster.ts';
import type { MeasuredCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { until } from '../support/deadline.ts';
import { createTopics, leadersOf } from '../support/kafka-calls.ts';
import { heading, milliseconds, print, printTable } from '../support/print.ts';
import { runProduceLoad } from '../throughput/produce-load.ts';
import type { Lane, ProduceResult } from '../throughput/produce-load.ts';

const BROKERS = 3;
const AWAY = 3;
const BATCH_BYTES = 64 * 1024;
const LIVE_BATCH_BYTES = 4 * 1024;
const RECORD_BYTES = 1024;
const IN_FLIGHT = 5;
const MISSED = { name: 'missed', partitions: 12 };
const LIVE = { name: 'live', partitions: 3 };
// The first look after leaders is five seconds after the controller's election.
const CONFIG = { 'log.segment.delete.delay.ms': '200', 'auto.leader.rebalance.enable': 'false' };
const REST_MS = 1_000;
const LEADERS_MS = 30_000;

const flags = readFlags(['mib', 'pace', 'seconds', 'rounds', 'peer']);
const mib = flags.number('mib', 1024);
/** Requests a second to each of the two topics. */
const pace = flags.number('pace', 100);
const seconds = flags.number('seconds', 3);
ensureBuilt();
heading('catch-up');

interface Outcome {
  readonly before: Latencies;
  readonly during: Latencies;
  /** From the follower being a member of the cluster until it is in every ISR. */
  readonly copyMs: number;
  readonly copiedBytes: number;
}

interface Latencies {
  readonly live: ProduceResult;
  readonly missed: ProduceResult;
}

/** Lanes to a topic's leaders, each partition in turn, once the broker that is or was away leads none. */
async function lanesTo(bootstrap: number, topic: typeof LIVE, inSync: number, batchBytes: number): Promise<Lane[]> {
  const leaders = await until(
    `leaders of ${topic.name} without broker ${AWAY}`,
    async () => {
      const found = await leadersOf(bootstrap, topic.name, topic.partitions, inSync);
      return found.some(({ brokerId }) => brokerId === AWAY) ? undefined : found;
    },
    LEADERS_MS,
    20,
  );
  return leaders.map(({ port }, partition) => ({
    port,
    frames: [produceFrame(topic.name, partition, -1, RECORD_BYTES, batchBytes)],
  }));
}

async function paced(live: readonly Lane[], missed: readonly Lane[]): Promise<Latencies> {
  const load = { warmUpMs: 500, measureMs: seconds * 1000, inFlight: IN_FLIGHT, requestsPerSecond: pace };
  const [toLive, toMissed] = await Promise.all([runProduceLoad({ ...load, lanes: live }), runProduceLoad({ ...load, lanes: missed })]);
  return { live: toLive, missed: toMissed };
}

async function measure(cluster: MeasuredCluster): Promise<Outcome> {
  const [bootstrap = 0] = cluster.ports;
  const config = { 'min.insync.replicas': '2' };
  await createTopics(
    bootstrap,
    BROKERS,
    [MISSED, LIVE].map((topic) => ({ ...topic, replicas: BROKERS, config })),
  );
  const lanes = async (inSync: number): Promise<[Lane[], Lane[]]> => [
    await lanesTo(bootstrap, LIVE, inSync, LIVE_BATCH_BYTES),
    await lanesTo(bootstrap, MISSED, inSync, BATCH_BYTES),
  ];
  // Led by those that stay, as everything is afterwards.
  await cluster.stopBroker(AWAY);
  await lanes(BROKERS - 1);
  await cluster.startBroker(AWAY);
  const [live, missed] = await lanes(BROKERS);
  await delay(REST_MS);
  const before = await paced(live, missed);
  await cluster.stopBroker(AWAY);
  await lanes(BROKERS - 1);
  const written = await runProduceLoad({ lanes: missed, warmUpMs: 0, measureMs: 600_000, inFlight: IN_FLIGHT, maxBytes: mib * 2 ** 20 });
  await cluster.startBroker(AWAY);
  const upMs = performance.now();
  const caughtUp = leadersOf(bootstrap, MISSED.name, MISSED.partitions, BROKERS).then(() => performance.now() - upMs);
  await leadersOf(bootstrap, LIVE.name, LIVE.partitions, BROKERS);
  const during = await paced(live, missed);
  return { before, during, copyMs: await caughtUp, copiedBytes: written.totalBytes };
}

const whyNot = flags.text('peer') === undefined ? 'not asked for (--peer apache)' : whyNoApacheKafka();
for (let round = 0; round < flags.number('rounds', 1); round++) {
  const outcomes: [string, Outcome][] = [];
  outcomes.push(['Samsa', await withCluster({ brokers: BROKERS, config: CONFIG }, (_running, cluster) => measure(cluster))]);
  if (whyNot === undefined) outcomes.push(['Apache Kafka', await withApacheKafka(BROKERS, CONFIG, measure)]);
  printTable(
    [
      '',
      `${pace} requests/s of 4 KiB, follower in sync: p50`,
      'p99',
      'p99.9',
      `${pace} requests/s of 64 KiB, follower behind: p50`,
      'p99',
      'p99.9',
    ],
    outcomes.flatMap(([name, { before, during, copiedBytes }]) => [
      [`${name}: all in sync`, ...latencies(before)],
      [`${name}: while ${Math.round(copiedBytes / 2 ** 20)} MiB are copied`, ...latencies(during)],
    ]),
  );
  printTable(
    ['the follower', 'until in every ISR', 'copied at'],
    outcomes.map(([name, { copyMs, copiedBytes }]) => [
      name,
      milliseconds(copyMs),
      `${Math.round(copiedBytes / 2 ** 20 / (copyMs / 1000))} MiB/s`,
    ]),
  );
}
if (whyNot !== undefined) print(`Apache Kafka is left out: ${whyNot}`);
process.exit();

function latencies({ live, missed }: Latencies): string[] {
  return [live, missed].flatMap(({ latency }) => [latency.median, latency.p99, latency.p999].map(milliseconds));
}
