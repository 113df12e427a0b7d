/**
 * DescribeProducers, API 61. Active producers of partitions (KIP-664).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  flexible: '0+',
  request: [field('topics', array('TopicRequest', [field('name', 'string', '0+'), field('partitionIndexes', array('int32'), '0+')]), '0+')],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'topics',
      array('TopicResponse', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('PartitionResponse', [
            field('partitionIndex', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('errorMessage', 'string', '0+', { nullable: '0+', default: null }),
            field(
              'activeProducers',
              array('ProducerState', [
                field('producerId', 'int64', '0+'),
                field('producerEpoch', 'int32', '0+'),
                field('lastSequence', 'int32', '0+', { default: -1 }),
                field('lastTimestamp', 'timestamp', '0+', { default: -1 }),
                field('coordinatorEpoch', 'int32', '0+'),
                field('currentTxnStartOffset', 'int64', '0+', { default: -1 }),
              ]),
              '0+',
            ),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
