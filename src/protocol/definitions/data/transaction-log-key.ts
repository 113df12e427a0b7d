/**
 * TransactionLogKey
 */
import { defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'TransactionLogKey',
  versions: '0',
  fields: [field('transactionalId', 'string', '0')],
});
