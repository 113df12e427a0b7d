/** Error responses of the group and admin APIs. Kafka 3.9: `getErrorResponse` of each request class. */
import { AlterConfigs } from '../../protocol/generated/alter-configs.ts';
import { AlterPartitionReassignments } from '../../protocol/generated/alter-partition-reassignments.ts';
import { ApiVersions } from '../../protocol/generated/api-versions.ts';
import { CreatePartitions } from '../../protocol/generated/create-partitions.ts';
import { CreateTopics } from '../../protocol/generated/create-topics.ts';
import { DeleteGroups } from '../../protocol/generated/delete-groups.ts';
import { DeleteTopics } from '../../protocol/generated/delete-topics.ts';
import { DescribeCluster } from '../../protocol/generated/describe-cluster.ts';
import { DescribeConfigs } from '../../protocol/generated/describe-configs.ts';
import { DescribeGroups } from '../../protocol/generated/describe-groups.ts';
import { AlterReplicaLogDirs } from '../../protocol/generated/alter-replica-log-dirs.ts';
import { DescribeLogDirs } from '../../protocol/generated/describe-log-dirs.ts';
import { ElectLeaders } from '../../protocol/generated/elect-leaders.ts';
import { FindCoordinator } from '../../protocol/generated/find-coordinator.ts';
import { Heartbeat } from '../../protocol/generated/heartbeat.ts';
import { IncrementalAlterConfigs } from '../../protocol/generated/incremental-alter-configs.ts';
import { JoinGroup } from '../../protocol/generated/join-group.ts';
import { LeaveGroup } from '../../protocol/generated/leave-group.ts';
import { ListGroups } from '../../protocol/generated/list-groups.ts';
import { ListPartitionReassignments } from '../../protocol/generated/list-partition-reassignments.ts';
import { OffsetCommit } from '../../protocol/generated/offset-commit.ts';
import { OffsetDelete } from '../../protocol/generated/offset-delete.ts';
import { OffsetFetch } from '../../protocol/generated/offset-fetch.ts';
import { SyncGroup } from '../../protocol/generated/sync-group.ts';
import { TxnOffsetCommit } from '../../protocol/generated/txn-offset-commit.ts';
import { UpdateFeatures } from '../../protocol/generated/update-features.ts';
import { type ErrorEntry, errorEntry, messageOf } from './error-entry.ts';

const EMPTY = Buffer.alloc(0);
/** From here on requests name several coordinators, or several groups. */
const FIND_COORDINATOR_BATCH_VERSION = 4;
const OFFSET_FETCH_GROUPS_VERSION = 8;
/** From here on responses have an error code of their own. */
const OFFSET_FETCH_ERROR_VERSION = 2;
const ELECT_LEADERS_ERROR_VERSION = 1;

export const adminErrorResponses: readonly ErrorEntry[] = [
  errorEntry(ApiVersions, (_, errorCode) => ({ errorCode, apiKeys: [] })),
  errorEntry(FindCoordinator, ({ coordinatorKeys }, errorCode, apiVersion) =>
    apiVersion >= FIND_COORDINATOR_BATCH_VERSION
      ? {
          coordinators: coordinatorKeys.map((key) => ({
            key,
            nodeId: -1,
            host: '',
            port: -1,
            errorCode,
            errorMessage: messageOf(errorCode),
          })),
        }
      : { errorCode, errorMessage: messageOf(errorCode), nodeId: -1, host: '', port: -1 },
  ),
  errorEntry(JoinGroup, ({ memberId }, errorCode, apiVersion) => ({
    errorCode,
    generationId: -1,
    protocolName: apiVersion >= 7 ? null : '',
    leader: '',
    memberId,
    members: [],
  })),
  errorEntry(SyncGroup, (_, errorCode) => ({ errorCode, assignment: EMPTY })),
  errorEntry(Heartbeat, (_, errorCode) => ({ errorCode })),
  errorEntry(LeaveGroup, (_, errorCode) => ({ errorCode })),
  errorEntry(OffsetCommit, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  errorEntry(TxnOffsetCommit, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  errorEntry(OffsetFetch, ({ topics, groups }, errorCode, apiVersion) => {
    if (apiVersion >= OFFSET_FETCH_GROUPS_VERSION) return { groups: groups.map(({ groupId }) => ({ groupId, errorCode })) };
    if (apiVersion >= OFFSET_FETCH_ERROR_VERSION) return { errorCode };
    return {
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, committedOffset: -1, metadata: '', errorCode })),
      })),
    };
  }),
  errorEntry(OffsetDelete, (_, errorCode) => ({ errorCode, throttleTimeMs: 0, topics: [] })),
  errorEntry(DescribeGroups, ({ groups }, errorCode) => ({
    groups: groups.map((groupId) => ({ errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] })),
  })),
  errorEntry(ListGroups, (_, errorCode) => ({ errorCode, groups: [] })),
  errorEntry(DeleteGroups, ({ groupsNames }, errorCode) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  })),
  errorEntry(CreateTopics, ({ topics }, errorCode) => ({
    topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: messageOf(errorCode), configs: null })),
  })),
  errorEntry(DeleteTopics, ({ topics, topicNames }, errorCode, apiVersion) => ({
    responses: (apiVersion >= 6 ? topics : topicNames.map((name) => ({ name, topicId: undefined }))).map(({ name, topicId }) => ({
      name,
      topicId,
      errorCode,
      errorMessage: messageOf(errorCode),
    })),
  })),
  errorEntry(CreatePartitions, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode, errorMessage: messageOf(errorCode) })),
  })),
  errorEntry(DescribeConfigs, ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: messageOf(errorCode),
      resourceType,
      resourceName,
      configs: [],
    })),
  })),
  errorEntry(AlterConfigs, ({ resources }, errorCode) => ({ throttleTimeMs: 0, responses: resourceErrors(resources, errorCode) })),
  errorEntry(IncrementalAlterConfigs, ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    responses: resourceErrors(resources, errorCode),
  })),
  errorEntry(AlterReplicaLogDirs, ({ dirs }, errorCode) => ({
    throttleTimeMs: 0,
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    ),
  })),
  errorEntry(DescribeLogDirs, (_, errorCode) => ({ throttleTimeMs: 0, errorCode, results: [] })),
  errorEntry(DescribeCluster, (_, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage: messageOf(errorCode),
    clusterId: '',
    brokers: [],
  })),
  errorEntry(ElectLeaders, ({ topicPartitions }, errorCode, apiVersion) => ({
    throttleTimeMs: 0,
    ...(apiVersion >= ELECT_LEADERS_ERROR_VERSION && { errorCode }),
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage: messageOf(errorCode) })),
    })),
  })),
  errorEntry(AlterPartitionReassignments, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage: messageOf(errorCode),
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage: messageOf(errorCode) })),
    })),
  })),
  errorEntry(ListPartitionReassignments, (_, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage: messageOf(errorCode),
    topics: [],
  })),
  errorEntry(UpdateFeatures, ({ featureUpdates }, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage: messageOf(errorCode),
    results: featureUpdates.map(({ feature }) => ({ feature, errorCode, errorMessage: messageOf(errorCode) })),
  })),
];

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface ResourceError extends Resource {
  readonly errorCode: number;
  readonly errorMessage: string;
}

function resourceErrors(resources: readonly Resource[], errorCode: number): ResourceError[] {
  return resources.map(({ resourceType, resourceName }) => ({ errorCode, errorMessage: messageOf(errorCode), resourceType, resourceName }));
}
