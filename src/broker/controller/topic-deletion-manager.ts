/**
 * Deletes topics: from the request in /admin/delete_topics until the last replica's log is gone and the znodes with it.
 *
 * A deletion runs when all replicas of the topic are alive; else the topic is ineligible and waits for the broker's return. It ends the
 * reassignments of its partitions: Kafka's waits for them, and they for a leader that a topic on its way out is not given any more.
 * The request's znode goes last, so that a deletion survives every failover.
 * Order: partitions NonExistent and metadata without leader; replicas Offline (StopReplica), DeletionStarted (StopReplica with
 * deletion), Successful or Ineligible by the answer; all Successful: znodes of the topic, its configuration, the request.
 * Source: kafka.controller.TopicDeletionManager.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { ControllerContext, ControllerPartition, PartitionAndReplica } from './controller-context.ts';
import type { PartitionStateMachine } from './partition-state-machine.ts';
import type { ReplicaStateMachine } from './replica-state-machine.ts';
import type { StateChangeLogger } from './state-change-logger.ts';

export interface DeletionClient {
  /** Removes the topic's znodes, its configuration and the request. */
  deleteTopic(topic: string): Promise<void>;
  deleteTopicDeletions(topics: readonly string[]): Promise<void>;
  /** No PartitionModifications event for the topic any more. */
  mutePartitionModifications(topic: string): void;
  sendMetadataUpdate(partitions: readonly ControllerPartition[]): void;
}

export interface TopicDeletionManagerOptions {
  readonly context: ControllerContext;
  readonly partitionStateMachine: PartitionStateMachine;
  readonly replicaStateMachine: ReplicaStateMachine;
  readonly client: DeletionClient;
  readonly stateChangeLogger: StateChangeLogger;
  readonly logger: Logger;
  /** delete.topic.enable */
  readonly deleteTopicEnable: boolean;
}

export class TopicDeletionManager {
  readonly #options: TopicDeletionManagerOptions;

  constructor(options: TopicDeletionManagerOptions) {
    this.#options = options;
  }

  /** At failover: what was asked and not finished, and which topics can't be deleted now. */
  async init(topicsToBeDeleted: ReadonlySet<string>, topicsIneligible: ReadonlyMap<string, string>): Promise<void> {
    const { context, client, deleteTopicEnable, logger } = this.#options;
    if (!deleteTopicEnable) {
      if (topicsToBeDeleted.size > 0)
        logger.info(`forgetting the deletion of ${[...topicsToBeDeleted].join(', ')}: delete.topic.enable is false`);
      await client.deleteTopicDeletions([...topicsToBeDeleted]);
      return;
    }
    for (const topic of topicsToBeDeleted) context.topicsToBeDeleted.add(topic);
    for (const [topic, reason] of topicsIneligible) {
      if (topicsToBeDeleted.has(topic)) context.topicsIneligibleForDeletion.set(topic, reason);
    }
  }

  async tryTopicDeletion(): Promise<void> {
    if (this.#options.deleteTopicEnable) await this.#resumeDeletions();
  }

  async enqueueTopicsForDeletion(topics: readonly string[]): Promise<void> {
    if (!this.#options.deleteTopicEnable) return;
    for (const topic of topics) this.#options.context.topicsToBeDeleted.add(topic);
    await this.#resumeDeletions();
  }

  /** What held the topics up is over (a broker returned, a reassignment ended). */
  async resumeDeletionForTopics(topics: Iterable<string>): Promise<void> {
    const { context, deleteTopicEnable } = this.#options;
    if (!deleteTopicEnable) return;
    const queued = [...topics].filter((topic) => context.isTopicQueuedUpForDeletion(topic));
    if (queued.length === 0) return;
    for (const topic of queued) context.topicsIneligibleForDeletion.delete(topic);
    await this.#resumeDeletions();
  }

  /** Replicas that could not be deleted: their broker refused or died. */
  async failReplicaDeletion(replicas: readonly PartitionAndReplica[]): Promise<void> {
    if (!this.#options.deleteTopicEnable) return;
    const failed = replicas.filter(({ partition }) => this.isTopicQueuedUpForDeletion(partition.topic));
    if (failed.length === 0) return;
    await this.#options.replicaStateMachine.handleStateChanges(failed, 'ReplicaDeletionIneligible');
    this.markTopicIneligibleForDeletion(
      failed.map(({ partition }) => partition.topic),
      `replicas on ${[...new Set(failed.map(({ replica }) => replica))].join(',')} could not be deleted`,
    );
    await this.#resumeDeletions();
  }

  async completeReplicaDeletion(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const deleted = replicas.filter(({ partition }) => this.isTopicQueuedUpForDeletion(partition.topic));
    await this.#options.replicaStateMachine.handleStateChanges(deleted, 'ReplicaDeletionSuccessful');
    await this.#resumeDeletions();
  }

  markTopicIneligibleForDeletion(topics: Iterable<string>, reason: string): void {
    const { context, deleteTopicEnable, stateChangeLogger } = this.#options;
    if (!deleteTopicEnable) return;
    for (const topic of new Set(topics)) {
      if (!context.isTopicQueuedUpForDeletion(topic) || context.topicsIneligibleForDeletion.has(topic)) continue;
      context.topicsIneligibleForDeletion.set(topic, reason);
      stateChangeLogger.record({ kind: 'topic-deletion-halted', topic, reason });
    }
  }

  isTopicQueuedUpForDeletion(topic: string): boolean {
    return this.#options.deleteTopicEnable && this.#options.context.isTopicQueuedUpForDeletion(topic);
  }

  #isTopicEligibleForDeletion(topic: string): boolean {
    const { context } = this.#options;
    return (
      context.isTopicQueuedUpForDeletion(topic) &&
      !context.isAnyReplicaInState(topic, 'ReplicaDeletionStarted') &&
      !context.topicsIneligibleForDeletion.has(topic)
    );
  }

  async #resumeDeletions(): Promise<void> {
    const { context } = this.#options;
    const toRetry: string[] = [];
    const toStart: string[] = [];
    for (const topic of context.topicsToBeDeleted) {
      if (context.areAllReplicasInState(topic, 'ReplicaDeletionSuccessful')) {
        await this.#completeDeleteTopic(topic);
      } else if (
        !context.isAnyReplicaInState(topic, 'ReplicaDeletionStarted') &&
        context.isAnyReplicaInState(topic, 'ReplicaDeletionIneligible')
      ) {
        toRetry.push(topic);
      }
      if (this.#isTopicEligibleForDeletion(topic)) toStart.push(topic);
    }
    if (toRetry.length > 0) await this.#retryDeletionForIneligibleReplicas(toRetry);
    if (toStart.length > 0) await this.#onTopicDeletion(toStart);
  }

  async #completeDeleteTopic(topic: string): Promise<void> {
    const { context, client, replicaStateMachine, stateChangeLogger } = this.#options;
    // First: else the watch on the deleted topic could speak before the one that tells of its re-creation.
    client.mutePartitionModifications(topic);
    const replicas = context.replicasInState(topic, 'ReplicaDeletionSuccessful');
    await replicaStateMachine.handleStateChanges(replicas, 'NonExistentReplica');
    await client.deleteTopic(topic);
    context.removeTopic(topic);
    stateChangeLogger.record({ kind: 'topic-deleted', topic, reason: 'every replica has deleted its log' });
  }

  /** Ineligible replicas go back to Offline, from where deletion can start anew. */
  async #retryDeletionForIneligibleReplicas(topics: readonly string[]): Promise<void> {
    const { context, replicaStateMachine } = this.#options;
    const replicas = topics.flatMap((topic) => context.replicasInState(topic, 'ReplicaDeletionIneligible'));
    await replicaStateMachine.handleStateChanges(replicas, 'OfflineReplica');
  }

  async #onTopicDeletion(topics: readonly string[]): Promise<void> {
    const { context, client, partitionStateMachine, stateChangeLogger } = this.#options;
    const unseen = topics.filter((topic) => !context.isTopicDeletionInProgress(topic));
    if (unseen.length > 0) {
      const partitions = unseen.flatMap((topic) => context.partitionsForTopic(topic));
      await partitionStateMachine.handleStateChanges(partitions, 'OfflinePartition');
      await partitionStateMachine.handleStateChanges(partitions, 'NonExistentPartition');
      for (const topic of unseen) {
        context.topicsWithDeletionStarted.add(topic);
        stateChangeLogger.record({ kind: 'topic-deletion-started', topic, reason: 'it was asked for in /admin/delete_topics' });
      }
    }
    client.sendMetadataUpdate(topics.flatMap((topic) => context.partitionsForTopic(topic)));
    await this.#onPartitionDeletion(topics);
  }

  async #onPartitionDeletion(topics: readonly string[]): Promise<void> {
    const { context, replicaStateMachine } = this.#options;
    const dead: PartitionAndReplica[] = [];
    const toDelete: PartitionAndReplica[] = [];
    for (const replica of topics.flatMap((topic) => context.replicasForTopic(topic))) {
      if (!context.isReplicaOnline(replica.replica, replica.partition)) dead.push(replica);
      else if (replica.partition.replicaState(replica.replica) !== 'ReplicaDeletionSuccessful') toDelete.push(replica);
    }
    await replicaStateMachine.handleStateChanges(dead, 'ReplicaDeletionIneligible');
    await replicaStateMachine.handleStateChanges(toDelete, 'OfflineReplica');
    await replicaStateMachine.handleStateChanges(toDelete, 'ReplicaDeletionStarted');
    if (dead.length > 0) {
      this.markTopicIneligibleForDeletion(
        dead.map(({ partition }) => partition.topic),
        `replicas on ${[...new Set(dead.map(({ replica }) => replica))].join(',')} are offline`,
      );
    }
  }
}
