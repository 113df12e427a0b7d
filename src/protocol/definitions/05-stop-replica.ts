/**
 * StopReplica, API 5. Controller to broker: stop replicas, and delete them where asked.
 *
 * v1 (KIP-380): brokerEpoch, grouping by topic. v2: flexible. v3 (KIP-570): leader epochs, deletion by partition.
 * v4 (KIP-866): isKRaftController.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 5,
  name: 'StopReplica',
  versions: '0-4',
  flexible: '2+',
  request: [
    field('controllerId', 'int32', '0+'),
    field('isKRaftController', 'bool', '4+', { default: false }),
    field('controllerEpoch', 'int32', '0+'),
    field('brokerEpoch', 'int64', '1+', { default: -1, ignorable: true }),
    field('deletePartitions', 'bool', '0-2'),
    field(
      'ungroupedPartitions',
      array('StopReplicaPartitionV0', [field('topicName', 'string', '0'), field('partitionIndex', 'int32', '0')]),
      '0',
    ),
    field('topics', array('StopReplicaTopicV1', [field('name', 'string', '1-2'), field('partitionIndexes', array('int32'), '1-2')]), '1-2'),
    field(
      'topicStates',
      array('StopReplicaTopicState', [
        field('topicName', 'string', '3+'),
        field(
          'partitionStates',
          array('StopReplicaPartitionState', [
            field('partitionIndex', 'int32', '3+'),
            field('leaderEpoch', 'int32', '3+', { default: -1 }),
            field('deletePartition', 'bool', '3+'),
          ]),
          '3+',
        ),
      ]),
      '3+',
    ),
  ],
  response: [
    field('errorCode', 'int16', '0+'),
    field(
      'partitionErrors',
      array('StopReplicaPartitionError', [
        field('topicName', 'string', '0+'),
        field('partitionIndex', 'int32', '0+'),
        field('errorCode', 'int16', '0+'),
      ]),
      '0+',
    ),
  ],
});
