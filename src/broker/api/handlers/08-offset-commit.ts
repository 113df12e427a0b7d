/**
 * OffsetCommit (8), versions 0-9: stores a group's positions with acks=all and answers when they are committed.
 * 2-4 a retention of its own (KIP-211 took it out), 6+ the leader epoch (KIP-320), 7+ static members (KIP-345).
 * A partition that doesn't exist is answered UNKNOWN_TOPIC_OR_PARTITION by itself. Versions 0 and 1 are answered too: 1 brings a
 * timestamp of its own; what 0 commits goes to the coordinator and not to ZooKeeper, unlike Kafka's.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../../protocol/generated/offset-commit.ts';
import { topicPartitionKey } from '../../../protocol/topic-partition.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { OffsetToCommit } from '../../coordinator/group-metadata-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { BrokerDirectory } from './broker-directory.ts';

export interface OffsetCommitDeps {
  readonly coordinator: GroupCoordinator;
  readonly directory: Pick<BrokerDirectory, 'partitionExists'>;
  readonly clock: Clock;
}

/** Of a retention and of a timestamp: the broker's own counts. */
const UNSET = -1;

export function createOffsetCommitHandler({ coordinator, directory, clock }: OffsetCommitDeps): ApiHandler<OffsetCommitRequest> {
  return (request) => {
    const { body } = request;
    const nowMs = clock.wallMs();
    const expireTimestamp = body.retentionTimeMs === UNSET ? UNSET : nowMs + body.retentionTimeMs;
    const offsets: OffsetToCommit[] = [];
    for (const { name, partitions } of body.topics) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata, commitTimestamp } of partitions) {
        if (!directory.partitionExists({ topic: name, partition: partitionIndex })) continue;
        const value = {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata ?? '',
          commitTimestamp: commitTimestamp === UNSET ? nowMs : commitTimestamp,
          expireTimestamp,
        };
        offsets.push({ topic: name, partition: partitionIndex, value });
      }
    }
    const { topics } = body;
    const respond = (errorCodes: readonly number[]): void => {
      const codes = new Map(
        offsets.map((offset, index) => [topicPartitionKey(offset), errorCodes[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR]),
      );
      const codeOf = (topic: string, partition: number): number =>
        codes.get(topicPartitionKey({ topic, partition })) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      request.respond({
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(name, partitionIndex) })),
        })),
      });
    };
    if (offsets.length === 0) {
      respond([]);
      return;
    }
    const identity = { memberId: body.memberId, groupInstanceId: body.groupInstanceId };
    coordinator.commitOffsets(body.groupId, identity, body.generationIdOrMemberEpoch, offsets, respond);
  };
}
