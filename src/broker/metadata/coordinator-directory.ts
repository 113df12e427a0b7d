/** What FindCoordinator asks, answered from the metadata cache; a missing internal topic is created on the way. */
import type { AutoTopicCreationManager } from './auto-topic-creation-manager.ts';
import type { BrokerNode, MetadataCache } from './metadata-cache.ts';

export interface CoordinatorDirectoryOptions {
  readonly metadataCache: MetadataCache;
  readonly autoTopicCreation: Pick<AutoTopicCreationManager, 'createTopics'>;
  /** Told when the creation could not even be started. */
  readonly onError: (error: unknown) => void;
}

export class MetadataCoordinatorDirectory {
  readonly #options: CoordinatorDirectoryOptions;

  constructor(options: CoordinatorDirectoryOptions) {
    this.#options = options;
  }

  /** undefined while the topic doesn't exist. */
  partitionCountOf(topic: string): number | undefined {
    return this.#options.metadataCache.numPartitions(topic);
  }

  /** Starts the creation; harmless while it is under way. */
  createInternalTopic(topic: string): void {
    this.#options.autoTopicCreation.createTopics([topic]).catch(this.#options.onError);
  }

  leaderEndpoint(topic: string, partition: number, listenerName: string): BrokerNode | undefined {
    return this.#options.metadataCache.getPartitionLeaderEndpoint({ topic, partition }, listenerName);
  }
}
