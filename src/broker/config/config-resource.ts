/** The resources that configuration APIs name, their sources and value types, as numbers on the wire. Kafka 3.9: `ConfigResource.Type`, `ConfigSource`, `ConfigType`, `AlterConfigOp.OpType`. */
import type { ConfigType } from './config-def.ts';

export const ConfigResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
} as const;

export const ConfigSource = {
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
} as const;

export const AlterConfigOpType = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

const WIRE_TYPES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};

/** A value type's number; 0 for a key that isn't known. */
export function wireConfigType(type: ConfigType | undefined): number {
  return type === undefined ? 0 : WIRE_TYPES[type];
}

/** The name of cluster-wide broker defaults in ZooKeeper: `/config/brokers/<default>`. */
export const DEFAULT_ENTITY = '<default>';

export type ConfigEntityType = 'topics' | 'brokers' | 'clients' | 'users' | 'ips';

/** Where the settings of topics, brokers, clients and users are kept: ZooKeeper, by way of `KafkaZkClient`. */
export interface ConfigRepository {
  /** The settings of an entity; empty when it has none. */
  getEntityConfigs(entityType: ConfigEntityType, name: string): Promise<Record<string, string>>;
  /** Replaces the settings of an entity: writes its znode and a change notification. */
  setEntityConfigs(entityType: ConfigEntityType, name: string, configs: Readonly<Record<string, string>>): Promise<void>;
}
