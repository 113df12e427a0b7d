/**
 * LeaveGroup, API 13. Members leave a group.
 *
 * v3 (KIP-345): several members in one request. v4: flexible. v5 (KIP-800): reason.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: [
    field('groupId', 'string', '0+'),
    field('memberId', 'string', '0-2'),
    field(
      'members',
      array('MemberIdentity', [
        field('memberId', 'string', '3+'),
        field('groupInstanceId', 'string', '3+', { nullable: '3+', default: null }),
        field('reason', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
      ]),
      '3+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field('errorCode', 'int16', '0+'),
    field(
      'members',
      array('MemberResponse', [
        field('memberId', 'string', '3+'),
        field('groupInstanceId', 'string', '3+', { nullable: '3+' }),
        field('errorCode', 'int16', '3+'),
      ]),
      '3+',
    ),
  ],
});
