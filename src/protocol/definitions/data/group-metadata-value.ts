/**
 * A group's generation and members in `__consumer_offsets`. Kafka 3.9 writes v3.
 * v1: rebalanceTimeout. v2: currentStateTimestamp. v3 (KIP-345): groupInstanceId. v4: flexible, read only.
 */
import { array, defineData, field, struct } from '../../generator/definition.ts';

const memberMetadata = struct('MemberMetadata', [
  field('memberId', 'string', '0+'),
  field('groupInstanceId', 'string', '3+', { nullable: '3+', default: null, ignorable: true }),
  field('clientId', 'string', '0+'),
  field('clientHost', 'string', '0+'),
  field('rebalanceTimeout', 'int32', '1+', { default: -1, ignorable: true }),
  field('sessionTimeout', 'int32', '0+'),
  field('subscription', 'bytes', '0+'),
  field('assignment', 'bytes', '0+'),
]);

export default defineData({
  name: 'GroupMetadataValue',
  versions: '0-4',
  flexible: '4+',
  fields: [
    field('protocolType', 'string', '0+'),
    field('generation', 'int32', '0+'),
    field('protocol', 'string', '0+', { nullable: '0+' }),
    field('leader', 'string', '0+', { nullable: '0+' }),
    field('currentStateTimestamp', 'timestamp', '2+', { default: -1, ignorable: true }),
    field('members', array(memberMetadata), '0+'),
  ],
});
