/**
 * A broker: makes every part, hands each what it needs, starts and stops them in order. Start reading the engine here.
 *
 *   start:  ZooKeeper session (the session of a dead predecessor is closed) → cluster id → configurations → ports → logs
 *           → registration in /brokers/ids → partitions, groups, APIs are served → controller election
 *   stop:   leaders are handed over (controlled shutdown) → no new requests → controller, groups, partitions → logs closed clean
 *           → ZooKeeper session closed
 *
 * Source: Kafka's `KafkaServer`.
 */
import { checkCodecs } from '../protocol/records/compression.ts';
import { randomUuid } from '../protocol/uuid.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BrokerEvent } from './broker-event.ts';
import type { BrokerParts } from './broker-parts.ts';
import { knownToController, registerBroker } from './broker-registration.ts';
import { onLogDirFailure } from './broker-routes.ts';
import { BrokerSession } from './broker-session.ts';
import { wireBroker } from './broker-wiring.ts';
import type { RunningBroker } from './broker-wiring.ts';
import { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { LogConfig } from './config/log-config.ts';
import { controlledShutdown } from './controlled-shutdown.ts';
import { LogManager } from './log/log-manager.ts';
import type { LoadProgress } from './log/log-manager.ts';
import { ConfigChangeListener } from './metadata/config-change-listener.ts';
import { MetadataCache } from './metadata/metadata-cache.ts';
import { GROUP_METADATA_TOPIC_NAME } from './metadata/topic-names.ts';
import { SocketServer } from './network/socket-server.ts';
import { createReplicationQuotas } from './replication-quotas.ts';
import type { ReplicationQuotas } from './replication-quotas.ts';
import type { BrokerInfo } from './zk/broker-info.ts';
import { KafkaZkClient } from './zk/kafka-zk-client.ts';

export interface BrokerServerOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly pid: number;
  /** A folder with a short path for local sockets: the system's temporary one. */
  readonly socketDirectory: string;
  /** Where the ZooKeeper session's id and password are kept, so that it can be closed when this process is dead. */
  readonly sessionFile: string | undefined;
  readonly zooKeeperImplementation: 'library' | 'own';
  /** Elections, ISR changes, rebalances: for the console's timeline. */
  readonly onEvent: (event: BrokerEvent) => void;
  /** While the logs are opened, as often as there is something new. */
  readonly onLoadProgress?: (progress: LoadProgress) => void;
  /** The last log dir has failed: the process must end. */
  readonly onFatal: (reason: string) => void;
}

export class BrokerServer {
  readonly #options: BrokerServerOptions;
  readonly #logger: Logger;
  readonly #topicOverrides = new Map<string, Readonly<Record<string, string>>>();
  readonly #dynamicConfig: DynamicBrokerConfig;
  readonly #metadataCache = new MetadataCache();
  readonly #replicationQuotas: ReplicationQuotas;
  readonly #socketServer: SocketServer;
  readonly #session: BrokerSession;
  #running: RunningBroker | undefined;
  #brokerEpoch = -1;

  constructor(options: BrokerServerOptions) {
    this.#options = options;
    const { config, runtime } = options;
    this.#logger = runtime.logger.child({ component: 'BrokerServer' });
    this.#dynamicConfig = new DynamicBrokerConfig(config, runtime.logger);
    this.#replicationQuotas = createReplicationQuotas(config, runtime, this.#dynamicConfig);
    this.#socketServer = new SocketServer({ config, runtime });
    const { sessionFile, zooKeeperImplementation } = options;
    this.#session = new BrokerSession({ config, runtime, logger: this.#logger, sessionFile, zooKeeperImplementation });
    // Nobody notifies of a deleted topic's settings: one made again under its name begins with none.
    this.#metadataCache.onChange(({ deletedPartitions }) => {
      for (const { topic } of deletedPartitions) {
        if (this.#metadataCache.topicExists(topic)) continue;
        this.#topicOverrides.delete(topic);
        this.#replicationQuotas.onTopicConfig(topic, {});
      }
    });
  }

  /** The port of the listener that brokers use among themselves. */
  get port(): number {
    return this.#socketServer.boundPort(this.#options.config.interBrokerListenerName);
  }

  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /** The parts, for introspection; undefined before `startup`. */
  get parts(): BrokerParts | undefined {
    return this.#running?.parts;
  }

  /** Resolves when the broker is registered and serves. Rejects with the first thing that is in the way; nothing stays open then. */
  async startup(): Promise<void> {
    const { config, runtime } = this.#options;
    for (const key of config.unknownKeys) this.#logger.warn(`The configuration key ${key} is not known and has no effect`);
    checkCodecs();
    const undo: (() => Promise<void> | void)[] = [];
    try {
      // The port first: a taken one is the likeliest failure, and needs nothing else.
      await this.#socketServer.startup();
      undo.push(() => this.#socketServer.shutdown());
      const zk = await this.#session.connect();
      undo.push(async () => void (await zk.close()));
      await zk.createTopLevelPaths();
      const clusterId = await zk.brokers.createOrGetClusterId(randomUuid(runtime.random.bytes(16)));
      const configListener = this.#createConfigListener(zk);
      await configListener.start();
      undo.push(() => configListener.close());
      const logManager = this.#createLogManager(clusterId);
      await logManager.startup();
      undo.push(() => logManager.shutdown());
      this.#brokerEpoch = await registerBroker(zk, { ...this.#options, logger: this.#logger, brokerInfo: () => this.#brokerInfo() });
      const offsetsPartitionCount = await offsetsPartitionCountOf(zk, config);
      const running = wireBroker({
        ...this.#options,
        zk,
        clusterId,
        configListener,
        logManager,
        offsetsPartitionCount,
        metadataCache: this.#metadataCache,
        dynamicConfig: this.#dynamicConfig,
        replicationQuotas: this.#replicationQuotas,
        socketServer: this.#socketServer,
        brokerEpoch: () => this.#brokerEpoch,
        onBrokerEpoch: (epoch) => (this.#brokerEpoch = epoch),
        brokerInfo: () => this.#brokerInfo(),
      });
      this.#running = running;
      running.parts.replicaManager.startup();
      running.parts.groupCoordinator.startup();
      this.#socketServer.enableRequestProcessing(running.apis);
      running.parts.controller.startup();
      await knownToController(this.#metadataCache, config, runtime.scheduler);
      this.#logger.info(`Broker ${config.brokerId} is up on port ${this.port} with epoch ${this.#brokerEpoch} in cluster ${clusterId}`);
    } catch (error) {
      for (const step of undo.toReversed())
        await Promise.resolve(step()).catch((failure: unknown) =>
          this.#logger.warn({ err: failure }, 'Cleaning up after a failed start failed'),
        );
      throw error;
    }
  }

  /**
   * Closes everything clean, each step whatever became of the one before. Leaders are handed over first, unless `handOver` is false:
   * where the whole cluster ends there is nobody to take them, nor a controller to ask.
   */
  async shutdown({ handOver = true }: { readonly handOver?: boolean } = {}): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const { parts, zk, clients, channel, configListener } = running;
    let sessionClosed = false;
    const steps: (readonly [string, () => Promise<void> | void])[] = [
      ['handing over leaders', () => (handOver ? controlledShutdown(parts, channel, this.#logger) : undefined)],
      ['stopping to serve', () => this.#socketServer.stopProcessingRequests()],
      ['closing the configuration listener', () => configListener.close()],
      ['closing the group coordinator', () => parts.groupCoordinator.shutdown()],
      ['closing the controller', () => parts.controller.shutdown()],
      ['closing the partitions', () => parts.replicaManager.shutdown()],
      ['closing the channel to the controller', () => channel.close()],
      ['closing clients', () => Promise.all(clients.map((client) => client.close())).then(() => undefined)],
      ['closing the logs', () => parts.logManager.shutdown({ brokerEpoch: this.#brokerEpoch })],
      ['closing the ZooKeeper session', async () => void (sessionClosed = await zk.close())],
      ['closing the sockets', () => this.#socketServer.shutdown()],
      // A session that ZooKeeper did not confirm as closed may live on there: whoever starts next closes it.
      ['forgetting the ZooKeeper session', () => (sessionClosed ? this.#session.forget() : undefined)],
    ];
    for (const [name, step] of steps) {
      try {
        await step();
      } catch (error) {
        this.#logger.error({ err: error }, `Shutting down: ${name} failed`);
      }
    }
    this.#logger.info(`Broker ${this.#options.config.brokerId} is down`);
  }

  #createConfigListener(zk: KafkaZkClient): ConfigChangeListener {
    const { config, runtime } = this.#options;
    return new ConfigChangeListener({
      zk,
      brokerId: config.brokerId,
      clock: runtime.clock,
      logger: runtime.logger.child({ component: 'ConfigChangeListener' }),
      handlers: {
        onTopicConfig: (topic, overrides) => this.#onTopicConfig(topic, overrides),
        onBrokerConfig: (brokerId, configs) => {
          if (brokerId === undefined) this.#dynamicConfig.updateDefaultConfig(configs);
          else this.#dynamicConfig.updateBrokerConfig(configs);
        },
      },
    });
  }

  #onTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void {
    const before = this.#topicOverrides.get(topic)?.['unclean.leader.election.enable'];
    if (Object.keys(overrides).length === 0) this.#topicOverrides.delete(topic);
    else this.#topicOverrides.set(topic, overrides);
    this.#replicationQuotas.onTopicConfig(topic, overrides);
    const parts = this.#running?.parts;
    parts?.logManager.updateTopicConfig(topic, this.#topicConfig(topic));
    if (before !== 'true' && overrides['unclean.leader.election.enable'] === 'true') parts?.controller.enableUncleanLeaderElection(topic);
  }

  #topicConfig(topic: string): LogConfig {
    return LogConfig.from(this.#dynamicConfig.current, this.#topicOverrides.get(topic) ?? {});
  }

  #createLogManager(clusterId: string): LogManager {
    const { config, runtime, pid, socketDirectory, onEvent, onLoadProgress, onFatal } = this.#options;
    const logManager: LogManager = new LogManager({
      runtime,
      config: () => this.#dynamicConfig.current,
      clusterId,
      topicConfig: (topic) => this.#topicConfig(topic),
      // Where settings are known somebody notified of them.
      onNewLog: ({ topic }) => void (this.#topicOverrides.has(topic) || this.#running?.configListener.readTopic(topic)),
      pid,
      socketDirectory,
      ...(onLoadProgress === undefined ? {} : { onProgress: onLoadProgress }),
      onEvent: (event) => onEvent({ ...event, brokerId: config.brokerId, timestampMs: runtime.clock.wallMs() }),
      onLogDirFailure: (directory, message) => {
        const parts = this.#running?.parts;
        if (parts !== undefined) onLogDirFailure(parts, directory);
        if (logManager.liveLogDirs.length === 0) onFatal(`The last log dir has failed: ${message}`);
        else void this.#tellControllerOfFailedLogDir(directory);
      },
    });
    return logManager;
  }

  /**
   * The controller asks back which replicas are affected, by LeaderAndIsr. Before this broker serves there is nothing to tell:
   * the controller sends that anyway.
   */
  async #tellControllerOfFailedLogDir(directory: string): Promise<void> {
    try {
      await this.#running?.zk.controller.propagateLogDirEvent(this.#options.config.brokerId);
    } catch (error) {
      // The session is gone: with the new one the broker is registered anew, and told everything anew.
      this.#logger.warn({ err: error }, `The controller could not be told that ${directory} is offline`);
    }
  }

  #brokerInfo(): BrokerInfo {
    const { config } = this.#options;
    return {
      id: config.brokerId,
      endpoints: this.#socketServer
        .advertisedEndPoints()
        .map(({ listenerName, securityProtocol, host, port }) => ({ listenerName, securityProtocol, host: host ?? 'localhost', port })),
      rack: config.brokerRack ?? undefined,
      features: {},
      jmxPort: -1,
    };
  }
}

async function offsetsPartitionCountOf(zk: KafkaZkClient, config: KafkaConfig): Promise<number> {
  const assignments = await zk.topics.getAssignments([GROUP_METADATA_TOPIC_NAME]);
  return assignments.get(GROUP_METADATA_TOPIC_NAME)?.partitions.size ?? config.offsetsTopicNumPartitions;
}
