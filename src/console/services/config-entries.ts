/** DescribeConfigs' entries as the contract shows them. */
import { ConfigSource as KafkaConfigSource } from '../../client/admin/configs.ts';
import type { ConfigEntry as KafkaConfigEntry } from '../../client/admin/configs.ts';
import type { ConfigEntry, ConfigSource, ConfigType, TopicConfigSpec } from '../contract/configs.ts';

const SOURCES: Readonly<Record<number, ConfigSource>> = {
  [KafkaConfigSource.DYNAMIC_TOPIC_CONFIG]: 'dynamicTopic',
  [KafkaConfigSource.DYNAMIC_BROKER_CONFIG]: 'dynamicBroker',
  [KafkaConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG]: 'dynamicDefaultBroker',
  [KafkaConfigSource.STATIC_BROKER_CONFIG]: 'staticBroker',
  [KafkaConfigSource.DEFAULT_CONFIG]: 'default',
  [KafkaConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG]: 'dynamicBrokerLogger',
};
/** By ConfigType's number; 0 is unknown. */
const TYPES: readonly ConfigType[] = ['unknown', 'boolean', 'string', 'int', 'short', 'long', 'double', 'list', 'class', 'password'];

/** Sorted by name. `specOf` gives our own explanation, used where the broker sends none. */
export function configEntries(entries: readonly KafkaConfigEntry[], specOf: (name: string) => TopicConfigSpec | undefined): ConfigEntry[] {
  return entries
    .map((entry): ConfigEntry => {
      const spec = specOf(entry.name);
      const source = SOURCES[entry.source] ?? 'unknown';
      return {
        name: entry.name,
        value: entry.isSensitive ? null : entry.value,
        defaultValue: defaultOf(entry, source, spec),
        source,
        type: TYPES[entry.type] ?? 'unknown',
        readOnly: entry.isReadOnly,
        sensitive: entry.isSensitive,
        documentation: spec?.documentation ?? entry.documentation,
        synonyms: entry.synonyms.map((synonym) => ({
          name: synonym.name,
          value: synonym.value,
          source: SOURCES[synonym.source] ?? 'unknown',
        })),
        unit: spec?.unit ?? unitOf(entry.name),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What removing an override would give: the first synonym below the one in force, else Kafka's own default. What is inherited has none to remove. */
function defaultOf(entry: KafkaConfigEntry, source: ConfigSource, spec: TopicConfigSpec | undefined): string | null {
  if (entry.isSensitive) return null;
  if (source === 'default') return entry.value;
  const [inForce, ...below] = entry.synonyms;
  if (inForce !== undefined && inForce.source === entry.source && inForce.name !== entry.name) return entry.value;
  if (inForce !== undefined && inForce.source === entry.source) return below[0]?.value ?? spec?.defaultValue ?? null;
  return entry.synonyms[0]?.value ?? spec?.defaultValue ?? null;
}

/** Kafka's names tell the unit. */
function unitOf(name: string): ConfigEntry['unit'] {
  if (name.endsWith('.ms')) return 'ms';
  if (name.endsWith('.bytes')) return 'bytes';
  if (name.endsWith('.messages')) return 'messages';
  if (name.endsWith('.ratio')) return 'ratio';
  return null;
}
