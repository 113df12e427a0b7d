/**
 * ListOffsets, API 2. Finds offsets by timestamp; special timestamps: -1 latest, -2 earliest, -3 of the largest timestamp (v7), -4 earliest local (v8), -5 latest tiered (v9).
 *
 * v0 answers with a list of segment offsets; v1 (KIP-79) with one offset and its timestamp.
 * v2 (KIP-98): isolationLevel, throttleTimeMs. v4 (KIP-320): leader epochs. v6: flexible.
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
