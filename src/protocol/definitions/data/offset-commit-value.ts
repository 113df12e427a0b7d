/**
 * A committed offset in `__consumer_offsets`. Kafka 3.9 writes v3, and v1 where the client gave a retention.
 * v1: expireTimestamp (only there). v3 (KIP-320): leaderEpoch. v4: flexible, read only.
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'OffsetCommitValue',
  versions: '0-4',
  flexible: '4+',
  fields: [
    field('offset', 'int64', '0+'),
    field('leaderEpoch', 'int32', '3+', { default: -1, ignorable: true }),
    field('metadata', 'string', '0+'),
    field('commitTimestamp', 'timestamp', '0+'),
    field('expireTimestamp', 'timestamp', '1', { default: -1, ignorable: true }),
  ],
});
