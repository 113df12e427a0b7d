/**
 * The throttles of replication and what they follow: the dynamic settings `(leader|follower).replication.throttled.rate` of the broker,
 * and `(leader|follower).replication.throttled.replicas` of each topic. Source: Kafka's `TopicConfigHandler`, `BrokerConfigHandler`.
 */
import type { Runtime } from '../runtime/runtime.ts';
import type { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { ReplicationQuotaManager, throttledPartitionsOf } from './replication/replication-quota-manager.ts';

export interface ReplicationQuotas {
  readonly leader: ReplicationQuotaManager;
  readonly follower: ReplicationQuotaManager;
  /** Of moves between log dirs; it holds for all of them. */
  readonly alterLogDirs: ReplicationQuotaManager;
  onTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void;
}

const LEADER_RATE = 'leader.replication.throttled.rate';
const FOLLOWER_RATE = 'follower.replication.throttled.rate';
const ALTER_LOG_DIRS_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';

export function createReplicationQuotas(
  config: KafkaConfig,
  { clock, metrics }: Pick<Runtime, 'clock' | 'metrics'>,
  dynamicConfig: DynamicBrokerConfig,
): ReplicationQuotas {
  const options = { clock, windowCount: config.replicationQuotaWindowNum, windowSizeMs: config.replicationQuotaWindowSizeSeconds * 1000 };
  const leader = new ReplicationQuotaManager(options);
  const follower = new ReplicationQuotaManager(options);
  const alterLogDirs = new ReplicationQuotaManager({
    clock,
    windowCount: config.alterLogDirsReplicationQuotaWindowNum,
    windowSizeMs: config.alterLogDirsReplicationQuotaWindowSizeSeconds * 1000,
  });
  metrics.gauge('byte-rate', () => leader.byteRate, { type: 'LeaderReplication' });
  metrics.gauge('byte-rate', () => follower.byteRate, { type: 'FollowerReplication' });
  metrics.gauge('byte-rate', () => alterLogDirs.byteRate, { type: 'AlterLogDirsReplication' });
  const apply = (current: KafkaConfig): void => {
    leader.updateQuota(current.leaderReplicationThrottledRate);
    follower.updateQuota(current.followerReplicationThrottledRate);
    alterLogDirs.updateQuota(current.replicaAlterLogDirsIoMaxBytesPerSecond);
  };
  apply(dynamicConfig.current);
  dynamicConfig.addReconfigurable({
    reconfigurableConfigs: [LEADER_RATE, FOLLOWER_RATE, ALTER_LOG_DIRS_RATE],
    reconfigure: (_, current) => apply(current),
  });
  return {
    leader,
    follower,
    alterLogDirs,
    onTopicConfig(topic, overrides) {
      leader.markThrottled(topic, throttledPartitionsOf(overrides['leader.replication.throttled.replicas'], config.brokerId));
      follower.markThrottled(topic, throttledPartitionsOf(overrides['follower.replication.throttled.replicas'], config.brokerId));
    },
  };
}
