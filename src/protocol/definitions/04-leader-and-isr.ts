/**
 * LeaderAndIsr, API 4. Controller to broker: which replicas to lead and which to follow, in ZooKeeper mode.
 *
 * v1: isNew. v2 (KIP-380): brokerEpoch, partitions grouped by topic. v3 (KIP-455): adding and removing replicas.
 * v4: flexible. v5 (KIP-516): topic ids, type of request. v6 (KIP-704): leaderRecoveryState. v7 (KIP-866): isKRaftController.
 * The version follows inter.broker.protocol.version; it is not negotiated.
 */
import { array, defineApi, field, struct } from '../generator/definition.ts';

const leaderAndIsrPartitionState = struct('LeaderAndIsrPartitionState', [
  field('topicName', 'string', '0-1', { ignorable: true }),
  field('partitionIndex', 'int32', '0+'),
  field('controllerEpoch', 'int32', '0+'),
  field('leader', 'int32', '0+'),
  field('leaderEpoch', 'int32', '0+'),
  field('isr', array('int32'), '0+'),
  field('partitionEpoch', 'int32', '0+'),
  field('replicas', array('int32'), '0+'),
  field('addingReplicas', array('int32'), '3+', { ignorable: true }),
  field('removingReplicas', array('int32'), '3+', { ignorable: true }),
  field('isNew', 'bool', '1+', { default: false, ignorable: true }),
  field('leaderRecoveryState', 'int8', '6+', { default: 0 }),
]);

const leaderAndIsrPartitionError = struct('LeaderAndIsrPartitionError', [
  field('topicName', 'string', '0-4', { ignorable: true }),
  field('partitionIndex', 'int32', '0+'),
  field('errorCode', 'int16', '0+'),
]);

export default defineApi({
  key: 4,
  name: 'LeaderAndIsr',
  versions: '0-7',
  flexible: '4+',
  request: [
    field('controllerId', 'int32', '0+'),
    field('isKRaftController', 'bool', '7+', { default: false }),
    field('controllerEpoch', 'int32', '0+'),
    field('brokerEpoch', 'int64', '2+', { default: -1, ignorable: true }),
    field('type', 'int8', '5+'),
    field('ungroupedPartitionStates', array(leaderAndIsrPartitionState), '0-1'),
    field(
      'topicStates',
      array('LeaderAndIsrTopicState', [
        field('topicName', 'string', '2+'),
        field('topicId', 'uuid', '5+', { ignorable: true }),
        field('partitionStates', array(leaderAndIsrPartitionState), '2+'),
      ]),
      '2+',
    ),
    field(
      'liveLeaders',
      array('LeaderAndIsrLiveLeader', [field('brokerId', 'int32', '0+'), field('hostName', 'string', '0+'), field('port', 'int32', '0+')]),
      '0+',
    ),
  ],
  response: [
    field('errorCode', 'int16', '0+'),
    field('partitionErrors', array(leaderAndIsrPartitionError), '0-4'),
    field(
      'topics',
      array('LeaderAndIsrTopicError', [field('topicId', 'uuid', '5+'), field('partitionErrors', array(leaderAndIsrPartitionError), '5+')]),
      '5+',
    ),
  ],
});
