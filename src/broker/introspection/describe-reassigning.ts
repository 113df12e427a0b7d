/** Answers `replication.reassigning`. */
import type { ReassigningAnswer } from '../../introspection/answers/reassigning.ts';
import type { BrokerParts } from '../broker-parts.ts';
import type { Partition } from '../replication/partition.ts';

export function describeReassigning({ config, runtime, replicaManager, replicationQuotas }: BrokerParts, max: number): ReassigningAnswer {
  const moving = replicaManager.partitions().filter((partition) => partition.isLeader && partition.isReassigning);
  const { leader, follower } = replicationQuotas;
  return {
    brokerId: config.brokerId,
    nowMs: runtime.clock.wallMs(),
    partitionCount: moving.length,
    partitions: moving.slice(0, max).map((partition) => describePartition(partition, config.brokerId)),
    leaderThrottle: finite(leader.upperBound),
    followerThrottle: finite(follower.upperBound),
    leaderByteRate: leader.byteRate,
    followerByteRate: follower.byteRate,
  };
}

function describePartition(partition: Partition, localBrokerId: number): ReassigningAnswer['partitions'][number] {
  const { topicPartition, log, remoteReplicas, addingReplicas, removingReplicas, isr } = partition;
  const logEndOffset = log?.logEndOffset ?? 0;
  const logStartOffset = log?.logStartOffset ?? 0;
  const endOf = (brokerId: number): number =>
    brokerId === localBrokerId ? logEndOffset : (remoteReplicas.find((replica) => replica.brokerId === brokerId)?.logEndOffset ?? -1);
  return {
    ...topicPartition,
    logStartOffset,
    logEndOffset,
    sizeBytes: log?.sizeBytes ?? 0,
    replicas: partition.replicas.map((brokerId) => ({
      brokerId,
      isAdding: addingReplicas.includes(brokerId),
      isRemoving: removingReplicas.includes(brokerId),
      isInSync: isr.has(brokerId),
      logEndOffset: endOf(brokerId),
      lag: Math.max(0, logEndOffset - Math.max(logStartOffset, endOf(brokerId))),
    })),
  };
}

/** Without a setting the rate is 2^63: no throttle. */
function finite(bytesPerSecond: number): number | null {
  return bytesPerSecond < 2 ** 62 ? bytesPerSecond : null;
}
