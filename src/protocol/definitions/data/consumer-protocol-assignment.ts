/**
 * A consumer's assignment in SyncGroup, by the built-in assignors. All versions are the same on the wire.
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
