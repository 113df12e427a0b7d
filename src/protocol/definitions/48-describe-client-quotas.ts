/**
 * DescribeClientQuotas, API 48. Reads client quotas (KIP-546).
 *
 * v1: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: [
    field(
      'components',
      array('ComponentData', [
        field('entityType', 'string', '0+'),
        field('matchType', 'int8', '0+'),
        field('match', 'string', '0+', { nullable: '0+' }),
      ]),
      '0+',
    ),
    field('strict', 'bool', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'entries',
      array('EntryData', [
        field(
          'entity',
          array('EntityData', [field('entityType', 'string', '0+'), field('entityName', 'string', '0+', { nullable: '0+' })]),
          '0+',
        ),
        field('values', array('ValueData', [field('key', 'string', '0+'), field('value', 'float64', '0+')]), '0+'),
      ]),
      '0+',
      { nullable: '0+' },
    ),
  ],
});
