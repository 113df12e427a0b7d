/**
 * Dynamic configurations in ZooKeeper behind the interface that the configuration APIs use: a change writes the entity's znode and
 * a notification under /config/changes that every broker hears. Source: kafka.server.ZkConfigRepository, AdminZkClient.changeEntityConfig.
 */
import type { ConfigEntityType, ConfigRepository } from '../config/config-resource.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';

export class ZkConfigRepository implements ConfigRepository {
  readonly #zk: KafkaZkClient;

  constructor(zk: KafkaZkClient) {
    this.#zk = zk;
  }

  getEntityConfigs(entityType: ConfigEntityType, name: string): Promise<Record<string, string>> {
    return this.#zk.configs.getEntityConfigs(entityType, name);
  }

  /** Resolves when both are written; brokers take it over soon after. */
  async setEntityConfigs(entityType: ConfigEntityType, name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    await this.#zk.configs.setEntityConfigs(entityType, name, configs);
    await this.#zk.configs.notifyChange(entityType, name);
  }
}
