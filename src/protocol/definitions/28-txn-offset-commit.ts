/**
 * TxnOffsetCommit, API 28. Commits offsets as part of a transaction (KIP-98).
 *
 * v2 (KIP-320): leader epoch. v3 (KIP-447): flexible; member, generation and instance, which fence. v4 (KIP-890): unchanged.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-4',
  flexible: '3+',
  request: [
    field('transactionalId', 'string', '0+'),
    field('groupId', 'string', '0+'),
    field('producerId', 'int64', '0+'),
    field('producerEpoch', 'int16', '0+'),
    field('generationId', 'int32', '3+', { default: -1 }),
    field('memberId', 'string', '3+'),
    field('groupInstanceId', 'string', '3+', { nullable: '3+', default: null }),
    field(
      'topics',
      array('TxnOffsetCommitRequestTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('TxnOffsetCommitRequestPartition', [
            field('partitionIndex', 'int32', '0+'),
            field('committedOffset', 'int64', '0+'),
            field('committedLeaderEpoch', 'int32', '2+', { default: -1, ignorable: true }),
            field('committedMetadata', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'topics',
      array('TxnOffsetCommitResponseTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('TxnOffsetCommitResponsePartition', [field('partitionIndex', 'int32', '0+'), field('errorCode', 'int16', '0+')]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
