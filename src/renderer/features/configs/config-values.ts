/** A config entry in the catalog's terms, for keys that no catalog explains: enough to check a value while it is typed. */
import type { ConfigEntry, TopicConfigSpec } from '../../../console/contract/configs.ts';

const types: Readonly<Record<ConfigEntry['type'], TopicConfigSpec['type']>> = {
  boolean: 'boolean',
  short: 'int',
  int: 'int',
  long: 'long',
  double: 'double',
  list: 'list',
  string: 'string',
  class: 'string',
  password: 'string',
  unknown: 'string',
};

export function specOfEntry(entry: ConfigEntry): TopicConfigSpec {
  return {
    name: entry.name,
    group: 'files',
    type: types[entry.type],
    defaultValue: entry.defaultValue ?? '',
    unit: entry.unit,
    min: null,
    max: null,
    allowed: null,
    documentation: entry.documentation ?? '',
  };
}
