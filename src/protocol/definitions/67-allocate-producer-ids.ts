/**
 * AllocateProducerIds, API 67. A broker asks the controller for a block of producer ids (KIP-730).
 */
import { defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 67,
  name: 'AllocateProducerIds',
  versions: '0',
  flexible: '0+',
  request: [field('brokerId', 'int32', '0+'), field('brokerEpoch', 'int64', '0+', { default: -1 })],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('producerIdStart', 'int64', '0+'),
    field('producerIdLen', 'int32', '0+'),
  ],
});
