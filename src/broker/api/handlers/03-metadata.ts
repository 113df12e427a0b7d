/**
 * Metadata (3), versions 0-12: brokers, controller, cluster id, and the topics asked for with leaders, replicas and ISRs.
 *
 * - v0: an empty list means all topics; a replica or ISR member without an endpoint makes its partition REPLICA_NOT_AVAILABLE. 1+: null means all.
 * - 4+: allowAutoTopicCreation; before, always. A topic being created: LEADER_NOT_AVAILABLE.
 * - 6+: LISTENER_NOT_FOUND where the leader has not this listener; before, LEADER_NOT_AVAILABLE.
 * - 8+: authorized operations (KIP-430), of the cluster up to 10. 10+: topic ids (KIP-516); 12: asked by id, UNKNOWN_TOPIC_ID.
 *
 * Not here: authorization. Source: Kafka's `KafkaApis.handleTopicMetadataRequest`, `ZkMetadataCache.getTopicMetadata`.
 */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  MetadataRequest,
  MetadataResponseInput,
  MetadataResponsePartitionInput,
  MetadataResponseTopicInput,
} from '../../../protocol/generated/metadata.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import { invalidTopicNameReason } from '../../config/topic-name.ts';
import type { AutoTopicCreationManager } from '../../metadata/auto-topic-creation-manager.ts';
import { nodeOnListener, type MetadataCache, type MetadataPartitionState, type MetadataSnapshot } from '../../metadata/metadata-cache.ts';
import { isInternalTopic } from '../../metadata/topic-names.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import { AUTHORIZED_OPERATIONS_OMITTED, CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from '../authorized-operations.ts';

export interface MetadataDeps {
  readonly metadataCache: MetadataCache;
  readonly autoTopicCreation: Pick<AutoTopicCreationManager, 'createTopics'>;
  readonly clusterId: string;
  readonly autoCreateTopicsEnable: () => boolean;
}

const NO_CONTROLLER_ID = -1;
const NO_LEADER_ID = -1;
const FIRST_LISTENER_NOT_FOUND_VERSION = 6;
const FIRST_TOPIC_ID_REQUEST_VERSION = 12;
const CLUSTER_OPERATIONS_VERSIONS = { first: 8, last: 10 };

interface View {
  readonly snapshot: MetadataSnapshot;
  readonly listenerName: string;
  readonly apiVersion: number;
  readonly topicOperations: number;
}

export function createMetadataHandler(deps: MetadataDeps): ApiHandler<MetadataRequest, MetadataResponseInput> {
  return async (request) => {
    const { body, header, listenerName } = request;
    const { apiVersion } = header;
    checkTopics(body, apiVersion);
    const view: View = {
      snapshot: deps.metadataCache.snapshot,
      listenerName,
      apiVersion,
      topicOperations: apiVersion >= 8 && body.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : AUTHORIZED_OPERATIONS_OMITTED,
    };
    const isAllTopics = body.topics === null || (apiVersion === 0 && body.topics.length === 0);
    const topics = isAllTopics ? allTopics(view) : await askedTopics(deps, view, body);
    const { first, last } = CLUSTER_OPERATIONS_VERSIONS;
    const withClusterOperations = apiVersion >= first && apiVersion <= last && body.includeClusterAuthorizedOperations;
    request.respond({
      throttleTimeMs: 0,
      brokers: deps.metadataCache.getAliveBrokerNodes(listenerName).map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
      clusterId: deps.clusterId,
      controllerId: deps.metadataCache.getControllerId() ?? NO_CONTROLLER_ID,
      topics,
      clusterAuthorizedOperations: withClusterOperations ? CLUSTER_OPERATIONS : AUTHORIZED_OPERATIONS_OMITTED,
    });
  };
}

function checkTopics({ topics }: MetadataRequest, apiVersion: number): void {
  if (apiVersion >= FIRST_TOPIC_ID_REQUEST_VERSION) return;
  for (const { name, topicId } of topics ?? []) {
    if (name === null) throw new KafkaError(ErrorCode.INVALID_REQUEST, `Topic name can not be null for version ${apiVersion}`);
    if (topicId !== ZERO_UUID)
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Topic IDs are not supported in requests for version ${apiVersion}`);
  }
}

function allTopics(view: View): MetadataResponseTopicInput[] {
  return Array.from(view.snapshot.partitionStates, ([topic, partitions]) => knownTopic(view, topic, partitions));
}

async function askedTopics(deps: MetadataDeps, view: View, body: MetadataRequest): Promise<MetadataResponseTopicInput[]> {
  const asked = body.topics ?? [];
  const ids = new Set(asked.map(({ topicId }) => topicId).filter((topicId) => topicId !== ZERO_UUID));
  if (ids.size > 0) return [...ids].map((topicId) => topicById(view, topicId));
  const topics: MetadataResponseTopicInput[] = [];
  const missing: string[] = [];
  for (const name of new Set(asked.map((topic) => topic.name ?? ''))) {
    const partitions = view.snapshot.partitionStates.get(name);
    if (partitions === undefined) missing.push(name);
    else topics.push(knownTopic(view, name, partitions));
  }
  if (missing.length > 0) topics.push(...(await missingTopics(deps, view, missing, body.allowAutoTopicCreation)));
  return topics;
}

function topicById(view: View, topicId: string): MetadataResponseTopicInput {
  const name = view.snapshot.topicNames.get(topicId);
  const partitions = name === undefined ? undefined : view.snapshot.partitionStates.get(name);
  if (name !== undefined && partitions !== undefined) return knownTopic(view, name, partitions);
  return {
    errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    name: null,
    topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: view.topicOperations,
  };
}

async function missingTopics(
  deps: MetadataDeps,
  view: View,
  names: readonly string[],
  allowAutoTopicCreation: boolean,
): Promise<MetadataResponseTopicInput[]> {
  const mayCreate = allowAutoTopicCreation && deps.autoCreateTopicsEnable();
  // A starting broker knows of no topic until the controller has told it.
  const unknown = view.snapshot.controllerId === undefined ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  const codes = mayCreate ? await deps.autoTopicCreation.createTopics(names) : new Map<string, number>();
  return names.map((name) => {
    const absent = invalidTopicNameReason(name) === undefined ? unknown : ErrorCode.INVALID_TOPIC_EXCEPTION;
    return {
      errorCode: codes.get(name) ?? absent,
      name,
      topicId: ZERO_UUID,
      isInternal: isInternalTopic(name),
      partitions: [],
      topicAuthorizedOperations: view.topicOperations,
    };
  });
}

function knownTopic(view: View, name: string, states: ReadonlyMap<number, MetadataPartitionState>): MetadataResponseTopicInput {
  const partitions = Array.from(states.values(), (state) => partitionOf(view, state));
  return {
    errorCode: ErrorCode.NONE,
    name,
    topicId: view.snapshot.topicIds.get(name) ?? ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex),
    topicAuthorizedOperations: view.topicOperations,
  };
}

function partitionOf(view: View, state: MetadataPartitionState): MetadataResponsePartitionInput {
  const { snapshot, listenerName, apiVersion } = view;
  const leader = snapshot.aliveBrokers.get(state.leader);
  const hasLeader = nodeOnListener(leader, listenerName) !== undefined;
  // Only the oldest clients need every broker that is named to be in the list of brokers.
  const reachable = (ids: readonly number[]): readonly number[] =>
    apiVersion === 0 ? ids.filter((id) => nodeOnListener(snapshot.aliveBrokers.get(id), listenerName) !== undefined) : ids;
  const replicaNodes = reachable(state.replicas);
  const isrNodes = reachable(state.isr);
  let errorCode: number = ErrorCode.NONE;
  if (!hasLeader) {
    const otherListener = leader !== undefined && apiVersion >= FIRST_LISTENER_NOT_FOUND_VERSION;
    errorCode = otherListener ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE;
  } else if (replicaNodes.length < state.replicas.length || isrNodes.length < state.isr.length) {
    errorCode = ErrorCode.REPLICA_NOT_AVAILABLE;
  }
  return {
    errorCode,
    partitionIndex: state.partitionIndex,
    leaderId: hasLeader ? state.leader : NO_LEADER_ID,
    leaderEpoch: state.leaderEpoch,
    replicaNodes,
    isrNodes,
    offlineReplicas: state.offlineReplicas,
  };
}
