/**
 * Fetch (1), versions 4-17. Consumers read up to the high watermark, or the last stable offset when read_committed;
 * followers (a replica id of 0 or more) up to the log end, and their fetch tells the leader how far they are.
 * - 7+ fetch sessions (KIP-227): always session 0, a full fetch each time; a request for a session gets FETCH_SESSION_ID_NOT_FOUND,
 *   which every client answers with a full fetch. Incremental sessions come with a later issue.
 * - 12+ lastFetchedEpoch → divergingEpoch (KIP-595); 13+ topics by id (KIP-516): UNKNOWN_TOPIC_ID, INCONSISTENT_TOPIC_ID;
 *   before 10 a topic with compression.type zstd is refused (KIP-110): who asks so can't read it;
 *   15+ replica state in a tag (KIP-903); 16+ names the leader (KIP-951).
 * Left out: preferred read replicas (KIP-392).
 * Source: Kafka's `KafkaApis.handleFetchRequest`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { FetchRequest, FetchableTopicResponseInput, PartitionDataInput } from '../../../protocol/generated/fetch.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import type { ApiHandler, BrokerRequest } from '../../network/broker-request.ts';
import { failedFetch } from '../../replication/fetch-types.ts';
import type { FetchIsolation, FetchParams, FetchPartitionRequest, FetchPartitionResult } from '../../replication/fetch-types.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface FetchDeps {
  readonly replicaManager: ReplicaManager;
  readonly directory: BrokerDirectory;
  /** `fetch.max.bytes`: the most that one answer carries. */
  readonly fetchMaxBytes: number;
  /** Takes back what was read, once it is sent. */
  readonly releaseRecords: (records: readonly Buffer[]) => void;
}

const FIRST_ZSTD_VERSION = 10;
const FIRST_TOPIC_ID_VERSION = 13;
const FIRST_REPLICA_STATE_VERSION = 15;
const FIRST_LEADER_TAG_VERSION = 16;
const READ_COMMITTED = 1;
/** A full fetch, for a session or without one; any other epoch goes on with a session. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

interface Slot {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  result: FetchPartitionResult | undefined;
}

export function createFetchHandler(deps: FetchDeps): ApiHandler<FetchRequest> {
  return (request) => {
    const { body, header } = request;
    if (body.sessionEpoch !== INITIAL_EPOCH && body.sessionEpoch !== FINAL_EPOCH) {
      request.respond({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [], throttleTimeMs: 0 });
      return;
    }
    const replicaId = header.apiVersion >= FIRST_REPLICA_STATE_VERSION ? body.replicaState.replicaId : body.replicaId;
    const slots: Slot[] = [];
    const asked: FetchPartitionRequest[] = [];
    const askedSlots: Slot[] = [];
    for (const topic of body.topics) {
      const byId = header.apiVersion >= FIRST_TOPIC_ID_VERSION;
      const name = byId ? deps.directory.topicNameOf(topic.topicId) : topic.topic;
      for (const partition of topic.partitions) {
        const slot: Slot = { topic: name ?? '', topicId: topic.topicId, partition: partition.partition, result: undefined };
        slots.push(slot);
        const topicPartition = { topic: slot.topic, partition: partition.partition };
        if (name === undefined) {
          slot.result = failedFetch(ErrorCode.UNKNOWN_TOPIC_ID);
        } else if (replicaId < 0 && !deps.directory.partitionExists(topicPartition)) {
          slot.result = failedFetch(deps.directory.absentPartitionError);
        } else if (header.apiVersion < FIRST_ZSTD_VERSION && isZstdTopic(deps.replicaManager, topicPartition)) {
          slot.result = failedFetch(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
        } else {
          askedSlots.push(slot);
          asked.push({
            topicPartition,
            topicId: byId ? topic.topicId : ZERO_UUID,
            currentLeaderEpoch: partition.currentLeaderEpoch,
            fetchOffset: partition.fetchOffset,
            lastFetchedEpoch: partition.lastFetchedEpoch,
            logStartOffset: partition.logStartOffset,
            maxBytes: Math.max(0, partition.partitionMaxBytes),
          });
        }
      }
    }
    const maxBytes = Math.max(0, Math.min(body.maxBytes, deps.fetchMaxBytes));
    const params: FetchParams = {
      replicaId,
      replicaEpoch: body.replicaState.replicaEpoch,
      // A slot that failed already is an answer due now.
      maxWaitMs: askedSlots.length < slots.length ? 0 : body.maxWaitMs,
      minBytes: Math.min(body.minBytes, maxBytes),
      maxBytes,
      isolation: isolationOf(replicaId, body.isolationLevel),
    };
    deps.replicaManager.fetch(params, asked, (outcomes) => {
      for (const [index, { result }] of outcomes.entries()) {
        const slot = askedSlots[index];
        if (slot !== undefined) slot.result = result;
      }
      respond(request, deps, slots);
    });
  };
}

function isZstdTopic(replicaManager: ReplicaManager, topicPartition: TopicPartition): boolean {
  return replicaManager.partition(topicPartition)?.log?.appendConfig.compressionType === 'zstd';
}

function isolationOf(replicaId: number, isolationLevel: number): FetchIsolation {
  if (replicaId >= 0) return 'log-end';
  return isolationLevel === READ_COMMITTED ? 'txn-committed' : 'high-watermark';
}

function respond(request: BrokerRequest<FetchRequest>, deps: FetchDeps, slots: readonly Slot[]): void {
  const leaders = new Set<number>();
  const topics = new Map<string, FetchableTopicResponseInput & { partitions: PartitionDataInput[] }>();
  for (const slot of slots) {
    const key = slot.topicId === ZERO_UUID ? slot.topic : slot.topicId;
    let topic = topics.get(key);
    if (topic === undefined) {
      topic = { topic: slot.topic, topicId: slot.topicId, partitions: [] };
      topics.set(key, topic);
    }
    topic.partitions.push(partitionData(slot, request.header.apiVersion, deps, leaders));
  }
  const response = {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    sessionId: 0,
    responses: [...topics.values()],
    nodeEndpoints: deps.directory.endpointsOf(leaders, request.listenerName),
  };
  request.respond(response, () => {
    for (const { result } of slots) if (result?.records) deps.releaseRecords(result.records);
  });
}

function partitionData(slot: Slot, apiVersion: number, deps: FetchDeps, leaders: Set<number>): PartitionDataInput {
  const result = slot.result ?? failedFetch(ErrorCode.UNKNOWN_SERVER_ERROR);
  const data: PartitionDataInput = {
    partitionIndex: slot.partition,
    errorCode: result.errorCode,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: result.abortedTransactions === null ? null : [...result.abortedTransactions],
    records: result.records ?? [],
    ...(result.divergingEpoch === undefined ? {} : { divergingEpoch: result.divergingEpoch }),
  };
  if (
    apiVersion < FIRST_LEADER_TAG_VERSION ||
    (result.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && result.errorCode !== ErrorCode.FENCED_LEADER_EPOCH)
  )
    return data;
  const leader = deps.directory.leaderOf({ topic: slot.topic, partition: slot.partition });
  if (leader === undefined) return data;
  leaders.add(leader.leaderId);
  return { ...data, currentLeader: leader };
}
