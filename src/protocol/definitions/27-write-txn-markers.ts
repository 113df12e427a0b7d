/**
 * WriteTxnMarkers, API 27. Transaction coordinator to leaders: write the end of a transaction (KIP-98).
 *
 * v1: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '0-1',
  flexible: '1+',
  request: [
    field(
      'markers',
      array('WritableTxnMarker', [
        field('producerId', 'int64', '0+'),
        field('producerEpoch', 'int16', '0+'),
        field('transactionResult', 'bool', '0+'),
        field(
          'topics',
          array('WritableTxnMarkerTopic', [field('name', 'string', '0+'), field('partitionIndexes', array('int32'), '0+')]),
          '0+',
        ),
        field('coordinatorEpoch', 'int32', '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field(
      'markers',
      array('WritableTxnMarkerResult', [
        field('producerId', 'int64', '0+'),
        field(
          'topics',
          array('WritableTxnMarkerTopicResult', [
            field('name', 'string', '0+'),
            field(
              'partitions',
              array('WritableTxnMarkerPartitionResult', [field('partitionIndex', 'int32', '0+'), field('errorCode', 'int16', '0+')]),
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
