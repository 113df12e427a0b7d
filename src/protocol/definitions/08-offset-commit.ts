/**
 * OffsetCommit, API 8. Commits a group's offsets.
 *
 * v1: generation and member, a timestamp by partition (gone in v2). v2: retentionTimeMs (gone in v5, KIP-211).
 * v6 (KIP-320): leader epoch. v7 (KIP-345): groupInstanceId. v8: flexible. v9 (KIP-848): the generation may be a member epoch.
 * v0 was meant for offsets in ZooKeeper; it is treated like v1 without a group membership.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: '0-9',
  flexible: '8+',
  request: [
    field('groupId', 'string', '0+'),
    field('generationIdOrMemberEpoch', 'int32', '1+', { default: -1, ignorable: true }),
    field('memberId', 'string', '1+', { ignorable: true }),
    field('groupInstanceId', 'string', '7+', { nullable: '7+', default: null }),
    field('retentionTimeMs', 'timestamp', '2-4', { default: -1, ignorable: true }),
    field(
      'topics',
      array('OffsetCommitRequestTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('OffsetCommitRequestPartition', [
            field('partitionIndex', 'int32', '0+'),
            field('committedOffset', 'int64', '0+'),
            field('committedLeaderEpoch', 'int32', '6+', { default: -1, ignorable: true }),
            field('commitTimestamp', 'timestamp', '1', { default: -1 }),
            field('committedMetadata', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '3+', { ignorable: true }),
    field(
      'topics',
      array('OffsetCommitResponseTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('OffsetCommitResponsePartition', [field('partitionIndex', 'int32', '0+'), field('errorCode', 'int16', '0+')]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
