/**
 * Key of a group's metadata in `__consumer_offsets`; its only version is 2, by which it is told from an offset's key.
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'GroupMetadataKey',
  versions: '2',
  fields: [field('group', 'string', '2')],
});
