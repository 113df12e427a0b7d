import { expect, it } from 'vitest';
import type { Socket } from '../../runtime/net.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import type { Partition } from './partition.ts';
import { ReplicaFetcherManager } from './replica-fetcher-manager.ts';

const LEADER = { id: 2, host: 'two', port: 9093 };

/** A leader that nobody reaches: sockets that never connect. */
function managerOf(numReplicaFetchers: number): ReplicaFetcherManager {
  const time = new ManualTime();
  const socket = { setHandler: () => {}, write: () => true, end: () => {}, destroy: () => {}, pause: () => {}, resume: () => {} };
  const runtime = {
    clock: time,
    scheduler: time,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    random: new SeededRandom(1),
    net: { connect: () => socket as unknown as Socket, listen: () => Promise.reject(new Error('nobody listens here')) },
  } as unknown as Runtime;
  return new ReplicaFetcherManager({
    config: {
      brokerId: 1,
      numReplicaFetchers,
      socketTimeoutMs: 30_000,
      fetchWaitMaxMs: 500,
      fetchMinBytes: 1,
      fetchMaxBytes: 1 << 20,
      fetchResponseMaxBytes: 10 << 20,
      fetchBackoffMs: 1000,
    },
    runtime,
    brokerEpoch: () => 1,
    quota: { isThrottled: () => false, isQuotaExceeded: () => false, record: () => {} } as never,
    onAppended: () => {},
  });
}

const partitionOf = (partition: number): Partition =>
  ({
    topicPartition: { topic: 'orders', partition },
    leaderEpoch: 0,
    log: { logEndOffset: 0, settled: () => new Promise(() => {}) },
  }) as unknown as Partition;

it('deals partitions anew when the number of fetchers changes, and each is still followed once', async () => {
  const manager = managerOf(1);
  const partitions = Array.from({ length: 12 }, (_, index) => partitionOf(index));
  for (const partition of partitions) manager.add(partition, LEADER);
  expect(manager.fetcherCount).toBe(1);
  manager.resize(4);
  expect(manager.fetcherCount).toBe(4);
  for (const { topicPartition } of partitions) expect(manager.stateOf(topicPartition)).toBeDefined();
  manager.resize(2);
  expect(manager.fetcherCount).toBe(2);
  manager.remove(partitions.map(({ topicPartition }) => `${topicPartition.topic}-${topicPartition.partition}`));
  expect(manager.fetcherCount).toBe(0);
  await manager.close();
});
