/**
 * SaslAuthenticate, API 36. A step of the SASL exchange (KIP-152).
 *
 * v1 (KIP-368): session lifetime. v2: flexible.
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request: [field('authBytes', 'bytes', '0+')],
  response: [
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field('authBytes', 'bytes', '0+'),
    field('sessionLifetimeMs', 'timestamp', '1+', { default: 0, ignorable: true }),
  ],
});
