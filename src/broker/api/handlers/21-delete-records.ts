/**
 * DeleteRecords (21), versions 0-2: moves the start of each log up to an offset (-1: the high watermark) and waits until the live
 * replicas have done so too (KIP-107). Answered with the low watermark; codes as `RecordDeleter` has them, and
 * UNKNOWN_TOPIC_OR_PARTITION for what the controller has not told of. Kafka 3.9: `handleDeleteRecordsRequest`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { DeleteRecordsRequest, DeleteRecordsResponseInput } from '../../../protocol/generated/delete-records.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import { INVALID_LOW_WATERMARK } from '../../replication/delayed-delete-records.ts';
import type { DeleteRecordsEntry, DeleteRecordsResult, RecordDeleter } from '../../replication/record-deleter.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface DeleteRecordsDeps {
  readonly recordDeleter: Pick<RecordDeleter, 'delete'>;
  readonly directory: Pick<BrokerDirectory, 'partitionExists'>;
}

export function createDeleteRecordsHandler({
  recordDeleter,
  directory,
}: DeleteRecordsDeps): ApiHandler<DeleteRecordsRequest, DeleteRecordsResponseInput> {
  return (request) => {
    const known: DeleteRecordsEntry[] = [];
    const unknown: DeleteRecordsResult[] = [];
    for (const { name: topic, partitions } of request.body.topics) {
      for (const { partitionIndex: partition, offset } of partitions) {
        const topicPartition = { topic, partition };
        if (directory.partitionExists(topicPartition)) known.push({ topicPartition, offset });
        else unknown.push({ topicPartition, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, lowWatermark: INVALID_LOW_WATERMARK });
      }
    }
    recordDeleter.delete(known, request.body.timeoutMs, (results) => {
      request.respond({ throttleTimeMs: 0, topics: byTopic([...unknown, ...results]) });
    });
  };
}

function byTopic(results: readonly DeleteRecordsResult[]): NonNullable<DeleteRecordsResponseInput['topics']> {
  const topics = new Map<string, { partitionIndex: number; lowWatermark: number; errorCode: number }[]>();
  for (const { topicPartition, lowWatermark, errorCode } of results) {
    const partition = { partitionIndex: topicPartition.partition, lowWatermark, errorCode };
    const list = topics.get(topicPartition.topic);
    if (list === undefined) topics.set(topicPartition.topic, [partition]);
    else list.push(partition);
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions }));
}
