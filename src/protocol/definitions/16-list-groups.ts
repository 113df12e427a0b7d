/**
 * ListGroups, API 16. The groups whose coordinator a broker is.
 *
 * v3: flexible. v4 (KIP-518): filter by state, state in the response. v5 (KIP-848): the same by type.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: [field('statesFilter', array('string'), '4+'), field('typesFilter', array('string'), '5+')],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field('errorCode', 'int16', '0+'),
    field(
      'groups',
      array('ListedGroup', [
        field('groupId', 'string', '0+'),
        field('protocolType', 'string', '0+'),
        field('groupState', 'string', '4+', { ignorable: true }),
        field('groupType', 'string', '5+', { ignorable: true }),
      ]),
      '0+',
    ),
  ],
});
