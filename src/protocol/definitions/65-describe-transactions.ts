/**
 * DescribeTransactions, API 65. State of transactions (KIP-664).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  flexible: '0+',
  request: [field('transactionalIds', array('string'), '0+')],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field(
      'transactionStates',
      array('TransactionState', [
        field('errorCode', 'int16', '0+'),
        field('transactionalId', 'string', '0+'),
        field('transactionState', 'string', '0+'),
        field('transactionTimeoutMs', 'int32', '0+'),
        field('transactionStartTimeMs', 'timestamp', '0+'),
        field('producerId', 'int64', '0+'),
        field('producerEpoch', 'int16', '0+'),
        field('topics', array('TopicData', [field('topic', 'string', '0+'), field('partitions', array('int32'), '0+')]), '0+'),
      ]),
      '0+',
    ),
  ],
});
