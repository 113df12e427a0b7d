/**
 * Produce (0), versions 0-11.
 * Appends each partition's batch and answers as acks says: 0 never (an error closes the connection, the only sign there is),
 * 1 when the leader has written it, -1 when the high watermark has passed it. Other acks: INVALID_REQUIRED_ACKS.
 * - 0-2 are parsed, so that clients find the range they look for, and answered UNSUPPORTED_FOR_MESSAGE_FORMAT: no magic 0 and 1 here.
 * - 3+ takes one v2 batch a partition; zstd from 7 (KIP-110); 8+ tells of refused records (KIP-467); 10+ names the leader (KIP-951).
 * An internal topic is refused with INVALID_TOPIC_EXCEPTION. What was sent behind a refused batch is refused like it, not as out of order (`refused-sequences.ts`).
 * Left out: transactions' partition verification (a later issue); a transactional batch of an unknown transaction is refused by the log.
 * Source: Kafka's `KafkaApis.handleProduceRequest`.
 */
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import type {
  PartitionProduceResponseInput,
  ProduceRequest,
  ProduceResponseInput,
  TopicProduceResponseInput,
} from '../../../protocol/generated/produce.ts';
import { CompressionCodec } from '../../../protocol/records/compression.ts';
import {
  ATTRIBUTES_OFFSET,
  batchSizeAt,
  COMPRESSION_MASK,
  MAGIC_OFFSET,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
} from '../../../protocol/records/record-batch.ts';
import { isInternalTopic } from '../../metadata/topic-names.ts';
import type { AppendEntry, AppendResult, RecordAppender } from '../../replication/record-appender.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { ApiHandler, BrokerRequest } from '../../network/broker-request.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface ProduceDeps {
  readonly appender: RecordAppender;
  readonly directory: BrokerDirectory;
}

/** Kafka lets this client write to internal topics: its `AdminUtils.ADMIN_CLIENT_ID`. */
const ADMIN_CLIENT_ID = '__admin_client';
const FIRST_V2_VERSION = 3;
const FIRST_ZSTD_VERSION = 7;
const FIRST_LEADER_TAG_VERSION = 10;

export function createProduceHandler(deps: ProduceDeps): ApiHandler<ProduceRequest> {
  return (request) => {
    const { body, header } = request;
    if (body.acks !== 0 && body.acks !== 1 && body.acks !== -1) {
      answer(request, deps, refuseAll(body, ErrorCode.INVALID_REQUIRED_ACKS));
      return;
    }
    if (header.apiVersion < FIRST_V2_VERSION) {
      answer(request, deps, refuseAll(body, ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT));
      return;
    }
    const refused: AppendResult[] = [];
    const entries: AppendEntry[] = [];
    for (const topic of body.topicData) {
      for (const partition of topic.partitionData) {
        const topicPartition = { topic: topic.name, partition: partition.index };
        const records = partition.records?.[0];
        const topicError = checkTopic(deps, topicPartition, header.clientId);
        if (records !== undefined && topicError !== ErrorCode.NONE) deps.appender.noteRefused({ topicPartition, records }, topicError);
        const errorCode = topicError || checkRecords(records, header.apiVersion);
        if (errorCode !== ErrorCode.NONE || records === undefined) refused.push(refusal(topic.name, partition.index, errorCode));
        else entries.push({ topicPartition, records });
      }
    }
    deps.appender.append({
      entries,
      requiredAcks: body.acks,
      timeoutMs: Math.max(0, body.timeoutMs),
      origin: 'client',
      respond: (results) => answer(request, deps, [...refused, ...results]),
    });
  };
}

/** What coordinators keep in internal topics is theirs: a client's record there would be taken for theirs at the next load. */
function checkTopic({ directory }: ProduceDeps, topicPartition: TopicPartition, clientId: string | null): number {
  if (!directory.partitionExists(topicPartition)) return directory.absentPartitionError;
  return isInternalTopic(topicPartition.topic) && clientId !== ADMIN_CLIENT_ID ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE;
}

/** What can be said before the log looks: one batch, of magic 2, whose codec the version may carry. */
function checkRecords(records: Buffer | undefined, apiVersion: number): number {
  if (records === undefined || records.length < RECORD_BATCH_OVERHEAD) return ErrorCode.CORRUPT_MESSAGE;
  if (records.readInt8(MAGIC_OFFSET) !== MAGIC_V2) return ErrorCode.INVALID_RECORD;
  const sizeBytes = batchSizeAt(records, 0);
  if (sizeBytes === undefined || sizeBytes < RECORD_BATCH_OVERHEAD || sizeBytes > records.length) return ErrorCode.CORRUPT_MESSAGE;
  if (sizeBytes < records.length) return ErrorCode.INVALID_RECORD;
  const codec = records.readInt16BE(ATTRIBUTES_OFFSET) & COMPRESSION_MASK;
  return codec === CompressionCodec.ZSTD && apiVersion < FIRST_ZSTD_VERSION ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE : ErrorCode.NONE;
}

function answer(request: BrokerRequest<ProduceRequest>, deps: ProduceDeps, results: readonly AppendResult[]): void {
  if (request.body.acks === 0) {
    const refused = results.filter((result) => result.errorCode !== ErrorCode.NONE);
    if (refused.length === 0) request.respondNothing();
    else request.closeConnection(`a write with acks=0 was refused: ${refused.map(describeRefusal).join(', ')}`);
    return;
  }
  const leaders = new Set<number>();
  const byTopic = new Map<string, PartitionProduceResponseInput[]>();
  for (const result of results) {
    const partition = partitionResponse(result, request.header.apiVersion, deps, leaders);
    const list = byTopic.get(result.topicPartition.topic);
    if (list === undefined) byTopic.set(result.topicPartition.topic, [partition]);
    else list.push(partition);
  }
  const responses: TopicProduceResponseInput[] = Array.from(byTopic, ([name, partitionResponses]) => ({ name, partitionResponses }));
  const response: ProduceResponseInput = { responses, nodeEndpoints: deps.directory.endpointsOf(leaders, request.listenerName) };
  request.respond(response);
}

function partitionResponse(
  result: AppendResult,
  apiVersion: number,
  deps: ProduceDeps,
  leaders: Set<number>,
): PartitionProduceResponseInput {
  const { topicPartition, errorCode, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, errorMessage } = result;
  const response: PartitionProduceResponseInput = {
    index: topicPartition.partition,
    errorCode,
    baseOffset,
    logAppendTimeMs,
    logStartOffset,
    recordErrors: recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message })),
    errorMessage: errorCode === ErrorCode.NONE ? null : (errorMessage ?? errorByCode(errorCode).message),
  };
  if (
    apiVersion < FIRST_LEADER_TAG_VERSION ||
    (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCode.FENCED_LEADER_EPOCH)
  )
    return response;
  const leader = deps.directory.leaderOf(topicPartition);
  if (leader === undefined) return response;
  leaders.add(leader.leaderId);
  return { ...response, currentLeader: leader };
}

function describeRefusal({ topicPartition: { topic, partition }, errorCode }: AppendResult): string {
  return `${topic}-${partition}: ${errorByCode(errorCode).name}`;
}

function refuseAll(body: ProduceRequest, errorCode: number): AppendResult[] {
  return body.topicData.flatMap((topic) => topic.partitionData.map((partition) => refusal(topic.name, partition.index, errorCode)));
}

function refusal(topic: string, partition: number, errorCode: number): AppendResult {
  return {
    topicPartition: { topic, partition },
    errorCode,
    errorMessage: null,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
  };
}
