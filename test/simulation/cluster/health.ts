/** How the cluster is, seen by somebody who can look into every broker at once. */
import type { Partition } from '../../../src/broker/replication/partition.ts';
import type { SimCluster } from './sim-cluster.ts';

/** No topic has more: a partition with more is on its way from some to others. */
const MOST_REPLICAS = 3;

/** What keeps the cluster from being whole; empty when nothing does. */
export function troublesOf(cluster: SimCluster, topics: ReadonlyMap<string, number>): string[] {
  const troubles: string[] = [];
  if (cluster.zookeeper.process?.isRunning !== true) troubles.push('ZooKeeper is not running');
  const leaders = new Map<string, Partition>();
  for (const machine of cluster.brokers) {
    const server = cluster.server(machine);
    if (server?.parts === undefined || machine.process?.isRunning !== true) {
      troubles.push(`${machine.name} is not up`);
      continue;
    }
    for (const partition of server.parts.replicaManager.partitions()) {
      if (!partition.isLeader) continue;
      const key = `${partition.topicPartition.topic}-${partition.topicPartition.partition}`;
      const other = leaders.get(key);
      if (other === undefined || other.leaderEpoch < partition.leaderEpoch) leaders.set(key, partition);
    }
  }
  for (const [topic, count] of topics) {
    for (let index = 0; index < count; index++) {
      const key = `${topic}-${index}`;
      const leader = leaders.get(key);
      if (leader === undefined) troubles.push(`${key} has no leader`);
      else if (leader.replicas.length > MOST_REPLICAS) troubles.push(`${key} is being reassigned: [${leader.replicas.join(',')}]`);
      else if (leader.isr.size < leader.replicas.length || leader.isUnderReplicated) {
        troubles.push(
          `${key} (leader ${leader.leaderId}) has ISR [${Array.from(leader.isr).join(',')}] of replicas [${leader.replicas.join(',')}]`,
        );
      }
    }
  }
  return troubles;
}

/**
 * Brokers that go on as leaders of a partition that another leads in a later epoch, or that isn't theirs or there any more: they would take acks=1
 * writes that nobody ever sees. Right after a failure there may be some; not once the metadata has reached everyone.
 */
export function oldLeadersOf(cluster: SimCluster): string[] {
  const old: string[] = [];
  for (const machine of cluster.brokers) {
    const parts = cluster.server(machine)?.parts;
    for (const { isLeader, topicPartition, leaderEpoch, topicId } of parts?.replicaManager.partitions() ?? []) {
      if (!isLeader) continue;
      const { topic, partition } = topicPartition;
      const known = parts?.metadataCache.getPartitionInfo(topicPartition);
      const isOwn = known?.leader === cluster.brokerId(machine) && known.leaderEpoch <= leaderEpoch;
      if (isOwn && parts?.metadataCache.topicIdOf(topic) === topicId) continue;
      const truth = known === undefined ? 'which is no more' : `which broker ${known.leader} leads in epoch ${known.leaderEpoch}`;
      old.push(`${machine.name} goes on as the leader of ${topic}-${partition} in epoch ${leaderEpoch}, ${truth}`);
    }
  }
  return old;
}

/** True when every broker knows of every partition's leader what the leader itself knows. */
export function staleViewsOf(cluster: SimCluster, topics: ReadonlyMap<string, number>): string[] {
  const stale: string[] = [];
  for (const [topic, count] of topics) {
    for (let partition = 0; partition < count; partition++) {
      const seen = new Set<string>();
      for (const machine of cluster.brokers) {
        const leader = cluster.server(machine)?.parts?.metadataCache.leaderOf({ topic, partition });
        seen.add(leader === undefined ? 'none' : `${leader.leaderId} in epoch ${leader.leaderEpoch}`);
      }
      if (seen.size !== 1 || seen.has('none'))
        stale.push(`brokers differ on the leader of ${topic}-${partition}: ${Array.from(seen).join('; ')}`);
    }
  }
  return stale;
}
