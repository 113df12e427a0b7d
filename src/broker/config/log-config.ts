/**
 * The configuration of a topic's logs: the topic's own settings over the broker's defaults, typed and frozen.
 * Each topic key is a property under its camel-case name (`flush.ms` → `flushMs`, `LONG_MAX` for "never").
 * Kafka 3.9: `LogConfig`, `KafkaConfig.extractLogConfigMap`.
 */
import { ConfigException, type ConfigKey, type ConfigTable, type ConfigValues, parseValue, propertyNameOf, textOf } from './config-def.ts';
import { brokerKeys, type KafkaConfig } from './kafka-config.ts';
import { serverSynonyms, type TopicKey, topicKeys as table } from './keys/topic-keys.ts';

/** All topic keys. */
export const topicKeys: ConfigTable = Object.freeze(table);

/** The broker keys whose change changes the defaults of topics (Kafka: `DynamicLogConfig.ReconfigurableConfigs`). */
export const logReconfigurableConfigs: readonly string[] = Object.values(serverSynonyms)
  .map((synonyms) => synonyms[0]?.brokerKey ?? '')
  .filter((name) => brokerKeys[name]?.dynamic === 'cluster-wide');

export interface LogConfig extends ConfigValues<typeof table> {
  /** Whether `cleanup.policy` has compact. */
  readonly compact: boolean;
  /** Whether `cleanup.policy` has delete. */
  readonly delete: boolean;
  /** The effective value of every key as text. */
  readonly texts: Readonly<Record<string, string>>;
  /** The keys that the topic itself sets. */
  readonly overriddenConfigs: ReadonlySet<string>;
}

export const LogConfig = {
  /**
   * The configuration of a topic with the settings `overrides` on a broker with `brokerConfig`.
   * Keys that aren't topic keys are ignored, as a newer broker may have written them.
   * @throws ConfigException with key, value and what is allowed.
   */
  from(brokerConfig: KafkaConfig, overrides: Readonly<Record<string, string>> = {}): LogConfig {
    const defaults = defaultsOf(brokerConfig);
    if (Object.keys(overrides).length > 0) return build(defaults.texts, overrides);
    return (defaults.logConfig ??= build(defaults.texts, {}));
  },

  /** The configuration of a topic on a broker that sets nothing: for tools and tests. */
  fromDefaults(overrides: Readonly<Record<string, string>> = {}): LogConfig {
    return build({}, overrides);
  },
};

/**
 * Checks a topic's settings as at creation or change: names, types, ranges, and what they must be to each other.
 * @throws ConfigException
 */
export function validateTopicConfig(brokerConfig: KafkaConfig, overrides: Readonly<Record<string, string>>): LogConfig {
  for (const [name, value] of Object.entries(overrides)) {
    if (topicKey(name) === undefined) throw new ConfigException(name, value, 'Unknown topic config name');
  }
  const config = LogConfig.from(brokerConfig, overrides);
  const { minCompactionLagMs, maxCompactionLagMs } = config;
  if (minCompactionLagMs > maxCompactionLagMs) {
    throw new ConfigException(
      'min.compaction.lag.ms',
      String(minCompactionLagMs),
      `must not be more than max.compaction.lag.ms (${maxCompactionLagMs})`,
    );
  }
  if (config.remoteStorageEnable) {
    throw new ConfigException('remote.storage.enable', 'true', 'Tiered Storage functionality is disabled in the broker');
  }
  if (config.remoteLogCopyDisable || config.remoteLogDeleteOnDisable) {
    const key = config.remoteLogCopyDisable ? 'remote.log.copy.disable' : 'remote.log.delete.on.disable';
    throw new ConfigException(key, 'true', 'is not available in ZooKeeper mode');
  }
  return config;
}

/** The definition of a topic key; undefined when there is none of that name. */
export function topicKey(name: string): ConfigKey | undefined {
  return Object.hasOwn(topicKeys, name) ? topicKeys[name] : undefined;
}

/** What topics get from a broker's configuration, made once for each: most topics set nothing of their own. */
interface TopicDefaults {
  readonly texts: Readonly<Record<string, string>>;
  logConfig: LogConfig | undefined;
}

const knownDefaults = new WeakMap<KafkaConfig, TopicDefaults>();

function defaultsOf(brokerConfig: KafkaConfig): TopicDefaults {
  let defaults = knownDefaults.get(brokerConfig);
  if (defaults === undefined) {
    defaults = { texts: defaultTexts(brokerConfig), logConfig: undefined };
    knownDefaults.set(brokerConfig, defaults);
  }
  return defaults;
}

function build(defaults: Readonly<Record<string, string>>, overrides: Readonly<Record<string, string>>): LogConfig {
  const values: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  const overriddenConfigs = new Set<string>();
  for (const [name, key] of Object.entries(topicKeys)) {
    const own = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    if (own !== undefined) overriddenConfigs.add(name);
    const text = own ?? defaults[name] ?? key.defaultText ?? '';
    texts[name] = text;
    values[propertyNameOf(name)] = parseValue(name, key, text);
  }
  // The table's types are those of the parsed values, key by key.
  const typed = values as unknown as ConfigValues<typeof table>;
  const policies = typed.cleanupPolicy;
  return Object.freeze({
    ...typed,
    ...timestampLimits(typed, overriddenConfigs),
    compact: policies.includes('compact'),
    delete: policies.includes('delete'),
    texts: Object.freeze(texts),
    overriddenConfigs,
  });
}

/** The deprecated difference stands in for the two limits that replaced it, where the topic sets only it. */
function timestampLimits(
  typed: ConfigValues<typeof table>,
  overridden: ReadonlySet<string>,
): Pick<LogConfig, 'messageTimestampBeforeMaxMs' | 'messageTimestampAfterMaxMs'> {
  const { messageTimestampBeforeMaxMs, messageTimestampAfterMaxMs, messageTimestampDifferenceMaxMs } = typed;
  const difference = overridden.has('message.timestamp.difference.max.ms') ? messageTimestampDifferenceMaxMs : undefined;
  const limit = (key: TopicKey, own: number): number => (overridden.has(key) || difference === undefined ? own : difference);
  return {
    messageTimestampBeforeMaxMs: limit('message.timestamp.before.max.ms', messageTimestampBeforeMaxMs),
    messageTimestampAfterMaxMs: limit('message.timestamp.after.max.ms', messageTimestampAfterMaxMs),
  };
}

/** The broker's defaults as text under the topics' names; a key in hours or minutes is turned into milliseconds. */
function defaultTexts(config: KafkaConfig): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, synonyms] of Object.entries(serverSynonyms)) {
    const { brokerKey } = synonyms[0] ?? {};
    const key = brokerKey === undefined ? undefined : brokerKeys[brokerKey];
    if (brokerKey === undefined || key === undefined) continue;
    const original = config.originals[brokerKey];
    const derived = (config as unknown as Record<string, string | number | boolean | readonly string[]>)[propertyNameOf(brokerKey)];
    // The text as given keeps longs above 2^53 exact.
    const text = original ?? (derived === undefined ? null : textOf(key.type, derived));
    if (text !== null) texts[name] = text;
  }
  return texts;
}
