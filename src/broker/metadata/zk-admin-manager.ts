/**
 * Creates, grows and deletes topics on the controller's broker: checks the request, writes the znodes that the controller reacts
 * to, and waits until it shows in the metadata cache or the time is over.
 *
 * Each topic succeeds or fails on its own. What was written and did not show in time is answered REQUEST_TIMED_OUT: it may
 * still happen. Completion is a callback, which may come long after the promise of the call settled (all is written then).
 * Source: kafka.server.ZkAdminManager, kafka.zk.AdminZkClient.
 */
import { ErrorCode, KafkaError, errorByCode } from '../../protocol/errors.ts';
import type { CreatePartitionsTopic } from '../../protocol/generated/create-partitions.ts';
import type { CreatableTopic, CreatableTopicResultInput } from '../../protocol/generated/create-topics.ts';
import { randomUuid } from '../../protocol/uuid.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import { ZooKeeperError } from '../../zk-client/zookeeper-client.ts';
import { ConfigException } from '../config/config-def.ts';
import { describeTopicConfigs } from '../config/config-describe.ts';
import type { DynamicBrokerConfig } from '../config/dynamic-config.ts';
import { validateTopicConfig } from '../config/log-config.ts';
import type { DelayedOperationPurgatory } from '../purgatory/delayed-operation-purgatory.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { TopicAssignment } from '../zk/zk-data.ts';
import { ConfigType } from '../zk/zk-paths.ts';
import { isBeingReassigned, replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { assignReplicasToBrokers } from './assign-replicas.ts';
import type { MetadataCache } from './metadata-cache.ts';
import { assignmentOfNewPartitions, assignmentOfNewTopic, checkTopicAssignment, checkTopicName } from './topic-checks.ts';
import { DelayedTopicOperation, type TopicAdminError } from './topic-admin-types.ts';

export interface ZkAdminManagerOptions {
  readonly zk: KafkaZkClient;
  readonly metadataCache: MetadataCache;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly purgatory: DelayedOperationPurgatory<DelayedTopicOperation>;
  readonly random: Random;
  readonly logger: Logger;
}

export interface CreateTopicsOptions {
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
}

const NO_ERROR: TopicAdminError = { errorCode: ErrorCode.NONE, errorMessage: null };

interface Created {
  readonly result: CreatableTopicResultInput;
  readonly partitionCount: number;
}

export class ZkAdminManager {
  readonly #options: ZkAdminManagerOptions;
  readonly #logger: Logger;

  constructor(options: ZkAdminManagerOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ component: 'ZkAdminManager' });
  }

  /** The topic's metadata changed: who waits for it is looked after. */
  tryCompleteDelayedTopicOperations(topic: string): void {
    this.#options.purgatory.checkAndComplete(topic);
  }

  /**
   * Creates `topics`, whose names differ. Error codes per topic: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION,
   * INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, REQUEST_TIMED_OUT.
   */
  async createTopics(
    topics: readonly CreatableTopic[],
    { timeoutMs, validateOnly }: CreateTopicsOptions,
    onComplete: (results: CreatableTopicResultInput[]) => void,
  ): Promise<void> {
    const outcomes: Created[] = [];
    for (const topic of topics) outcomes.push(await this.#createTopic(topic, validateOnly));
    const results = outcomes.map(({ result }) => result);
    const written = validateOnly ? [] : outcomes.filter(({ result }) => result.errorCode === ErrorCode.NONE);
    const isMissingLeader = ({ result, partitionCount }: Created): boolean => this.#isMissingLeader(result.name, 0, partitionCount);
    const complete = (): void => {
      const late = new Set(written.filter(isMissingLeader).map(({ result }) => result));
      onComplete(results.map((result) => (late.has(result) ? { ...result, ...timedOut() } : result)));
    };
    const names = written.map(({ result }) => result.name);
    this.#completeWhen(`creation of ${names.join(', ')}`, names, timeoutMs, () => !written.some(isMissingLeader), complete);
  }

  async #createTopic(topic: CreatableTopic, validateOnly: boolean): Promise<Created> {
    try {
      return await this.#tryCreateTopic(topic, validateOnly);
    } catch (error) {
      const failure = this.#failureOf(error, `creation of topic ${topic.name}`);
      const result = {
        name: topic.name,
        ...failure,
        topicConfigErrorCode: ErrorCode.NONE,
        numPartitions: -1,
        replicationFactor: -1,
        configs: [],
      };
      return { result, partitionCount: 0 };
    }
  }

  async #tryCreateTopic(topic: CreatableTopic, validateOnly: boolean): Promise<Created> {
    const { zk, metadataCache, dynamicConfig, random } = this.#options;
    const config = dynamicConfig.current;
    if (metadataCache.topicExists(topic.name))
      throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic.name}' already exists.`);
    // Before the brokers are counted: to a starting cluster a topic may be new only because the controller hasn't told of it yet.
    await this.#checkNewName(topic.name);
    const overrides = overridesOf(topic);
    const assignment = assignmentOfNewTopic(topic, {
      numPartitions: config.numPartitions,
      defaultReplicationFactor: config.defaultReplicationFactor,
      brokers: metadataCache.getAliveBrokers(),
      random,
    });
    checkTopicAssignment(assignment);
    validateTopicConfig(config, overrides);
    const topicId = randomUuid(random.bytes(16));
    if (!validateOnly) {
      // The configuration first: the controller and the brokers read it when the topic appears.
      // Also when empty: settings of an earlier topic of this name must not come back to life.
      await zk.configs.setEntityConfigs(ConfigType.TOPIC, topic.name, overrides);
      // Before the assignment: most brokers have heard of the overrides when they make the topic's logs.
      if (Object.keys(overrides).length > 0) await zk.configs.notifyChange(ConfigType.TOPIC, topic.name);
      const partitions = new Map(Array.from(assignment, ([partition, replicas]) => [partition, replicaAssignmentOf(replicas)]));
      await zk.topics.createAssignment(topic.name, { topicId, partitions });
      this.#logger.info(`wrote topic ${topic.name} with ${assignment.size} partitions`);
    }
    const configs = describeTopicConfigs(dynamicConfig, overrides, { includeSynonyms: false, includeDocumentation: false, keys: null });
    const result = {
      name: topic.name,
      ...NO_ERROR,
      ...(validateOnly ? {} : { topicId }),
      topicConfigErrorCode: ErrorCode.NONE,
      numPartitions: assignment.size,
      replicationFactor: assignment.get(0)?.length ?? -1,
      configs: configs.map(({ name, value, readOnly, configSource, isSensitive }) => ({
        name,
        ...(value === undefined ? {} : { value }),
        ...(readOnly === undefined ? {} : { readOnly }),
        configSource,
        ...(isSensitive === undefined ? {} : { isSensitive }),
      })),
    };
    return { result, partitionCount: assignment.size };
  }

  async #checkNewName(topic: string): Promise<void> {
    const { zk } = this.#options;
    checkTopicName(topic, []);
    if (await zk.topics.isMarkedForDeletion(topic))
      throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic}' is marked for deletion.`);
    if (await zk.topics.exists(topic)) throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic}' already exists.`);
    checkTopicName(topic, await zk.topics.getAllTopics());
  }

  /** Asks for the deletion of `topics`. Error codes: UNKNOWN_TOPIC_OR_PARTITION, REQUEST_TIMED_OUT. */
  async deleteTopics(
    topics: readonly string[],
    timeoutMs: number,
    onComplete: (results: ReadonlyMap<string, TopicAdminError>) => void,
  ): Promise<void> {
    const results = new Map<string, TopicAdminError>();
    for (const topic of topics) results.set(topic, await this.#deleteTopic(topic));
    const written = topics.filter((topic) => results.get(topic)?.errorCode === ErrorCode.NONE);
    const stillThere = (topic: string): boolean => this.#options.metadataCache.topicExists(topic);
    const complete = (): void => {
      for (const topic of written) if (stillThere(topic)) results.set(topic, timedOut());
      onComplete(results);
    };
    this.#completeWhen(`deletion of ${written.join(', ')}`, written, timeoutMs, () => !written.some(stillThere), complete);
  }

  async #deleteTopic(topic: string): Promise<TopicAdminError> {
    const { zk, metadataCache } = this.#options;
    try {
      if (!metadataCache.topicExists(topic)) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      if (!(await zk.topics.exists(topic)))
        throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic \`${topic}\` to delete does not exist`);
      // Asked for before: then it is under way, which is what was wanted.
      await zk.topics.createDeleteTopicRequest(topic);
      return NO_ERROR;
    } catch (error) {
      return this.#failureOf(error, `deletion of topic ${topic}`);
    }
  }

  /**
   * Adds partitions. Error codes: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT,
   * REASSIGNMENT_IN_PROGRESS, REQUEST_TIMED_OUT.
   */
  async createPartitions(
    topics: readonly CreatePartitionsTopic[],
    { timeoutMs, validateOnly }: CreateTopicsOptions,
    onComplete: (results: ReadonlyMap<string, TopicAdminError>) => void,
  ): Promise<void> {
    const results = new Map<string, TopicAdminError>();
    const added = new Map<string, { readonly from: number; readonly to: number }>();
    for (const topic of topics) {
      try {
        added.set(topic.name, await this.#createPartitions(topic, validateOnly));
        results.set(topic.name, NO_ERROR);
      } catch (error) {
        results.set(topic.name, this.#failureOf(error, `adding partitions to topic ${topic.name}`));
      }
    }
    const waiting = validateOnly ? [] : [...added];
    const isMissing = ([topic, { from, to }]: readonly [string, { readonly from: number; readonly to: number }]): boolean =>
      this.#isMissingLeader(topic, from, to);
    const complete = (): void => {
      for (const entry of waiting) if (isMissing(entry)) results.set(entry[0], timedOut());
      onComplete(results);
    };
    const names = waiting.map(([topic]) => topic);
    this.#completeWhen(`more partitions for ${names.join(', ')}`, names, timeoutMs, () => !waiting.some(isMissing), complete);
  }

  async #createPartitions(topic: CreatePartitionsTopic, validateOnly: boolean): Promise<{ readonly from: number; readonly to: number }> {
    const { zk, metadataCache, random } = this.#options;
    const existing = (await zk.topics.getAssignments([topic.name])).get(topic.name);
    if (existing === undefined || existing.partitions.size === 0) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic.name}' does not exist.`);
    }
    checkNotReassigned(topic.name, existing);
    const brokers = metadataCache.getAliveBrokers();
    const replicas = new Map(Array.from(existing.partitions, ([partition, assignment]) => [partition, assignment.replicas]));
    const added = assignmentOfNewPartitions(topic, replicas, brokers, (options) =>
      assignReplicasToBrokers(brokers, { ...options, random }),
    );
    if (!validateOnly) {
      // Of what is there when it is written: the controller changes assignments too.
      await zk.topics.updateAssignment(topic.name, (current) => {
        checkNotReassigned(topic.name, current);
        const partitions = new Map(current.partitions);
        for (const [partition, ids] of added) if (!partitions.has(partition)) partitions.set(partition, replicaAssignmentOf(ids));
        return { topicId: current.topicId, partitions };
      });
    }
    return { from: existing.partitions.size, to: topic.count };
  }

  /** Whether one of the partitions `from` up to `to` (exclusive) has no leader in the metadata cache. */
  #isMissingLeader(topic: string, from: number, to: number): boolean {
    for (let partition = from; partition < to; partition++) {
      const info = this.#options.metadataCache.getPartitionInfo({ topic, partition });
      if (info === undefined || info.leader < 0) return true;
    }
    return false;
  }

  #completeWhen(what: string, topics: readonly string[], timeoutMs: number, isDone: () => boolean, complete: () => void): void {
    if (topics.length === 0 || timeoutMs <= 0) complete();
    else this.#options.purgatory.tryCompleteElseWatch(new DelayedTopicOperation(timeoutMs, what, isDone, complete), topics);
  }

  #failureOf(error: unknown, what: string): TopicAdminError {
    if (error instanceof KafkaError) return { errorCode: error.code, errorMessage: error.message };
    if (error instanceof ConfigException) return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: error.message };
    if (error instanceof ControllerMovedError) return failure(ErrorCode.NOT_CONTROLLER);
    if (error instanceof ZooKeeperError && error.name === 'NodeExists') return failure(ErrorCode.TOPIC_ALREADY_EXISTS);
    this.#logger.error({ err: error }, `${what} failed`);
    return failure(ErrorCode.UNKNOWN_SERVER_ERROR);
  }
}

function checkNotReassigned(topic: string, { partitions }: TopicAssignment): void {
  if (![...partitions.values()].some(isBeingReassigned)) return;
  throw new KafkaError(ErrorCode.REASSIGNMENT_IN_PROGRESS, `A partition reassignment is in progress for the topic '${topic}'.`);
}

function failure(errorCode: number): TopicAdminError {
  return { errorCode, errorMessage: errorByCode(errorCode).message };
}

function timedOut(): TopicAdminError {
  return { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null };
}

function overridesOf(topic: CreatableTopic): Record<string, string> {
  const overrides: Record<string, string> = {};
  const nulls: string[] = [];
  for (const { name, value } of topic.configs) {
    if (value === null) nulls.push(name);
    else overrides[name] = value;
  }
  if (nulls.length > 0) throw new KafkaError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${nulls.join(',')}`);
  return overrides;
}
