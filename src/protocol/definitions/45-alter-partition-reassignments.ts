/**
 * AlterPartitionReassignments, API 45. Starts or cancels reassignments (KIP-455): null replicas cancel.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request: [
    field('timeoutMs', 'int32', '0+', { default: 60000 }),
    field(
      'topics',
      array('ReassignableTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('ReassignablePartition', [
            field('partitionIndex', 'int32', '0+'),
            field('replicas', array('int32'), '0+', { nullable: '0+', default: null }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'responses',
      array('ReassignableTopicResponse', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('ReassignablePartitionResponse', [
            field('partitionIndex', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('errorMessage', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
