/** Answers `replication.describe`. */
import type {
  FollowerOfLeader,
  LaggingReplica,
  LeaderView,
  LocalReplica,
  ReplicationAnswer,
} from '../../introspection/answers/replication.ts';
import type { BrokerParts } from '../broker-parts.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { Partition } from '../replication/partition.ts';
import type { Replica } from '../replication/replica.ts';

export interface ReplicationQuestion {
  readonly topic: string;
  readonly from: number;
  readonly max: number;
  readonly worst: number;
}

export function describeReplication(parts: BrokerParts, { topic, from, max, worst }: ReplicationQuestion): ReplicationAnswer {
  const { config, logManager, replicaManager, runtime } = parts;
  const all: { readonly partition: Partition; readonly log: UnifiedLog }[] = [];
  const replicas: LocalReplica[] = [];
  for (const log of logManager.logsOfTopic(topic)) {
    const partition = replicaManager.partition(log.topicPartition);
    const index = log.topicPartition.partition;
    const isAsked = index >= from && index < from + max;
    if (partition !== undefined) all.push({ partition, log });
    if (isAsked && partition !== undefined) replicas.push(describeReplica(parts, partition, log));
    // Found at the start, and no LeaderAndIsr has named it since.
    else if (isAsked && isKnownElsewhere(parts, log)) replicas.push(describeStray(log));
  }
  return {
    brokerId: config.brokerId,
    nowMs: runtime.clock.wallMs(),
    replicaLagTimeMaxMs: config.replicaLagTimeMaxMs,
    partitions: replicas.toSorted((a, b) => a.partition - b.partition),
    furthestBehind: furthestBehind(all, worst),
  };
}

function furthestBehind(all: readonly { readonly partition: Partition; readonly log: UnifiedLog }[], worst: number): LaggingReplica[] {
  const followers = all.flatMap(({ partition, log }) =>
    partition.isLeader
      ? partition.remoteReplicas
          // Of one that hasn't fetched from this leader nobody knows how far it is.
          .filter(({ logEndOffset }) => logEndOffset >= 0)
          .map((replica) => ({ partition: log.topicPartition.partition, brokerId: replica.brokerId, lag: lagOf(replica, log) }))
      : [],
  );
  return followers.toSorted((a, b) => b.lag - a.lag || a.partition - b.partition || a.brokerId - b.brokerId).slice(0, worst);
}

function lagOf({ logEndOffset }: Replica, log: UnifiedLog): number {
  return Math.max(0, log.logEndOffset - Math.max(log.logStartOffset, logEndOffset));
}

function isKnownElsewhere({ config, metadataCache }: BrokerParts, { topicPartition }: UnifiedLog): boolean {
  return metadataCache.getPartitionInfo(topicPartition)?.replicas.includes(config.brokerId) === false;
}

function describeStray({ topicPartition, latestEpoch, logStartOffset, highWatermark, logEndOffset }: UnifiedLog): LocalReplica {
  return {
    partition: topicPartition.partition,
    leader: -1,
    leaderEpoch: latestEpoch ?? -1,
    isLeader: false,
    isStray: true,
    logStartOffset,
    highWatermark,
    logEndOffset,
    following: null,
    led: null,
  };
}

function describeReplica(parts: BrokerParts, partition: Partition, log: UnifiedLog): LocalReplica {
  const { logStartOffset, highWatermark, logEndOffset } = log;
  const { isLeader, isStray, leaderId, leaderEpoch, topicPartition } = partition;
  return {
    partition: topicPartition.partition,
    leader: leaderId,
    leaderEpoch,
    isLeader,
    isStray,
    logStartOffset,
    highWatermark,
    logEndOffset,
    following: isLeader ? null : (parts.fetcherManager.stateOf(topicPartition) ?? null),
    led: isLeader ? leaderView(partition, log, parts.runtime.clock.monotonicMs()) : null,
  };
}

function leaderView(partition: Partition, log: UnifiedLog, nowMs: number): LeaderView {
  const { isr, pendingIsr, leaderEpochStartOffset, addingReplicas, removingReplicas, remoteReplicas } = partition;
  return {
    isr: [...isr],
    pendingIsr: pendingIsr === undefined ? null : [...pendingIsr],
    minInsyncReplicas: log.config.minInsyncReplicas,
    epochStartOffset: leaderEpochStartOffset ?? null,
    addingReplicas,
    removingReplicas,
    followers: remoteReplicas.map((replica) => follower(replica, log, nowMs)),
  };
}

function follower(replica: Replica, log: UnifiedLog, nowMs: number): FollowerOfLeader {
  const { brokerId, logEndOffset, logStartOffset, lastCaughtUpTimeMs, lastFetchTimeMs } = replica;
  return {
    brokerId,
    logEndOffset,
    logStartOffset,
    lag: lagOf(replica, log),
    // Without a new record it stays caught up, however long ago it fetched.
    msSinceCaughtUp: logEndOffset === log.logEndOffset ? 0 : span(nowMs - lastCaughtUpTimeMs),
    msSinceFetched: span(nowMs - lastFetchTimeMs),
  };
}

/** A time that never was is infinitely long ago: JSON has no word for it. */
function span(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}
