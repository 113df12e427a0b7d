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
import { NetworkClient } from '../client/network-client.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { AlterPartition } from '../protocol/generated/alter-partition.ts';
import { ControlledShutdown } from '../protocol/generated/controlled-shutdown.ts';
import { checkCodecs } from '../protocol/records/compression.ts';
import { randomUuid } from '../protocol/uuid.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { sleep } from '../runtime/scheduler.ts';
import {
  closeSession,
  connectZooKeeper,
  createChroot,
  readSessionFile,
  removeSessionFile,
  writeSessionFile,
} from '../zk-client/zookeeper-client.ts';
import type { ZooKeeperClient } from '../zk-client/zookeeper-client.ts';
import { ConfigAdmin } from './api/config-admin.ts';
import { KafkaApis } from './api/kafka-apis.ts';
import type { BrokerParts } from './broker-parts.ts';
import { createRoutes } from './broker-routes.ts';
import { controllerConfig, groupCoordinatorConfig, replicaFetcherConfig, replicaManagerConfig } from './broker-views.ts';
import { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { LogConfig } from './config/log-config.ts';
import type { LeaderIsrEvent, TimedClusterEvent } from './controller/cluster-events.ts';
import { KafkaController } from './controller/kafka-controller.ts';
import type { GroupEvent } from './coordinator/coordinator-config.ts';
import { GroupCoordinator } from './coordinator/group-coordinator.ts';
import type { LogEvent } from './log/log-events.ts';
import { LogManager } from './log/log-manager.ts';
import { logReconfigurables } from './log/log-reconfigurables.ts';
import type { LoadProgress } from './log/log-manager.ts';
import { AutoTopicCreationManager } from './metadata/auto-topic-creation-manager.ts';
import { ConfigChangeListener } from './metadata/config-change-listener.ts';
import { MetadataCache } from './metadata/metadata-cache.ts';
import { NodeToControllerChannel } from './metadata/node-to-controller-channel.ts';
import { ProducerIdManager } from './metadata/producer-id-manager.ts';
import { GROUP_METADATA_TOPIC_NAME } from './metadata/topic-names.ts';
import { ZkAdminManager } from './metadata/zk-admin-manager.ts';
import { ZkConfigRepository } from './metadata/zk-config-repository.ts';
import { SocketServer } from './network/socket-server.ts';
import { DelayedOperationPurgatory } from './purgatory/delayed-operation-purgatory.ts';
import type { PurgatoryOptions } from './purgatory/delayed-operation-purgatory.ts';
import { Timer } from './purgatory/timer.ts';
import { AlterPartitionManager } from './replication/alter-partition-manager.ts';
import { InternalTopicLog } from './replication/internal-topic-log.ts';
import { ReplicaAlterLogDirs } from './replication/replica-alter-log-dirs.ts';
import { RecordAppender } from './replication/record-appender.ts';
import { RecordDeleter } from './replication/record-deleter.ts';
import { ReplicaFetcherManager } from './replication/replica-fetcher-manager.ts';
import { LeadershipDoubt } from './replication/leadership-doubt.ts';
import { ReplicaManager } from './replication/replica-manager.ts';
import { createReplicationQuotas, type ReplicationQuotas } from './replication-quotas.ts';
import { BrokerIdInUseError } from './zk/broker-znodes.ts';
import type { BrokerInfo } from './zk/broker-info.ts';
import { KafkaZkClient } from './zk/kafka-zk-client.ts';

/** `brokerId` is the broker that it is about where it is about one, else the one that tells it. */
export type BrokerEvent = (TimedClusterEvent | LeaderIsrEvent | ((GroupEvent | LogEvent) & { readonly timestampMs: number })) & {
  readonly brokerId: number;
};

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

const REGISTER_RETRY_MS = 200;
/** The server expires sessions in buckets of a tick: a little after their time-out. */
const SESSION_EXPIRY_MARGIN = 1.5;

export class BrokerServer {
  readonly #options: BrokerServerOptions;
  readonly #logger: Logger;
  readonly #topicOverrides = new Map<string, Readonly<Record<string, string>>>();
  readonly #dynamicConfig: DynamicBrokerConfig;
  readonly #metadataCache = new MetadataCache();
  readonly #replicationQuotas: ReplicationQuotas;
  readonly #socketServer: SocketServer;
  #running: Running | undefined;
  #brokerEpoch = -1;

  constructor(options: BrokerServerOptions) {
    this.#options = options;
    const { config, runtime } = options;
    this.#logger = runtime.logger.child({ component: 'BrokerServer' });
    this.#dynamicConfig = new DynamicBrokerConfig(config, runtime.logger);
    this.#replicationQuotas = createReplicationQuotas(config, runtime, this.#dynamicConfig);
    this.#socketServer = new SocketServer({ config, runtime });
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

  get #zookeeperConnect(): string {
    const { zookeeperConnect } = this.#options.config;
    if (zookeeperConnect === null) throw new Error('zookeeper.connect is not set: a broker needs a ZooKeeper (host:port,…/chroot)');
    return zookeeperConnect;
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
      const [zk] = await Promise.all([this.#connect(), this.#closePredecessorSession()]);
      undo.push(async () => void (await zk.close()));
      await zk.createTopLevelPaths();
      const clusterId = await zk.brokers.createOrGetClusterId(randomUuid(runtime.random.bytes(16)));
      const configListener = this.#createConfigListener(zk);
      await configListener.start();
      undo.push(() => configListener.close());
      const logManager = this.#createLogManager(clusterId);
      await logManager.startup();
      undo.push(() => logManager.shutdown());
      this.#brokerEpoch = await this.#register(zk);
      const offsetsPartitionCount = await offsetsPartitionCountOf(zk, config);
      const running = this.#wire({ zk, clusterId, configListener, logManager, offsetsPartitionCount });
      this.#running = running;
      running.parts.replicaManager.startup();
      running.parts.groupCoordinator.startup();
      this.#socketServer.enableRequestProcessing(running.apis);
      running.parts.controller.startup();
      await this.#knownToController();
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
      ['handing over leaders', () => (handOver ? this.#controlledShutdown(parts, channel) : undefined)],
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
    ];
    for (const [name, step] of steps) {
      try {
        await step();
      } catch (error) {
        this.#logger.error({ err: error }, `Shutting down: ${name} failed`);
      }
    }
    const { sessionFile, runtime } = this.#options;
    // A session that ZooKeeper did not confirm as closed may live on there: whoever starts next closes it.
    if (sessionFile !== undefined && sessionClosed) removeSessionFile(runtime.disk, sessionFile);
    this.#logger.info(`Broker ${this.#options.config.brokerId} is down`);
  }

  async #connect(): Promise<KafkaZkClient> {
    const { config, runtime, sessionFile, zooKeeperImplementation } = this.#options;
    return KafkaZkClient.connect({
      runtime,
      connect: async (): Promise<ZooKeeperClient> => {
        const options = {
          connectString: this.#zookeeperConnect,
          sessionTimeoutMs: config.zookeeperSessionTimeoutMs,
          connectTimeoutMs: config.zookeeperConnectionTimeoutMs,
          runtime,
        };
        await createChroot(options);
        const client = await connectZooKeeper({
          ...options,
          implementation: zooKeeperImplementation,
        });
        const session = client.session();
        if (sessionFile !== undefined && session !== undefined) this.#sessionToKeep = { file: sessionFile, session };
        if (this.#predecessorClosed) this.#keepSession();
        return client;
      },
    });
  }

  #sessionToKeep: { readonly file: string; readonly session: NonNullable<ReturnType<ZooKeeperClient['session']>> } | undefined;
  #predecessorClosed = false;

  /** Written only once the predecessor's is read: until then its file is the only trace of it. */
  #keepSession(): void {
    const kept = this.#sessionToKeep;
    if (kept !== undefined) writeSessionFile(this.#options.runtime.disk, kept.file, kept.session);
  }

  async #closePredecessorSession(): Promise<void> {
    const { config, runtime, sessionFile } = this.#options;
    const session = sessionFile === undefined ? undefined : readSessionFile(runtime.disk, sessionFile);
    try {
      if (session !== undefined) {
        const outcome = await closeSession({
          connectString: this.#zookeeperConnect,
          session,
          runtime,
          timeoutMs: config.zookeeperConnectionTimeoutMs,
        });
        if (outcome === 'closed') this.#logger.info('Closed the ZooKeeper session of a predecessor that did not shut down');
      }
    } finally {
      this.#predecessorClosed = true;
      this.#keepSession();
    }
  }

  /**
   * Registers. A registration of a session that nobody could close (the machine lost its file) goes with the session's time-out:
   * it is waited for that long. Longer: another broker with this id is alive.
   */
  async #register(zk: KafkaZkClient): Promise<number> {
    const { config, runtime } = this.#options;
    const deadlineMs = runtime.clock.monotonicMs() + config.zookeeperSessionTimeoutMs * SESSION_EXPIRY_MARGIN;
    for (let attempt = 0; ; attempt++) {
      try {
        return await zk.brokers.register(this.#brokerInfo());
      } catch (error) {
        if (!(error instanceof BrokerIdInUseError) || runtime.clock.monotonicMs() >= deadlineMs) throw error;
        if (attempt === 0) this.#logger.warn(`${error.message}; waiting for it to go`);
        await sleep(runtime.scheduler, REGISTER_RETRY_MS);
      }
    }
  }

  /**
   * Waits until the controller has told this broker of itself: only then do topics get replicas here. Not longer than a session
   * lasts: without a controller there is a broker all the same, and clients try again.
   */
  #knownToController(): Promise<void> {
    const { config, runtime } = this.#options;
    const isKnown = (): boolean => this.#metadataCache.hasAliveBroker(config.brokerId);
    if (isKnown()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        forget();
        resolve();
      };
      const timer = runtime.scheduler.after(config.zookeeperSessionTimeoutMs, done);
      const forget = this.#metadataCache.onChange(() => {
        if (isKnown()) done();
      });
    });
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
      pid,
      socketDirectory,
      ...(onLoadProgress === undefined ? {} : { onProgress: onLoadProgress }),
      onEvent: (event) => onEvent({ ...event, brokerId: config.brokerId, timestampMs: runtime.clock.wallMs() }),
      onLogDirFailure: (directory, message) => {
        this.#running?.parts.replicaManager.onLogDirFailure(directory);
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

  /** Makes everything that serves requests. */
  #wire(base: WireBase): Running {
    const { config, runtime, onEvent } = this.#options;
    const { zk, clusterId, logManager, configListener, offsetsPartitionCount } = base;
    const metadataCache = this.#metadataCache;
    const brokerEpoch = (): number => this.#brokerEpoch;
    const controllerClient = new NetworkClient({
      runtime,
      clientId: `broker-${config.brokerId}-controller`,
      skipApiVersions: true,
      maxInFlightPerNode: 1,
    });
    const forwardingClient = new NetworkClient({ runtime, clientId: `broker-${config.brokerId}-to-controller` });
    const channel = new NodeToControllerChannel({
      client: forwardingClient,
      metadataCache,
      interBrokerListenerName: config.interBrokerListenerName,
      clock: runtime.clock,
      scheduler: runtime.scheduler,
      logger: runtime.logger.child({ component: 'NodeToControllerChannel' }),
      retryTimeoutMs: config.requestTimeoutMs,
    });

    const timer = new Timer(runtime);
    const purgatory = (name: string): PurgatoryOptions => ({ name, timer, clock: runtime.clock, metrics: runtime.metrics });

    const fetcherManager = new ReplicaFetcherManager({
      config: replicaFetcherConfig(config),
      runtime,
      brokerEpoch,
      quota: this.#replicationQuotas.follower,
      onAppended: (key) => replicaManager.completeDelayedFetches(key),
    });
    const alterLogDirs = new ReplicaAlterLogDirs({
      runtime,
      logManager,
      quota: this.#replicationQuotas.alterLogDirs,
      maxConcurrentMoves: Math.max(1, config.numReplicaAlterLogDirsThreads),
      partitionOf: (topicPartition) => replicaManager.partition(topicPartition),
      onReplaced: (key) => replicaManager.completeDelayed(key),
    });
    const replicaManager: ReplicaManager = new ReplicaManager({
      alterLogDirs,
      config: replicaManagerConfig(config),
      runtime,
      logManager,
      alterPartitionManager: new AlterPartitionManager({
        brokerId: config.brokerId,
        brokerEpoch,
        sender: { alterPartition: (request) => channel.send(AlterPartition, request) },
        scheduler: runtime.scheduler,
        logger: runtime.logger.child({ component: 'AlterPartitionManager' }),
      }),
      fetcherManager,
      producePurgatory: new DelayedOperationPurgatory(purgatory('Produce')),
      fetchPurgatory: new DelayedOperationPurgatory(purgatory('Fetch')),
      deleteRecordsPurgatory: new DelayedOperationPurgatory(purgatory('DeleteRecords')),
      leaderQuota: this.#replicationQuotas.leader,
      isBrokerAlive: (brokerId) => metadataCache.hasAliveBroker(brokerId),
      leadershipDoubt: this.#doubtLeadership(zk),
      brokerEpoch,
      onIsrChange: ({ topic, partition }, { isr, previousIsr, leaderEpoch, reason }) => {
        const { brokerId } = config;
        const about = { topic, partition, leader: brokerId, brokerId, timestampMs: runtime.clock.wallMs() };
        onEvent({ kind: 'isr-changed', ...about, isr, previousIsr, leaderEpoch, reason });
      },
    });
    const appender = new RecordAppender({ replicaManager, logger: runtime.logger, runtime });

    const groupCoordinator = new GroupCoordinator({
      config: groupCoordinatorConfig(config),
      runtime,
      log: new InternalTopicLog({
        topic: GROUP_METADATA_TOPIC_NAME,
        replicaManager,
        appender,
        appendTimeoutMs: config.offsetsCommitTimeoutMs,
        partitionCount: () => offsetsPartitionCount,
      }),
      purgatories: {
        rebalance: new DelayedOperationPurgatory(purgatory('Rebalance')),
        heartbeat: new DelayedOperationPurgatory(purgatory('Heartbeat')),
      },
      events: { emit: (event) => onEvent({ ...event, brokerId: config.brokerId, timestampMs: runtime.clock.wallMs() }) },
    });

    const controller = new KafkaController({
      config: controllerConfig(config, this.#dynamicConfig),
      zk,
      runtime,
      networkClient: controllerClient,
      brokerInfo: () => this.#brokerInfo(),
      initialBrokerEpoch: this.#brokerEpoch,
      onBrokerEpoch: (epoch) => {
        this.#brokerEpoch = epoch;
      },
      eventSink: { emit: (event) => onEvent({ brokerId: config.brokerId, ...event }) },
    });

    const adminManager = new ZkAdminManager({
      zk,
      metadataCache,
      dynamicConfig: this.#dynamicConfig,
      purgatory: new DelayedOperationPurgatory(purgatory('topic')),
      random: runtime.random,
      logger: runtime.logger,
    });
    const parts: BrokerParts = {
      config,
      clusterId,
      runtime,
      offsetsPartitionCount,
      brokerEpoch,
      dynamicConfig: this.#dynamicConfig,
      metadataCache,
      logManager,
      replicaManager,
      fetcherManager,
      appender,
      recordDeleter: new RecordDeleter({ replicaManager, logger: runtime.logger }),
      groupCoordinator,
      controller,
      adminManager,
      replicationQuotas: this.#replicationQuotas,
      alterLogDirs,
      electLeaderPurgatory: new DelayedOperationPurgatory(purgatory('ElectLeader')),
      configAdmin: new ConfigAdmin({
        brokerId: config.brokerId,
        dynamicConfig: this.#dynamicConfig,
        repository: new ZkConfigRepository(zk),
        topics: metadataCache,
        logger: runtime.logger,
      }),
      autoTopicCreation: new AutoTopicCreationManager({
        config: () => this.#dynamicConfig.current,
        isActiveController: () => controller.isActive,
        adminManager,
        channel,
        logger: runtime.logger.child({ component: 'AutoTopicCreation' }),
      }),
      producerIds: new ProducerIdManager({
        brokerId: config.brokerId,
        brokerEpoch,
        channel,
        logger: runtime.logger.child({ component: 'ProducerIdManager' }),
      }),
    };
    this.#followConfigChanges(parts);
    const apis = new KafkaApis({ routes: createRoutes(parts), logger: runtime.logger, metrics: runtime.metrics });
    return { parts, apis, zk, channel, configListener, clients: [controllerClient, forwardingClient] };
  }

  #doubtLeadership({ session }: KafkaZkClient): LeadershipDoubt {
    const doubt = new LeadershipDoubt({ isConnectedToZooKeeper: () => session.isConnected, brokerEpoch: () => this.#brokerEpoch });
    session.registerStateChangeHandler({ name: 'leadership-doubt', beforeInitializingSession: () => doubt.onSessionExpired() });
    return doubt;
  }

  #followConfigChanges({ logManager, controller, fetcherManager }: BrokerParts): void {
    this.#dynamicConfig.addReconfigurable(this.#socketServer);
    for (const reconfigurable of logReconfigurables(logManager)) this.#dynamicConfig.addReconfigurable(reconfigurable);
    this.#dynamicConfig.addReconfigurable({
      reconfigurableConfigs: ['num.replica.fetchers'],
      reconfigure: (_before, after) => fetcherManager.resize(after.numReplicaFetchers),
    });
    this.#dynamicConfig.addReconfigurable({
      reconfigurableConfigs: ['unclean.leader.election.enable'],
      reconfigure: (before, after) => {
        if (!before.uncleanLeaderElectionEnable && after.uncleanLeaderElectionEnable) controller.enableUncleanLeaderElection();
      },
    });
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

  /** Asks the controller to move leaders away, some times; what remains has nowhere to go. */
  async #controlledShutdown(parts: BrokerParts, channel: NodeToControllerChannel): Promise<void> {
    const { config, runtime } = this.#options;
    if (!config.controlledShutdownEnable) return;
    const hasOthers = (): boolean => parts.metadataCache.getAliveBrokers().some(({ id }) => id !== config.brokerId);
    for (let attempt = 0; attempt <= config.controlledShutdownMaxRetries && hasOthers(); attempt++) {
      if (attempt > 0) await sleep(runtime.scheduler, config.controlledShutdownRetryBackoffMs);
      try {
        const response = await channel.send(
          ControlledShutdown,
          { brokerId: config.brokerId, brokerEpoch: this.#brokerEpoch },
          { retryTimeoutMs: config.controlledShutdownRetryBackoffMs },
        );
        if (response.errorCode === ErrorCode.NONE && response.remainingPartitions.length === 0) return;
        this.#logger.info(`${response.remainingPartitions.length} partitions are still led by this broker (code ${response.errorCode})`);
      } catch (error) {
        this.#logger.info({ err: error }, 'No controller took the request for a controlled shutdown');
      }
    }
  }
}

interface WireBase {
  readonly zk: KafkaZkClient;
  readonly clusterId: string;
  readonly configListener: ConfigChangeListener;
  readonly logManager: LogManager;
  /** Fixed for this broker's life: it decides which partition a group belongs to, also while the topic is only half known. */
  readonly offsetsPartitionCount: number;
}

async function offsetsPartitionCountOf(zk: KafkaZkClient, config: KafkaConfig): Promise<number> {
  const assignments = await zk.topics.getAssignments([GROUP_METADATA_TOPIC_NAME]);
  return assignments.get(GROUP_METADATA_TOPIC_NAME)?.partitions.size ?? config.offsetsTopicNumPartitions;
}

interface Running {
  readonly parts: BrokerParts;
  readonly apis: KafkaApis;
  readonly zk: KafkaZkClient;
  readonly channel: NodeToControllerChannel;
  readonly configListener: ConfigChangeListener;
  readonly clients: readonly NetworkClient[];
}
