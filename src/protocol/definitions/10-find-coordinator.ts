/**
 * FindCoordinator, API 10. Finds the coordinator of groups or transactional ids.
 *
 * v1 (KIP-98): keyType (0 group, 1 transaction), throttle, error message. v3: flexible.
 * v4 (KIP-699): several keys in one request. v5 (KIP-890): unchanged. v6 (KIP-932): share groups as key type.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  request: [field('key', 'string', '0-3'), field('keyType', 'int8', '1+', { default: 0 }), field('coordinatorKeys', array('string'), '4+')],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field('errorCode', 'int16', '0-3'),
    field('errorMessage', 'string', '1-3', { nullable: '1-3', ignorable: true }),
    field('nodeId', 'int32', '0-3'),
    field('host', 'string', '0-3'),
    field('port', 'int32', '0-3'),
    field(
      'coordinators',
      array('Coordinator', [
        field('key', 'string', '4+'),
        field('nodeId', 'int32', '4+'),
        field('host', 'string', '4+'),
        field('port', 'int32', '4+'),
        field('errorCode', 'int16', '4+'),
        field('errorMessage', 'string', '4+', { nullable: '4+', ignorable: true }),
      ]),
      '4+',
    ),
  ],
});
