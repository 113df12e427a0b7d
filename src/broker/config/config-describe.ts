/**
 * What DescribeConfigs says about topics and brokers: each key's value, where it comes from, and the values it stands over.
 * Kafka 3.9: `ConfigHelper`.
 *
 * A value's source is that of its first synonym: topic, this broker's dynamic, all brokers' dynamic, static, default. Synonyms before
 * one of the key's own name are left out, as Kafka does, so that a topic's `retention.ms` on a broker that sets only
 * `log.retention.hours` is shown as a default. Passwords, and keys of unknown type, are shown without value.
 */
import type { DescribeConfigsResourceResultInput, DescribeConfigsSynonymInput } from '../../protocol/generated/describe-configs.ts';
import { brokerSynonyms } from './broker-synonyms.ts';
import { type ConfigKey, isSensitive, parseValue, textOf } from './config-def.ts';
import { ConfigSource, wireConfigType } from './config-resource.ts';
import type { DynamicBrokerConfig } from './dynamic-config.ts';
import { brokerKey, brokerKeys } from './kafka-config.ts';
import { dynamicOnlyBrokerKeys } from './keys/server-keys.ts';
import { serverSynonyms } from './keys/topic-keys.ts';
import { LogConfig, topicKeys } from './log-config.ts';

export interface DescribeOptions {
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
  /** Only these keys; null for all. */
  readonly keys: readonly string[] | null;
}

type Entry = DescribeConfigsResourceResultInput & { readonly configSource: number };
type Synonym = Required<{ [K in keyof DescribeConfigsSynonymInput]: Exclude<DescribeConfigsSynonymInput[K], undefined> }>;

/** The settings of a topic with `overrides`. */
export function describeTopicConfigs(
  dynamic: DynamicBrokerConfig,
  overrides: Readonly<Record<string, string>>,
  options: DescribeOptions,
): Entry[] {
  const config = LogConfig.from(dynamic.current, overrides);
  return namesOf(Object.keys(topicKeys), options).map((name) => {
    const key = topicKeys[name];
    const serverKey = (serverSynonyms as Record<string, readonly { readonly brokerKey: string }[]>)[name]?.[0]?.brokerKey;
    const synonyms = serverKey === undefined ? [] : configSynonyms(dynamic, serverKey, false);
    const value = shownText(name, key, config.texts[name] ?? null);
    if (config.overriddenConfigs.has(name)) synonyms.unshift({ name, value, source: ConfigSource.TOPIC_CONFIG });
    return entryOf(name, key, { value, readOnly: false, synonyms }, options);
  });
}

/** All settings of this broker. */
export function describeBrokerConfigs(dynamic: DynamicBrokerConfig, options: DescribeOptions): Entry[] {
  const { originals } = dynamic.current;
  const known = Object.keys(brokerKeys).filter(
    (name) => brokerKeys[name]?.internal !== true && !Object.hasOwn(dynamicOnlyBrokerKeys, name),
  );
  return namesOf(Array.from(new Set([...known, ...Object.keys(originals)])), options).map((name) => {
    const key = brokerKey(name);
    const value = shownText(name, key, originals[name] ?? (Object.hasOwn(brokerKeys, name) ? (key?.defaultText ?? null) : null));
    const synonyms = configSynonyms(dynamic, name, isSensitive(key));
    return entryOf(name, key, { value, readOnly: isReadOnly(key), synonyms }, options);
  });
}

/** The cluster-wide dynamic settings: only those that are set. */
export function describeDefaultBrokerConfigs(dynamic: DynamicBrokerConfig, options: DescribeOptions): Entry[] {
  const defaults = dynamic.dynamicDefaultConfigs;
  return namesOf(Object.keys(defaults), options).map((name) => {
    const key = brokerKey(name);
    const all = configSynonyms(dynamic, name, isSensitive(key));
    const synonyms = all.filter(({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
    return entryOf(name, key, { value: shownText(name, key, defaults[name] ?? null), readOnly: isReadOnly(key), synonyms }, options);
  });
}

interface Described {
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly synonyms: readonly Synonym[];
}

function entryOf(name: string, key: ConfigKey | undefined, { value, readOnly, synonyms }: Described, options: DescribeOptions): Entry {
  return {
    name,
    value,
    readOnly,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
    isSensitive: isSensitive(key),
    synonyms: options.includeSynonyms ? synonyms : [],
    configType: wireConfigType(key?.type),
    documentation: options.includeDocumentation ? (key?.doc ?? null) : null,
  };
}

function isReadOnly(key: ConfigKey | undefined): boolean {
  return key === undefined || key.dynamic === 'read-only';
}

/** Where a broker key's value comes from, the one that counts first. */
function configSynonyms(dynamic: DynamicBrokerConfig, name: string, sensitive: boolean): Synonym[] {
  const names = brokerSynonyms(name);
  const synonyms: Synonym[] = [];
  const add = (texts: (synonym: string) => string | null | undefined, source: number): void => {
    for (const synonym of names) {
      const text = texts(synonym);
      if (text !== undefined && text !== null) synonyms.push({ name: synonym, value: sensitive ? null : text, source });
    }
  };
  add((synonym) => dynamic.dynamicBrokerConfigs[synonym], ConfigSource.DYNAMIC_BROKER_CONFIG);
  add((synonym) => dynamic.dynamicDefaultConfigs[synonym], ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
  add((synonym) => dynamic.staticBrokerConfigs[synonym], ConfigSource.STATIC_BROKER_CONFIG);
  add((synonym) => (Object.hasOwn(brokerKeys, synonym) ? brokerKeys[synonym]?.defaultText : undefined), ConfigSource.DEFAULT_CONFIG);
  const first = synonyms.findIndex((synonym) => synonym.name === name);
  return first < 0 ? [] : synonyms.slice(first);
}

/** The value in Kafka's text form; null when it must not be shown. */
function shownText(name: string, key: ConfigKey | undefined, text: string | null): string | null {
  if (key === undefined || isSensitive(key) || text === null) return null;
  const value = parseValue(name, key, text);
  // Above 2^53 the number is rounded; the text isn't.
  return typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value) ? text.trim() : textOf(key.type, value);
}

function namesOf(names: readonly string[], { keys }: DescribeOptions): string[] {
  const wanted = keys === null || keys.length === 0 ? names : names.filter((name) => keys.includes(name));
  return wanted.toSorted();
}
