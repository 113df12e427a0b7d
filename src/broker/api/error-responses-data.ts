/** Error responses of the APIs that carry records, offsets and metadata, and of those among brokers. Kafka 3.9: `getErrorResponse` of each request class. */
import { AddOffsetsToTxn } from '../../protocol/generated/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../protocol/generated/add-partitions-to-txn.ts';
import { AllocateProducerIds } from '../../protocol/generated/allocate-producer-ids.ts';
import { AlterPartition } from '../../protocol/generated/alter-partition.ts';
import { ControlledShutdown } from '../../protocol/generated/controlled-shutdown.ts';
import { DeleteRecords } from '../../protocol/generated/delete-records.ts';
import { EndTxn } from '../../protocol/generated/end-txn.ts';
import { Fetch } from '../../protocol/generated/fetch.ts';
import { InitProducerId } from '../../protocol/generated/init-producer-id.ts';
import { LeaderAndIsr } from '../../protocol/generated/leader-and-isr.ts';
import { ListOffsets } from '../../protocol/generated/list-offsets.ts';
import { Metadata } from '../../protocol/generated/metadata.ts';
import { OffsetForLeaderEpoch } from '../../protocol/generated/offset-for-leader-epoch.ts';
import { Produce } from '../../protocol/generated/produce.ts';
import { StopReplica } from '../../protocol/generated/stop-replica.ts';
import { UpdateMetadata } from '../../protocol/generated/update-metadata.ts';
import { WriteTxnMarkers } from '../../protocol/generated/write-txn-markers.ts';
import { type ErrorEntry, errorEntry, messageOf } from './error-entry.ts';

/** From here on a fetch response has an error code of its own. */
const FETCH_SESSION_VERSION = 7;

export const dataErrorResponses: readonly ErrorEntry[] = [
  errorEntry(Produce, ({ topicData }, errorCode) => ({
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1, errorMessage: messageOf(errorCode) })),
    })),
  })),
  errorEntry(Fetch, ({ topics }, errorCode, apiVersion) => ({
    errorCode,
    responses:
      apiVersion >= FETCH_SESSION_VERSION
        ? []
        : topics.map(({ topic, topicId, partitions }) => ({
            topic,
            topicId,
            partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, errorCode, highWatermark: -1, records: [] })),
          })),
  })),
  errorEntry(ListOffsets, ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  errorEntry(Metadata, ({ topics }, errorCode) => ({
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId, partitions: [] })),
  })),
  errorEntry(OffsetForLeaderEpoch, ({ topics }, errorCode) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode, partition })),
    })),
  })),
  errorEntry(DeleteRecords, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  })),
  errorEntry(InitProducerId, (_, errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 })),
  errorEntry(AddPartitionsToTxn, ({ transactions, v3AndBelowTopics }, errorCode, apiVersion) => {
    const failed = (topics: typeof v3AndBelowTopics) =>
      topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
      }));
    if (apiVersion < 4) return { throttleTimeMs: 0, resultsByTopicV3AndBelow: failed(v3AndBelowTopics) };
    const resultsByTransaction = transactions.map(({ transactionalId, topics }) => ({ transactionalId, topicResults: failed(topics) }));
    return { throttleTimeMs: 0, errorCode, resultsByTransaction };
  }),
  errorEntry(AddOffsetsToTxn, (_, errorCode) => ({ throttleTimeMs: 0, errorCode })),
  errorEntry(EndTxn, (_, errorCode) => ({ throttleTimeMs: 0, errorCode })),
  errorEntry(WriteTxnMarkers, ({ markers }, errorCode) => ({
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    })),
  })),
  errorEntry(LeaderAndIsr, (_, errorCode) => ({ errorCode })),
  errorEntry(StopReplica, (_, errorCode) => ({ errorCode, partitionErrors: [] })),
  errorEntry(UpdateMetadata, (_, errorCode) => ({ errorCode })),
  errorEntry(ControlledShutdown, (_, errorCode) => ({ errorCode, remainingPartitions: [] })),
  errorEntry(AlterPartition, (_, errorCode) => ({ throttleTimeMs: 0, errorCode, topics: [] })),
  errorEntry(AllocateProducerIds, (_, errorCode) => ({ throttleTimeMs: 0, errorCode, producerIdStart: -1, producerIdLen: 0 })),
];
