/**
 * DescribeLogDirs, API 35. Log directories with their replicas and sizes (KIP-113).
 *
 * v2: flexible. v3: errorCode. v4 (KIP-827): total and usable bytes.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '0-4',
  flexible: '2+',
  request: [
    field('topics', array('DescribableLogDirTopic', [field('topic', 'string', '0+'), field('partitions', array('int32'), '0+')]), '0+', {
      nullable: '0+',
    }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '3+', { ignorable: true }),
    field(
      'results',
      array('DescribeLogDirsResult', [
        field('errorCode', 'int16', '0+'),
        field('logDir', 'string', '0+'),
        field(
          'topics',
          array('DescribeLogDirsTopic', [
            field('name', 'string', '0+'),
            field(
              'partitions',
              array('DescribeLogDirsPartition', [
                field('partitionIndex', 'int32', '0+'),
                field('partitionSize', 'int64', '0+'),
                field('offsetLag', 'int64', '0+'),
                field('isFutureKey', 'bool', '0+'),
              ]),
              '0+',
            ),
          ]),
          '0+',
        ),
        field('totalBytes', 'timestamp', '4+', { default: -1, ignorable: true }),
        field('usableBytes', 'timestamp', '4+', { default: -1, ignorable: true }),
      ]),
      '0+',
    ),
  ],
});
