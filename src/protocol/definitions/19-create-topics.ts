/**
 * CreateTopics, API 19. Creates topics.
 *
 * v1: validateOnly. v4 (KIP-464): -1 asks for the defaults of partitions and replication factor.
 * v5 (KIP-525): flexible; the configuration that came out. v7 (KIP-516): topic ids.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '0-7',
  flexible: '5+',
  request: [
    field(
      'topics',
      array('CreatableTopic', [
        field('name', 'string', '0+'),
        field('numPartitions', 'int32', '0+'),
        field('replicationFactor', 'int16', '0+'),
        field(
          'assignments',
          array('CreatableReplicaAssignment', [field('partitionIndex', 'int32', '0+'), field('brokerIds', array('int32'), '0+')]),
          '0+',
        ),
        field(
          'configs',
          array('CreatableTopicConfig', [field('name', 'string', '0+'), field('value', 'string', '0+', { nullable: '0+' })]),
          '0+',
        ),
      ]),
      '0+',
    ),
    field('timeoutMs', 'int32', '0+', { default: 60000 }),
    field('validateOnly', 'bool', '1+', { default: false }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '2+', { ignorable: true }),
    field(
      'topics',
      array('CreatableTopicResult', [
        field('name', 'string', '0+'),
        field('topicId', 'uuid', '7+', { ignorable: true }),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '1+', { nullable: '1+', ignorable: true }),
        field('topicConfigErrorCode', 'int16', '5+', { tag: 0, ignorable: true }),
        field('numPartitions', 'int32', '5+', { default: -1, ignorable: true }),
        field('replicationFactor', 'int16', '5+', { default: -1, ignorable: true }),
        field(
          'configs',
          array('CreatableTopicConfigs', [
            field('name', 'string', '5+'),
            field('value', 'string', '5+', { nullable: '5+' }),
            field('readOnly', 'bool', '5+'),
            field('configSource', 'int8', '5+', { default: -1, ignorable: true }),
            field('isSensitive', 'bool', '5+'),
          ]),
          '5+',
          { nullable: '5+', ignorable: true },
        ),
      ]),
      '0+',
    ),
  ],
});
