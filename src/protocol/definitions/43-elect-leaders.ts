/**
 * ElectLeaders, API 43. Elects leaders (KIP-183).
 *
 * v1 (KIP-460): election type (0 preferred, 1 unclean), errorCode. v2: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexible: '2+',
  request: [
    field('electionType', 'int8', '1+'),
    field('topicPartitions', array('TopicPartitions', [field('topic', 'string', '0+'), field('partitions', array('int32'), '0+')]), '0+', {
      nullable: '0+',
    }),
    field('timeoutMs', 'int32', '0+', { default: 60000 }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '1+'),
    field(
      'replicaElectionResults',
      array('ReplicaElectionResult', [
        field('topic', 'string', '0+'),
        field(
          'partitionResult',
          array('PartitionResult', [
            field('partitionId', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('errorMessage', 'string', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
