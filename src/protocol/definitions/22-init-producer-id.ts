/**
 * InitProducerId, API 22. Gives a producer id and epoch (KIP-98).
 *
 * v2: flexible. v3 (KIP-360): the current id and epoch, to raise the epoch. v4 (KIP-588): PRODUCER_FENCED in place of INVALID_PRODUCER_EPOCH.
 * v5 (KIP-890): unchanged on the wire.
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  flexible: '2+',
  request: [
    field('transactionalId', 'string', '0+', { nullable: '0+' }),
    field('transactionTimeoutMs', 'int32', '0+'),
    field('producerId', 'int64', '3+', { default: -1 }),
    field('producerEpoch', 'int16', '3+', { default: -1 }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+', { ignorable: true }),
    field('errorCode', 'int16', '0+'),
    field('producerId', 'int64', '0+', { default: -1 }),
    field('producerEpoch', 'int16', '0+'),
  ],
});
