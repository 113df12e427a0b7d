/**
 * A consumer's metadata in JoinGroup, for the built-in assignors.
 * v1 (KIP-429): ownedPartitions. v2 (KIP-792): generationId. v3 (KIP-881): rackId. Newer versions only append: read as v3.
 */
import { array, defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  fields: [
    field('topics', array('string'), '0+'),
    field('userData', 'bytes', '0+', { nullable: '0+', default: null }),
    field('ownedPartitions', array('TopicPartition', [field('topic', 'string', '1+'), field('partitions', array('int32'), '1+')]), '1+', {
      ignorable: true,
    }),
    field('generationId', 'int32', '2+', { default: -1, ignorable: true }),
    field('rackId', 'string', '3+', { nullable: '3+', default: null, ignorable: true }),
  ],
});
