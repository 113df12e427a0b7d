/**
 * What waiting for all replicas costs: three brokers, three replicas, acks=all, min.insync.replicas 2; as much as goes through, at a pace
 * that both sides bear, and one request at a time. Throughput, latencies and the brokers' CPU time, beside Apache Kafka 3.9 in turns in
 * the same run with `--peer apache`. A replica's fetches are all that differs from acks=1: `bench/throughput` has that.
 * Run: `node bench/replication/acks-all.ts [--peer apache] [--seconds 3] [--rounds 3] [--bytes 1024]`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { whyNoApacheKafka } from '../../interop/support/apache-kafka/jars.ts';
import { withApacheKafka } from '../support/apache-kafka.ts';
import { ensureBuilt } from '../support/build.ts';
import { produceFrame } from '../support/batches.ts';
import { withCluster } from '../support/cluster.ts';
import type { MeasuredCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { createTopics, deleteTopic, leadersOf } from '../support/kafka-calls.ts';
import { count, heading, mebibytesPerSecond, milliseconds, print, printTable, ratio } from '../support/print.ts';
import { median } from '../support/statistics.ts';
import { runProduceLoad } from '../throughput/produce-load.ts';
import type { Lane, LoadOptions, ProduceResult } from '../throughput/produce-load.ts';

const BROKERS = 3;
/** So that each broker leads two. */
const PARTITIONS = 6;
const TOPIC = 'acks-all';
const CONFIG = { 'log.segment.delete.delay.ms': '200', 'min.insync.replicas': '2' };
const MAX_BYTES = 1.5 * 2 ** 30;
const REST_MS = 1_000;
/** A JVM compiles what it runs often. */
const WARM_UP_SECONDS = 8;

const flags = readFlags(['peer', 'seconds', 'rounds', 'bytes']);
const measureMs = flags.number('seconds', 3) * 1000;
const rounds = flags.number('rounds', 3);
const recordBytes = flags.number('bytes', 1024);

interface Load {
  readonly name: string;
  readonly batchBytes: number;
  readonly options: Pick<LoadOptions, 'inFlight' | 'requestsPerSecond'>;
  /** All leaders, or the first partition's alone. */
  readonly isSpread: boolean;
}

const LOADS: readonly Load[] = [
  { name: 'batches of 64 KiB, 5 in flight to each leader', batchBytes: 64 * 1024, options: { inFlight: 5 }, isSpread: true },
  { name: 'batches of 64 KiB at 16 MiB/s', batchBytes: 64 * 1024, options: { inFlight: 5, requestsPerSecond: 256 }, isSpread: true },
  { name: 'one record at a time', batchBytes: 1, options: { inFlight: 1 }, isSpread: false },
];

type Figures = Pick<ProduceResult, 'bytesPerSecond' | 'requestsPerSecond' | 'latency'> & { readonly cpuMsPerGiB: number };

async function measure(cluster: MeasuredCluster, load: Load, seconds?: number): Promise<Figures> {
  const [bootstrap = 0] = cluster.ports;
  await createTopics(bootstrap, BROKERS, [{ name: TOPIC, partitions: PARTITIONS, replicas: BROKERS }]);
  const leaders = await leadersOf(bootstrap, TOPIC, PARTITIONS, BROKERS);
  const byPort = new Map<number, Lane & { readonly frames: ReturnType<typeof produceFrame>[] }>();
  for (const [partition, { port }] of leaders.slice(0, load.isSpread ? PARTITIONS : 1).entries()) {
    const lane = byPort.get(port) ?? { port, frames: [] };
    lane.frames.push(produceFrame(TOPIC, partition, -1, recordBytes, load.batchBytes));
    byPort.set(port, lane);
  }
  const used = (): number => cluster.pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const before = used();
  const result = await runProduceLoad({
    ...load.options,
    lanes: [...byPort.values()],
    warmUpMs: 500,
    measureMs: seconds === undefined ? measureMs : seconds * 1000,
    maxBytes: MAX_BYTES,
  });
  const cpuMsPerGiB = ((used() - before) * 2 ** 30) / result.totalBytes;
  await deleteTopic(bootstrap, BROKERS, TOPIC);
  await delay(REST_MS);
  return { ...result, cpuMsPerGiB };
}

/** Of each load the figures of every round, per cluster. */
async function measureAll(clusters: readonly MeasuredCluster[]): Promise<Figures[][][]> {
  const [fast] = LOADS;
  for (const cluster of clusters) if (fast !== undefined) await measure(cluster, fast, WARM_UP_SECONDS / 2);
  const results: Figures[][][] = [];
  for (const load of LOADS) {
    const perCluster = clusters.map((): Figures[] => []);
    for (let round = 0; round < rounds; round++)
      for (const [index, cluster] of clusters.entries()) perCluster[index]?.push(await measure(cluster, load));
    results.push(perCluster);
  }
  return results;
}

const COLUMNS: readonly { readonly name: string; of: (figures: Figures) => number; show: (value: number) => string }[] = [
  { name: 'throughput', of: ({ bytesPerSecond }) => bytesPerSecond, show: mebibytesPerSecond },
  { name: 'requests/s', of: ({ requestsPerSecond }) => requestsPerSecond, show: count },
  { name: 'p50', of: ({ latency }) => latency.median, show: milliseconds },
  { name: 'p99', of: ({ latency }) => latency.p99, show: milliseconds },
  { name: 'p99.9', of: ({ latency }) => latency.p999, show: milliseconds },
  { name: 'brokers’ CPU ms per GiB', of: ({ cpuMsPerGiB }) => cpuMsPerGiB, show: count },
];

ensureBuilt();
heading(`acks=all, 3 replicas, records of ${recordBytes} bytes`);
const whyNot = flags.text('peer') === undefined ? 'not asked for (--peer apache)' : whyNoApacheKafka();
const results = await withCluster({ brokers: BROKERS, config: CONFIG }, (_running, ours) =>
  whyNot === undefined ? withApacheKafka(BROKERS, CONFIG, (theirs) => measureAll([ours, theirs])) : measureAll([ours]),
);
const rows = LOADS.flatMap(({ name }, load) => {
  const medians = (results[load] ?? []).map((figures) => COLUMNS.map(({ of }) => median(figures.map(of))));
  const lines = medians.map((values, index) => [
    `${name}: ${index === 0 ? 'Samsa' : 'Apache Kafka'}`,
    ...values.map((value, column) => COLUMNS[column]?.show(value) ?? ''),
  ]);
  const [ours, theirs] = medians;
  return ours === undefined || theirs === undefined
    ? lines
    : [...lines, ['ratio', ...ours.map((value, column) => ratio(value, theirs[column] ?? Number.NaN))]];
});
print(`medians of ${rounds} rounds of ${measureMs / 1000} s`);
printTable(['', ...COLUMNS.map(({ name }) => name)], rows);
if (whyNot !== undefined) print(`Apache Kafka is left out: ${whyNot}`);
process.exit();
