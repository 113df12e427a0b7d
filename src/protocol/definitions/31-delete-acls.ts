/**
 * DeleteAcls, API 31. Deletes ACLs by filter (KIP-140).
 *
 * v1 (KIP-290): pattern type. v2: flexible. v3: user resources.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: '0-3',
  flexible: '2+',
  request: [
    field(
      'filters',
      array('DeleteAclsFilter', [
        field('resourceTypeFilter', 'int8', '0+'),
        field('resourceNameFilter', 'string', '0+', { nullable: '0+' }),
        field('patternTypeFilter', 'int8', '1+', { default: 3 }),
        field('principalFilter', 'string', '0+', { nullable: '0+' }),
        field('hostFilter', 'string', '0+', { nullable: '0+' }),
        field('operation', 'int8', '0+'),
        field('permissionType', 'int8', '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'filterResults',
      array('DeleteAclsFilterResult', [
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
        field(
          'matchingAcls',
          array('DeleteAclsMatchingAcl', [
            field('errorCode', 'int16', '0+'),
            field('errorMessage', 'string', '0+', { nullable: '0+' }),
            field('resourceType', 'int8', '0+'),
            field('resourceName', 'string', '0+'),
            field('patternType', 'int8', '1+', { default: 3 }),
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
