/**
 * DeleteGroups, API 42. Deletes groups (KIP-229).
 *
 * v2: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-2',
  flexible: '2+',
  request: [field('groupsNames', array('string'), '0+')],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('results', array('DeletableGroupResult', [field('groupId', 'string', '0+'), field('errorCode', 'int16', '0+')]), '0+'),
  ],
});
