/**
 * DescribeAcls, API 29. Lists ACLs (KIP-140).
 *
 * v1 (KIP-290): pattern type. v2: flexible. v3: user resources.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: '0-3',
  flexible: '2+',
  request: [
    field('resourceTypeFilter', 'int8', '0+'),
    field('resourceNameFilter', 'string', '0+', { nullable: '0+' }),
    field('patternTypeFilter', 'int8', '1+', { default: 3 }),
    field('principalFilter', 'string', '0+', { nullable: '0+' }),
    field('hostFilter', 'string', '0+', { nullable: '0+' }),
    field('operation', 'int8', '0+'),
    field('permissionType', 'int8', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'resources',
      array('DescribeAclsResource', [
        field('resourceType', 'int8', '0+'),
        field('resourceName', 'string', '0+'),
        field('patternType', 'int8', '1+', { default: 3 }),
        field(
          'acls',
          array('AclDescription', [
            field('principal', 'string', '0+'),
            field('host', 'string', '0+'),
            field('operation', 'int8', '0+'),
            field('permissionType', 'int8', '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
