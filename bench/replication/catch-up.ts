/**
 * A follower that was away: how fast it copies what it missed, and what that does to the producers meanwhile. Three brokers; one is stopped, `--mib`
 * MiB of 1-KiB records are written with acks=all to one partition (min.insync.replicas 2), and it is started again while a producer goes on at a
 * steady pace. Beside it: the same producer at the same pace with everybody in sync, just before.
 * Run: `node bench/replication/catch-up.ts [--mib 1024] [--pace 200] [--seconds 5]`.
 */
import { ensureBuilt } from '../support/build.ts';
import { produceFrame } from '../support/batches.ts';
import { withCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { createTopics, leadersOf } from '../support/kafka-calls.ts';
import { heading, milliseconds, printTable } from '../support/print.ts';
import { runProduceLoad } from '../throughput/produce-load.ts';
import type { ProduceResult } from '../throughput/produce-load.ts';

const TOPIC = 'missed';
const BROKERS = 3;
const BATCH_BYTES = 64 * 1024;
const RECORD_BYTES = 1024;
const IN_FLIGHT = 5;
const CONFIG = { 'log.segment.delete.delay.ms': '200' };

const flags = readFlags(['mib', 'pace', 'seconds']);
const mib = flags.number('mib', 1024);
/** Requests of 64 KiB a second. */
const pace = flags.number('pace', 200);
const seconds = flags.number('seconds', 5);
ensureBuilt();
heading('catch-up');

await withCluster({ brokers: BROKERS, config: CONFIG }, async (cluster, { ports }) => {
  const [bootstrap = 0] = ports;
  await createTopics(bootstrap, BROKERS, [{ name: TOPIC, partitions: 1, replicas: BROKERS, config: { 'min.insync.replicas': '2' } }]);
  const [leader] = await leadersOf(bootstrap, TOPIC, 1, BROKERS);
  if (leader === undefined) throw new Error('no leader');
  const frames = Array.from({ length: 4 }, () => produceFrame(TOPIC, 0, -1, RECORD_BYTES, BATCH_BYTES));
  const lanes = [{ port: leader.port, frames }];
  const paced = (measureMs: number): Promise<ProduceResult> =>
    runProduceLoad({ lanes, warmUpMs: 500, measureMs, inFlight: IN_FLIGHT, requestsPerSecond: pace });
  const before = await paced(seconds * 1000);
  const away = [1, 2, 3].find((id) => id !== leader.brokerId) ?? 0;
  await cluster.broker(away).stop();
  const missed = await runProduceLoad({ lanes, warmUpMs: 0, measureMs: 600_000, inFlight: IN_FLIGHT, maxBytes: mib * 2 ** 20 });
  const startedMs = performance.now();
  const caughtUp = cluster
    .broker(away)
    .start()
    .then(async () => {
      const upMs = performance.now();
      await leadersOf(bootstrap, TOPIC, 1, BROKERS);
      return { startMs: upMs - startedMs, copyMs: performance.now() - upMs };
    });
  const during = await paced(seconds * 1000);
  const { startMs, copyMs } = await caughtUp;
  const rate = `${Math.round(missed.totalBytes / 2 ** 20 / (copyMs / 1000))} MiB/s`;
  printTable(
    ['', `a producer at ${pace} requests/s of 64 KiB: p50`, 'p99', 'p99.9'],
    [
      ['all in sync', ...latencies(before)],
      [`while ${Math.round(missed.totalBytes / 2 ** 20)} MiB are copied`, ...latencies(during)],
    ],
  );
  printTable(
    ['the follower', ''],
    [
      ['from its start until it serves', milliseconds(startMs)],
      ['from there until it is in the ISR', milliseconds(copyMs)],
      ['copied at least at', rate],
      ['written before, at', `${Math.round(missed.bytesPerSecond / 2 ** 20)} MiB/s`],
    ],
  );
});
process.exit();

function latencies({ latency }: ProduceResult): string[] {
  return [latency.median, latency.p99, latency.p999].map(milliseconds);
}
