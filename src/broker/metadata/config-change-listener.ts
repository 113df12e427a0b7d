/**
 * Hears of configuration changes by the notifications under /config/changes and hands the entity's new settings to whoever
 * applies them. Old notifications are removed by whichever broker comes across them.
 *
 * A notification only names the entity: its current settings are read, so that missed or repeated notifications do no harm.
 * At the start and after a new ZooKeeper session, everything that applies to this broker is read anew.
 * Source: kafka.server.DynamicConfigManager, kafka.common.ZkNodeChangeNotificationListener.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { decodeConfigChange } from '../zk/zk-data.ts';
import { CONFIG_CHANGE_PREFIX, ConfigType, DEFAULT_ENTITY_NAME, desanitizeEntityName, ZkPaths } from '../zk/zk-paths.ts';

/** Age at which a notification goes: every live broker has long seen it. */
const CHANGE_EXPIRATION_MS = 15 * 60 * 1000;

export interface ConfigHandlers {
  /** A topic's overrides, all of them. */
  onTopicConfig(topic: string, configs: Readonly<Record<string, string>>): void;
  /** Of one broker, or (`undefined`) of all. */
  onBrokerConfig(brokerId: number | undefined, configs: Readonly<Record<string, string>>): void;
}

export interface ConfigChangeListenerOptions {
  readonly zk: KafkaZkClient;
  readonly brokerId: number;
  readonly handlers: ConfigHandlers;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ConfigChangeListener {
  readonly #options: ConfigChangeListenerOptions;
  /** Number of the last notification dealt with. */
  #lastExecuted = -1;
  #running: Promise<void> = Promise.resolve();
  #queued = false;
  /** Topics whose settings are about to be read. */
  readonly #toRead = new Set<string>();
  #closed = false;

  constructor(options: ConfigChangeListenerOptions) {
    this.#options = options;
  }

  /** Applies all current settings, then listens. Resolves when the first are applied. */
  async start(): Promise<void> {
    const { session } = this.#options.zk;
    session.registerStateChangeHandler({
      name: 'config-change-listener',
      afterInitializingSession: () => this.#applyAllAndListen(),
    });
    session.registerZNodeChildChangeHandler(ZkPaths.configChanges, { onChildrenChanged: () => this.#processLater() });
    await this.#applyAllAndListen();
  }

  /**
   * Reads a topic's settings although nobody notified of them: Apache Kafka's brokers don't when they make a topic. Several asked for before
   * the first is read count once.
   */
  readTopic(topic: string): void {
    if (this.#closed || this.#toRead.has(topic)) return;
    this.#toRead.add(topic);
    this.#running = this.#running
      .then(() => {
        this.#toRead.delete(topic);
        return this.#closed ? undefined : this.#apply(`${ConfigType.TOPIC}/${topic}`);
      })
      .catch((error: unknown) => {
        if (!this.#closed) this.#options.logger.error({ err: error }, `the configuration of topic ${topic} could not be read`);
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { session } = this.#options.zk;
    session.unregisterStateChangeHandler('config-change-listener');
    session.unregisterZNodeChildChangeHandler(ZkPaths.configChanges);
    await this.#running;
  }

  async #applyAllAndListen(): Promise<void> {
    // Armed before reading: a change in between is told once more.
    const { zk, brokerId } = this.#options;
    const pending = await this.#notifications();
    const topics = await zk.configs.getEntityNames(ConfigType.TOPIC);
    const entities = [...topics.map((topic) => `${ConfigType.TOPIC}/${topic}`), `${ConfigType.BROKER}/${DEFAULT_ENTITY_NAME}`];
    let failure: { readonly error: unknown } | undefined;
    for (const entity of [...entities, `${ConfigType.BROKER}/${brokerId}`]) {
      try {
        await this.#apply(entity);
      } catch (error) {
        // The others are not to go without theirs.
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    this.#lastExecuted = Math.max(this.#lastExecuted, ...pending.map(({ number }) => number));
  }

  #processLater(): void {
    if (this.#queued || this.#closed) return;
    this.#queued = true;
    this.#running = this.#running
      .then(() => {
        this.#queued = false;
        return this.#processNotifications();
      })
      .catch((error: unknown) => {
        if (!this.#closed) this.#options.logger.error({ err: error }, 'configuration changes could not be read');
      });
  }

  async #processNotifications(): Promise<void> {
    if (this.#closed) return;
    const notifications = await this.#notifications();
    for (const { name, number } of notifications) {
      if (number <= this.#lastExecuted) continue;
      const path = ZkPaths.configChange(name);
      const found = await this.#options.zk.session.getData(path);
      // Another broker may have removed it: who was away that long reads everything anew after its new session.
      if (found !== undefined) await this.#applyNotification(path, found.data);
      this.#lastExecuted = number;
    }
    await this.#purgeOld(notifications.map(({ name }) => name));
  }

  async #applyNotification(path: string, data: Buffer): Promise<void> {
    try {
      await this.#apply(decodeConfigChange(path, data));
    } catch (error) {
      this.#options.logger.error({ err: error }, 'ignoring a configuration change');
    }
  }

  /** Reads the entity's settings and hands them over; kinds that nothing here applies yet (clients, users, ips) are passed by. */
  async #apply(entityPath: string): Promise<void> {
    const { zk, handlers } = this.#options;
    const slash = entityPath.indexOf('/');
    const type = entityPath.slice(0, slash);
    const name = desanitizeEntityName(entityPath.slice(slash + 1));
    if (type === ConfigType.TOPIC) handlers.onTopicConfig(name, await zk.configs.getEntityConfigs(ConfigType.TOPIC, name));
    else if (type === ConfigType.BROKER && name === DEFAULT_ENTITY_NAME) {
      handlers.onBrokerConfig(undefined, await zk.configs.getEntityConfigs(ConfigType.BROKER, name));
    } else if (type === ConfigType.BROKER && name === String(this.#options.brokerId)) {
      handlers.onBrokerConfig(this.#options.brokerId, await zk.configs.getEntityConfigs(ConfigType.BROKER, name));
    }
  }

  /** In order; names that are no notifications are left out. */
  async #notifications(): Promise<{ readonly name: string; readonly number: number }[]> {
    const names = await this.#options.zk.session.getChildren(ZkPaths.configChanges);
    const notifications = names
      .filter((name) => name.startsWith(CONFIG_CHANGE_PREFIX))
      .map((name) => ({ name, number: Number(name.slice(CONFIG_CHANGE_PREFIX.length)) }))
      .filter(({ number }) => Number.isInteger(number));
    return notifications.toSorted((a, b) => a.number - b.number);
  }

  async #purgeOld(names: readonly string[]): Promise<void> {
    const { zk, clock } = this.#options;
    for (const name of names) {
      const stat = await zk.session.exists(ZkPaths.configChange(name));
      if (stat === undefined) continue;
      // In order: the first that is young enough ends it.
      if (clock.wallMs() - stat.ctime <= CHANGE_EXPIRATION_MS) return;
      await zk.session.delete(ZkPaths.configChange(name));
    }
  }
}
