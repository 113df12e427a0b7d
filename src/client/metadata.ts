/**
 * What the cluster looks like: brokers, controller, and the topics that somebody has asked for lately.
 *
 * One request at a time: callers that want news while one is on its way share it. Refreshed every
 * `metadata.max.age.ms`, and after a lost connection. A topic that nobody asks for is forgotten after
 * `metadata.max.idle.ms`, so that what is refreshed stays small. When none of the known brokers answers, the
 * bootstrap servers are tried again, since a local cluster may have come back on other ports.
 * Differs from Apache Kafka: no automatic topic creation, ever; `keepsBroker`. Source: Metadata, ProducerMetadata, KIP-899.
 */
import type { Cancellable } from '../runtime/scheduler.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { Metadata as MetadataApi } from '../protocol/generated/metadata.ts';
import type { MetadataRequestInput, MetadataResponse } from '../protocol/generated/metadata.ts';
import { backoffMs } from './backoff.ts';
import { parseBootstrapServers } from './bootstrap.ts';
import { brokersOf, isComplete, topicOf } from './cluster-snapshot.ts';
import type { BrokerNode, ClusterSnapshot, TopicMetadata } from './cluster-snapshot.ts';
import { describe } from './connection.ts';
import { ClientClosedError, NoBrokerAvailableError } from './errors.ts';
import type { NetworkClient, NetworkClientRuntime, Node } from './network-client.ts';

export interface MetadataOptions {
  readonly runtime: NetworkClientRuntime;
  readonly client: NetworkClient;
  /** `host:port`, several separated by commas or as a list. */
  readonly bootstrapServers: string | readonly string[];
  /** `metadata.max.age.ms`, default 300,000. */
  readonly metadataMaxAgeMs?: number;
  /** `metadata.max.idle.ms`, default 300,000. */
  readonly metadataMaxIdleMs?: number;
  /** Between refreshes that a lost connection asks for: `retry.backoff.ms` 100 to `retry.backoff.max.ms` 1,000. */
  readonly retryBackoffMs?: number;
  readonly retryBackoffMaxMs?: number;
  /** How long one broker may take before the next is asked. Default 10,000. */
  readonly attemptTimeoutMs?: number;
  /**
   * Asks the broker that answered last for as long as it answers, instead of any. What one broker tells never goes back in time; two
   * brokers differ until the controller has told both. Default false.
   */
  readonly keepsBroker?: boolean;
  /**
   * What asks for metadata, where that is not to be `client`: a broker answers the requests of one connection in their order, so that a
   * long one would hold up what is asked of the same broker.
   */
  readonly asking?: NetworkClient;
}

interface TrackedTopic {
  metadata: TopicMetadata;
  lastUsedMs: number;
}

/** `all` for every topic there is, a list for those, [] for none. */
export type TopicSelection = 'all' | readonly string[];

export class Metadata {
  readonly #runtime: NetworkClientRuntime;
  readonly #client: NetworkClient;
  readonly #bootstrap: readonly Node[];
  readonly #options: Required<Omit<MetadataOptions, 'runtime' | 'client' | 'bootstrapServers'>>;
  readonly #topics = new Map<string, TrackedTopic>();
  readonly #listeners = new Set<(snapshot: ClusterSnapshot) => void>();
  readonly #stopWatchingDisconnects: () => void;
  #brokers: ReadonlyMap<number, BrokerNode> = new Map();
  #clusterId: string | null = null;
  #controllerId = -1;
  #updatedAtMs: number | undefined;
  #refreshing: Promise<ClusterSnapshot> | undefined;
  #ageTimer: Cancellable | undefined;
  #updateTimer: Cancellable | undefined;
  #failedUpdates = 0;
  #answeredBy: number | undefined;
  #brokerSwitches = 0;
  #closed = false;

  /** Throws `InvalidBootstrapError`. Nothing is sent before the first question. */
  constructor(options: MetadataOptions) {
    this.#runtime = options.runtime;
    this.#client = options.client;
    this.#bootstrap = parseBootstrapServers(options.bootstrapServers);
    this.#options = {
      metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
      metadataMaxIdleMs: options.metadataMaxIdleMs ?? 300_000,
      retryBackoffMs: options.retryBackoffMs ?? 100,
      retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1_000,
      attemptTimeoutMs: options.attemptTimeoutMs ?? 10_000,
      keepsBroker: options.keepsBroker ?? false,
      asking: options.asking ?? options.client,
    };
    this.#stopWatchingDisconnects = this.#client.onDisconnected(() => this.requestUpdate());
  }

  /** What was learned last; undefined before the first answer. */
  get snapshot(): ClusterSnapshot | undefined {
    if (this.#updatedAtMs === undefined) return undefined;
    return {
      clusterId: this.#clusterId,
      controllerId: this.#controllerId,
      brokers: this.#brokers,
      topics: new Map(Array.from(this.#topics, ([name, { metadata }]) => [name, metadata])),
      updatedAtMs: this.#updatedAtMs,
    };
  }

  broker(id: number): BrokerNode | undefined {
    return this.#brokers.get(id);
  }

  get controllerId(): number {
    return this.#controllerId;
  }

  get brokers(): ReadonlyMap<number, BrokerNode> {
    return this.#brokers;
  }

  /** How often another broker answered than the one before: answers between which this stayed the same never went back in time. */
  get brokerSwitches(): number {
    return this.#brokerSwitches;
  }

  /** Calls `listener` after each update; returns how to stop that. */
  onUpdate(listener: (snapshot: ClusterSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last snapshot, or a first one. Rejects as `refresh`. */
  async current(): Promise<ClusterSnapshot> {
    return this.snapshot ?? (await this.refresh());
  }

  /**
   * Asks a broker for the cluster and the tracked topics now; shares a request of that kind that is on its way.
   * Rejects with `NoBrokerAvailableError` when nobody answered, `ClientClosedError` after `close`.
   */
  refresh(): Promise<ClusterSnapshot> {
    this.#refreshing ??= this.#refreshTracked().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Asks for a refresh soon, without waiting: backed off when one after another fails. */
  requestUpdate(): void {
    if (this.#closed || this.#updateTimer !== undefined || this.#updatedAtMs === undefined) return;
    const { retryBackoffMs: initialMs, retryBackoffMaxMs: maxMs } = this.#options;
    const delayMs = backoffMs({ initialMs, maxMs }, this.#failedUpdates, this.#runtime.random);
    this.#updateTimer = this.#runtime.scheduler.after(delayMs, () => {
      this.#updateTimer = undefined;
      this.refresh().then(
        () => (this.#failedUpdates = 0),
        () => {
          this.#failedUpdates++;
          this.requestUpdate();
        },
      );
    });
  }

  /**
   * The metadata of `names`, from memory where all their partitions have leaders, else asked for now. A topic that
   * does not exist comes with its error code. They are tracked from now on. Rejects as `refresh`.
   */
  async topics(names: readonly string[], options: { readonly fresh?: boolean } = {}): Promise<Map<string, TopicMetadata>> {
    const nowMs = this.#runtime.clock.monotonicMs();
    const missing: string[] = [];
    for (const name of names) {
      const tracked = this.#topics.get(name);
      if (tracked !== undefined) tracked.lastUsedMs = nowMs;
      if (options.fresh === true || tracked === undefined || !isComplete(tracked.metadata, this.#brokers)) missing.push(name);
    }
    const asked = missing.length === 0 ? new Map<string, TopicMetadata>() : await this.fetchTopics(missing);
    const found = new Map<string, TopicMetadata>();
    for (const name of names) {
      const metadata = asked.get(name) ?? this.#topics.get(name)?.metadata;
      if (metadata !== undefined) found.set(name, metadata);
    }
    return found;
  }

  /** Asks for `selection` now, and nothing from memory; keeps what it learns about tracked topics and brokers. */
  async fetchTopics(selection: TopicSelection): Promise<Map<string, TopicMetadata>> {
    const response = await this.#ask(selection);
    this.#applyBrokers(response);
    const topics = topicsOf(response);
    this.#applyTopics(topics, selection !== 'all');
    this.#notify();
    return topics;
  }

  /**
   * The broker to ask when any will do: one with a ready connection and little to do, else one that can be connected
   * to now, else any. Bootstrap servers before the first answer. `except` leaves out those that were tried.
   */
  leastLoadedNode(except?: ReadonlySet<number>): Node | undefined {
    const known: readonly Node[] = this.#brokers.size > 0 ? Array.from(this.#brokers.values()) : this.#bootstrap;
    const candidates = known.filter(({ id }) => except?.has(id) !== true);
    const start = this.#runtime.random?.int(Math.max(1, candidates.length)) ?? 0;
    let best: Node | undefined;
    let bestCost = Infinity;
    for (let step = 0; step < candidates.length; step++) {
      const node = candidates[(start + step) % candidates.length];
      if (node === undefined) continue;
      const cost = this.#costOf(node.id);
      if (cost < bestCost) [best, bestCost] = [node, cost];
    }
    return best;
  }

  close(): void {
    this.#closed = true;
    this.#ageTimer?.cancel();
    this.#updateTimer?.cancel();
    this.#stopWatchingDisconnects();
    this.#listeners.clear();
  }

  #costOf(nodeId: number): number {
    const cost = { ready: 0, idle: 1e6, connecting: 2e6, 'backing-off': 3e6 }[this.#client.stateOf(nodeId)];
    return cost + this.#client.pendingCount(nodeId);
  }

  async #refreshTracked(): Promise<ClusterSnapshot> {
    this.#forgetIdleTopics();
    const names = Array.from(this.#topics.keys());
    const response = await this.#ask(names);
    this.#applyBrokers(response);
    this.#applyTopics(topicsOf(response), false);
    return this.#notify();
  }

  /** Tries the known brokers and then the bootstrap servers, each once. */
  async #ask(selection: TopicSelection): Promise<MetadataResponse> {
    const tried = new Set<number>();
    const names: string[] = [];
    let lastError: unknown;
    for (;;) {
      if (this.#closed) throw new ClientClosedError();
      const node = this.#keptNode(tried) ?? this.leastLoadedNode(tried) ?? this.#bootstrap.find(({ id }) => !tried.has(id));
      if (node === undefined) throw new NoBrokerAvailableError(names, lastError);
      tried.add(node.id);
      names.push(describe(node));
      try {
        const response = await this.#options.asking.send(node, MetadataApi, (version) => requestFor(selection, version), {
          minVersion: 1,
          timeoutMs: this.#options.attemptTimeoutMs,
        });
        this.#noteAnswer(node, response);
        return response;
      } catch (error) {
        // A broker's failure sends us to the next one; our own mistakes don't.
        if (!(error instanceof KafkaError) || error instanceof ClientClosedError) throw error;
        lastError = error;
      }
    }
  }

  /** The broker that answered last, where that one is to be kept and can be asked. */
  #keptNode(tried: ReadonlySet<number>): Node | undefined {
    const id = this.#answeredBy;
    const { keepsBroker, asking } = this.#options;
    if (!keepsBroker || id === undefined || tried.has(id) || asking.stateOf(id) === 'backing-off') return undefined;
    return this.#brokers.get(id);
  }

  #noteAnswer(node: Node, { brokers }: MetadataResponse): void {
    // A bootstrap server is one of the brokers, known by its address.
    const answeredBy = node.id >= 0 ? node.id : brokers.find(({ host, port }) => host === node.host && port === node.port)?.nodeId;
    if (this.#answeredBy !== undefined && answeredBy !== this.#answeredBy) this.#brokerSwitches++;
    this.#answeredBy = answeredBy;
  }

  #applyBrokers(response: MetadataResponse): void {
    // A broker that isn't in its cluster yet answers with no brokers: better keep what is known.
    if (response.brokers.length > 0) this.#brokers = brokersOf(response);
    this.#clusterId = response.clusterId ?? this.#clusterId;
    this.#controllerId = response.controllerId;
    this.#updatedAtMs = this.#runtime.clock.monotonicMs();
    this.#armAgeTimer();
  }

  #applyTopics(topics: ReadonlyMap<string, TopicMetadata>, track: boolean): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    for (const [name, metadata] of topics) {
      const tracked = this.#topics.get(name);
      if (metadata.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.#topics.delete(name);
      else if (tracked !== undefined) tracked.metadata = metadata;
      else if (track) this.#topics.set(name, { metadata, lastUsedMs: nowMs });
    }
  }

  #forgetIdleTopics(): void {
    const oldestMs = this.#runtime.clock.monotonicMs() - this.#options.metadataMaxIdleMs;
    for (const [name, { lastUsedMs }] of this.#topics) if (lastUsedMs < oldestMs) this.#topics.delete(name);
  }

  #armAgeTimer(): void {
    this.#ageTimer?.cancel();
    if (this.#closed) return;
    this.#ageTimer = this.#runtime.scheduler.after(this.#options.metadataMaxAgeMs, () => this.requestUpdate());
  }

  #notify(): ClusterSnapshot {
    const snapshot = this.snapshot;
    if (snapshot === undefined) throw new Error('metadata was applied, so there is a snapshot');
    for (const listener of this.#listeners) listener(snapshot);
    return snapshot;
  }
}

function requestFor(selection: TopicSelection, version: number): MetadataRequestInput {
  const topics = selection === 'all' ? null : selection.map((name) => ({ name }));
  return version >= 4 ? { topics, allowAutoTopicCreation: false } : { topics };
}

function topicsOf(response: MetadataResponse): Map<string, TopicMetadata> {
  const topics = new Map<string, TopicMetadata>();
  for (const topic of response.topics) if (topic.name !== null) topics.set(topic.name, topicOf(topic, topic.name));
  return topics;
}
