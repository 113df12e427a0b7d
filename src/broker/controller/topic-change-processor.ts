/**
 * Topics that appear, grow, are to be deleted: from the znodes to partitions with leaders.
 * Source: KafkaController.processTopicChange, processPartitionModifications, processTopicDeletion.
 */
import { randomUuid } from '../../protocol/uuid.ts';
import type { Random } from '../../runtime/random.ts';
import type { TopicAssignment } from '../zk/zk-data.ts';
import type { ControllerPartition } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';

export class TopicChangeProcessor {
  readonly #parts: ControllerParts;
  readonly #random: Random;

  constructor(parts: ControllerParts, random: Random) {
    this.#parts = parts;
    this.#random = random;
  }

  async processTopicChange(): Promise<void> {
    const { zk, context, logger, stateChangeLogger, watches } = this.#parts;
    const current = await zk.topics.getAllTopics();
    const currentSet = new Set(current);
    const added = current.filter((topic) => !context.hasTopic(topic));
    const removed = [...context.allTopics].filter((topic) => !currentSet.has(topic));
    for (const topic of removed) context.removeTopic(topic);
    watches.unwatchPartitionModifications(removed);
    const partitions = await this.loadTopics(added);
    if (removed.length > 0) logger.info(`topics that are gone: ${removed.join(', ')}`);
    for (const topic of added) {
      const reason = 'its assignment appeared in /brokers/topics';
      const topicId = context.topicId(topic);
      stateChangeLogger.record({ kind: 'topic-created', topic, topicId, partitionCount: context.partitionsForTopic(topic).length, reason });
    }
    await this.#onNewPartitionCreation(partitions);
  }

  /** Reads assignments into the context, gives ids to topics that have none, arms their watches. Returns their partitions. */
  async loadTopics(topics: readonly string[]): Promise<ControllerPartition[]> {
    const { zk, context, watches } = this.#parts;
    for (const topic of topics) context.addTopic(topic, undefined);
    watches.watchPartitionModifications(topics);
    const assignments = await this.#withTopicIds(await zk.topics.getAssignments(topics));
    const loaded: ControllerPartition[] = [];
    for (const [topic, { topicId, partitions }] of assignments) {
      context.addTopic(topic, topicId);
      for (const [number, assignment] of partitions) {
        const partition = context.getOrCreatePartition(topic, number);
        partition.assignment = assignment;
        loaded.push(partition);
      }
    }
    return loaded;
  }

  async #withTopicIds(assignments: ReadonlyMap<string, TopicAssignment>): Promise<ReadonlyMap<string, TopicAssignment>> {
    const { zk, context } = this.#parts;
    const missing = new Map<string, TopicAssignment>();
    for (const [topic, assignment] of assignments) {
      if (assignment.topicId === undefined) missing.set(topic, { ...assignment, topicId: randomUuid(this.#random.bytes(16)) });
    }
    if (missing.size === 0) return assignments;
    await zk.topics.setTopicIds(missing, context.epochZkVersion);
    return new Map([...assignments, ...missing]);
  }

  /** The topic's assignment changed: new partitions are made. (Changed replicas of old ones are not read from here.) */
  async processPartitionModifications(topic: string): Promise<void> {
    const { zk, context, topicDeletionManager, stateChangeLogger, logger } = this.#parts;
    if (!context.hasTopic(topic)) return;
    const assignment = (await zk.topics.getAssignments([topic])).get(topic);
    if (assignment === undefined) return;
    const added = [...assignment.partitions].filter(([number]) => context.partition(topic, number) === undefined);
    if (added.length === 0) return;
    if (topicDeletionManager.isTopicQueuedUpForDeletion(topic)) {
      logger.warn(`not adding partitions to topic ${topic}: it is being deleted`);
      await this.#restoreAssignment(topic, assignment);
      return;
    }
    const partitions = added.map(([number, replicas]) => {
      const partition = context.getOrCreatePartition(topic, number);
      partition.assignment = replicas;
      return partition;
    });
    const reason = 'its assignment in /brokers/topics grew';
    stateChangeLogger.record({ kind: 'partitions-added', topic, partitions: added.map(([number]) => number), reason });
    await this.#onNewPartitionCreation(partitions);
  }

  /** Takes partitions that were added during the deletion out of the znode again. */
  async #restoreAssignment(topic: string, assignment: TopicAssignment): Promise<void> {
    const { zk, context } = this.#parts;
    const existing = new Set(await zk.topics.getPartitionNumbers(topic));
    const partitions = new Map<number, TopicAssignment['partitions'] extends ReadonlyMap<number, infer A> ? A : never>();
    for (const number of assignment.partitions.keys()) {
      const partition = context.partition(topic, number);
      if (existing.has(number) && partition !== undefined) partitions.set(number, partition.assignment);
    }
    await zk.topics.setAssignment(topic, { topicId: context.topicId(topic), partitions }, context.epochZkVersion);
  }

  /** Resolves whether reassignments were ended by it, which /admin/reassign_partitions may still ask for. */
  async processTopicDeletion(): Promise<boolean> {
    const { zk, context, config, topicDeletionManager, logger } = this.#parts;
    const requested = await zk.controller.getTopicDeletions();
    const unknown = requested.filter((topic) => !context.hasTopic(topic));
    if (unknown.length > 0) {
      logger.warn(`forgetting the deletion of topics that don't exist: ${unknown.join(', ')}`);
      await zk.controller.deleteTopicDeletions(unknown, context.epochZkVersion);
    }
    const topics = requested.filter((topic) => context.hasTopic(topic));
    if (topics.length === 0) return false;
    if (!config.deleteTopicEnable) {
      logger.info(`forgetting the deletion of ${topics.join(', ')}: delete.topic.enable is false`);
      await zk.controller.deleteTopicDeletions(topics, context.epochZkVersion);
      return false;
    }
    const reassignmentsEnded = context.endReassignmentsOf(new Set(topics));
    await topicDeletionManager.enqueueTopicsForDeletion(topics);
    return reassignmentsEnded;
  }

  async #onNewPartitionCreation(partitions: readonly ControllerPartition[]): Promise<void> {
    const { context, partitionStateMachine, replicaStateMachine } = this.#parts;
    await partitionStateMachine.handleStateChanges(partitions, 'NewPartition');
    await replicaStateMachine.handleStateChanges(context.replicasOf(partitions), 'NewReplica');
    await partitionStateMachine.handleStateChanges(partitions, 'OnlinePartition', { kind: 'offline', allowUnclean: false });
    await replicaStateMachine.handleStateChanges(context.replicasOf(partitions), 'OnlineReplica');
  }
}
