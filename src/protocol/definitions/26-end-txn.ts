/**
 * EndTxn, API 26. Commits or aborts a transaction (KIP-98).
 *
 * v3: flexible. v4 (KIP-890): unchanged on the wire. Not here: v5 (transactions V2).
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 26,
  name: 'EndTxn',
  versions: '0-4',
  flexible: '3+',
  request: [
    field('transactionalId', 'string', '0+'),
    field('producerId', 'int64', '0+'),
    field('producerEpoch', 'int16', '0+'),
    field('committed', 'bool', '0+'),
  ],
  response: [field('throttleTimeMs', 'int32', '0+'), field('errorCode', 'int16', '0+')],
});
