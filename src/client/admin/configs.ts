/**
 * Configurations of topics and brokers. A topic's are known to any broker; a broker's, only to itself, but for the
 * cluster-wide default (resource name ''), which any broker knows and, in ZooKeeper mode, any may change.
 * Source: KafkaAdminClient (ConfigResource, `nodeFor`), KIP-133, KIP-226, KIP-339.
 */
import type { KafkaError } from '../../protocol/errors.ts';
import { DescribeConfigs } from '../../protocol/generated/describe-configs.ts';
import { IncrementalAlterConfigs } from '../../protocol/generated/incremental-alter-configs.ts';
import type { Node } from '../network-client.ts';
import { errorOf, runKeyed } from './keyed-call.ts';
import type { AdminContext, Attempt, CallOptions, KeyResult, KeyResults } from './keyed-call.ts';
import { anyBroker, namedBroker } from './lookups.ts';

export const ConfigResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8 } as const;
export type ConfigResourceType = (typeof ConfigResourceType)[keyof typeof ConfigResourceType];

export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** A topic's name, a broker's id as text, or '' for the default of all brokers. */
  readonly name: string;
}

/** The key of a resource in results: `topic:orders`, `broker:1`, `broker:`. */
export function configResourceKey({ type, name }: ConfigResource): string {
  const kind = {
    [ConfigResourceType.TOPIC]: 'topic',
    [ConfigResourceType.BROKER]: 'broker',
    [ConfigResourceType.BROKER_LOGGER]: 'broker-logger',
  }[type];
  return `${kind}:${name}`;
}

/** Where a value comes from, by Kafka's numbers. */
export const ConfigSource = {
  UNKNOWN: 0,
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
} as const;

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

export interface ConfigEntry {
  readonly name: string;
  /** Null when unset, or kept secret. */
  readonly value: string | null;
  readonly source: number;
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Where the value would come from next, the source in force first. Empty when not asked for. */
  readonly synonyms: readonly ConfigSynonym[];
  /** Kafka's ConfigType number (1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password); 0 unknown. */
  readonly type: number;
  readonly documentation: string | null;
}

export interface DescribeConfigsOptions extends CallOptions {
  readonly includeSynonyms?: boolean;
  readonly includeDocumentation?: boolean;
  /** Only these keys. */
  readonly keys?: readonly string[];
}

export const AlterConfigOp = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

export interface ConfigChange {
  readonly name: string;
  readonly op: (typeof AlterConfigOp)[keyof typeof AlterConfigOp];
  /** Null for DELETE. */
  readonly value: string | null;
}

export interface ResourceChanges {
  readonly resource: ConfigResource;
  readonly changes: readonly ConfigChange[];
}

/** Results by `configResourceKey`. */
export function describeConfigs(
  context: AdminContext,
  resources: readonly ConfigResource[],
  options: DescribeConfigsOptions = {},
): Promise<KeyResults<readonly ConfigEntry[]>> {
  const byKey = new Map(resources.map((resource) => [configResourceKey(resource), resource]));
  return runKeyed<readonly ConfigEntry[]>(
    context,
    {
      name: 'describeConfigs',
      lookup: resourceHolder(context, byKey),
      async request(node, keys, { timeoutMs }) {
        const wanted = options.keys === undefined ? null : [...options.keys];
        const body = (version: number) => ({
          resources: keys.flatMap((key) => {
            const resource = byKey.get(key);
            return resource === undefined ? [] : [{ resourceType: resource.type, resourceName: resource.name, configurationKeys: wanted }];
          }),
          includeSynonyms: options.includeSynonyms ?? false,
          ...(version >= 3 ? { includeDocumentation: options.includeDocumentation ?? false } : {}),
        });
        const response = await context.client.send(node, DescribeConfigs, body, { minVersion: 1, timeoutMs });
        return new Map(
          response.results.map((result): [string, KeyResult<readonly ConfigEntry[]>] => [
            keyOf(result.resourceType, result.resourceName),
            errorOf(result.errorCode, result.errorMessage) ??
              result.configs.map((config) => ({
                name: config.name,
                value: config.value,
                source: config.configSource,
                isDefault: config.configSource === ConfigSource.DEFAULT_CONFIG,
                isReadOnly: config.readOnly,
                isSensitive: config.isSensitive,
                synonyms: config.synonyms,
                type: config.configType,
                documentation: config.documentation,
              })),
          ]),
        );
      },
    },
    byKey.keys(),
    options,
  );
}

/** Changes single keys and leaves the others. Each resource as a whole takes or doesn't. Results by `configResourceKey`. */
export function incrementalAlterConfigs(
  context: AdminContext,
  requests: readonly ResourceChanges[],
  options: CallOptions & { readonly validateOnly?: boolean } = {},
): Promise<KeyResults<void>> {
  const byKey = new Map(requests.map((request) => [configResourceKey(request.resource), request]));
  const resources = new Map(Array.from(byKey, ([key, { resource }]) => [key, resource]));
  return runKeyed<void>(
    context,
    {
      name: 'incrementalAlterConfigs',
      lookup: resourceHolder(context, resources),
      async request(node, keys, { timeoutMs }) {
        const body = {
          resources: keys.flatMap((key) => {
            const request = byKey.get(key);
            if (request === undefined) return [];
            const configs = request.changes.map(({ name, op, value }) => ({ name, configOperation: op, value }));
            return [{ resourceType: request.resource.type, resourceName: request.resource.name, configs }];
          }),
          validateOnly: options.validateOnly ?? false,
        };
        const { responses } = await context.client.send(node, IncrementalAlterConfigs, body, { timeoutMs });
        return new Map(
          responses.map((response): [string, KafkaError | undefined] => [
            keyOf(response.resourceType, response.resourceName),
            errorOf(response.errorCode, response.errorMessage),
          ]),
        );
      },
    },
    byKey.keys(),
    options,
  );
}

function resourceHolder(context: AdminContext, resources: ReadonlyMap<string, ConfigResource>) {
  const any = anyBroker(context);
  const named = namedBroker(context, (key) => Number(resources.get(key)?.name));
  return async (keys: readonly string[], attempt: Attempt): Promise<Map<string, KeyResult<Node>>> => {
    const ofBrokers = keys.filter((key) => isOneBrokers(resources.get(key)));
    const ofAny = keys.filter((key) => !isOneBrokers(resources.get(key)));
    const found = ofBrokers.length === 0 ? new Map<string, KeyResult<Node>>() : await named(ofBrokers, attempt);
    if (ofAny.length > 0) for (const [key, node] of await any(ofAny, attempt)) found.set(key, node);
    return found;
  };
}

function isOneBrokers(resource: ConfigResource | undefined): boolean {
  return resource !== undefined && resource.type !== ConfigResourceType.TOPIC && resource.name !== '';
}

function keyOf(type: number, name: string): string {
  const known = Object.values(ConfigResourceType).find((candidate) => candidate === type);
  return known === undefined ? `${type}:${name}` : configResourceKey({ type: known, name });
}
