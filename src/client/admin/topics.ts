/** Topics: list, describe, create, grow, delete, and the deletion of their oldest records. Source: KafkaAdminClient. */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { CreatePartitions } from '../../protocol/generated/create-partitions.ts';
import { CreateTopics } from '../../protocol/generated/create-topics.ts';
import { DeleteRecords } from '../../protocol/generated/delete-records.ts';
import { DeleteTopics } from '../../protocol/generated/delete-topics.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { TopicMetadata } from '../cluster-snapshot.ts';
import { RequestTimeoutError } from '../errors.ts';
import { groupByTopic } from './group-by-topic.ts';
import { errorOf, runKeyed, runSingle } from './keyed-call.ts';
import type { AdminContext, CallOptions, KeyResult, KeyResults } from './keyed-call.ts';
import { anyBroker, controller, partitionLeader } from './lookups.ts';

export interface NewTopic {
  readonly name: string;
  /** -1 (or left out) for the broker's `num.partitions`. */
  readonly numPartitions?: number;
  /** -1 (or left out) for the broker's `default.replication.factor`. */
  readonly replicationFactor?: number;
  /** Broker ids per partition, the preferred leader first; instead of the two numbers above. */
  readonly assignments?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

export interface CreatedTopic {
  /** ZERO_UUID from a broker that doesn't tell. */
  readonly topicId: string;
  /** -1 from a broker that doesn't tell (before version 5, or without the right to see it). */
  readonly numPartitions: number;
  readonly replicationFactor: number;
}

export interface CreateOptions extends CallOptions {
  /** Checks everything and changes nothing. */
  readonly validateOnly?: boolean;
}

export interface NewPartitions {
  readonly topic: string;
  /** The new total. */
  readonly count: number;
  /** Broker ids for each new partition; left out, the controller chooses. */
  readonly assignments?: readonly (readonly number[])[];
}

/** Beyond this a retried UNKNOWN_TOPIC_OR_PARTITION is believed: a topic just made spreads within some hundred ms. */
const UNKNOWN_TOPIC_TRIES = 4;
/** CreateTopics takes -1 for the broker's defaults from here on (KIP-464). */
const CREATE_WITH_DEFAULTS = 4;

export function believeUnknownTopic(error: KafkaError, tries: number): boolean {
  return error.code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION && tries >= UNKNOWN_TOPIC_TRIES;
}

/**
 * The controller's own word that its time was over, not a lost answer: it has begun, and may yet bring it to its end. Asked again it would
 * say that the topic exists, or is unknown. Kafka's Admin takes it as final too.
 */
export function isBegun(error: KafkaError): boolean {
  return error.code === ErrorCode.REQUEST_TIMED_OUT && !(error instanceof RequestTimeoutError);
}

/** All topics there are, by name, internal ones included. */
export function listTopics(context: AdminContext, options?: CallOptions): Promise<Map<string, TopicMetadata>> {
  const call = {
    name: 'listTopics',
    lookup: anyBroker(context),
    request: async () => new Map([['all', await context.metadata.fetchTopics('all')]]),
  };
  return runSingle(context, call, 'all', options);
}

/** Topics by name, never from memory. A topic that doesn't exist gets UNKNOWN_TOPIC_OR_PARTITION at once. */
export function describeTopics(context: AdminContext, names: readonly string[], options?: CallOptions): Promise<KeyResults<TopicMetadata>> {
  const call = {
    name: 'describeTopics',
    lookup: anyBroker(context),
    async request(_node: unknown, keys: readonly string[]) {
      const topics = await context.metadata.fetchTopics(keys);
      return new Map(Array.from(topics, ([name, topic]): [string, KeyResult<TopicMetadata>] => [name, errorOf(topic.errorCode) ?? topic]));
    },
    isFinal: (error: KafkaError) => error.code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  };
  return runKeyed(context, call, names, options);
}

export function createTopics(
  context: AdminContext,
  topics: readonly NewTopic[],
  options: CreateOptions = {},
): Promise<KeyResults<CreatedTopic>> {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  const needsDefaults = topics.some(
    (topic) => topic.assignments === undefined && ((topic.numPartitions ?? -1) < 0 || (topic.replicationFactor ?? -1) < 0),
  );
  return runKeyed<CreatedTopic>(
    context,
    {
      name: 'createTopics',
      lookup: controller(context),
      async request(node, keys, { timeoutMs }) {
        const body = {
          topics: keys.flatMap((key) => creatableOf(byName.get(key))),
          timeoutMs,
          validateOnly: options.validateOnly ?? false,
        };
        const response = await context.client.send(node, CreateTopics, body, {
          minVersion: needsDefaults ? CREATE_WITH_DEFAULTS : 1,
          timeoutMs: afterBroker(timeoutMs),
        });
        return new Map(
          response.topics.map(({ name, errorCode, errorMessage, topicId, numPartitions, replicationFactor }) => [
            name,
            errorOf(errorCode, errorMessage) ?? { topicId, numPartitions, replicationFactor },
          ]),
        );
      },
      isFinal: isBegun,
    },
    byName.keys(),
    options,
  );
}

export function deleteTopics(context: AdminContext, names: readonly string[], options?: CallOptions): Promise<KeyResults<void>> {
  return runKeyed<void>(
    context,
    {
      name: 'deleteTopics',
      lookup: controller(context),
      async request(node, keys, { timeoutMs }) {
        const response = await context.client.send(
          node,
          DeleteTopics,
          (version) => (version >= 6 ? { topics: keys.map((name) => ({ name })), timeoutMs } : { topicNames: [...keys], timeoutMs }),
          { timeoutMs: afterBroker(timeoutMs) },
        );
        return new Map(response.responses.map(({ name, errorCode, errorMessage }) => [name ?? '', errorOf(errorCode, errorMessage)]));
      },
      isFinal: (error) => error.code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || isBegun(error),
    },
    names,
    options,
  );
}

export function createPartitions(
  context: AdminContext,
  requests: readonly NewPartitions[],
  options: CreateOptions = {},
): Promise<KeyResults<void>> {
  const byTopic = new Map(requests.map((request) => [request.topic, request]));
  return runKeyed<void>(
    context,
    {
      name: 'createPartitions',
      lookup: controller(context),
      async request(node, keys, { timeoutMs }) {
        const topics = keys.flatMap((name) => {
          const request = byTopic.get(name);
          if (request === undefined) return [];
          const assignments = request.assignments?.map((brokerIds) => ({ brokerIds: [...brokerIds] })) ?? null;
          return [{ name, count: request.count, assignments }];
        });
        const body = { topics, timeoutMs, validateOnly: options.validateOnly ?? false };
        const { results } = await context.client.send(node, CreatePartitions, body, { timeoutMs: afterBroker(timeoutMs) });
        return new Map(results.map(({ name, errorCode, errorMessage }) => [name, errorOf(errorCode, errorMessage)]));
      },
      isFinal: isBegun,
    },
    byTopic.keys(),
    options,
  );
}

export interface RecordsToDelete extends TopicPartition {
  /** The new log start offset: what is before it goes. -1 for the high watermark. */
  readonly offset: number;
}

/** Results by `topicPartitionKey`: the low watermark after it. */
export function deleteRecords(
  context: AdminContext,
  requests: readonly RecordsToDelete[],
  options?: CallOptions,
): Promise<KeyResults<number>> {
  const byKey = new Map(requests.map((request) => [topicPartitionKey(request), request]));
  return runKeyed<number>(
    context,
    {
      name: 'deleteRecords',
      lookup: partitionLeader(context, byKey),
      async request(node, keys, { timeoutMs }) {
        const topics = groupByTopic(keys.flatMap((key) => byKey.get(key) ?? [])).map(([name, own]) => ({
          name,
          partitions: own.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
        }));
        const response = await context.client.send(node, DeleteRecords, { topics, timeoutMs }, { timeoutMs: afterBroker(timeoutMs) });
        const results: KeyResults<number> = new Map();
        for (const { name, partitions } of response.topics) {
          for (const { partitionIndex, lowWatermark, errorCode } of partitions) {
            results.set(topicPartitionKey({ topic: name, partition: partitionIndex }), errorOf(errorCode) ?? lowWatermark);
          }
        }
        return results;
      },
      isFinal: believeUnknownTopic,
    },
    byKey.keys(),
    options,
  );
}

function creatableOf(topic: NewTopic | undefined) {
  if (topic === undefined) return [];
  const { name, assignments } = topic;
  const configs = Object.entries(topic.configs ?? {}).map(([key, value]) => ({ name: key, value }));
  return [
    {
      name,
      numPartitions: assignments === undefined ? (topic.numPartitions ?? -1) : -1,
      replicationFactor: assignments === undefined ? (topic.replicationFactor ?? -1) : -1,
      assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] })),
      configs,
    },
  ];
}

/** The broker itself waits up to `timeoutMs` for the other brokers: our wait has to be a little longer than its. */
export function afterBroker(timeoutMs: number): number {
  return timeoutMs + 1_000;
}
