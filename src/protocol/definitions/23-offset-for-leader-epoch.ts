/**
 * OffsetForLeaderEpoch, API 23. The end offset of a leader epoch (KIP-101, KIP-279, KIP-320).
 *
 * v1: epoch in the response. v2: currentLeaderEpoch, throttle. v3: replicaId. v4: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '0-4',
  flexible: '4+',
  request: [
    field('replicaId', 'int32', '3+', { default: -2, ignorable: true }),
    field(
      'topics',
      array('OffsetForLeaderTopic', [
        field('topic', 'string', '0+'),
        field(
          'partitions',
          array('OffsetForLeaderPartition', [
            field('partition', 'int32', '0+'),
            field('currentLeaderEpoch', 'int32', '2+', { default: -1, ignorable: true }),
            field('leaderEpoch', 'int32', '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '2+', { ignorable: true }),
    field(
      'topics',
      array('OffsetForLeaderTopicResult', [
        field('topic', 'string', '0+'),
        field(
          'partitions',
          array('EpochEndOffset', [
            field('errorCode', 'int16', '0+'),
            field('partition', 'int32', '0+'),
            field('leaderEpoch', 'int32', '1+', { default: -1, ignorable: true }),
            field('endOffset', 'int64', '0+', { default: -1 }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
