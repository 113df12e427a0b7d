/** OffsetDelete (47), version 0: deletes single committed offsets; GROUP_SUBSCRIBED_TO_TOPIC where a live member subscribes. KIP-496. */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetDeleteRequest } from '../../../protocol/generated/offset-delete.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createOffsetDeleteHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<OffsetDeleteRequest> {
  return (request) => {
    const { groupId, topics } = request.body;
    const offsets = topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })));
    coordinator.deleteOffsets(groupId, offsets, (errorCode, codes) => {
      const codeOf = new Map(offsets.map(({ topic, partition }, index) => [`${topic}-${partition}`, codes[index] ?? ErrorCode.NONE]));
      request.respond({
        errorCode,
        throttleTimeMs: 0,
        topics:
          errorCode === ErrorCode.NONE
            ? topics.map(({ name, partitions }) => ({
                name,
                partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf.get(`${name}-${partitionIndex}`) ?? ErrorCode.NONE })),
              }))
            : [],
      });
    });
  };
}
