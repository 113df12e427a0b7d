/**
 * A broker's configuration: parsed from text once, checked, frozen. Every key of `brokerKeys` is a property under its camel-case
 * name (`log.segment.bytes` → `logSegmentBytes`); where Kafka derives a value from several keys (`log.retention.ms`, minutes,
 * hours), the property has the derived value.
 *
 * Unknown keys are kept and reported in `unknownKeys`, since a properties file may hold keys for plug-ins. Keys of KRaft mode and
 * of tiered storage aren't known. Listener overrides (`listener.name.<name>.<key>`) are checked as their base key.
 * Kafka 3.9: `KafkaConfig.scala`, `AbstractKafkaConfig`.
 */
import {
  ConfigException,
  type ConfigKey,
  type ConfigTable,
  type ConfigValue,
  type ConfigValues,
  parseValue,
  propertyNameOf,
} from './config-def.ts';
import { type EndPoint, parseEndPoints, parseSecurityProtocolMap, type SecurityProtocol } from './endpoint.ts';
import { checkTogether } from './kafka-config-checks.ts';
import { coordinatorKeys } from './keys/coordinator-keys.ts';
import { logKeys } from './keys/log-keys.ts';
import { replicationKeys } from './keys/replication-keys.ts';
import { dynamicOnlyBrokerKeys, serverKeys } from './keys/server-keys.ts';
import { socketServerKeys } from './keys/socket-server-keys.ts';

const tables = { ...serverKeys, ...socketServerKeys, ...logKeys, ...replicationKeys, ...coordinatorKeys, ...dynamicOnlyBrokerKeys };

/** All broker keys. */
export const brokerKeys: ConfigTable = Object.freeze(tables);

/** Values that come of several keys, under the name of the one that counts most. */
interface DerivedValues {
  /** Always set: a broker without ZooKeeper is refused. */
  readonly zookeeperConnect: string;
  /** `log.dirs`, or `log.dir`. */
  readonly logDirs: readonly string[];
  readonly listeners: readonly EndPoint[];
  /** `advertised.listeners`, or `listeners`. A port 0 is still 0 here: the socket server knows the real one. */
  readonly advertisedListeners: readonly EndPoint[];
  readonly interBrokerListenerName: string;
  readonly listenerSecurityProtocolMap: ReadonlyMap<string, SecurityProtocol>;
  /** The limits per address of `max.connections.per.ip.overrides`. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
  readonly zookeeperConnectionTimeoutMs: number;
  readonly numReplicaAlterLogDirsThreads: number;
  readonly logRollMs: number;
  readonly logRollJitterMs: number;
  /** -1 for ever. */
  readonly logRetentionMs: number;
  readonly logFlushIntervalMs: number;
  readonly logMessageTimestampBeforeMaxMs: number;
  readonly logMessageTimestampAfterMaxMs: number;
}

interface Source {
  /** What was given, unknown keys too. */
  readonly originals: Readonly<Record<string, string>>;
  readonly unknownKeys: readonly string[];
}

export interface KafkaConfig extends Omit<ConfigValues<typeof tables>, keyof DerivedValues>, DerivedValues, Source {}

/** The typed values before derivation. */
export type RawValues = ConfigValues<typeof tables>;

const LISTENER_PREFIX = /^listener\.name\.([^.]+)\.(.+)$/;

/** The definition of a broker key, also of one with a listener prefix (`listener.name.x.max.connections`); undefined when unknown. */
export function brokerKey(name: string): ConfigKey | undefined {
  const exact = Object.hasOwn(brokerKeys, name) ? brokerKeys[name] : undefined;
  if (exact !== undefined) return exact;
  const base = baseKeyOf(name);
  return base === name ? undefined : brokerKey(base);
}

/** `listener.name.x.ssl.keystore.type` → `ssl.keystore.type`; `listener.name.x.plain.sasl.jaas.config` → `sasl.jaas.config`. */
export function baseKeyOf(name: string): string {
  const base = LISTENER_PREFIX.exec(name)?.[2];
  if (base === undefined) return name;
  return base.endsWith('.sasl.jaas.config') ? 'sasl.jaas.config' : base;
}

/**
 * Parses and checks a broker's configuration.
 * @param originals Kafka's keys and their values as text.
 * @throws ConfigException with key, value and what is allowed.
 */
export function parseKafkaConfig(originals: Readonly<Record<string, string>>): KafkaConfig {
  const values: Record<string, ConfigValue> = {};
  for (const [name, key] of Object.entries(brokerKeys)) {
    values[propertyNameOf(name)] = parseValue(name, key, originals[name] ?? key.defaultText);
  }
  const unknownKeys: string[] = [];
  for (const [name, text] of Object.entries(originals)) {
    const key = brokerKey(name);
    if (key === undefined) unknownKeys.push(name);
    else if (!Object.hasOwn(brokerKeys, name)) parseValue(name, key, text);
  }
  // The table's types are those of the parsed values, key by key.
  const raw = values as unknown as RawValues;
  const config: KafkaConfig = { ...raw, ...deriveValues(raw, originals), originals: Object.freeze({ ...originals }), unknownKeys };
  checkTogether(config);
  return Object.freeze(config);
}

/** The value of `key` for connections of a listener: its override where there is one. */
export function listenerText(config: KafkaConfig, listenerName: string, key: string): string | undefined {
  return config.originals[`listener.name.${listenerName.toLowerCase()}.${key}`];
}

function deriveValues(raw: RawValues, originals: Readonly<Record<string, string>>): DerivedValues {
  if (raw.zookeeperConnect === null) throw new ConfigException('zookeeper.connect', null, 'is required and has no default');
  const protocols = parseSecurityProtocolMap('listener.security.protocol.map', raw.listenerSecurityProtocolMap);
  const listeners = parseEndPoints('listeners', raw.listeners, protocols, true);
  const logDirs = namesOf(raw.logDirs ?? raw.logDir);
  const difference = 'log.message.timestamp.difference.max.ms' in originals ? raw.logMessageTimestampDifferenceMaxMs : undefined;
  return {
    zookeeperConnect: raw.zookeeperConnect,
    logDirs,
    listeners,
    advertisedListeners:
      raw.advertisedListeners === null ? listeners : parseEndPoints('advertised.listeners', raw.advertisedListeners, protocols, false),
    interBrokerListenerName: deriveInterBrokerListenerName(raw, originals, protocols),
    listenerSecurityProtocolMap: protocols,
    maxConnectionsPerIpOverrides: parseOverrides(raw.maxConnectionsPerIpOverrides),
    zookeeperConnectionTimeoutMs: raw.zookeeperConnectionTimeoutMs ?? raw.zookeeperSessionTimeoutMs,
    numReplicaAlterLogDirsThreads: raw.numReplicaAlterLogDirsThreads ?? logDirs.length,
    logRollMs: raw.logRollMs ?? raw.logRollHours * 3_600_000,
    logRollJitterMs: raw.logRollJitterMs ?? raw.logRollJitterHours * 3_600_000,
    logRetentionMs: deriveRetentionMs(raw),
    logFlushIntervalMs: raw.logFlushIntervalMs ?? raw.logFlushSchedulerIntervalMs,
    logMessageTimestampBeforeMaxMs:
      'log.message.timestamp.before.max.ms' in originals
        ? raw.logMessageTimestampBeforeMaxMs
        : (difference ?? raw.logMessageTimestampBeforeMaxMs),
    logMessageTimestampAfterMaxMs:
      'log.message.timestamp.after.max.ms' in originals
        ? raw.logMessageTimestampAfterMaxMs
        : (difference ?? raw.logMessageTimestampAfterMaxMs),
  };
}

function deriveRetentionMs(raw: RawValues): number {
  const { logRetentionMs, logRetentionMinutes, logRetentionHours } = raw;
  const retentionMs = logRetentionMs ?? (logRetentionMinutes === null ? logRetentionHours * 3_600_000 : logRetentionMinutes * 60_000);
  return retentionMs < 0 ? -1 : retentionMs;
}

function deriveInterBrokerListenerName(
  raw: RawValues,
  originals: Readonly<Record<string, string>>,
  protocols: ReadonlyMap<string, SecurityProtocol>,
): string {
  const name = raw.interBrokerListenerName;
  if (name === null) return raw.securityInterBrokerProtocol;
  if ('security.inter.broker.protocol' in originals) {
    throw new ConfigException('inter.broker.listener.name', name, 'only one of it and security.inter.broker.protocol may be set');
  }
  if (!protocols.has(name.toUpperCase())) {
    throw new ConfigException('inter.broker.listener.name', name, 'must be a listener of listener.security.protocol.map');
  }
  return name.toUpperCase();
}

function namesOf(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  return Object.freeze(names.filter((name) => name !== ''));
}

function parseOverrides(text: string): ReadonlyMap<string, number> {
  const key = 'max.connections.per.ip.overrides';
  const overrides = new Map<string, number>();
  for (const item of namesOf(text)) {
    const colon = item.lastIndexOf(':');
    const count = item.slice(colon + 1).trim();
    if (colon <= 0 || !/^\d+$/.test(count)) throw new ConfigException(key, text, 'Each item must be address:count');
    overrides.set(item.slice(0, colon).trim(), Number(count));
  }
  return overrides;
}
