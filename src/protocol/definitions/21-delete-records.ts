/**
 * DeleteRecords, API 21. Deletes records before an offset (KIP-107).
 *
 * v2: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexible: '2+',
  request: [
    field(
      'topics',
      array('DeleteRecordsTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('DeleteRecordsPartition', [field('partitionIndex', 'int32', '0+'), field('offset', 'int64', '0+')]),
          '0+',
        ),
      ]),
      '0+',
    ),
    field('timeoutMs', 'int32', '0+'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'topics',
      array('DeleteRecordsTopicResult', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('DeleteRecordsPartitionResult', [
            field('partitionIndex', 'int32', '0+'),
            field('lowWatermark', 'int64', '0+'),
            field('errorCode', 'int16', '0+'),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
