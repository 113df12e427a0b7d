/**
 * ListOffsets, API 2.
 *
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '0-9',
  flexible: '6+',
  request: [
    field('replicaId', 'int32', '0+'),
    field('isolationLevel', 'int8', '2+'),
    field(
      'topics',
      array('ListOffsetsTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('ListOffsetsPartition', [
            field('partitionIndex', 'int32', '0+'),
            field('currentLeaderEpoch', 'int32', '4+', { default: -1, ignorable: true }),
            field('timestamp', 'timestamp', '0+'),
            field('maxNumOffsets', 'int32', '0', { default: 1 }),
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
      array('ListOffsetsTopicResponse', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('ListOffsetsPartitionResponse', [
            field('partitionIndex', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('oldStyleOffsets', array('int64'), '0'),
            field('timestamp', 'timestamp', '1+', { default: -1 }),
            field('offset', 'int64', '1+', { default: -1 }),
            field('leaderEpoch', 'int32', '4+', { default: -1 }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
