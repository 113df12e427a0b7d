/**
 * ListPartitionReassignments, API 46. Reassignments under way (KIP-455).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request: [
    field('timeoutMs', 'int32', '0+', { default: 60000 }),
    field(
      'topics',
      array('ListPartitionReassignmentsTopics', [field('name', 'string', '0+'), field('partitionIndexes', array('int32'), '0+')]),
      '0+',
      { nullable: '0+', default: null },
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'topics',
      array('OngoingTopicReassignment', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('OngoingPartitionReassignment', [
            field('partitionIndex', 'int32', '0+'),
            field('replicas', array('int32'), '0+'),
            field('addingReplicas', array('int32'), '0+'),
            field('removingReplicas', array('int32'), '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
