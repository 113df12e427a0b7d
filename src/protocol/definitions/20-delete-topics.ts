/**
 * DeleteTopics, API 20. Deletes topics.
 *
 * v1: throttle. v4: flexible. v5 (KIP-599): error messages. v6 (KIP-516): by name or id.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '0-6',
  flexible: '4+',
  request: [
    field(
      'topics',
      array('DeleteTopicState', [field('name', 'string', '6+', { nullable: '6+', default: null }), field('topicId', 'uuid', '6+')]),
      '6+',
    ),
    field('topicNames', array('string'), '0-5', { ignorable: true }),
    field('timeoutMs', 'int32', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field(
      'responses',
      array('DeletableTopicResult', [
        field('name', 'string', '0+', { nullable: '6+' }),
        field('topicId', 'uuid', '6+', { ignorable: true }),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '5+', { nullable: '5+', default: null, ignorable: true }),
      ]),
      '0+',
    ),
  ],
});
