/**
 * SyncGroup, API 14. The leader hands in assignments; each member gets its own.
 *
 * v3 (KIP-345): groupInstanceId. v4: flexible. v5 (KIP-559): protocol type and name.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: [
    field('groupId', 'string', '0+'),
    field('generationId', 'int32', '0+'),
    field('memberId', 'string', '0+'),
    field('groupInstanceId', 'string', '3+', { nullable: '3+', default: null }),
    field('protocolType', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
    field('protocolName', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
    field(
      'assignments',
      array('SyncGroupRequestAssignment', [field('memberId', 'string', '0+'), field('assignment', 'bytes', '0+')]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field('errorCode', 'int16', '0+'),
    field('protocolType', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
    field('protocolName', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
    field('assignment', 'bytes', '0+'),
  ],
});
