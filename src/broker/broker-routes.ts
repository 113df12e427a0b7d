/** Which handler serves which API: the whole table of this broker. What is not here is neither served nor advertised. */
import { AllocateProducerIds } from '../protocol/generated/allocate-producer-ids.ts';
import { AlterConfigs } from '../protocol/generated/alter-configs.ts';
import { AlterPartitionReassignments } from '../protocol/generated/alter-partition-reassignments.ts';
import { AlterPartition } from '../protocol/generated/alter-partition.ts';
import { ControlledShutdown } from '../protocol/generated/controlled-shutdown.ts';
import { CreatePartitions } from '../protocol/generated/create-partitions.ts';
import { CreateTopics } from '../protocol/generated/create-topics.ts';
import { DeleteGroups } from '../protocol/generated/delete-groups.ts';
import { DeleteRecords } from '../protocol/generated/delete-records.ts';
import { DeleteTopics } from '../protocol/generated/delete-topics.ts';
import { DescribeCluster } from '../protocol/generated/describe-cluster.ts';
import { DescribeConfigs } from '../protocol/generated/describe-configs.ts';
import { DescribeGroups } from '../protocol/generated/describe-groups.ts';
import { AlterReplicaLogDirs } from '../protocol/generated/alter-replica-log-dirs.ts';
import { DescribeLogDirs } from '../protocol/generated/describe-log-dirs.ts';
import { ElectLeaders } from '../protocol/generated/elect-leaders.ts';
import { Fetch } from '../protocol/generated/fetch.ts';
import { FindCoordinator } from '../protocol/generated/find-coordinator.ts';
import { Heartbeat } from '../protocol/generated/heartbeat.ts';
import { IncrementalAlterConfigs } from '../protocol/generated/incremental-alter-configs.ts';
import { InitProducerId } from '../protocol/generated/init-producer-id.ts';
import { JoinGroup } from '../protocol/generated/join-group.ts';
import { LeaderAndIsr } from '../protocol/generated/leader-and-isr.ts';
import { LeaveGroup } from '../protocol/generated/leave-group.ts';
import { ListGroups } from '../protocol/generated/list-groups.ts';
import { ListOffsets } from '../protocol/generated/list-offsets.ts';
import { ListPartitionReassignments } from '../protocol/generated/list-partition-reassignments.ts';
import { Metadata } from '../protocol/generated/metadata.ts';
import { OffsetCommit } from '../protocol/generated/offset-commit.ts';
import { OffsetDelete } from '../protocol/generated/offset-delete.ts';
import { OffsetFetch } from '../protocol/generated/offset-fetch.ts';
import { OffsetForLeaderEpoch } from '../protocol/generated/offset-for-leader-epoch.ts';
import { Produce } from '../protocol/generated/produce.ts';
import { StopReplica } from '../protocol/generated/stop-replica.ts';
import { SyncGroup } from '../protocol/generated/sync-group.ts';
import { UpdateFeatures } from '../protocol/generated/update-features.ts';
import { UpdateMetadata } from '../protocol/generated/update-metadata.ts';
import type { UpdateMetadataRequest } from '../protocol/generated/update-metadata.ts';
import { dataDirectory } from './api/data-directory.ts';
import { createProduceHandler } from './api/handlers/00-produce.ts';
import { createFetchHandler } from './api/handlers/01-fetch.ts';
import { createListOffsetsHandler } from './api/handlers/02-list-offsets.ts';
import { createMetadataHandler } from './api/handlers/03-metadata.ts';
import { ControllerRequestOrder } from './api/controller-request-order.ts';
import { createLeaderAndIsrHandler } from './api/handlers/04-leader-and-isr.ts';
import { createStopReplicaHandler } from './api/handlers/05-stop-replica.ts';
import { createUpdateMetadataHandler } from './api/handlers/06-update-metadata.ts';
import { createControlledShutdownHandler } from './api/handlers/07-controlled-shutdown.ts';
import { createOffsetCommitHandler } from './api/handlers/08-offset-commit.ts';
import { createOffsetFetchHandler } from './api/handlers/09-offset-fetch.ts';
import { createFindCoordinatorHandler } from './api/handlers/10-find-coordinator.ts';
import type { CoordinatorDirectory } from './api/handlers/10-find-coordinator.ts';
import { createJoinGroupHandler } from './api/handlers/11-join-group.ts';
import { createHeartbeatHandler } from './api/handlers/12-heartbeat.ts';
import { createLeaveGroupHandler } from './api/handlers/13-leave-group.ts';
import { createSyncGroupHandler } from './api/handlers/14-sync-group.ts';
import { createDescribeGroupsHandler } from './api/handlers/15-describe-groups.ts';
import { createListGroupsHandler } from './api/handlers/16-list-groups.ts';
import { createCreateTopicsHandler } from './api/handlers/19-create-topics.ts';
import { createDeleteTopicsHandler } from './api/handlers/20-delete-topics.ts';
import { createDeleteRecordsHandler } from './api/handlers/21-delete-records.ts';
import { createInitProducerIdHandler } from './api/handlers/22-init-producer-id.ts';
import { createOffsetForLeaderEpochHandler } from './api/handlers/23-offset-for-leader-epoch.ts';
import { createDescribeConfigsHandler } from './api/handlers/32-describe-configs.ts';
import { createAlterConfigsHandler } from './api/handlers/33-alter-configs.ts';
import { createAlterReplicaLogDirsHandler } from './api/handlers/34-alter-replica-log-dirs.ts';
import { createDescribeLogDirsHandler } from './api/handlers/35-describe-log-dirs.ts';
import { createCreatePartitionsHandler } from './api/handlers/37-create-partitions.ts';
import { createDeleteGroupsHandler } from './api/handlers/42-delete-groups.ts';
import { createElectLeadersHandler } from './api/handlers/43-elect-leaders.ts';
import { createIncrementalAlterConfigsHandler } from './api/handlers/44-incremental-alter-configs.ts';
import { createAlterPartitionReassignmentsHandler } from './api/handlers/45-alter-partition-reassignments.ts';
import { createListPartitionReassignmentsHandler } from './api/handlers/46-list-partition-reassignments.ts';
import { createOffsetDeleteHandler } from './api/handlers/47-offset-delete.ts';
import { createAlterPartitionHandler } from './api/handlers/56-alter-partition.ts';
import { createUpdateFeaturesHandler } from './api/handlers/57-update-features.ts';
import { createDescribeClusterHandler } from './api/handlers/60-describe-cluster.ts';
import { createAllocateProducerIdsHandler } from './api/handlers/67-allocate-producer-ids.ts';
import { route } from './api/kafka-apis.ts';
import type { Route } from './api/kafka-apis.ts';
import type { BrokerParts } from './broker-parts.ts';
import type { MetadataChange } from './metadata/metadata-cache.ts';
import { GROUP_METADATA_TOPIC_NAME } from './metadata/topic-names.ts';
import type { Partition } from './replication/partition.ts';
import type { LeadershipChanges } from './replication/replica-manager.ts';

/** Older versions of these come from controllers before 2.2, and list partitions without their topics. */
const FIRST_GROUPED_LEADER_AND_ISR_VERSION = 2;
const FIRST_GROUPED_UPDATE_METADATA_VERSION = 5;
/** Versions 0 and 1 of OffsetCommit are about offsets that lie in ZooKeeper. */
const FIRST_KAFKA_OFFSETS_VERSION = 2;

export function createRoutes(parts: BrokerParts): Route[] {
  return [...dataRoutes(parts), ...controlRoutes(parts), ...groupRoutes(parts), ...adminRoutes(parts)];
}

function dataRoutes({ appender, recordDeleter, replicaManager, metadataCache, config, logManager }: BrokerParts): Route[] {
  const directory = dataDirectory(metadataCache, replicaManager);
  return [
    route(Produce, createProduceHandler({ appender, directory })),
    route(
      Fetch,
      createFetchHandler({
        replicaManager,
        directory,
        fetchMaxBytes: config.fetchMaxBytes,
        releaseRecords: (records) => logManager.releaseRecords(records),
      }),
    ),
    route(ListOffsets, createListOffsetsHandler({ replicaManager, directory })),
    route(OffsetForLeaderEpoch, createOffsetForLeaderEpochHandler({ replicaManager, directory })),
    route(DeleteRecords, createDeleteRecordsHandler({ recordDeleter, directory })),
  ];
}

/** What brokers say to each other. */
function controlRoutes(parts: BrokerParts): Route[] {
  const { replicaManager, metadataCache, controller, brokerEpoch } = parts;
  const order = new ControllerRequestOrder();
  return [
    route(
      LeaderAndIsr,
      order.guard(createLeaderAndIsrHandler({ replicaManager, onLeadershipChange: (changes) => onLeadershipChange(parts, changes) })),
      FIRST_GROUPED_LEADER_AND_ISR_VERSION,
    ),
    route(
      StopReplica,
      order.guard(
        createStopReplicaHandler({
          replicaManager,
          onStopped: (stopped) => {
            for (const { topicPartition, leaderEpoch } of stopped) {
              if (topicPartition.topic === GROUP_METADATA_TOPIC_NAME)
                parts.groupCoordinator.onResignation(topicPartition.partition, leaderEpoch);
            }
          },
        }),
      ),
    ),
    route(
      UpdateMetadata,
      order.guard(
        createUpdateMetadataHandler({
          metadataCache,
          brokerEpoch,
          controllerEpoch: {
            get: () => replicaManager.controllerEpoch,
            set: (epoch) => {
              replicaManager.controllerEpoch = epoch;
            },
          },
          onMetadataChange: (change, request) => {
            resignByMetadata(parts, request);
            onMetadataChange(parts, change);
          },
        }),
      ),
      FIRST_GROUPED_UPDATE_METADATA_VERSION,
    ),
    route(ControlledShutdown, createControlledShutdownHandler({ controller })),
    route(AlterPartition, createAlterPartitionHandler({ controller })),
    route(AllocateProducerIds, createAllocateProducerIdsHandler({ controller })),
  ];
}

function groupRoutes(parts: BrokerParts): Route[] {
  const { groupCoordinator: coordinator, metadataCache: directory, runtime } = parts;
  return [
    route(OffsetCommit, createOffsetCommitHandler({ coordinator, directory, clock: runtime.clock }), FIRST_KAFKA_OFFSETS_VERSION),
    route(OffsetFetch, createOffsetFetchHandler({ coordinator })),
    route(FindCoordinator, createFindCoordinatorHandler({ directory: coordinatorDirectory(parts), servesTransactions: false })),
    route(JoinGroup, createJoinGroupHandler({ coordinator })),
    route(Heartbeat, createHeartbeatHandler({ coordinator })),
    route(LeaveGroup, createLeaveGroupHandler({ coordinator })),
    route(SyncGroup, createSyncGroupHandler({ coordinator })),
    route(DescribeGroups, createDescribeGroupsHandler({ coordinator })),
    route(ListGroups, createListGroupsHandler({ coordinator })),
    route(DeleteGroups, createDeleteGroupsHandler({ coordinator })),
    route(OffsetDelete, createOffsetDeleteHandler({ coordinator, directory })),
  ];
}

function adminRoutes(parts: BrokerParts): Route[] {
  const { metadataCache, autoTopicCreation, clusterId, dynamicConfig, controller, adminManager, configAdmin, logManager, producerIds } =
    parts;
  const isActiveController = (): boolean => controller.isActive;
  return [
    route(
      Metadata,
      createMetadataHandler({
        metadataCache,
        autoTopicCreation,
        clusterId,
        autoCreateTopicsEnable: () => dynamicConfig.current.autoCreateTopicsEnable,
      }),
    ),
    route(CreateTopics, createCreateTopicsHandler({ isActiveController, adminManager })),
    route(
      DeleteTopics,
      createDeleteTopicsHandler({
        isActiveController,
        adminManager,
        metadataCache,
        deleteTopicEnable: () => dynamicConfig.current.deleteTopicEnable,
      }),
    ),
    route(CreatePartitions, createCreatePartitionsHandler({ controller, adminManager })),
    route(
      ElectLeaders,
      createElectLeadersHandler({ controller, metadataCache, purgatory: parts.electLeaderPurgatory, clock: parts.runtime.clock }),
    ),
    route(AlterPartitionReassignments, createAlterPartitionReassignmentsHandler({ controller })),
    route(ListPartitionReassignments, createListPartitionReassignmentsHandler({ controller })),
    route(UpdateFeatures, createUpdateFeaturesHandler({ controller })),
    route(InitProducerId, createInitProducerIdHandler({ producerIdManager: producerIds })),
    route(DescribeConfigs, createDescribeConfigsHandler({ configAdmin })),
    route(AlterConfigs, createAlterConfigsHandler({ configAdmin })),
    route(IncrementalAlterConfigs, createIncrementalAlterConfigsHandler({ configAdmin })),
    route(DescribeCluster, createDescribeClusterHandler({ metadataCache, clusterId })),
    route(AlterReplicaLogDirs, createAlterReplicaLogDirsHandler({ alterLogDirs: parts.alterLogDirs })),
    route(DescribeLogDirs, createDescribeLogDirsHandler({ logManager })),
  ];
}

/** Coordinators load what they now lead and let go of what they follow. */
function onLeadershipChange({ groupCoordinator }: BrokerParts, { leaders, followers }: LeadershipChanges): void {
  const isOffsets = ({ topicPartition }: Partition): boolean => topicPartition.topic === GROUP_METADATA_TOPIC_NAME;
  for (const partition of leaders.filter(isOffsets)) groupCoordinator.onElection(partition.topicPartition.partition, partition.leaderEpoch);
  for (const partition of followers.filter(isOffsets))
    groupCoordinator.onResignation(partition.topicPartition.partition, partition.leaderEpoch);
}

/**
 * The folder failed, and LeaderAndIsr of what was in it will be refused: coordinators let go now. Heartbeats never touch the log, so that a member
 * that commits nothing would stay with the coordinator here for ever, while the next one gives its partitions away. Kafka's coordinator stays.
 */
export function onLogDirFailure(
  { replicaManager, groupCoordinator }: Pick<BrokerParts, 'replicaManager' | 'groupCoordinator'>,
  directory: string,
): void {
  for (const { topic, partition } of replicaManager.onLogDirFailure(directory))
    if (topic === GROUP_METADATA_TOPIC_NAME) groupCoordinator.onResignation(partition);
}

/** LeaderAndIsr or StopReplica of these never came; coordinators let go as they would have then. */
function resignByMetadata({ replicaManager, groupCoordinator }: BrokerParts, request: UpdateMetadataRequest): void {
  for (const { topic, partition } of replicaManager.standDownBy(request))
    if (topic === GROUP_METADATA_TOPIC_NAME) groupCoordinator.onResignation(partition);
}

function onMetadataChange(
  { adminManager, electLeaderPurgatory, groupCoordinator, metadataCache, replicaManager }: BrokerParts,
  { topics, deletedPartitions, goneBrokers }: MetadataChange,
): void {
  if (goneBrokers.length > 0) replicaManager.onBrokersGone();
  for (const topic of topics) {
    adminManager.tryCompleteDelayedTopicOperations(topic);
    electLeaderPurgatory.checkAndComplete(topic);
  }
  const deleted = new Set(deletedPartitions.map(({ topic }) => topic).filter((topic) => !metadataCache.topicExists(topic)));
  if (deleted.size > 0) groupCoordinator.onTopicsDeleted(deleted);
}

function coordinatorDirectory({ metadataCache, autoTopicCreation, offsetsPartitionCount, runtime }: BrokerParts): CoordinatorDirectory {
  return {
    partitionCountOf: (topic) => (metadataCache.topicExists(topic) ? offsetsPartitionCount : undefined),
    createInternalTopic: (topic) => {
      autoTopicCreation
        .createTopics([topic])
        .catch((error: unknown) => runtime.logger.warn({ err: error }, `Creating ${topic} failed; the next request for it tries again`));
    },
    leaderEndpoint: (topic, partition, listenerName) => metadataCache.getPartitionLeaderEndpoint({ topic, partition }, listenerName),
  };
}
