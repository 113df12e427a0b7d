/**
 * OffsetCommit (8), versions 2-9: stores a group's positions with acks=all and answers when they are committed.
 * 5+ has no retention of its own (KIP-211), 6+ the leader epoch (KIP-320), 7+ static members (KIP-345).
 * A partition that doesn't exist is answered UNKNOWN_TOPIC_OR_PARTITION by itself.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../../protocol/generated/offset-commit.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { OffsetToCommit } from '../../coordinator/group-metadata-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface OffsetCommitDeps {
  readonly coordinator: GroupCoordinator;
  readonly directory: BrokerDirectory;
  readonly clock: Clock;
}

const DEFAULT_RETENTION = -1;

export function createOffsetCommitHandler({ coordinator, directory, clock }: OffsetCommitDeps): ApiHandler<OffsetCommitRequest> {
  return (request) => {
    const { body } = request;
    const nowMs = clock.wallMs();
    const expireTimestamp = body.retentionTimeMs === DEFAULT_RETENTION ? -1 : nowMs + body.retentionTimeMs;
    const codes = new Map<string, number>();
    const offsets: OffsetToCommit[] = [];
    for (const { name, partitions } of body.topics) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
        if (!directory.partitionExists({ topic: name, partition: partitionIndex })) {
          codes.set(`${name}-${partitionIndex}`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
          continue;
        }
        const value = { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: committedMetadata ?? '', commitTimestamp: nowMs, expireTimestamp };
        offsets.push({ topic: name, partition: partitionIndex, value });
      }
    }
    const identity = { memberId: body.memberId, groupInstanceId: body.groupInstanceId };
    const respond = (errorCodes: readonly number[]): void => {
      for (const [index, { topic, partition }] of offsets.entries()) codes.set(`${topic}-${partition}`, errorCodes[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR);
      request.respond({
        throttleTimeMs: 0,
        topics: body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codes.get(`${name}-${partitionIndex}`) ?? ErrorCode.NONE })),
        })),
      });
    };
    coordinator.commitOffsets(body.groupId, identity, body.generationIdOrMemberEpoch, offsets, respond);
  };
}
