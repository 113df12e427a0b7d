/**
 * Reads and changes the settings of topics and brokers for the APIs 32, 33 and 44. Kafka 3.9: `ZkAdminManager`, `ConfigAdminManager`.
 *
 * Settings live in ZooKeeper; a change is written there with a notification, and takes effect on every broker when it hears of that.
 * A specific broker's settings are described and changed by that broker only; an empty broker name means the cluster-wide defaults.
 * Loggers (BROKER_LOGGER) have no levels of their own here: INVALID_REQUEST.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { DescribeConfigsResource, DescribeConfigsResultInput } from '../../protocol/generated/describe-configs.ts';
import type { Logger } from '../../runtime/logger.ts';
import { applyAlterConfigOps, type AlterConfigOp, checkWellFormed, duplicateResources, invalidRequest } from '../config/config-alter.ts';
import { ConfigException } from '../config/config-def.ts';
import {
  describeBrokerConfigs,
  describeDefaultBrokerConfigs,
  type DescribeOptions,
  describeTopicConfigs,
} from '../config/config-describe.ts';
import { type ConfigRepository, ConfigResourceType, DEFAULT_ENTITY } from '../config/config-resource.ts';
import type { DynamicBrokerConfig } from '../config/dynamic-config.ts';
import { brokerKey } from '../config/kafka-config.ts';
import { topicKey, validateTopicConfig } from '../config/log-config.ts';
import { invalidTopicNameReason } from '../config/topic-name.ts';

export interface ConfigAdminDeps {
  readonly brokerId: number;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly repository: ConfigRepository;
  readonly topics: { topicExists(name: string): boolean };
  readonly logger: Logger;
}

/** One resource to change. For the older AlterConfigs the operations are all SET and what isn't named is removed. */
export interface AlterResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly AlterConfigOp[];
}

export interface ResourceOutcome {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface AlterOptions {
  readonly validateOnly: boolean;
  /** Begin with the settings there are (44), or with none (33). */
  readonly incremental: boolean;
}

export class ConfigAdmin {
  readonly #deps: ConfigAdminDeps;
  readonly #logger: Logger;

  constructor(deps: ConfigAdminDeps) {
    this.#deps = deps;
    this.#logger = deps.logger.child({ component: 'config-admin' });
  }

  /** Describes one resource; an error is part of the result. */
  async describe(resource: DescribeConfigsResource, include: Omit<DescribeOptions, 'keys'>): Promise<DescribeConfigsResultInput> {
    const { resourceType, resourceName } = resource;
    try {
      const configs = await this.#describe(resource, { ...include, keys: resource.configurationKeys });
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs };
    } catch (error) {
      return { ...this.#failure(resource, error), configs: [] };
    }
  }

  /** Changes resources one after another; each has an outcome of its own, in the order given. */
  async alter(resources: readonly AlterResource[], options: AlterOptions): Promise<ResourceOutcome[]> {
    const duplicates = duplicateResources(resources);
    const outcomes: ResourceOutcome[] = [];
    for (const [index, resource] of resources.entries()) {
      const { resourceType, resourceName } = resource;
      try {
        if (duplicates.has(index)) throw invalidRequest('Each resource must appear at most once.');
        checkWellFormed(resource.configs);
        await this.#alter(resource, options);
        outcomes.push({ resourceType, resourceName, errorCode: ErrorCode.NONE, errorMessage: null });
      } catch (error) {
        outcomes.push(this.#failure(resource, error));
      }
    }
    return outcomes;
  }

  async #describe(
    { resourceType, resourceName }: DescribeConfigsResource,
    options: DescribeOptions,
  ): Promise<DescribeConfigsResultInput['configs']> {
    const { dynamicConfig, repository } = this.#deps;
    switch (resourceType) {
      case ConfigResourceType.TOPIC:
        this.#checkTopic(resourceName);
        return describeTopicConfigs(dynamicConfig, await repository.getEntityConfigs('topics', resourceName), options);
      case ConfigResourceType.BROKER:
        if (resourceName === '') return describeDefaultBrokerConfigs(dynamicConfig, options);
        this.#checkBroker(resourceName);
        return describeBrokerConfigs(dynamicConfig, options);
      default:
        throw unsupportedType(resourceType);
    }
  }

  #alter(resource: AlterResource, options: AlterOptions): Promise<void> {
    switch (resource.resourceType) {
      case ConfigResourceType.TOPIC:
        return this.#alterTopic(resource, options);
      case ConfigResourceType.BROKER:
        return this.#alterBroker(resource, options);
      default:
        throw unsupportedType(resource.resourceType);
    }
  }

  async #alterTopic({ resourceName, configs }: AlterResource, { validateOnly, incremental }: AlterOptions): Promise<void> {
    if (resourceName === '') throw invalidRequest('Default topic resources are not allowed.');
    this.#checkTopic(resourceName);
    const { dynamicConfig, repository } = this.#deps;
    const current = incremental ? await repository.getEntityConfigs('topics', resourceName) : {};
    const altered = applyAlterConfigOps(configs, current, topicKey);
    validateTopicConfig(dynamicConfig.current, altered);
    if (validateOnly) return;
    await repository.setEntityConfigs('topics', resourceName, altered);
    this.#logger.info({ topic: resourceName, configs: altered }, `The settings of topic ${resourceName} were changed`);
  }

  async #alterBroker({ resourceName, configs }: AlterResource, { validateOnly, incremental }: AlterOptions): Promise<void> {
    const perBroker = resourceName !== '';
    if (perBroker) this.#checkBroker(resourceName);
    const { dynamicConfig, repository } = this.#deps;
    const entity = perBroker ? String(this.#deps.brokerId) : DEFAULT_ENTITY;
    const current = incremental ? await repository.getEntityConfigs('brokers', entity) : {};
    const altered = applyAlterConfigOps(configs, current, brokerKey);
    try {
      dynamicConfig.validate(altered, perBroker);
    } catch (error) {
      // Kafka answers INVALID_REQUEST for brokers and INVALID_CONFIG for topics (KAFKA-13609).
      throw error instanceof ConfigException ? invalidRequest(error.message) : error;
    }
    if (validateOnly) return;
    await repository.setEntityConfigs('brokers', entity, altered);
    this.#logger.info(
      { entity, keys: Object.keys(altered) },
      `The dynamic settings of ${perBroker ? `broker ${entity}` : 'all brokers'} were changed`,
    );
  }

  #checkTopic(name: string): void {
    const reason = invalidTopicNameReason(name);
    if (reason !== undefined) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason);
    if (!this.#deps.topics.topicExists(name)) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
    }
  }

  #checkBroker(name: string): void {
    if (!/^-?\d+$/.test(name)) throw invalidRequest(`Broker id must be an integer, but it is: ${name}`);
    const { brokerId } = this.#deps;
    if (Number(name) !== brokerId) throw invalidRequest(`Unexpected broker id, expected ${brokerId} or empty string, but received ${name}`);
  }

  #failure(
    { resourceType, resourceName }: { readonly resourceType: number; readonly resourceName: string },
    error: unknown,
  ): ResourceOutcome {
    if (error instanceof ConfigException) {
      const errorMessage = `Invalid config value for resource ${resourceName}: ${error.message}`;
      return { resourceType, resourceName, errorCode: ErrorCode.INVALID_CONFIG, errorMessage };
    }
    if (error instanceof KafkaError) return { resourceType, resourceName, errorCode: error.code, errorMessage: error.message };
    this.#logger.error({ err: error, resourceType, resourceName }, `The settings of ${resourceName} could not be read or changed`);
    return { resourceType, resourceName, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null };
  }
}

function unsupportedType(resourceType: number): KafkaError {
  if (resourceType === ConfigResourceType.BROKER_LOGGER) return invalidRequest('Loggers have no levels of their own here');
  return invalidRequest(`Unexpected resource type ${resourceType}`);
}
