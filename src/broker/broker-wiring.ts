/**
 * Makes the parts of a broker that serve requests and hands each what it needs. Nothing is started here: `broker-server.ts` says in which order that
 * happens.
 */
import { NetworkClient } from '../client/network-client.ts';
import { AlterPartition } from '../protocol/generated/alter-partition.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ConfigAdmin } from './api/config-admin.ts';
import { KafkaApis } from './api/kafka-apis.ts';
import type { BrokerEvent } from './broker-event.ts';
import type { BrokerParts } from './broker-parts.ts';
import { createRoutes } from './broker-routes.ts';
import { controllerConfig, groupCoordinatorConfig, replicaFetcherConfig, replicaManagerConfig } from './broker-views.ts';
import type { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { KafkaController } from './controller/kafka-controller.ts';
import { GroupCoordinator } from './coordinator/group-coordinator.ts';
import type { LogManager } from './log/log-manager.ts';
import { logReconfigurables } from './log/log-reconfigurables.ts';
import { AutoTopicCreationManager } from './metadata/auto-topic-creation-manager.ts';
import type { ConfigChangeListener } from './metadata/config-change-listener.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import { NodeToControllerChannel } from './metadata/node-to-controller-channel.ts';
import { ProducerIdManager } from './metadata/producer-id-manager.ts';
import { GROUP_METADATA_TOPIC_NAME } from './metadata/topic-names.ts';
import { ZkAdminManager } from './metadata/zk-admin-manager.ts';
import { ZkConfigRepository } from './metadata/zk-config-repository.ts';
import type { SocketServer } from './network/socket-server.ts';
import { DelayedOperationPurgatory } from './purgatory/delayed-operation-purgatory.ts';
import type { PurgatoryOptions } from './purgatory/delayed-operation-purgatory.ts';
import { Timer } from './purgatory/timer.ts';
import type { ReplicationQuotas } from './replication-quotas.ts';
import { AlterPartitionManager } from './replication/alter-partition-manager.ts';
import { InternalTopicLog } from './replication/internal-topic-log.ts';
import { LeadershipDoubt } from './replication/leadership-doubt.ts';
import { RecordAppender } from './replication/record-appender.ts';
import { RecordDeleter } from './replication/record-deleter.ts';
import { ReplicaAlterLogDirs } from './replication/replica-alter-log-dirs.ts';
import { ReplicaFetcherManager } from './replication/replica-fetcher-manager.ts';
import { ReplicaManager } from './replication/replica-manager.ts';
import type { BrokerInfo } from './zk/broker-info.ts';
import type { KafkaZkClient } from './zk/kafka-zk-client.ts';
import { ZkPaths } from './zk/zk-paths.ts';

export interface BrokerFoundation {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly onEvent: (event: BrokerEvent) => void;
  readonly zk: KafkaZkClient;
  readonly clusterId: string;
  readonly configListener: ConfigChangeListener;
  readonly logManager: LogManager;
  readonly metadataCache: MetadataCache;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly replicationQuotas: ReplicationQuotas;
  readonly socketServer: SocketServer;
  readonly brokerEpoch: () => number;
  /** The broker was registered anew: with a new session. */
  readonly onBrokerEpoch: (epoch: number) => void;
  readonly brokerInfo: () => BrokerInfo;
  /** Fixed for this broker's life: it decides which partition a group belongs to, also while the topic is only half known. */
  readonly offsetsPartitionCount: number;
}

/** What serves, and what is closed in the end. */
export interface RunningBroker {
  readonly parts: BrokerParts;
  readonly apis: KafkaApis;
  readonly zk: KafkaZkClient;
  readonly channel: NodeToControllerChannel;
  readonly configListener: ConfigChangeListener;
  readonly clients: readonly NetworkClient[];
}

/** Makes everything that serves requests. */
export function wireBroker(base: BrokerFoundation): RunningBroker {
  const { config, runtime, onEvent, zk, clusterId, logManager, configListener, offsetsPartitionCount } = base;
  const { metadataCache, dynamicConfig, replicationQuotas, brokerEpoch } = base;
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
    quota: replicationQuotas.follower,
    onAppended: (key) => replicaManager.completeDelayedFetches(key),
  });
  const alterLogDirs = new ReplicaAlterLogDirs({
    runtime,
    logManager,
    quota: replicationQuotas.alterLogDirs,
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
    leaderQuota: replicationQuotas.leader,
    isBrokerAlive: (brokerId) => metadataCache.hasAliveBroker(brokerId),
    leadershipDoubt: doubtLeadership(base),
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
    config: controllerConfig(config, dynamicConfig),
    zk,
    runtime,
    networkClient: controllerClient,
    brokerInfo: base.brokerInfo,
    initialBrokerEpoch: brokerEpoch(),
    onBrokerEpoch: base.onBrokerEpoch,
    eventSink: { emit: (event) => onEvent({ brokerId: config.brokerId, ...event }) },
  });

  const adminManager = new ZkAdminManager({
    zk,
    metadataCache,
    dynamicConfig,
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
    dynamicConfig,
    metadataCache,
    logManager,
    replicaManager,
    fetcherManager,
    appender,
    recordDeleter: new RecordDeleter({ replicaManager, logger: runtime.logger }),
    groupCoordinator,
    controller,
    adminManager,
    replicationQuotas,
    alterLogDirs,
    electLeaderPurgatory: new DelayedOperationPurgatory(purgatory('ElectLeader')),
    configAdmin: new ConfigAdmin({
      brokerId: config.brokerId,
      dynamicConfig,
      repository: new ZkConfigRepository(zk),
      topics: metadataCache,
      logger: runtime.logger,
    }),
    autoTopicCreation: new AutoTopicCreationManager({
      config: () => dynamicConfig.current,
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
  followConfigChanges(parts, base.socketServer);
  const apis = new KafkaApis({ routes: createRoutes(parts), logger: runtime.logger, metrics: runtime.metrics });
  return { parts, apis, zk, channel, configListener, clients: [controllerClient, forwardingClient] };
}

function doubtLeadership({ config, runtime, zk: { session }, brokerEpoch }: BrokerFoundation): LeadershipDoubt {
  const doubt = new LeadershipDoubt({
    runtime,
    sessionTimeoutMs: config.zookeeperSessionTimeoutMs,
    isConnectedToZooKeeper: () => session.isConnected,
    askZooKeeper: () => session.exists(ZkPaths.brokerId(config.brokerId)),
    brokerEpoch,
  });
  session.registerStateChangeHandler({ name: 'leadership-doubt', beforeInitializingSession: () => doubt.onSessionExpired() });
  return doubt;
}

function followConfigChanges({ logManager, controller, fetcherManager, dynamicConfig }: BrokerParts, socketServer: SocketServer): void {
  dynamicConfig.addReconfigurable(socketServer);
  for (const reconfigurable of logReconfigurables(logManager)) dynamicConfig.addReconfigurable(reconfigurable);
  dynamicConfig.addReconfigurable({
    reconfigurableConfigs: ['num.replica.fetchers'],
    reconfigure: (_before, after) => fetcherManager.resize(after.numReplicaFetchers),
  });
  dynamicConfig.addReconfigurable({
    reconfigurableConfigs: ['unclean.leader.election.enable'],
    reconfigure: (before, after) => {
      if (!before.uncleanLeaderElectionEnable && after.uncleanLeaderElectionEnable) controller.enableUncleanLeaderElection();
    },
  });
}
