/**
 * ListOffsets (2), versions 0-9: the offset of a time, of the end (-1), the start (-2), the largest timestamp (-3, KIP-734),
 * the local start (-4) and the tiered end (-5): without tiered storage the local start is the log start, the tiered end is unknown.
 * The end is the high watermark for a consumer, the last stable offset when read_committed, the log end for a broker.
 * A new leader whose high watermark has not reached its epoch's start answers OFFSET_NOT_AVAILABLE (KIP-207).
 * Version 0 (lists of segment starts) is answered with the one offset asked for.
 * Source: Kafka's `KafkaApis.handleListOffsetRequest`, `Partition.fetchOffsetForTimestamp`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type {
  ListOffsetsPartition,
  ListOffsetsPartitionResponseInput,
  ListOffsetsRequest,
} from '../../../protocol/generated/list-offsets.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { Partition } from '../../replication/partition.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface ListOffsetsDeps {
  readonly replicaManager: ReplicaManager;
  readonly directory: BrokerDirectory;
}

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const CONSUMER_REPLICA_ID = -1;
const READ_COMMITTED = 1;
const FIRST_LEADER_EPOCH_VERSION = 4;
const FIRST_OFFSET_NOT_AVAILABLE_VERSION = 5;
/** Negative times are names; each came with a version. An older one, or another name, is UNSUPPORTED_VERSION. */
const FIRST_VERSION_OF: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
]);

interface Reader {
  readonly apiVersion: number;
  readonly isBroker: boolean;
  readonly readCommitted: boolean;
}

export function createListOffsetsHandler(deps: ListOffsetsDeps): ApiHandler<ListOffsetsRequest> {
  return (request) => {
    const { body, header } = request;
    const reader: Reader = {
      apiVersion: header.apiVersion,
      isBroker: body.replicaId !== CONSUMER_REPLICA_ID,
      readCommitted: body.isolationLevel === READ_COMMITTED,
    };
    const topics = body.topics.map((topic) => ({
      name: topic.name,
      partitions: topic.partitions.map((asked) => answerOne(deps, { topic: topic.name, partition: asked.partitionIndex }, asked, reader)),
    }));
    request.respond({ throttleTimeMs: 0, topics });
  };
}

function answerOne(
  deps: ListOffsetsDeps,
  topicPartition: TopicPartition,
  asked: ListOffsetsPartition,
  reader: Reader,
): ListOffsetsPartitionResponseInput {
  const fail = (errorCode: number): ListOffsetsPartitionResponseInput => ({ partitionIndex: topicPartition.partition, errorCode });
  if (!deps.directory.partitionExists(topicPartition)) return fail(deps.directory.absentPartitionError);
  const partition = deps.replicaManager.partition(topicPartition);
  if (partition === undefined) return fail(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  const found = lookUp(partition, asked, reader);
  if (typeof found === 'number') return fail(found);
  const answer = { partitionIndex: topicPartition.partition, errorCode: ErrorCode.NONE };
  if (reader.apiVersion === 0) return { ...answer, oldStyleOffsets: found.offset >= 0 ? [found.offset] : [] };
  const { timestamp, offset, leaderEpoch } = found;
  return { ...answer, timestamp, offset, ...(reader.apiVersion >= FIRST_LEADER_EPOCH_VERSION ? { leaderEpoch } : {}) };
}

interface Found {
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

const NOT_FOUND: Found = { timestamp: -1, offset: -1, leaderEpoch: -1 };

function lookUp(partition: Partition, asked: ListOffsetsPartition, reader: Reader): Found | number {
  const log = partition.leaderLogOrError(asked.currentLeaderEpoch);
  if (typeof log === 'number') return log;
  const end = reader.isBroker ? log.logEndOffset : reader.readCommitted ? log.lastStableOffset : log.highWatermark;
  const epochOf = (offset: number): number => log.epochForOffset(offset) ?? -1;
  const awaitsEpochStart = !reader.isBroker && !partition.highWatermarkHasReachedEpochStart;
  const notAvailable =
    reader.apiVersion >= FIRST_OFFSET_NOT_AVAILABLE_VERSION ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE;
  if (asked.timestamp < 0 && reader.apiVersion < (FIRST_VERSION_OF.get(asked.timestamp) ?? Number.POSITIVE_INFINITY))
    return ErrorCode.UNSUPPORTED_VERSION;
  switch (asked.timestamp) {
    case LATEST:
      return awaitsEpochStart ? notAvailable : { timestamp: -1, offset: end, leaderEpoch: partition.leaderEpoch };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { timestamp: -1, offset: log.logStartOffset, leaderEpoch: epochOf(log.logStartOffset) };
    case LATEST_TIERED:
      return NOT_FOUND;
    default: {
      const found = log.fetchOffsetByTimestamp(asked.timestamp);
      if (found === undefined || found.offset >= end) return awaitsEpochStart ? notAvailable : NOT_FOUND;
      return { timestamp: found.timestamp, offset: found.offset, leaderEpoch: epochOf(found.offset) };
    }
  }
}
