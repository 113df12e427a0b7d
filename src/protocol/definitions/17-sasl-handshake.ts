/**
 * SaslHandshake, API 17. Chooses the SASL mechanism. Never flexible.
 *
 * v0: raw tokens follow. v1 (KIP-152): SaslAuthenticate requests follow.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  request: [field('mechanism', 'string', '0+')],
  response: [field('errorCode', 'int16', '0+'), field('mechanisms', array('string'), '0+')],
});
