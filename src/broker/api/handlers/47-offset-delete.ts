/**
 * OffsetDelete (47), version 0: deletes single committed offsets (KIP-496). GROUP_SUBSCRIBED_TO_TOPIC where a live member
 * subscribes to the topic, UNKNOWN_TOPIC_OR_PARTITION where there is no such partition; an error of the group stands alone.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetDeleteRequest } from '../../../protocol/generated/offset-delete.ts';
import { topicPartitionKey } from '../../../protocol/topic-partition.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface OffsetDeleteDeps {
  readonly coordinator: GroupCoordinator;
  readonly directory: Pick<BrokerDirectory, 'partitionExists'>;
}

export function createOffsetDeleteHandler({ coordinator, directory }: OffsetDeleteDeps): ApiHandler<OffsetDeleteRequest> {
  return (request) => {
    const { groupId, topics } = request.body;
    const asked = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
    );
    const known = asked.filter((topicPartition) => directory.partitionExists(topicPartition));
    const { errorCode, errorCodes } = coordinator.deleteOffsets(groupId, known);
    if (errorCode !== ErrorCode.NONE) {
      request.respond({ errorCode, throttleTimeMs: 0, topics: [] });
      return;
    }
    const codes = new Map(known.map((topicPartition, index) => [topicPartitionKey(topicPartition), errorCodes[index] ?? ErrorCode.NONE]));
    const codeOf = (topic: string, partition: number): number =>
      codes.get(topicPartitionKey({ topic, partition })) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    request.respond({
      errorCode,
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(name, partitionIndex) })),
      })),
    });
  };
}
