/**
 * Key of a transaction in `__transaction_state`.
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'TransactionLogKey',
  versions: '0',
  fields: [field('transactionalId', 'string', '0')],
});
