/**
 * Changes of settings, as pure functions: what they must look like, and what becomes of the old ones.
 * Kafka 3.9: `ConfigAdminManager.preprocess`, `prepareIncrementalConfigs`.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { ConfigKey } from './config-def.ts';
import { AlterConfigOpType } from './config-resource.ts';

export interface AlterConfigOp {
  readonly name: string;
  /** `AlterConfigOpType`. */
  readonly configOperation: number;
  readonly value: string | null;
}

interface Named {
  readonly name: string;
  readonly value: string | null;
}

/** @throws KafkaError INVALID_REQUEST when a key comes twice, or a value is missing. */
export function checkWellFormed(configs: readonly (Named & { readonly configOperation?: number })[]): void {
  if (new Set(configs.map(({ name }) => name)).size !== configs.length) throw invalidRequest('Error due to duplicate config keys');
  const empty = configs.filter(({ value, configOperation }) => value === null && configOperation !== AlterConfigOpType.DELETE);
  if (empty.length > 0) throw invalidRequest(`Null value not supported for : ${empty.map(({ name }) => name).join(', ')}`);
}

/** The places of resources that are named more than once: all of them are refused. */
export function duplicateResources(
  resources: readonly { readonly resourceType: number; readonly resourceName: string }[],
): ReadonlySet<number> {
  const firstPlaces = new Map<string, number>();
  const duplicates = new Set<number>();
  for (const [index, { resourceType, resourceName }] of resources.entries()) {
    const id = `${resourceType}/${resourceName}`;
    const first = firstPlaces.get(id);
    if (first === undefined) firstPlaces.set(id, index);
    else duplicates.add(first).add(index);
  }
  return duplicates;
}

/**
 * The settings after `ops`. APPEND and SUBTRACT are for lists; without an old value they begin with the key's default.
 * @throws KafkaError INVALID_CONFIG for APPEND and SUBTRACT on what isn't a list, INVALID_REQUEST for an unknown operation.
 */
export function applyAlterConfigOps(
  ops: readonly AlterConfigOp[],
  current: Readonly<Record<string, string>>,
  keyOf: (name: string) => ConfigKey | undefined,
): Record<string, string> {
  const configs: Record<string, string> = { ...current };
  for (const { name, configOperation, value } of ops) {
    switch (configOperation) {
      case AlterConfigOpType.SET:
        configs[name] = value ?? '';
        break;
      case AlterConfigOpType.DELETE:
        delete configs[name];
        break;
      case AlterConfigOpType.APPEND: {
        const old = oldItems(name, 'append', configs, keyOf);
        configs[name] = [...old, ...itemsOf(value).filter((item) => !old.includes(item))].join(',');
        break;
      }
      case AlterConfigOpType.SUBTRACT: {
        const removed = itemsOf(value);
        configs[name] = oldItems(name, 'subtract', configs, keyOf)
          .filter((item) => !removed.includes(item))
          .join(',');
        break;
      }
      default:
        throw invalidRequest(`Unknown operations type ${configOperation}`);
    }
  }
  return configs;
}

function oldItems(
  name: string,
  what: string,
  configs: Readonly<Record<string, string>>,
  keyOf: (name: string) => ConfigKey | undefined,
): string[] {
  const key = keyOf(name);
  if (key === undefined) throw new KafkaError(ErrorCode.INVALID_CONFIG, `Unknown config name: ${name}`);
  if (key.type !== 'list') throw new KafkaError(ErrorCode.INVALID_CONFIG, `Config value ${what} is not allowed for config key: ${name}`);
  return itemsOf(configs[name] ?? key.defaultText);
}

function itemsOf(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function invalidRequest(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}
