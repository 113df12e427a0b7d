/** Real clusters for integration tests: made in a temporary home on free ports, taken down with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from '../../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../../src/client/admin/offsets.ts';
import type { PartitionMetadata, TopicMetadata } from '../../../src/client/cluster-snapshot.ts';
import { startCluster } from '../../../src/cluster/start-cluster.ts';
import type { RunningCluster, StartClusterOptions } from '../../../src/cluster/start-cluster.ts';
import { KafkaError } from '../../../src/protocol/errors.ts';
import { topicPartitionKey } from '../../../src/protocol/topic-partition.ts';
import { silentLogger } from '../../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { testEntries } from './zookeeper-under-test.ts';

/** How long is waited for what a busy machine may do late. */
const PATIENCE_MS = 60_000;

/** What a test has opened, closed in reverse order. */
export class Cleanups {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

export async function startTestCluster(cleanups: Cleanups, options: StartClusterOptions = {}): Promise<RunningCluster> {
  // Records of tests may be of 1970 or 2023: retention looks for the first time some seconds after the start, and would take them.
  const config = { 'log.retention.ms': '-1', ...options.config };
  const cluster = await startCluster({
    brokers: 3,
    ephemeral: options.home === undefined,
    basePort: 0,
    entries: testEntries,
    ...options,
    config,
    // What is killed because it took too long has not ended in order.
    processOptions: { stopTimeoutMs: PATIENCE_MS, ...options.processOptions },
  });
  cleanups.add(() => cluster.stopHard());
  return cluster;
}

/** The cluster of a folder, as it was left there. */
export async function startAgain(cleanups: Cleanups, home: string): Promise<RunningCluster> {
  const cluster = await startCluster({ home, entries: testEntries, processOptions: { stopTimeoutMs: PATIENCE_MS } });
  cleanups.add(() => cluster.stopHard());
  return cluster;
}

export function temporaryHome(cleanups: Cleanups): string {
  const home = mkdtempSync(join(tmpdir(), 'samsa-it-'));
  cleanups.add(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

export function adminOf(cleanups: Cleanups, bootstrapServers: string): Admin {
  const admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers, retryBackoffMs: 20 });
  cleanups.add(() => admin.close());
  return admin;
}

/** The value, or the error thrown. */
export function valueOf<T>(result: T | KafkaError | undefined): T {
  if (result instanceof KafkaError) throw result;
  if (result === undefined) throw new Error('there is no answer for this key');
  return result;
}

export async function describeTopic(admin: Admin, topic: string): Promise<TopicMetadata> {
  return valueOf((await admin.describeTopics([topic])).get(topic));
}

export async function describePartition(admin: Admin, topic: string, partition = 0): Promise<PartitionMetadata> {
  const found = (await describeTopic(admin, topic)).partitions.find((candidate) => candidate.partition === partition);
  if (found === undefined) throw new Error(`${topic} has no partition ${partition}`);
  return found;
}

/** Waits until `condition` gives something truthy (an error counts as no), and returns it; throws after `timeoutMs`. */
export async function until<T>(what: string, condition: () => Promise<T> | T, timeoutMs = PATIENCE_MS): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${String(last)})`);
    await delay(20);
  }
}

/** All replicas of every partition of `topic` are in sync. */
export function untilInSync(admin: Admin, topic: string, replicas: number, timeoutMs = PATIENCE_MS): Promise<boolean> {
  return until(
    `all ${replicas} replicas of ${topic} are in sync`,
    async () => (await describeTopic(admin, topic)).partitions.every(({ isr, leaderId }) => leaderId >= 0 && isr.length === replicas),
    timeoutMs,
  );
}

/** The high watermark, once the leader knows it. */
export async function endOffset(admin: Admin, topic: string, partition = 0): Promise<number> {
  const ends = await admin.listOffsets([{ topic, partition, timestamp: OffsetSpec.LATEST }]);
  return valueOf(ends.get(topicPartitionKey({ topic, partition }))).offset;
}

/**
 * At least so many records of partition 0 are committed. After a start of all replicas their ISR may be the one of before: until the
 * followers have fetched, the leader shows no more than was noted to be committed.
 */
export function untilCommitted(admin: Admin, topic: string, count: number): Promise<boolean> {
  return until(`${count} records of ${topic} are committed`, async () => (await endOffset(admin, topic)) >= count);
}

/** Every broker is known to the one that answers. */
export function untilKnown(admin: Admin, brokers: number): Promise<boolean> {
  return until(`${brokers} brokers are known`, async () => (await admin.describeCluster()).brokers.length === brokers);
}
