/**
 * Metadata, API 3. Brokers, controller, topics and partitions, as clients see them.
 *
 * v0: an empty list asks for all topics; from v1 on null does, and an empty list for none.
 * v4: allowAutoTopicCreation. v5 (KIP-112): offlineReplicas. v7 (KIP-320): leaderEpoch.
 * v8 (KIP-430): authorized operations, of the cluster only up to v10 (KIP-700). v9: flexible.
 * v10 (KIP-516): topic ids in responses; a request by id alone works from v12 on.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-12',
  flexible: '9+',
  request: [
    field(
      'topics',
      array('MetadataRequestTopic', [
        field('topicId', 'uuid', '10+', { ignorable: true }),
        field('name', 'string', '0+', { nullable: '10+' }),
      ]),
      '0+',
      { nullable: '1+' },
    ),
    field('allowAutoTopicCreation', 'bool', '4+', { default: true }),
    field('includeClusterAuthorizedOperations', 'bool', '8-10'),
    field('includeTopicAuthorizedOperations', 'bool', '8+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '3+', { ignorable: true }),
    field(
      'brokers',
      array('MetadataResponseBroker', [
        field('nodeId', 'int32', '0+'),
        field('host', 'string', '0+'),
        field('port', 'int32', '0+'),
        field('rack', 'string', '1+', { nullable: '1+', default: null, ignorable: true }),
      ]),
      '0+',
    ),
    field('clusterId', 'string', '2+', { nullable: '2+', default: null, ignorable: true }),
    field('controllerId', 'int32', '1+', { default: -1, ignorable: true }),
    field(
      'topics',
      array('MetadataResponseTopic', [
        field('errorCode', 'int16', '0+'),
        field('name', 'string', '0+', { nullable: '12+' }),
        field('topicId', 'uuid', '10+', { ignorable: true }),
        field('isInternal', 'bool', '1+', { default: false, ignorable: true }),
        field(
          'partitions',
          array('MetadataResponsePartition', [
            field('errorCode', 'int16', '0+'),
            field('partitionIndex', 'int32', '0+'),
            field('leaderId', 'int32', '0+'),
            field('leaderEpoch', 'int32', '7+', { default: -1, ignorable: true }),
            field('replicaNodes', array('int32'), '0+'),
            field('isrNodes', array('int32'), '0+'),
            field('offlineReplicas', array('int32'), '5+', { ignorable: true }),
          ]),
          '0+',
        ),
        field('topicAuthorizedOperations', 'int32', '8+', { default: -2147483648 }),
      ]),
      '0+',
    ),
    field('clusterAuthorizedOperations', 'int32', '8-10', { default: -2147483648 }),
  ],
});
