/**
 * SaslHandshake, API 17.
 *
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  request: [field('mechanism', 'string', '0+')],
  response: [field('errorCode', 'int16', '0+'), field('mechanisms', array('string'), '0+')],
});
