/**
 * ConsumerProtocolAssignment
 */
import { array, defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  fields: [
    field('assignedPartitions', array('TopicPartition', [field('topic', 'string', '0+'), field('partitions', array('int32'), '0+')]), '0+'),
    field('userData', 'bytes', '0+', { nullable: '0+', default: null }),
  ],
});
