/**
 * Checks of new topics and partitions, and their assignments: pure, errors as KafkaError with Kafka's code and message.
 * Source: kafka.zk.AdminZkClient.validateTopicCreate, createNewPartitionsAssignment; kafka.server.ZkAdminManager.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { CreatePartitionsTopic } from '../../protocol/generated/create-partitions.ts';
import type { CreatableTopic } from '../../protocol/generated/create-topics.ts';
import type { Random } from '../../runtime/random.ts';
import { invalidTopicNameReason } from '../config/topic-name.ts';
import { assignReplicasToBrokers, type AssignReplicasOptions, type BrokerMetadata } from './assign-replicas.ts';
import { hasCollision, hasCollisionChars } from './topic-names.ts';

/** The broker decides (num.partitions, default.replication.factor). */
const DEFAULT = -1;

/** Throws INVALID_TOPIC_EXCEPTION for a name that is not allowed or collides with one of `existing`. */
export function checkTopicName(topic: string, existing: readonly string[]): void {
  const reason = invalidTopicNameReason(topic);
  if (reason !== undefined) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason);
  if (!hasCollisionChars(topic)) return;
  const colliding = existing.filter((other) => hasCollision(topic, other));
  if (colliding.length > 0) {
    throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${topic}' collides with existing topics: ${colliding.join(', ')}`);
  }
}

/** Throws INVALID_REPLICA_ASSIGNMENT unless partitions are 0 to n-1, of equally many, different brokers each. */
export function checkTopicAssignment(assignment: ReadonlyMap<number, readonly number[]>): void {
  const sizes = new Set(Array.from(assignment.values(), ({ length }) => length));
  if (sizes.size !== 1) throw invalidAssignment('All partitions should have the same number of replicas');
  for (const replicas of assignment.values()) {
    if (new Set(replicas).size !== replicas.length) throw invalidAssignment(`Duplicate replica assignment found: ${replicas.join(',')}`);
    if (replicas.length === 0) throw invalidAssignment('A partition needs at least one replica');
  }
  for (let partition = 0; partition < assignment.size; partition++) {
    if (!assignment.has(partition)) throw invalidAssignment('partitions should be a consecutive 0-based integer sequence');
  }
}

export interface NewTopicDefaults {
  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly brokers: readonly BrokerMetadata[];
  readonly random: Random;
}

/** The assignment that the request names, or one of our making. */
export function assignmentOfNewTopic(topic: CreatableTopic, defaults: NewTopicDefaults): Map<number, readonly number[]> {
  if (topic.assignments.length > 0) {
    if (topic.numPartitions !== DEFAULT || topic.replicationFactor !== DEFAULT) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      );
    }
    return manualAssignment(topic, defaults.brokers);
  }
  return assignReplicasToBrokers(defaults.brokers, {
    partitionCount: topic.numPartitions === DEFAULT ? defaults.numPartitions : topic.numPartitions,
    replicationFactor: topic.replicationFactor === DEFAULT ? defaults.defaultReplicationFactor : topic.replicationFactor,
    random: defaults.random,
  });
}

/** Differs from Kafka's ZooKeeper mode, which takes brokers that don't exist and lets such partitions stay without a leader: refused here, as in KRaft mode. */
function manualAssignment(topic: CreatableTopic, brokers: readonly BrokerMetadata[]): Map<number, readonly number[]> {
  const assignment = new Map<number, readonly number[]>();
  const known = new Set(brokers.map(({ id }) => id));
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (assignment.has(partitionIndex)) throw invalidAssignment(`Partition ${partitionIndex} is assigned twice`);
    const unknown = brokerIds.filter((id) => !known.has(id));
    if (unknown.length > 0) throw invalidAssignment(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`);
    assignment.set(partitionIndex, brokerIds);
  }
  return assignment;
}

/** The replicas of the partitions that `topic` asks to add. */
export function assignmentOfNewPartitions(
  topic: CreatePartitionsTopic,
  existing: ReadonlyMap<number, readonly number[]>,
  brokers: readonly BrokerMetadata[],
  assign: (options: Omit<AssignReplicasOptions, 'random'>) => Map<number, number[]>,
): Map<number, readonly number[]> {
  const increment = topic.count - existing.size;
  if (increment < 0) {
    throw new KafkaError(
      ErrorCode.INVALID_PARTITIONS,
      `Topic currently has ${existing.size} partitions, which is higher than the requested ${topic.count}.`,
    );
  }
  if (increment === 0) throw new KafkaError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${existing.size} partitions.`);
  const replicationFactor = existing.get(0)?.length ?? 0;
  if (topic.assignments === null) {
    const first = existing.get(0)?.[0] ?? -1;
    const fixedStartIndex = Math.max(
      0,
      brokers.findIndex(({ id }) => id >= first),
    );
    return assign({ partitionCount: increment, replicationFactor, fixedStartIndex, startPartitionId: existing.size });
  }
  return manualNewPartitions(topic.assignments, increment, existing.size, replicationFactor, new Set(brokers.map(({ id }) => id)));
}

function manualNewPartitions(
  assignments: NonNullable<CreatePartitionsTopic['assignments']>,
  increment: number,
  firstPartition: number,
  replicationFactor: number,
  knownBrokers: ReadonlySet<number>,
): Map<number, readonly number[]> {
  const unknown = [...new Set(assignments.flatMap(({ brokerIds }) => brokerIds))].filter((id) => !knownBrokers.has(id));
  if (unknown.length > 0) throw invalidAssignment(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`);
  if (assignments.length !== increment) {
    throw invalidAssignment(`Increasing the number of partitions by ${increment} but ${assignments.length} assignments provided.`);
  }
  const added = new Map<number, readonly number[]>();
  assignments.forEach(({ brokerIds }, index) => {
    const partition = firstPartition + index;
    if (brokerIds.length === 0) throw invalidAssignment(`Cannot have replication factor of 0 for partition id ${partition}.`);
    if (new Set(brokerIds).size !== brokerIds.length) {
      throw invalidAssignment(
        `Duplicate brokers not allowed in replica assignment: ${brokerIds.join(', ')} for partition id ${partition}.`,
      );
    }
    if (brokerIds.length !== replicationFactor) {
      throw invalidAssignment(
        `Inconsistent replication factor between partitions, partition 0 has ${replicationFactor} while partition ${partition} has ${brokerIds.length}.`,
      );
    }
    added.set(partition, brokerIds);
  });
  return added;
}

function invalidAssignment(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}
