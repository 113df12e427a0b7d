/**
 * OffsetDelete, API 47. Deletes a group's offsets (KIP-496). Never flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  request: [
    field('groupId', 'string', '0+'),
    field(
      'topics',
      array('OffsetDeleteRequestTopic', [
        field('name', 'string', '0+'),
        field('partitions', array('OffsetDeleteRequestPartition', [field('partitionIndex', 'int32', '0+')]), '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field('errorCode', 'int16', '0+'),
    field('throttleTimeMs', 'int32', '0+', { ignorable: true }),
    field(
      'topics',
      array('OffsetDeleteResponseTopic', [
        field('name', 'string', '0+'),
        field(
          'partitions',
          array('OffsetDeleteResponsePartition', [field('partitionIndex', 'int32', '0+'), field('errorCode', 'int16', '0+')]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
