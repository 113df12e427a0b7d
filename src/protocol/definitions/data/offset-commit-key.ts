/**
 * OffsetCommitKey
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'OffsetCommitKey',
  versions: '0-1',
  fields: [field('group', 'string', '0-1'), field('topic', 'string', '0-1'), field('partition', 'int32', '0-1')],
});
