/**
 * AddOffsetsToTxn, API 25. Adds a group's offsets to a transaction (KIP-98).
 *
 * v3: flexible. v4 (KIP-890): unchanged on the wire.
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  flexible: '3+',
  request: [
    field('transactionalId', 'string', '0+'),
    field('producerId', 'int64', '0+'),
    field('producerEpoch', 'int16', '0+'),
    field('groupId', 'string', '0+'),
  ],
  response: [field('throttleTimeMs', 'int32', '0+'), field('errorCode', 'int16', '0+')],
});
