/**
 * Deals followed partitions to fetchers: `num.replica.fetchers` for each leader broker, a partition always to the same one.
 * A fetcher is made with its first partition and ends with its last. The number may change: all are dealt anew. Source: Kafka's `ReplicaFetcherManager`.
 */
import { NetworkClient } from '../../client/network-client.ts';
import type { FollowerState } from '../../introspection/answers/replication.ts';
import { javaStringHash } from '../../protocol/records/partitioner.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Partition } from './partition.ts';
import { ReplicaFetcher } from './replica-fetcher.ts';
import type { BrokerEndpoint, ReplicaFetcherConfig } from './replica-fetcher.ts';
import type { ReplicaQuota } from './replication-quota-manager.ts';

export interface ReplicaFetcherManagerConfig extends ReplicaFetcherConfig {
  readonly numReplicaFetchers: number;
  /** How long a leader may take to answer; a long poll's wait is within it. */
  readonly socketTimeoutMs: number;
}

export interface ReplicaFetcherManagerOptions {
  readonly config: ReplicaFetcherManagerConfig;
  readonly runtime: Runtime;
  readonly brokerEpoch: () => number;
  readonly quota: ReplicaQuota;
  readonly onAppended: (key: string) => void;
}

/** A partition that is followed: at whom, and by which worker. */
interface Followed {
  readonly partition: Partition;
  readonly leader: BrokerEndpoint;
  readonly workerKey: string;
}

interface Worker {
  readonly fetcher: ReplicaFetcher;
  readonly clients: readonly NetworkClient[];
}

export class ReplicaFetcherManager {
  readonly #options: ReplicaFetcherManagerOptions;
  /** By leader, endpoint and number. */
  readonly #workers = new Map<string, Worker>();
  readonly #followed = new Map<string, Followed>();
  #numReplicaFetchers: number;

  constructor(options: ReplicaFetcherManagerOptions) {
    this.#options = options;
    this.#numReplicaFetchers = options.config.numReplicaFetchers;
  }

  /** `num.replica.fetchers` has changed. */
  resize(numReplicaFetchers: number): void {
    if (numReplicaFetchers === this.#numReplicaFetchers) return;
    this.#numReplicaFetchers = numReplicaFetchers;
    // Of those that are there now: adding moves each to the end.
    const followed = Array.from(this.#followed.values());
    for (const { partition, leader } of followed) this.add(partition, leader);
  }

  /** Follows `partition` at `leader`, in place of the leader before. */
  add(partition: Partition, leader: BrokerEndpoint): void {
    const key = topicPartitionKey(partition.topicPartition);
    this.remove([key]);
    const workerKey = `${leader.id}@${leader.host}:${leader.port}#${this.#fetcherNumber(partition.topicPartition)}`;
    let worker = this.#workers.get(workerKey);
    if (worker === undefined) {
      worker = this.#createWorker(leader);
      this.#workers.set(workerKey, worker);
    }
    this.#followed.set(key, { partition, leader, workerKey });
    worker.fetcher.add(partition);
  }

  /** Fetchers at work. */
  get fetcherCount(): number {
    return this.#workers.size;
  }

  /** What is done to follow a partition; undefined for one that isn't followed. */
  stateOf(topicPartition: TopicPartition): FollowerState | undefined {
    const key = topicPartitionKey(topicPartition);
    const workerKey = this.#followed.get(key)?.workerKey;
    return workerKey === undefined ? undefined : this.#workers.get(workerKey)?.fetcher.stateOf(key);
  }

  /** Stops following; harmless for partitions that are not followed. */
  remove(keys: readonly string[]): void {
    for (const key of keys) {
      const workerKey = this.#followed.get(key)?.workerKey;
      if (workerKey === undefined) continue;
      this.#followed.delete(key);
      const worker = this.#workers.get(workerKey);
      worker?.fetcher.remove(key);
      if (worker !== undefined && worker.fetcher.partitionCount === 0) {
        this.#workers.delete(workerKey);
        worker.fetcher.close();
        for (const client of worker.clients) void client.close();
      }
    }
  }

  async close(): Promise<void> {
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    this.#followed.clear();
    for (const { fetcher } of workers) fetcher.close();
    await Promise.all(workers.flatMap(({ clients }) => clients.map((client) => client.close())));
  }

  #fetcherNumber(topicPartition: TopicPartition): number {
    const hash = 31 * javaStringHash(topicPartition.topic) + topicPartition.partition;
    return Math.abs(hash % this.#numReplicaFetchers);
  }

  #createWorker(leader: BrokerEndpoint): Worker {
    const { runtime, config, brokerEpoch, quota, onAppended } = this.#options;
    // They connect when they are first used.
    const [client, catchUpClient] = ['fetcher', 'catch-up'].map(
      (name) =>
        new NetworkClient({
          runtime,
          clientId: `broker-${config.brokerId}-${name}-${leader.id}`,
          requestTimeoutMs: config.socketTimeoutMs,
          skipApiVersions: true,
        }),
    ) as [NetworkClient, NetworkClient];
    const fetcher = new ReplicaFetcher({ leader, config, client, catchUpClient, runtime, brokerEpoch, quota, onAppended });
    return { clients: [client, catchUpClient], fetcher };
  }
}
