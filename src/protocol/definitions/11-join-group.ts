/**
 * JoinGroup, API 11. Joins a group, and waits for the others.
 *
 * v1 (KIP-62): rebalanceTimeoutMs. v4 (KIP-394): a new member is first given its id. v5 (KIP-345): groupInstanceId.
 * v6: flexible. v7 (KIP-559): protocol type and nullable protocol in the response. v8 (KIP-800): reason.
 * v9 (KIP-814): skipAssignment.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexible: '6+',
  request: [
    field('groupId', 'string', '0+'),
    field('sessionTimeoutMs', 'int32', '0+'),
    field('rebalanceTimeoutMs', 'int32', '1+', { default: -1, ignorable: true }),
    field('memberId', 'string', '0+'),
    field('groupInstanceId', 'string', '5+', { nullable: '5+', default: null }),
    field('protocolType', 'string', '0+'),
    field('protocols', array('JoinGroupRequestProtocol', [field('name', 'string', '0+'), field('metadata', 'bytes', '0+')]), '0+'),
    field('reason', 'string', '8+', { nullable: '8+', default: null, ignorable: true }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '2+', { ignorable: true }),
    field('errorCode', 'int16', '0+'),
    field('generationId', 'int32', '0+', { default: -1 }),
    field('protocolType', 'string', '7+', { nullable: '7+', default: null, ignorable: true }),
    field('protocolName', 'string', '0+', { nullable: '7+' }),
    field('leader', 'string', '0+'),
    field('skipAssignment', 'bool', '9+', { default: false }),
    field('memberId', 'string', '0+'),
    field(
      'members',
      array('JoinGroupResponseMember', [
        field('memberId', 'string', '0+'),
        field('groupInstanceId', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
        field('metadata', 'bytes', '0+'),
      ]),
      '0+',
    ),
  ],
});
