/**
 * Paths of Kafka's znodes (Kafka 3.9 in ZooKeeper mode). Source: kafka.zk.ZkData, org.apache.kafka.common.utils.Sanitizer.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';

/** Kinds of entities that have dynamic configurations, as they appear under /config. */
export const ConfigType = { TOPIC: 'topics', CLIENT: 'clients', USER: 'users', BROKER: 'brokers', IP: 'ips' } as const;
export type ConfigType = (typeof ConfigType)[keyof typeof ConfigType];

/** Name of the entity that holds an entity type's cluster-wide default. */
export const DEFAULT_ENTITY_NAME = '<default>';

export const CONFIG_CHANGE_PREFIX = 'config_change_';
export const LOG_DIR_EVENT_PREFIX = 'log_dir_event_';

export const ZkPaths = {
  controller: '/controller',
  controllerEpoch: '/controller_epoch',
  clusterId: '/cluster/id',
  brokerIds: '/brokers/ids',
  brokerId: (brokerId: number): string => `/brokers/ids/${brokerId}`,
  brokerSequenceId: '/brokers/seqid',
  topics: '/brokers/topics',
  topic: (topic: string): string => `/brokers/topics/${topic}`,
  topicPartitions: (topic: string): string => `/brokers/topics/${topic}/partitions`,
  topicPartition: (tp: TopicPartition): string => `/brokers/topics/${tp.topic}/partitions/${tp.partition}`,
  topicPartitionState: (tp: TopicPartition): string => `/brokers/topics/${tp.topic}/partitions/${tp.partition}/state`,
  configEntityType: (type: ConfigType): string => `/config/${type}`,
  /** `name` as it is on the path: see `sanitizeEntityName`. */
  configEntity: (type: ConfigType, sanitizedName: string): string => `/config/${type}/${sanitizedName}`,
  configChanges: '/config/changes',
  configChange: (child: string): string => `/config/changes/${child}`,
  deleteTopics: '/admin/delete_topics',
  deleteTopic: (topic: string): string => `/admin/delete_topics/${topic}`,
  reassignPartitions: '/admin/reassign_partitions',
  preferredReplicaElection: '/admin/preferred_replica_election',
  isrChangeNotifications: '/isr_change_notification',
  isrChangeNotification: (child: string): string => `/isr_change_notification/${child}`,
  logDirEvents: '/log_dir_event_notification',
  logDirEvent: (child: string): string => `/log_dir_event_notification/${child}`,
  producerIdBlock: '/latest_producer_id_block',
  feature: '/feature',
  consumers: '/consumers',
} as const;

/** What a broker makes sure of before it registers. */
export const PERSISTENT_PATHS: readonly string[] = [
  ZkPaths.consumers,
  ZkPaths.brokerIds,
  ZkPaths.topics,
  ZkPaths.configChanges,
  ZkPaths.deleteTopics,
  ZkPaths.brokerSequenceId,
  ZkPaths.isrChangeNotifications,
  ZkPaths.producerIdBlock,
  ZkPaths.logDirEvents,
  ...Object.values(ConfigType).map((type) => ZkPaths.configEntityType(type)),
];

/** The entity's name as Kafka writes it on a path: percent-encoded but for letters, digits and `-_.~`; `<default>` stays. */
export function sanitizeEntityName(name: string): string {
  if (name === DEFAULT_ENTITY_NAME) return name;
  return encodeURIComponent(name).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The opposite of `sanitizeEntityName`; a name that is no valid encoding is given back as it is. */
export function desanitizeEntityName(sanitizedName: string): string {
  try {
    return decodeURIComponent(sanitizedName);
  } catch {
    return sanitizedName;
  }
}
