/**
 * AlterPartition, API 56. A leader asks the controller to change the ISR (KIP-497).
 *
 * v1 (KIP-704): leaderRecoveryState. v2 (KIP-841): topic ids. v3 (KIP-903): ISR members with their broker epochs.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 56,
  name: 'AlterPartition',
  versions: '0-3',
  flexible: '0+',
  request: [
    field('brokerId', 'int32', '0+'),
    field('brokerEpoch', 'int64', '0+', { default: -1 }),
    field(
      'topics',
      array('AlterPartitionRequestTopicData', [
        field('topicName', 'string', '0-1', { ignorable: true }),
        field('topicId', 'uuid', '2+', { ignorable: true }),
        field(
          'partitions',
          array('AlterPartitionRequestPartitionData', [
            field('partitionIndex', 'int32', '0+'),
            field('leaderEpoch', 'int32', '0+'),
            field('newIsr', array('int32'), '0-2'),
            field(
              'newIsrWithEpochs',
              array('BrokerState', [field('brokerId', 'int32', '3+'), field('brokerEpoch', 'int64', '3+', { default: -1 })]),
              '3+',
            ),
            field('leaderRecoveryState', 'int8', '1+', { default: 0 }),
            field('partitionEpoch', 'int32', '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field(
      'topics',
      array('AlterPartitionResponseTopicData', [
        field('topicName', 'string', '0-1', { ignorable: true }),
        field('topicId', 'uuid', '2+', { ignorable: true }),
        field(
          'partitions',
          array('AlterPartitionResponsePartitionData', [
            field('partitionIndex', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('leaderId', 'int32', '0+'),
            field('leaderEpoch', 'int32', '0+'),
            field('isr', array('int32'), '0+'),
            field('leaderRecoveryState', 'int8', '1+', { default: 0, ignorable: true }),
            field('partitionEpoch', 'int32', '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
