/**
 * UpdateMetadata, API 6. Controller to broker: the metadata that brokers answer clients with.
 *
 * v1: endpoints. v2: rack. v3: listener names. v4 (KIP-112): offline replicas. v5 (KIP-380): brokerEpoch, grouping by topic.
 * v6: flexible. v7 (KIP-516): topic ids. v8 (KIP-866): isKRaftController and type of request.
 */
import { array, defineApi, field, struct } from '../generator/definition.ts';

const updateMetadataPartitionState = struct('UpdateMetadataPartitionState', [
  field('topicName', 'string', '0-4', { ignorable: true }),
  field('partitionIndex', 'int32', '0+'),
  field('controllerEpoch', 'int32', '0+'),
  field('leader', 'int32', '0+'),
  field('leaderEpoch', 'int32', '0+'),
  field('isr', array('int32'), '0+'),
  field('zkVersion', 'int32', '0+'),
  field('replicas', array('int32'), '0+'),
  field('offlineReplicas', array('int32'), '4+', { ignorable: true }),
]);

export default defineApi({
  key: 6,
  name: 'UpdateMetadata',
  versions: '0-8',
  flexible: '6+',
  request: [
    field('controllerId', 'int32', '0+'),
    field('isKRaftController', 'bool', '8+', { default: false }),
    field('type', 'int8', '8+', { tag: 0, default: 0 }),
    field('controllerEpoch', 'int32', '0+'),
    field('brokerEpoch', 'int64', '5+', { default: -1, ignorable: true }),
    field('ungroupedPartitionStates', array(updateMetadataPartitionState), '0-4'),
    field(
      'topicStates',
      array('UpdateMetadataTopicState', [
        field('topicName', 'string', '5+'),
        field('topicId', 'uuid', '7+', { ignorable: true }),
        field('partitionStates', array(updateMetadataPartitionState), '5+'),
      ]),
      '5+',
    ),
    field(
      'liveBrokers',
      array('UpdateMetadataBroker', [
        field('id', 'int32', '0+'),
        field('v0Host', 'string', '0', { ignorable: true }),
        field('v0Port', 'int32', '0', { ignorable: true }),
        field(
          'endpoints',
          array('UpdateMetadataEndpoint', [
            field('port', 'int32', '1+'),
            field('host', 'string', '1+'),
            field('listener', 'string', '3+', { ignorable: true }),
            field('securityProtocol', 'int16', '1+'),
          ]),
          '1+',
          { ignorable: true },
        ),
        field('rack', 'string', '2+', { nullable: '2+', ignorable: true }),
      ]),
      '0+',
    ),
  ],
  response: [field('errorCode', 'int16', '0+')],
});
