/**
 * Creates topics that clients asked about and that don't exist: by this broker when it is the controller, else by a CreateTopics
 * request to it. Internal topics get their own partitions, replication and configuration, and like any topic need as many
 * brokers as replicas.
 *
 * Answers LEADER_NOT_AVAILABLE for a topic that is being created, wherever the controller is (Apache Kafka says
 * UNKNOWN_TOPIC_OR_PARTITION when it is another broker): clients then ask again soon.
 * Source: kafka.server.DefaultAutoTopicCreationManager.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { CreateTopics, type CreatableTopic } from '../../protocol/generated/create-topics.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { invalidTopicNameReason } from '../config/topic-name.ts';
import type { NodeToControllerChannel } from './node-to-controller-channel.ts';
import { GROUP_METADATA_TOPIC_NAME, TRANSACTION_STATE_TOPIC_NAME } from './topic-names.ts';
import type { ZkAdminManager } from './zk-admin-manager.ts';

/** Topics on their way to the controller; more are refused until some have arrived. */
const MAX_IN_FLIGHT_TOPICS = 1000;

export interface AutoTopicCreationManagerOptions {
  readonly config: () => KafkaConfig;
  readonly isActiveController: () => boolean;
  readonly adminManager: Pick<ZkAdminManager, 'createTopics'>;
  readonly channel: Pick<NodeToControllerChannel, 'send'>;
  readonly logger: Logger;
}

/** Error code by topic: what to tell a client now. */
export type AutoCreationResults = ReadonlyMap<string, number>;

export class AutoTopicCreationManager {
  readonly #options: AutoTopicCreationManagerOptions;
  readonly #inFlight = new Set<string>();

  constructor(options: AutoTopicCreationManagerOptions) {
    this.#options = options;
  }

  /**
   * Starts the creation of `topics`; whether auto.create.topics.enable allows it is the caller's to check.
   * Codes: LEADER_NOT_AVAILABLE (ask again), INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR, … as CreateTopics.
   */
  async createTopics(topics: readonly string[]): Promise<AutoCreationResults> {
    const results = new Map<string, number>();
    const creatable: CreatableTopic[] = [];
    for (const topic of topics) {
      if (invalidTopicNameReason(topic) !== undefined) results.set(topic, ErrorCode.INVALID_TOPIC_EXCEPTION);
      else if (this.#inFlight.has(topic)) results.set(topic, ErrorCode.LEADER_NOT_AVAILABLE);
      else if (this.#inFlight.size >= MAX_IN_FLIGHT_TOPICS) results.set(topic, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      else {
        this.#inFlight.add(topic);
        creatable.push(this.#creatableTopic(topic));
      }
    }
    if (creatable.length === 0) return results;
    if (this.#options.isActiveController()) await this.#createHere(creatable, results);
    else this.#askController(creatable, results);
    return results;
  }

  async #createHere(creatable: readonly CreatableTopic[], results: Map<string, number>): Promise<void> {
    try {
      await this.#options.adminManager.createTopics(creatable, { timeoutMs: 0, validateOnly: false }, (created) => {
        for (const { name, errorCode } of created) results.set(name, codeForClient(errorCode));
      });
    } finally {
      for (const { name } of creatable) this.#inFlight.delete(name);
    }
  }

  #askController(creatable: readonly CreatableTopic[], results: Map<string, number>): void {
    const { channel, config, logger } = this.#options;
    const names = creatable.map(({ name }) => name);
    for (const name of names) results.set(name, ErrorCode.LEADER_NOT_AVAILABLE);
    void channel
      .send(CreateTopics, { topics: creatable, timeoutMs: config().requestTimeoutMs, validateOnly: false })
      .then(
        ({ topics }) => {
          for (const { name, errorCode, errorMessage } of topics) {
            if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) continue;
            logger.warn(`automatic creation of topic ${name} failed with code ${errorCode}: ${errorMessage ?? ''}`);
          }
        },
        (error: unknown) => logger.warn({ err: error }, `automatic creation of ${names.join(', ')} did not reach the controller`),
      )
      .finally(() => {
        for (const name of names) this.#inFlight.delete(name);
      });
  }

  #creatableTopic(name: string): CreatableTopic {
    const config = this.#options.config();
    if (name === GROUP_METADATA_TOPIC_NAME) {
      return creatable(name, config.offsetsTopicNumPartitions, config.offsetsTopicReplicationFactor, {
        'cleanup.policy': 'compact',
        'segment.bytes': String(config.offsetsTopicSegmentBytes),
        'compression.type': 'producer',
      });
    }
    if (name === TRANSACTION_STATE_TOPIC_NAME) {
      return creatable(name, config.transactionStateLogNumPartitions, config.transactionStateLogReplicationFactor, {
        'unclean.leader.election.enable': 'false',
        'compression.type': 'uncompressed',
        'cleanup.policy': 'compact',
        'min.insync.replicas': String(config.transactionStateLogMinIsr),
        'segment.bytes': String(config.transactionStateLogSegmentBytes),
      });
    }
    return creatable(name, config.numPartitions, config.defaultReplicationFactor, {});
  }
}

function creatable(name: string, numPartitions: number, replicationFactor: number, configs: Record<string, string>): CreatableTopic {
  return {
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  };
}

/** What was just written has no leader yet: the client is to ask again. */
function codeForClient(errorCode: number): number {
  const { NONE, TOPIC_ALREADY_EXISTS, REQUEST_TIMED_OUT, LEADER_NOT_AVAILABLE } = ErrorCode;
  return errorCode === NONE || errorCode === TOPIC_ALREADY_EXISTS || errorCode === REQUEST_TIMED_OUT ? LEADER_NOT_AVAILABLE : errorCode;
}
