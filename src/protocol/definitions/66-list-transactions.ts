/**
 * ListTransactions, API 66. Transactions of a coordinator (KIP-664).
 *
 * v1 (KIP-994): filter by duration.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: '0-1',
  flexible: '0+',
  request: [
    field('stateFilters', array('string'), '0+'),
    field('producerIdFilters', array('int64'), '0+'),
    field('durationFilter', 'timestamp', '1+', { default: -1 }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('unknownStateFilters', array('string'), '0+'),
    field(
      'transactionStates',
      array('TransactionState', [
        field('transactionalId', 'string', '0+'),
        field('producerId', 'int64', '0+'),
        field('transactionState', 'string', '0+'),
      ]),
      '0+',
    ),
  ],
});
