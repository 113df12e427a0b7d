/**
 * ElectLeaders (43), versions 0-2 (KIP-183, KIP-460), on the controller; elsewhere NOT_CONTROLLER per partition. Answers when the new
 * leaders show in this broker's metadata, or after timeoutMs (REQUEST_TIMED_OUT: elected, not told yet).
 *
 * - Topic partitions null: all that there are; those that need no election are left out of the answer.
 * - Version 0 is about preferred leaders; 1+ names the election: 0 preferred, 1 unclean; another one is INVALID_REQUEST.
 * - Errors per partition: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE,
 *   UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (being deleted).
 *
 * Not here: authorization. Source: Kafka's `KafkaApis.handleElectLeaders`, `ReplicaManager.electLeaders`, `DelayedElectLeader`.
 */
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import type { ElectLeadersRequest, ElectLeadersResponseInput } from '../../../protocol/generated/elect-leaders.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ElectionType, ReplicaElectionResult } from '../../controller/replica-elections.ts';
import type { MetadataCache } from '../../metadata/metadata-cache.ts';
import { DelayedTopicOperation } from '../../metadata/topic-admin-types.ts';
import type { ApiHandler, BrokerRequest } from '../../network/broker-request.ts';
import type { DelayedOperationPurgatory } from '../../purgatory/delayed-operation-purgatory.ts';

export interface ElectLeadersDeps {
  readonly controller: Pick<KafkaController, 'electLeaders'>;
  readonly metadataCache: Pick<MetadataCache, 'getAllTopics' | 'partitionsOf' | 'getPartitionInfo'>;
  /** Tried for a topic when its metadata changes. */
  readonly purgatory: DelayedOperationPurgatory<DelayedTopicOperation>;
  readonly clock: Clock;
}

const FIRST_ELECTION_TYPE_VERSION = 1;
const ELECTION_TYPES: readonly ElectionType[] = ['preferred', 'unclean'];

export function createElectLeadersHandler(deps: ElectLeadersDeps): ApiHandler<ElectLeadersRequest, ElectLeadersResponseInput> {
  return (request) => {
    const { body, header } = request;
    const number = header.apiVersion >= FIRST_ELECTION_TYPE_VERSION ? body.electionType : 0;
    const type = ELECTION_TYPES[number];
    if (type === undefined)
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `There is no election type ${number}: 0 is preferred, 1 unclean.`);
    const deadlineMs = deps.clock.monotonicMs() + body.timeoutMs;
    const partitions = body.topicPartitions === null ? allPartitions(deps.metadataCache) : named(body.topicPartitions);
    // The handler's slot is free while the controller works.
    void deps.controller.electLeaders(partitions, type).then(
      (results) => respondWhenKnown(deps, request, results, deadlineMs),
      (error: unknown) => {
        const errorCode = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
        respond(
          request,
          partitions.map((topicPartition) => ({ topicPartition, errorCode })),
        );
      },
    );
  };
}

function respondWhenKnown(
  { metadataCache, purgatory, clock }: ElectLeadersDeps,
  request: BrokerRequest<ElectLeadersRequest>,
  results: readonly ReplicaElectionResult[],
  deadlineMs: number,
): void {
  const elected = results.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
  const isUnknown = ({ topicPartition, leader }: ReplicaElectionResult): boolean =>
    metadataCache.getPartitionInfo(topicPartition)?.leader !== leader;
  const complete = (): void => {
    const late = new Set(elected.filter(isUnknown));
    respond(
      request,
      results.map((result) =>
        late.has(result) ? { topicPartition: result.topicPartition, errorCode: ErrorCode.REQUEST_TIMED_OUT } : result,
      ),
    );
  };
  const leftMs = deadlineMs - clock.monotonicMs();
  if (elected.length === 0 || leftMs <= 0) {
    complete();
    return;
  }
  const operation = new DelayedTopicOperation(leftMs, `election of ${elected.length} leaders`, () => !elected.some(isUnknown), complete);
  purgatory.tryCompleteElseWatch(operation, [...new Set(elected.map(({ topicPartition }) => topicPartition.topic))]);
}

function respond(request: BrokerRequest<ElectLeadersRequest>, results: readonly ReplicaElectionResult[]): void {
  const isForAll = request.body.topicPartitions === null;
  const shown = results.filter(({ errorCode }) => !isForAll || errorCode !== ErrorCode.ELECTION_NOT_NEEDED);
  const replicaElectionResults = Array.from(
    Map.groupBy(shown, ({ topicPartition }) => topicPartition.topic),
    ([topic, own]) => ({
      topic,
      partitionResult: own.map(({ topicPartition, errorCode, message }) => ({
        partitionId: topicPartition.partition,
        errorCode,
        errorMessage: errorCode === ErrorCode.NONE ? null : (message ?? errorByCode(errorCode).message),
      })),
    }),
  );
  const hasErrorCode = request.header.apiVersion >= FIRST_ELECTION_TYPE_VERSION;
  request.respond({ throttleTimeMs: 0, ...(hasErrorCode && { errorCode: ErrorCode.NONE }), replicaElectionResults });
}

function named(topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => [...new Set(partitions)].map((partition) => ({ topic, partition })));
}

function allPartitions(metadataCache: ElectLeadersDeps['metadataCache']): TopicPartition[] {
  return metadataCache
    .getAllTopics()
    .flatMap((topic) => Array.from(metadataCache.partitionsOf(topic).keys(), (partition) => ({ topic, partition })));
}
