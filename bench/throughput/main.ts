/**
 * How much goes through, and how fast it is answered, beside what the machine can do at best and, with `--peer apache`, beside Apache
 * Kafka 3.9 under the same load in the same run. The load comes from this process over raw sockets: batches of 64 KiB made before,
 * several requests on their way on each connection.
 *
 * Run: `node bench/throughput/main.ts [--peer apache] [--seconds 4] [--rounds 3] [--only TEXT] [--kcat]`.
 * Data goes to the system's temporary folder (TMPDIR); some GiB of it for the time of a run.
 */
import { produceFrame } from '../support/batches.ts';
import { whyNoApacheKafka } from '../../interop/support/apache-kafka/jars.ts';
import { withApacheKafka } from '../support/apache-kafka.ts';
import { ensureBuilt } from '../support/build.ts';
import { withCluster } from '../support/cluster.ts';
import type { MeasuredCluster } from '../support/cluster.ts';
import { fail, readFlags } from '../support/command-line.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { sleep } from '../support/deadline.ts';
import { createTopics, deleteTopic, leadersOf } from '../support/kafka-calls.ts';
import type { Leaders } from '../support/kafka-calls.ts';
import { atLeast, atMost, count, heading, mebibytesPerSecond, milliseconds, print, printTable, ratio } from '../support/print.ts';
import { median } from '../support/statistics.ts';
import { consumeAll, consumeTail } from './consume-load.ts';
import { hasKcat, runKcat } from './kcat.ts';
import { measureMachine } from './machine-limits.ts';
import { runProduceLoad } from './produce-load.ts';
import type { Lane, ProduceResult } from './produce-load.ts';

/** Partitions of each topic, and so connections where there is one broker. */
const PARTITIONS = 4;
/** A JVM compiles what it runs often; both sides get the same load before anything is measured. */
const CLUSTER_WARM_UP_SECONDS = 10;
/** With three brokers, so that each leads two. */
const REPLICATED_PARTITIONS = 6;
/** Deleted topics are removed soon, and the removal isn't measured: Kafka's default is a minute, in which a run writes more than fits. */
const CONFIG = { 'log.segment.delete.delay.ms': '200' };
const REST_MS = 1500;
/** max.in.flight.requests.per.connection of producers. */
const IN_FLIGHT = 5;
const WARM_UP_MS = 500;
/** A round ends when it has moved this much: a temporary folder may be memory. */
const MAX_BYTES = 1.5 * 2 ** 30;
const STORED_BYTES = 2 ** 30;
const SINGLE_P99_BUDGET_MS = 1;
const SINGLE_TEST = 'one request at a time, 1 KiB, acks=1';
/** For latency under a load that both sides bear: 32 MiB/s of 64-KiB batches over all leaders. */
const PACED_REQUESTS_PER_SECOND = 512;

/** A figure's name: what the brokers cost, all together. */
const CPU = 'brokers’ CPU ms per GiB';

type Measures = Map<string, number[]>;

const flags = readFlags(['peer', 'seconds', 'rounds', 'only', 'warm-up'], ['kcat']);
const measureMs = flags.number('seconds', 4) * 1000;
const rounds = flags.number('rounds', 3);
const only = flags.text('only') ?? '';
const peer = flags.text('peer');
if (peer !== undefined && peer !== 'apache') fail(`--peer is apache, not '${peer}'`);

interface Test {
  readonly name: string;
  readonly brokers: 1 | 3;
  /** Figures by name; the same names every time. */
  run(cluster: MeasuredCluster, topic: string, leaders: Leaders): Promise<Record<string, number>>;
}

/** Runs `work`, and tells how long the brokers together had a processor for each GiB that `work` moved. */
async function withCpuTime<T>({ pids }: MeasuredCluster, work: () => Promise<T>, bytesOf: (outcome: T) => number): Promise<[T, number]> {
  const sum = (): number => pids.reduce((total, pid) => total + cpuMs(pid), 0);
  const before = sum();
  const outcome = await work();
  return [outcome, ((sum() - before) * 2 ** 30) / bytesOf(outcome)];
}

/** A connection for each leader, that takes the leader's partitions in turn. */
function lanes(topic: string, leaders: Leaders, acks: number, valueBytes: number, batchBytes?: number): Lane[] {
  const byPort = new Map<number, Lane & { frames: ReturnType<typeof produceFrame>[] }>();
  for (const [partition, { port }] of leaders.entries()) {
    const frame = produceFrame(topic, partition, acks, valueBytes, batchBytes);
    const lane = byPort.get(port);
    if (lane === undefined) byPort.set(port, { port, frames: [frame] });
    else lane.frames.push(frame);
  }
  return [...byPort.values()];
}

/** A connection for each partition, as one producer for each would have. */
function lanePerPartition(topic: string, leaders: Leaders, acks: number, valueBytes: number): Lane[] {
  return leaders.map(({ port }, partition) => ({ port, frames: [produceFrame(topic, partition, acks, valueBytes)] }));
}

const load = { warmUpMs: WARM_UP_MS, measureMs, inFlight: IN_FLIGHT, maxBytes: MAX_BYTES };

function produceTest(name: string, valueBytes: number): Test {
  return {
    name,
    brokers: 1,
    async run(cluster, topic, leaders) {
      const produce = (): Promise<ProduceResult> => runProduceLoad({ ...load, lanes: lanePerPartition(topic, leaders, 1, valueBytes) });
      const [{ bytesPerSecond, recordsPerSecond }, cpu] = await withCpuTime(cluster, produce, ({ totalBytes }) => totalBytes);
      return { 'MiB/s': bytesPerSecond, 'records/s': recordsPerSecond, [CPU]: cpu };
    },
  };
}

function replicatedTest(name: string, valueBytes: number, requestsPerSecond?: number): Test {
  return {
    name,
    brokers: 3,
    async run(cluster, topic, leaders) {
      const paced = requestsPerSecond === undefined ? {} : { requestsPerSecond };
      const produce = (): Promise<ProduceResult> =>
        runProduceLoad({
          ...load,
          ...paced,
          lanes: lanes(topic, leaders, -1, valueBytes),
        });
      const [{ bytesPerSecond, recordsPerSecond, latency }, cpu] = await withCpuTime(cluster, produce, ({ totalBytes }) => totalBytes);
      // At a given pace the rate says nothing.
      const rate = requestsPerSecond === undefined ? { 'MiB/s': bytesPerSecond, 'records/s': recordsPerSecond } : {};
      return {
        ...rate,
        p50: latency.median,
        p99: latency.p99,
        'p99.9': latency.p999,
        [CPU]: cpu,
      };
    },
  };
}

const tests: readonly Test[] = [
  produceTest('produce 100 B, acks=1, 1 broker', 100),
  produceTest('produce 1 KiB, acks=1, 1 broker', 1024),
  {
    name: SINGLE_TEST,
    brokers: 1,
    async run(_cluster, topic, leaders) {
      const single = lanes(topic, leaders.slice(0, 1), 1, 1024, 1);
      const { requestsPerSecond, latency } = await runProduceLoad({ ...load, inFlight: 1, lanes: single });
      return { 'requests/s': requestsPerSecond, p50: latency.median, p99: latency.p99, 'p99.9': latency.p999 };
    },
  },
  {
    name: 'consume from the tail while 1 KiB is produced, 1 broker',
    brokers: 1,
    async run(_cluster, topic, leaders) {
      const [consumed, produced] = await Promise.all([
        consumeTail(topic, leaders, WARM_UP_MS, measureMs),
        runProduceLoad({ ...load, inFlight: 2, lanes: lanePerPartition(topic, leaders, 1, 1024) }),
      ]);
      return { 'MiB/s': consumed.bytesPerSecond, 'records/s': consumed.recordsPerSecond, 'produced MiB/s': produced.bytesPerSecond };
    },
  },
  {
    name: 'consume from disk (page cache), 1 KiB, 1 broker',
    brokers: 1,
    async run(cluster, topic, leaders) {
      await runProduceLoad({
        ...load,
        warmUpMs: 0,
        measureMs: 60_000,
        maxBytes: STORED_BYTES,
        lanes: lanePerPartition(topic, leaders, 1, 1024),
      });
      await consumeAll(topic, leaders);
      const [{ bytesPerSecond, recordsPerSecond }, cpu] = await withCpuTime(
        cluster,
        () => consumeAll(topic, leaders),
        ({ bytes }) => bytes,
      );
      return { 'MiB/s': bytesPerSecond, 'records/s': recordsPerSecond, [CPU]: cpu };
    },
  },
  replicatedTest('produce 100 B, acks=all, 3 replicas', 100),
  replicatedTest('produce 1 KiB, acks=all, 3 replicas', 1024),
  replicatedTest('produce 1 KiB, acks=all, 3 replicas, at 32 MiB/s', 1024, PACED_REQUESTS_PER_SECOND),
  {
    name: 'one request at a time, 1 KiB, acks=all, 3 replicas',
    brokers: 3,
    async run(_cluster, topic, leaders) {
      const single = lanes(topic, leaders.slice(0, 1), -1, 1024, 1);
      const { requestsPerSecond, latency } = await runProduceLoad({ ...load, inFlight: 1, lanes: single });
      return { 'requests/s': requestsPerSecond, p50: latency.median, p99: latency.p99, 'p99.9': latency.p999 };
    },
  },
  ...(flags.has('kcat') ? [kcatTest(1, '1'), kcatTest(3, 'all')] : []),
];

function kcatTest(brokers: 1 | 3, acks: string): Test {
  return {
    name: `kcat, 400,000 lines of 512 B, acks=${acks}, ${brokers} broker${brokers === 1 ? '' : 's'}`,
    brokers,
    async run({ ports }, topic) {
      const result = await runKcat({ port: ports[0] ?? 0, topic, lines: 400_000, lineBytes: 512, acks });
      return { 'MiB/s': result.produceBytesPerSecond, 'consume MiB/s': result.consumeBytesPerSecond };
    },
  };
}

async function warmUp(cluster: MeasuredCluster): Promise<void> {
  const [bootstrap = 0] = cluster.ports;
  const topic = 'bench-warm-up';
  await createTopics(bootstrap, cluster.brokers, [{ name: topic, partitions: PARTITIONS, replicas: cluster.brokers }]);
  const leaders = await leadersOf(bootstrap, topic, PARTITIONS, cluster.brokers);
  const warmUpMs = flags.number('warm-up', CLUSTER_WARM_UP_SECONDS) * 1000;
  for (const valueBytes of [100, 1024]) {
    await runProduceLoad({ ...load, warmUpMs: 0, measureMs: warmUpMs / 2, lanes: lanes(topic, leaders, -1, valueBytes) });
  }
  await consumeAll(topic, leaders);
  await deleteTopic(bootstrap, cluster.brokers, topic);
}

/** A round of each cluster in turn: what slows the machine for a while slows both. The first cluster's results come first. */
async function measure(clusters: readonly MeasuredCluster[], group: readonly Test[]): Promise<Map<string, Measures[]>> {
  const results = new Map<string, Measures[]>();
  for (const cluster of clusters) await warmUp(cluster);
  for (const test of group) {
    const measures = clusters.map((): Measures => new Map());
    for (let round = 0; round < rounds; round++) {
      for (const [index, cluster] of clusters.entries()) {
        const figures = await measureOnce(cluster, test, `bench-${group.indexOf(test)}-${round}`);
        const all = measures[index]!;
        for (const [name, value] of Object.entries(figures)) all.set(name, [...(all.get(name) ?? []), value]);
      }
    }
    results.set(test.name, measures);
    for (const [index, { name: who }] of clusters.entries()) {
      const each = Array.from(measures[index]!, ([name, values]) => `${name} ${values.map((value) => show(name, value)).join(' ')}`);
      print(`${who}: ${test.name}: ${each.join('; ')}`);
    }
  }
  return results;
}

async function measureOnce(cluster: MeasuredCluster, test: Test, topic: string): Promise<Record<string, number>> {
  const [bootstrap = 0] = cluster.ports;
  const partitions = cluster.brokers === 1 ? PARTITIONS : REPLICATED_PARTITIONS;
  await createTopics(bootstrap, cluster.brokers, [{ name: topic, partitions, replicas: cluster.brokers }]);
  const leaders = await leadersOf(bootstrap, topic, partitions, cluster.brokers);
  const figures = await test.run(cluster, topic, leaders);
  await deleteTopic(bootstrap, cluster.brokers, topic);
  await sleep(REST_MS);
  return figures;
}

function show(name: string, value: number): string {
  if (name.endsWith('MiB/s')) return mebibytesPerSecond(value);
  if (name.startsWith('p') && !name.startsWith('produced')) return milliseconds(value);
  return count(value);
}

ensureBuilt();
heading('throughput');
const limits = await measureMachine(PARTITIONS, IN_FLIGHT, 2);
printTable(
  ['machine limits, one process against one', ''],
  [
    [`bare Node server, 64-KiB requests, ${PARTITIONS} connections`, mebibytesPerSecond(limits.loopbackBytesPerSecond)],
    [
      'bare Node server, one request of 1.2 KiB at a time',
      `${count(limits.roundTripsPerSecond)}/s, p50 ${milliseconds(limits.roundTrip.median)}, p99 ${milliseconds(limits.roundTrip.p99)}`,
    ],
    ['gathered writes into the page cache, 16 × 64 KiB', mebibytesPerSecond(limits.pageCacheBytesPerSecond)],
    ['CRC-32C of 64-KiB batches', mebibytesPerSecond(limits.crcBytesPerSecond)],
  ],
);

const selected = tests.filter(({ name }) => name.includes(only));
if (flags.has('kcat') && !hasKcat()) fail('--kcat: there is no kcat');
const results = new Map<string, Measures[]>();
const whyNot = peer === undefined ? 'not asked for (--peer apache)' : whyNoApacheKafka();
for (const brokers of [1, 3] as const) {
  const group = selected.filter((test) => test.brokers === brokers);
  if (group.length === 0) continue;
  const measured = await withCluster({ brokers, config: CONFIG }, (_running, ours) =>
    whyNot === undefined ? withApacheKafka(brokers, CONFIG, (theirs) => measure([ours, theirs], group)) : measure([ours], group),
  );
  for (const [name, measures] of measured) results.set(name, measures);
}

const isLessBetter = (figure: string): boolean => figure === CPU || (figure.startsWith('p') && !figure.startsWith('produced'));
const best = (figure: string, values: readonly number[]): number => (isLessBetter(figure) ? Math.min(...values) : Math.max(...values));

function row(test: string, figure: string, ours: readonly number[], theirs: readonly number[] | undefined): string[] {
  const mine = median(ours);
  const cells = [`${test}: ${figure}`, show(figure, mine), show(figure, best(figure, ours))];
  const single =
    test === SINGLE_TEST && figure === 'p99' ? `${atMost(mine, SINGLE_P99_BUDGET_MS)} (${milliseconds(SINGLE_P99_BUDGET_MS)})` : '';
  if (theirs === undefined) return [...cells, '–', '–', '–', single];
  const peers = median(theirs);
  const verdict = isLessBetter(figure) ? atMost(mine, peers) : atLeast(mine, peers);
  return [...cells, show(figure, peers), show(figure, best(figure, theirs)), ratio(mine, peers), single === '' ? verdict : single];
}

const rows = selected.flatMap(({ name }) => {
  const [ours, theirs] = results.get(name) ?? [];
  return Array.from(ours ?? [], ([figure, values]) => row(name, figure, values, theirs?.get(figure)));
});
if (whyNot !== undefined) print(`Apache Kafka is left out: ${whyNot}`);
print(`median and best of ${rounds} rounds of ${measureMs / 1000} s; ratio and verdict of the medians`);
printTable(['', 'Samsa', 'best', 'Apache Kafka', 'best', 'ratio', ''], rows);
process.exit();
