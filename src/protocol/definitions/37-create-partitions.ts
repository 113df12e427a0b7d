/**
 * CreatePartitions, API 37. Adds partitions to topics (KIP-195).
 *
 * v2: flexible. v3 (KIP-599): THROTTLING_QUOTA_EXCEEDED.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  request: [
    field(
      'topics',
      array('CreatePartitionsTopic', [
        field('name', 'string', '0+'),
        field('count', 'int32', '0+'),
        field('assignments', array('CreatePartitionsAssignment', [field('brokerIds', array('int32'), '0+')]), '0+', { nullable: '0+' }),
      ]),
      '0+',
    ),
    field('timeoutMs', 'int32', '0+'),
    field('validateOnly', 'bool', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'results',
      array('CreatePartitionsTopicResult', [
        field('name', 'string', '0+'),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+', default: null }),
      ]),
      '0+',
    ),
  ],
});
