/**
 * Administration of a cluster: one object, one connection set, one metadata cache.
 *
 * Calls over many things give a `Map` from each thing's key to its value or its `KafkaError`; they reject only when
 * the whole question makes no sense. Calls about one thing reject with a `KafkaError`. A broker that lacks an API is
 * an `UnsupportedVersionError` (a KafkaError with code UNSUPPORTED_VERSION). All retry retriable errors, lost
 * connections and moved controllers until their time is up. Source: Admin, KafkaAdminClient.
 */
import type { KafkaError } from '../../protocol/errors.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { TopicMetadata } from '../cluster-snapshot.ts';
import { Metadata } from '../metadata.ts';
import type { MetadataOptions } from '../metadata.ts';
import { NetworkClient } from '../network-client.ts';
import type { NetworkClientOptions, NetworkClientRuntime } from '../network-client.ts';
import { alterReplicaLogDirs, apiVersions, describeCluster, describeLogDirs } from './cluster.ts';
import type { ReplicaMove } from './cluster.ts';
import type { ClusterDescription, LogDir, SupportedApi } from './cluster.ts';
import { describeConfigs, incrementalAlterConfigs } from './configs.ts';
import type { ConfigEntry, ConfigResource, DescribeConfigsOptions, ResourceChanges } from './configs.ts';
import { deleteGroups, describeGroups, listGroups } from './groups.ts';
import type { GroupDescription, GroupListings } from './groups.ts';
import type { AdminContext, CallOptions, KeyResult, KeyResults } from './keyed-call.ts';
import { deleteGroupOffsets, listGroupOffsets, listOffsets } from './offsets.ts';
import type { GroupOffsets, ListedOffset, ListOffsetsOptions, OffsetQuery } from './offsets.ts';
import { alterPartitionReassignments, electLeaders, listPartitionReassignments } from './partitions.ts';
import type { ElectionType, OngoingMove, PartitionMove } from './partitions.ts';
import { createPartitions, createTopics, deleteRecords, deleteTopics, describeTopics, listTopics } from './topics.ts';
import type { CreatedTopic, CreateOptions, NewPartitions, NewTopic, RecordsToDelete } from './topics.ts';

export interface AdminOptions {
  readonly runtime: NetworkClientRuntime;
  readonly bootstrapServers: string | readonly string[];
  /** `client.id`, default 'samsa-admin'. */
  readonly clientId?: string;
  /** `default.api.timeout.ms`, default 60,000: a whole call. */
  readonly defaultApiTimeoutMs?: number;
  /** `request.timeout.ms`, default 30,000: one request. */
  readonly requestTimeoutMs?: number;
  /** `retry.backoff.ms`, default 100, and `retry.backoff.max.ms`, default 1,000. */
  readonly retryBackoffMs?: number;
  readonly retryBackoffMaxMs?: number;
  readonly network?: Omit<NetworkClientOptions, 'runtime' | 'clientId' | 'requestTimeoutMs' | 'skipApiVersions'>;
  readonly metadata?: Omit<MetadataOptions, 'runtime' | 'client' | 'bootstrapServers' | 'asking'>;
}

export class Admin {
  readonly #context: AdminContext;
  /** Of metadata, where that keeps to one broker: elsewhere the one with least to do is asked, which is not waiting. */
  readonly #asking: NetworkClient | undefined;

  /** Throws `InvalidBootstrapError`. Connects when first asked something. */
  constructor(options: AdminOptions) {
    const { runtime, bootstrapServers } = options;
    const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    const network = { ...options.network, runtime, clientId: options.clientId ?? 'samsa-admin', requestTimeoutMs };
    const client = new NetworkClient(network);
    this.#asking = options.metadata?.keepsBroker === true ? new NetworkClient(network) : undefined;
    const asking = this.#asking ?? client;
    const metadata = new Metadata({ ...options.metadata, runtime, client, asking, bootstrapServers });
    this.#context = {
      client,
      metadata,
      runtime,
      requestTimeoutMs,
      defaultApiTimeoutMs: options.defaultApiTimeoutMs ?? 60_000,
      retryBackoffMs: options.retryBackoffMs ?? 100,
      retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1_000,
    };
  }

  /** What the calls run on, for those that share it (`RecordReader`, `produceBatch`). */
  get context(): AdminContext {
    return this.#context;
  }

  get metadata(): Metadata {
    return this.#context.metadata;
  }

  describeCluster(options?: CallOptions): Promise<ClusterDescription> {
    return describeCluster(this.#context, options);
  }

  apiVersions(brokerId?: number, options?: CallOptions): Promise<readonly SupportedApi[]> {
    return apiVersions(this.#context, brokerId, options);
  }

  describeLogDirs(
    brokerIds: readonly number[],
    options?: CallOptions & { readonly topics?: ReadonlyMap<string, readonly number[]> },
  ): Promise<KeyResults<ReadonlyMap<string, KeyResult<LogDir>>>> {
    return describeLogDirs(this.#context, brokerIds, options);
  }

  alterReplicaLogDirs(moves: readonly ReplicaMove[], options?: CallOptions): Promise<KeyResults<void>> {
    return alterReplicaLogDirs(this.#context, moves, options);
  }

  listTopics(options?: CallOptions): Promise<Map<string, TopicMetadata>> {
    return listTopics(this.#context, options);
  }

  describeTopics(names: readonly string[], options?: CallOptions): Promise<KeyResults<TopicMetadata>> {
    return describeTopics(this.#context, names, options);
  }

  createTopics(topics: readonly NewTopic[], options?: CreateOptions): Promise<KeyResults<CreatedTopic>> {
    return createTopics(this.#context, topics, options);
  }

  deleteTopics(names: readonly string[], options?: CallOptions): Promise<KeyResults<void>> {
    return deleteTopics(this.#context, names, options);
  }

  createPartitions(requests: readonly NewPartitions[], options?: CreateOptions): Promise<KeyResults<void>> {
    return createPartitions(this.#context, requests, options);
  }

  deleteRecords(requests: readonly RecordsToDelete[], options?: CallOptions): Promise<KeyResults<number>> {
    return deleteRecords(this.#context, requests, options);
  }

  electLeaders(type: ElectionType, partitions: readonly TopicPartition[], options?: CallOptions): Promise<KeyResults<void>> {
    return electLeaders(this.#context, type, partitions, options);
  }

  alterPartitionReassignments(moves: readonly PartitionMove[], options?: CallOptions): Promise<KeyResults<void>> {
    return alterPartitionReassignments(this.#context, moves, options);
  }

  listPartitionReassignments(partitions?: readonly TopicPartition[], options?: CallOptions): Promise<readonly OngoingMove[]> {
    return listPartitionReassignments(this.#context, partitions, options);
  }

  describeConfigs(resources: readonly ConfigResource[], options?: DescribeConfigsOptions): Promise<KeyResults<readonly ConfigEntry[]>> {
    return describeConfigs(this.#context, resources, options);
  }

  incrementalAlterConfigs(
    requests: readonly ResourceChanges[],
    options?: CallOptions & { readonly validateOnly?: boolean },
  ): Promise<KeyResults<void>> {
    return incrementalAlterConfigs(this.#context, requests, options);
  }

  listGroups(options?: CallOptions): Promise<GroupListings> {
    return listGroups(this.#context, options);
  }

  describeGroups(groupIds: readonly string[], options?: CallOptions): Promise<KeyResults<GroupDescription>> {
    return describeGroups(this.#context, groupIds, options);
  }

  deleteGroups(groupIds: readonly string[], options?: CallOptions): Promise<KeyResults<void>> {
    return deleteGroups(this.#context, groupIds, options);
  }

  listGroupOffsets(
    groups: ReadonlyMap<string, readonly TopicPartition[] | null>,
    options?: CallOptions,
  ): Promise<KeyResults<GroupOffsets>> {
    return listGroupOffsets(this.#context, groups, options);
  }

  deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, KafkaError | undefined>> {
    return deleteGroupOffsets(this.#context, groupId, partitions, options);
  }

  listOffsets(queries: readonly OffsetQuery[], options?: ListOffsetsOptions): Promise<KeyResults<ListedOffset>> {
    return listOffsets(this.#context, queries, options);
  }

  /** Ends all connections; calls on their way get `ClientClosedError`. */
  async close(): Promise<void> {
    this.#context.metadata.close();
    await Promise.all([this.#context.client.close(), this.#asking?.close()]);
  }
}
