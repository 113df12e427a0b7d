/**
 * DescribeConfigs, API 32. Configurations of topics and brokers (KIP-133).
 *
 * v1 (KIP-226): synonyms and sources. v3 (KIP-569): types and documentation. v4: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: '0-4',
  flexible: '4+',
  request: [
    field(
      'resources',
      array('DescribeConfigsResource', [
        field('resourceType', 'int8', '0+'),
        field('resourceName', 'string', '0+'),
        field('configurationKeys', array('string'), '0+', { nullable: '0+' }),
      ]),
      '0+',
    ),
    field('includeSynonyms', 'bool', '1+', { default: false }),
    field('includeDocumentation', 'bool', '3+', { default: false }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'results',
      array('DescribeConfigsResult', [
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
        field('resourceType', 'int8', '0+'),
        field('resourceName', 'string', '0+'),
        field(
          'configs',
          array('DescribeConfigsResourceResult', [
            field('name', 'string', '0+'),
            field('value', 'string', '0+', { nullable: '0+' }),
            field('readOnly', 'bool', '0+'),
            field('isDefault', 'bool', '0'),
            field('configSource', 'int8', '1+', { default: -1, ignorable: true }),
            field('isSensitive', 'bool', '0+'),
            field(
              'synonyms',
              array('DescribeConfigsSynonym', [
                field('name', 'string', '1+'),
                field('value', 'string', '1+', { nullable: '1+' }),
                field('source', 'int8', '1+'),
              ]),
              '1+',
              { ignorable: true },
            ),
            field('configType', 'int8', '3+', { default: 0, ignorable: true }),
            field('documentation', 'string', '3+', { nullable: '3+', ignorable: true }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
