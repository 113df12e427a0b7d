/**
 * GroupMetadataKey
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'GroupMetadataKey',
  versions: '2',
  fields: [field('group', 'string', '2')],
});
