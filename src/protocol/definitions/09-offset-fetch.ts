/**
 * OffsetFetch, API 9. Reads a group's committed offsets.
 *
 * v2: all topics when null; errorCode. v3: throttle. v5 (KIP-320): leader epoch. v6: flexible.
 * v7 (KIP-447): requireStable. v8 (KIP-709): several groups in one request. v9 (KIP-848): memberId and memberEpoch.
 * Not here: v0, whose offsets were in ZooKeeper.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-9',
  flexible: '6+',
  request: [
    field('groupId', 'string', '0-7'),
    field(
      'topics',
      array('OffsetFetchRequestTopic', [field('name', 'string', '0-7'), field('partitionIndexes', array('int32'), '0-7')]),
      '0-7',
      { nullable: '2-7' },
    ),
    field(
      'groups',
      array('OffsetFetchRequestGroup', [
        field('groupId', 'string', '8+'),
        field('memberId', 'string', '9+', { nullable: '9+', default: null, ignorable: true }),
        field('memberEpoch', 'int32', '9+', { default: -1, ignorable: true }),
        field(
          'topics',
          array('OffsetFetchRequestTopics', [field('name', 'string', '8+'), field('partitionIndexes', array('int32'), '8+')]),
          '8+',
          { nullable: '8+' },
        ),
      ]),
      '8+',
    ),
    field('requireStable', 'bool', '7+', { default: false }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '3+', { ignorable: true }),
    field(
      'topics',
      array('OffsetFetchResponseTopic', [
        field('name', 'string', '0-7'),
        field(
          'partitions',
          array('OffsetFetchResponsePartition', [
            field('partitionIndex', 'int32', '0-7'),
            field('committedOffset', 'int64', '0-7'),
            field('committedLeaderEpoch', 'int32', '5-7', { default: -1, ignorable: true }),
            field('metadata', 'string', '0-7', { nullable: '0-7' }),
            field('errorCode', 'int16', '0-7'),
          ]),
          '0-7',
        ),
      ]),
      '0-7',
    ),
    field('errorCode', 'int16', '2-7', { default: 0, ignorable: true }),
    field(
      'groups',
      array('OffsetFetchResponseGroup', [
        field('groupId', 'string', '8+'),
        field(
          'topics',
          array('OffsetFetchResponseTopics', [
            field('name', 'string', '8+'),
            field(
              'partitions',
              array('OffsetFetchResponsePartitions', [
                field('partitionIndex', 'int32', '8+'),
                field('committedOffset', 'int64', '8+'),
                field('committedLeaderEpoch', 'int32', '8+', { default: -1, ignorable: true }),
                field('metadata', 'string', '8+', { nullable: '8+' }),
                field('errorCode', 'int16', '8+'),
              ]),
              '8+',
            ),
          ]),
          '8+',
        ),
        field('errorCode', 'int16', '8+', { default: 0 }),
      ]),
      '8+',
    ),
  ],
});
