/**
 * Rounds of faults on a real cluster under load. In each round three idempotent producers (librdkafka's) write with acks=all to
 * a partition each; something happens to the cluster and is made right again; then every partition is read from where the round began,
 * and what was acknowledged must be there: each record once, in order. Replicas must be in sync again, and writing must go on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from '../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { topicPartitionKey } from '../../src/protocol/topic-partition.ts';
import type { Random } from '../../src/runtime/random.ts';
import { describePartition, until, untilInSync, valueOf } from '../integration/support/clusters.ts';
import { consumeValues } from '../integration/support/kcat.ts';
import { chooseFault, FAULTS } from './faults.ts';
import type { Fault, Roles } from './faults.ts';
import { SteadyProducer } from './steady-producer.ts';
import type { GaveUp } from './steady-producer.ts';

export const TOPIC = 'ledger';
const PARTITIONS = 3;
const REPLICAS = 3;
const EVERY_MS = 10;
/** All is to be well again within this, whatever it was. */
const RECOVERY_MS = 60_000;
const PRODUCER_SETTINGS = [
  'socket.timeout.ms=3000',
  'reconnect.backoff.ms=20',
  'reconnect.backoff.max.ms=200',
  'retry.backoff.ms=20',
  'topic.metadata.refresh.interval.ms=1000',
  'message.timeout.ms=180000',
];

export interface RoundOutcome {
  readonly fault: string;
  readonly takesLeader: boolean;
  readonly lastedMs: number;
  /** From the fault's begin to the next acknowledgement of a record sent after it, on the partition that is looked at. */
  readonly gapMs: number;
  /** The longest time without an acknowledgement there, from the fault's begin on: a leader that is cut off from ZooKeeper goes on for a while first. */
  readonly pauseMs: number;
  /** From the fault's end until all replicas were in sync. */
  readonly recoveredMs: number;
  readonly acknowledged: number;
  readonly gaveUp: readonly GaveUp[];
}

/** A promise of the cluster was broken. */
export class BrokenPromiseError extends Error {}

export class FaultRun {
  readonly #cluster: RunningCluster;
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  readonly #admin: Admin;
  #round = 0;

  constructor(cluster: RunningCluster, random: Random, faults: readonly Fault[] = FAULTS) {
    this.#cluster = cluster;
    this.#random = random;
    this.#faults = faults;
    this.#admin = adminAt(cluster.bootstrapServers);
  }

  async prepare(): Promise<void> {
    const configs = { 'min.insync.replicas': '2' };
    valueOf(
      (await this.#admin.createTopics([{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: REPLICAS, configs }])).get(TOPIC),
    );
    await untilInSync(this.#admin, TOPIC, REPLICAS);
  }

  close(): Promise<unknown> {
    return Promise.resolve(this.#admin.close());
  }

  /** One fault, from all well to all well. Rejects with `BrokenPromiseError`, or what could not be waited for. */
  async round(): Promise<RoundOutcome> {
    const fault = chooseFault(this.#random, this.#faults);
    const partition = this.#random.int(PARTITIONS);
    const begins = await this.#endOffsets();
    const producers = this.#startProducers();
    try {
      await until('all partitions are written to', () => producers.every(({ acknowledged }) => acknowledged > 10), RECOVERY_MS);
      const roles = await this.#roles(partition);
      const beganMs = performance.now();
      const lastsMs = fault.lastsMs[0] + this.#random.int(fault.lastsMs[1] - fault.lastsMs[0]);
      await fault.begin(this.#cluster, roles);
      await delay(lastsMs);
      await fault.end(this.#cluster, roles);
      const endedMs = performance.now();
      const gaps = await Promise.all(
        producers.map((producer, index) => until(`partition ${index} is written to again`, () => producer.gapSince(beganMs), RECOVERY_MS)),
      );
      await this.#untilAllSeeItInSync();
      const recoveredMs = performance.now() - endedMs;
      await Promise.all(producers.map((producer) => producer.finish()));
      await this.#check(begins, producers);
      const acknowledged = producers.reduce((sum, producer) => sum + producer.acknowledged, 0);
      return {
        fault: fault.name,
        takesLeader: fault.takesLeader,
        lastedMs: endedMs - beganMs,
        gapMs: gaps[partition] ?? Number.NaN,
        pauseMs: producers[partition]?.longestPauseSince(beganMs) ?? Number.NaN,
        recoveredMs,
        acknowledged,
        gaveUp: producers.flatMap((producer) => producer.gaveUp),
      };
    } catch (error) {
      const said = producers.map(({ errors }, index) => `producer ${index}: ${errors.slice(-2000)}`).join('\n');
      throw new Error(`round ${this.#round}, ${fault.name}, partition ${partition}: ${String(error)}\n${said}`, { cause: error });
    } finally {
      for (const producer of producers) producer.kill();
      this.#round++;
    }
  }

  /** Each broker asked alone: one that was cut off may still tell of the time before. */
  async #untilAllSeeItInSync(): Promise<void> {
    for (const { port } of this.#cluster.spec.brokers) {
      const admin = adminAt(`localhost:${port}`);
      try {
        await untilInSync(admin, TOPIC, REPLICAS, RECOVERY_MS);
      } finally {
        await admin.close();
      }
    }
  }

  /** New ones each round: what one that went through a fault still has in mind about dead brokers is not to be measured in the next. */
  #startProducers(): SteadyProducer[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => {
      const { bootstrapServers } = this.#cluster;
      const name = `${this.#round}-${partition}`;
      return new SteadyProducer({ bootstrapServers, topic: TOPIC, partition, name, everyMs: EVERY_MS, settings: PRODUCER_SETTINGS });
    });
  }

  async #roles(partition: number): Promise<Roles> {
    const { leaderId, isr } = await describePartition(this.#admin, TOPIC, partition);
    const { controllerId } = await this.#admin.describeCluster();
    return { leaderId, followerIds: isr.filter((id) => id !== leaderId), controllerId };
  }

  async #endOffsets(): Promise<number[]> {
    const queries = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, timestamp: OffsetSpec.LATEST }));
    const offsets = await this.#admin.listOffsets(queries);
    return queries.map((query) => valueOf(offsets.get(topicPartitionKey(query))).offset);
  }

  async #check(begins: readonly number[], producers: readonly SteadyProducer[]): Promise<void> {
    for (const [partition, producer] of producers.entries()) {
      const from = begins[partition] ?? 0;
      const found = await consumeValues(this.#cluster.bootstrapServers, TOPIC, { partition, from });
      const fault = firstFault(producer.acknowledgedValues(), found);
      if (fault !== undefined) throw new BrokenPromiseError(`partition ${partition} from offset ${from}: ${fault}; ${producer.errors}`);
    }
  }
}

function adminAt(bootstrapServers: string): Admin {
  return new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers, retryBackoffMs: 20 });
}

/** What is wrong with `found`, in which each of `acknowledged` must be once and in order; undefined when all is well. */
export function firstFault(acknowledged: readonly string[], found: readonly string[]): string | undefined {
  const positions = new Map<string, number>();
  for (const [index, value] of found.entries()) {
    if (positions.has(value)) return `${value} is there twice, at ${positions.get(value)} and ${index}`;
    positions.set(value, index);
  }
  let last = -1;
  for (const value of acknowledged) {
    const position = positions.get(value);
    if (position === undefined) return `${value} was acknowledged and is gone (${found.length} are there)`;
    if (position < last) return `${value} is out of order`;
    last = position;
  }
  return undefined;
}
