/**
 * /config: dynamic configurations of topics, brokers, clients, users and IPs, and the notifications of their change.
 * Source: KafkaZkClient (setOrCreateEntityConfigs, createConfigChangeNotification).
 */
import type { Logger } from '../../runtime/logger.ts';
import { fencedDeletes } from './controller-fence.ts';
import { createParents } from './broker-znodes.ts';
import { decodeConfigs, encodeConfigChange, encodeConfigs } from './zk-data.ts';
import { checkOp, isZooKeeperError, setDataOp } from './zk-ops.ts';
import { CONFIG_CHANGE_PREFIX, ConfigType, sanitizeEntityName, ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

export type EntityConfigs = Record<string, string>;

export class ConfigZNodes {
  readonly #session: ZooKeeperSession;
  readonly #logger: Logger;

  constructor(session: ZooKeeperSession, logger: Logger) {
    this.#session = session;
    this.#logger = logger;
  }

  /** The entity's overrides, none when it has no znode. `name` as people write it, or `<default>`. */
  async getEntityConfigs(type: ConfigType, name: string): Promise<EntityConfigs> {
    const path = ZkPaths.configEntity(type, sanitizeEntityName(name));
    const found = await this.#session.getData(path);
    return found === undefined ? {} : decodeConfigs(path, found.data);
  }

  /** Overrides of `topics`, an Error where they can't be read. */
  async getTopicConfigs(topics: readonly string[]): Promise<Map<string, EntityConfigs | Error>> {
    const configs = await this.#session.pipelined(topics, async (topic) => {
      try {
        return await this.getEntityConfigs(ConfigType.TOPIC, topic);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    });
    return new Map(topics.map((topic, index) => [topic, configs[index] ?? {}]));
  }

  /** Sanitised names of the entities that have configurations. */
  getEntityNames(type: ConfigType): Promise<readonly string[]> {
    return this.#session.getChildren(ZkPaths.configEntityType(type));
  }

  /** Replaces the entity's overrides. */
  async setEntityConfigs(type: ConfigType, name: string, configs: Readonly<EntityConfigs>): Promise<void> {
    const path = ZkPaths.configEntity(type, sanitizeEntityName(name));
    const data = encodeConfigs(configs);
    if ((await this.#session.exists(path)) === undefined) await this.#create(path, data);
    else await this.#setChecked(path, data);
  }

  /** As Kafka: in a transaction with a check of /controller, which a migration to KRaft replaces. */
  async #setChecked(path: string, data: Buffer): Promise<void> {
    const controller = await this.#session.exists(ZkPaths.controller);
    if (controller === undefined) await this.#session.setData(path, data, -1);
    else await this.#session.multi([checkOp(ZkPaths.controller, controller.version), setDataOp(path, data, -1)]);
  }

  async #create(path: string, data: Buffer): Promise<void> {
    try {
      await this.#session.create(path, data);
    } catch (error) {
      if (isZooKeeperError(error, 'NodeExists')) await this.#setChecked(path, data);
      else if (isZooKeeperError(error, 'NoNode')) {
        await createParents(this.#session, path);
        await this.#session.create(path, data);
      } else throw error;
    }
  }

  /** Tells every broker that the entity changed. */
  async notifyChange(type: ConfigType, name: string): Promise<void> {
    const entityPath = `${type}/${sanitizeEntityName(name)}`;
    await this.#session.create(`${ZkPaths.configChanges}/${CONFIG_CHANGE_PREFIX}`, encodeConfigChange(entityPath), 'persistent-sequential');
    this.#logger.debug(`configuration of ${entityPath} changed`);
  }

  async deleteTopicConfigs(topics: readonly string[], epochZkVersion: number): Promise<void> {
    await fencedDeletes(
      this.#session,
      epochZkVersion,
      topics.map((topic) => ZkPaths.configEntity(ConfigType.TOPIC, sanitizeEntityName(topic))),
    );
  }
}
