/**
 * Key of a group's committed offset in `__consumer_offsets`. Kafka 3.9 writes v1; v0 means the same.
 * Versions 2 and above are other kinds of keys: read the version first.
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'OffsetCommitKey',
  versions: '0-1',
  fields: [field('group', 'string', '0-1'), field('topic', 'string', '0-1'), field('partition', 'int32', '0-1')],
});
