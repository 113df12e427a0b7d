/**
 * Heartbeat, API 12. A member's sign of life.
 *
 * v1: throttle. v3 (KIP-345): groupInstanceId. v4: flexible.
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexible: '4+',
  request: [
    field('groupId', 'string', '0+'),
    field('generationId', 'int32', '0+'),
    field('memberId', 'string', '0+'),
    field('groupInstanceId', 'string', '3+', { nullable: '3+', default: null }),
  ],
  response: [field('throttleTimeMs', 'int32', '1+', { ignorable: true }), field('errorCode', 'int16', '0+')],
});
