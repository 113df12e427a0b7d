/** Configuration entries as DescribeConfigs gives them, and their changes by IncrementalAlterConfigs. */
import { z } from 'zod';

export type ConfigSource =
  | 'dynamicTopic'
  | 'dynamicBrokerLogger'
  | 'dynamicBroker'
  | 'dynamicDefaultBroker'
  | 'staticBroker'
  | 'default'
  | 'unknown';

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password' | 'unknown';

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

export interface ConfigEntry {
  readonly name: string;
  /** Null when sensitive or not set. */
  readonly value: string | null;
  /** The value that removing the override gives, when a synonym tells it. */
  readonly defaultValue: string | null;
  readonly source: ConfigSource;
  readonly type: ConfigType;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  readonly documentation: string | null;
  /** In the order in which they win: the first one with a value is the one in force. */
  readonly synonyms: readonly ConfigSynonym[];
  /** Set when the catalog of topic configs knows the key. */
  readonly unit: 'ms' | 'bytes' | 'messages' | 'ratio' | null;
}

export const configChange = z.object({
  name: z.string().min(1).max(256),
  /** `set` overrides, `delete` goes back to what is below, `append` and `subtract` change a list. */
  operation: z.enum(['set', 'delete', 'append', 'subtract']),
  value: z.string().max(32_768).nullable(),
});
export type ConfigChange = z.infer<typeof configChange>;

/** What the create dialog and the configs page explain and check before the broker does. */
export interface TopicConfigSpec {
  readonly name: string;
  readonly group: 'retention' | 'flush' | 'segments' | 'compaction' | 'replication' | 'messages' | 'files';
  readonly type: 'boolean' | 'int' | 'long' | 'double' | 'list' | 'string';
  readonly defaultValue: string;
  readonly unit: 'ms' | 'bytes' | 'messages' | 'ratio' | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly allowed: readonly string[] | null;
  /** One or two sentences. */
  readonly documentation: string;
}
