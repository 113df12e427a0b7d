/**
 * What UpdateMetadata says of a replica here that neither LeaderAndIsr nor StopReplica has said: that another leads it by now, or that it is
 * none any more. A broker that was cut off misses those two (the controller doesn't send them to a registration that is gone, nor again after it has moved),
 * and would go on as the leader of an old epoch until its next start: take acks=1 writes of clients that have not asked since, and be read.
 *
 * Never by older news: a lower leader epoch says nothing. That UpdateMetadata itself is no older than the last LeaderAndIsr is
 * the order of controllers and of their connections (`api/controller-request-order.ts`), and the broker epoch.
 * Apache Kafka with ZooKeeper has none of this; with KRaft it renames strays, on a full LeaderAndIsr (`LogManager.findStrayReplicas`).
 */
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { LEADER_DURING_DELETE } from '../zk/leader-and-isr.ts';

export interface ReplicaHere {
  readonly topicId: string | undefined;
  readonly leaderEpoch: number;
}

export interface ToldPartition {
  readonly topicId: string;
  readonly state: { readonly leader: number; readonly leaderEpoch: number; readonly replicas: readonly number[] };
}

/** `deposed`: whoever leads here is to stop. `stray`: this broker has no part in the partition. `leaderEpoch`: LeaderAndIsr below it is older. */
export interface Standing {
  readonly kind: 'deposed' | 'stray';
  readonly leaderEpoch: number;
  readonly reason: string;
}

/** @param told undefined where a list of all partitions leaves this one out. Undefined is returned where the controller says nothing new. */
export function standingOf(replica: ReplicaHere, told: ToldPartition | undefined, brokerId: number): Standing | undefined {
  const { topicId } = replica;
  const stray = (reason: string, leaderEpoch = replica.leaderEpoch): Standing => ({ kind: 'stray', leaderEpoch, reason });
  if (told === undefined) return stray('the controller knows of no such partition');
  if (topicId !== undefined && told.topicId !== ZERO_UUID && told.topicId !== topicId)
    return stray(`it is of the topic ${topicId}, and the topic of this name is ${told.topicId}`);
  const { leader, leaderEpoch, replicas } = told.state;
  const notAmong = `its replicas are [${replicas.join(',')}]`;
  // No epochs are told of a topic that is to be deleted. It may have to wait for a reassignment, which needs its leader: StopReplica ends that.
  if (leader === LEADER_DURING_DELETE) return replicas.includes(brokerId) ? undefined : stray(notAmong);
  if (leaderEpoch < replica.leaderEpoch) return undefined;
  if (!replicas.includes(brokerId)) return stray(notAmong, leaderEpoch);
  if (leaderEpoch === replica.leaderEpoch || leader === brokerId) return undefined;
  const who = leader < 0 ? 'nobody leads' : `broker ${leader} leads`;
  return { kind: 'deposed', leaderEpoch, reason: `${who} in epoch ${leaderEpoch}` };
}
