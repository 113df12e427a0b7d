/**
 * CreateAcls, API 30. Creates ACLs (KIP-140).
 *
 * v1 (KIP-290): pattern type. v2: flexible. v3: user resources.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: '0-3',
  flexible: '2+',
  request: [
    field(
      'creations',
      array('AclCreation', [
        field('resourceType', 'int8', '0+'),
        field('resourceName', 'string', '0+'),
        field('resourcePatternType', 'int8', '1+', { default: 3 }),
        field('principal', 'string', '0+'),
        field('host', 'string', '0+'),
        field('operation', 'int8', '0+'),
        field('permissionType', 'int8', '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'results',
      array('AclCreationResult', [field('errorCode', 'int16', '0+'), field('errorMessage', 'string', '0+', { nullable: '0+' })]),
      '0+',
    ),
  ],
});
