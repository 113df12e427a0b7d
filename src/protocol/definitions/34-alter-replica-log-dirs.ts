/**
 * AlterReplicaLogDirs, API 34. Moves replicas between log directories (KIP-113).
 *
 * v2: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: '0-2',
  flexible: '2+',
  request: [
    field(
      'dirs',
      array('AlterReplicaLogDir', [
        field('path', 'string', '0+'),
        field('topics', array('AlterReplicaLogDirTopic', [field('name', 'string', '0+'), field('partitions', array('int32'), '0+')]), '0+'),
      ]),
      '0+',
    ),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'results',
      array('AlterReplicaLogDirTopicResult', [
        field('topicName', 'string', '0+'),
        field(
          'partitions',
          array('AlterReplicaLogDirPartitionResult', [field('partitionIndex', 'int32', '0+'), field('errorCode', 'int16', '0+')]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
});
