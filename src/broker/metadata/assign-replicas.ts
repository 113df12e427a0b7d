/**
 * Spreads the replicas of new partitions over brokers: leaders in turn, followers shifted further with each round, so that the
 * load of a failed broker falls on all others. Where every broker names its rack, a partition's replicas go to as many racks
 * as there are before any rack gets a second one. Source: org.apache.kafka.admin.AdminUtils, KIP-36.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { Random } from '../../runtime/random.ts';

export interface BrokerMetadata {
  readonly id: number;
  readonly rack: string | undefined;
}

export interface AssignReplicasOptions {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** Where the first partition's leader is; random when left out. */
  readonly fixedStartIndex?: number;
  /** Number of the first partition, for those added to a topic. */
  readonly startPartitionId?: number;
  readonly random: Random;
}

interface Start {
  readonly startIndex: number;
  readonly nextReplicaShift: number;
  readonly startPartitionId: number;
}

/**
 * Broker ids per partition, the preferred leader first. Throws KafkaError INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR
 * (below 1 or more than `brokers`), INVALID_REQUEST (some brokers have a rack and some don't).
 */
export function assignReplicasToBrokers(brokers: readonly BrokerMetadata[], options: AssignReplicasOptions): Map<number, number[]> {
  const { partitionCount, replicationFactor, random, fixedStartIndex } = options;
  if (partitionCount <= 0) throw new KafkaError(ErrorCode.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.');
  if (replicationFactor <= 0) throw new KafkaError(ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.');
  if (replicationFactor > brokers.length) {
    throw new KafkaError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Replication factor: ${replicationFactor} larger than available brokers: ${brokers.length}.`,
    );
  }
  const start: Start = {
    startIndex: fixedStartIndex ?? random.int(brokers.length),
    nextReplicaShift: fixedStartIndex ?? random.int(brokers.length),
    startPartitionId: Math.max(0, options.startPartitionId ?? 0),
  };
  const withRack = brokers.filter(({ rack }) => rack !== undefined).length;
  if (withRack === 0) return rackUnaware(brokers, partitionCount, replicationFactor, start);
  if (withRack < brokers.length) {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Not all brokers have rack information for replica rack aware assignment.');
  }
  return rackAware(brokers, partitionCount, replicationFactor, start);
}

function rackUnaware(
  brokers: readonly BrokerMetadata[],
  partitionCount: number,
  replicationFactor: number,
  start: Start,
): Map<number, number[]> {
  const ids = brokers.map(({ id }) => id);
  const assignment = new Map<number, number[]>();
  forEachPartition(ids.length, partitionCount, start, (partition, firstIndex, shift) => {
    const replicas = [ids[firstIndex]!];
    for (let follower = 0; follower < replicationFactor - 1; follower++)
      replicas.push(ids[replicaIndex(firstIndex, shift, follower, ids.length)]!);
    assignment.set(partition, replicas);
  });
  return assignment;
}

function rackAware(
  brokers: readonly BrokerMetadata[],
  partitionCount: number,
  replicationFactor: number,
  start: Start,
): Map<number, number[]> {
  const rackOf = new Map(brokers.map(({ id, rack }) => [id, rack ?? '']));
  const rackCount = new Set(rackOf.values()).size;
  const ids = rackAlternated(brokers);
  const assignment = new Map<number, number[]>();
  forEachPartition(ids.length, partitionCount, start, (partition, firstIndex, shift) => {
    const replicas = [ids[firstIndex]!];
    const racks = new Set([rackOf.get(ids[firstIndex]!)]);
    for (let candidate = 0; replicas.length < replicationFactor; candidate++) {
      const broker = ids[replicaIndex(firstIndex, shift * rackCount, candidate, ids.length)]!;
      const rack = rackOf.get(broker);
      const rackFits = !racks.has(rack) || racks.size === rackCount;
      const brokerFits = !replicas.includes(broker);
      if (!rackFits || !brokerFits) continue;
      replicas.push(broker);
      racks.add(rack);
    }
    assignment.set(partition, replicas);
  });
  return assignment;
}

function forEachPartition(
  brokerCount: number,
  partitionCount: number,
  { startIndex, nextReplicaShift, startPartitionId }: Start,
  assign: (partition: number, firstIndex: number, shift: number) => void,
): void {
  let shift = nextReplicaShift;
  for (let partition = startPartitionId; partition < startPartitionId + partitionCount; partition++) {
    if (partition > 0 && partition % brokerCount === 0) shift++;
    assign(partition, (partition + startIndex) % brokerCount, shift);
  }
}

function replicaIndex(firstIndex: number, secondReplicaShift: number, follower: number, brokerCount: number): number {
  // With one broker there is no follower to place.
  const shift = 1 + ((secondReplicaShift + follower) % Math.max(1, brokerCount - 1));
  return (firstIndex + shift) % brokerCount;
}

/** Brokers in an order in which neighbours are on different racks as long as possible. */
function rackAlternated(brokers: readonly BrokerMetadata[]): number[] {
  const byRack = new Map<string, number[]>();
  for (const { id, rack } of brokers.toSorted((a, b) => a.id - b.id)) {
    const list = byRack.get(rack ?? '');
    if (list === undefined) byRack.set(rack ?? '', [id]);
    else list.push(id);
  }
  const racks = [...byRack.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, ids]) => ids);
  const result: number[] = [];
  for (let round = 0; result.length < brokers.length; round++) {
    for (const ids of racks) {
      const id = ids[round];
      if (id !== undefined) result.push(id);
    }
  }
  return result;
}
