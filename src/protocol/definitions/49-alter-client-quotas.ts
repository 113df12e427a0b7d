/**
 * AlterClientQuotas, API 49. Sets client quotas (KIP-546).
 *
 * v1: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: [
    field(
      'entries',
      array('AlterClientQuotasRequestEntryData', [
        field(
          'entity',
          array('AlterClientQuotasRequestEntityData', [
            field('entityType', 'string', '0+'),
            field('entityName', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
        field('ops', array('OpData', [field('key', 'string', '0+'), field('value', 'float64', '0+'), field('remove', 'bool', '0+')]), '0+'),
      ]),
      '0+',
    ),
    field('validateOnly', 'bool', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'entries',
      array('AlterClientQuotasResponseEntryData', [
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
        field(
          'entity',
          array('AlterClientQuotasResponseEntityData', [
            field('entityType', 'string', '0+'),
            field('entityName', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
