/**
 * AddPartitionsToTxn, API 24. Adds partitions to a transaction (KIP-98).
 *
 * v0-v3: one transaction, from a client. v4 (KIP-890): several, from brokers, which may ask for verification only.
 * v3: flexible.
 */
import { array, defineApi, field, struct } from '../generator/definition.ts';

const addPartitionsToTxnTopic = struct('AddPartitionsToTxnTopic', [
  field('name', 'string', '0+'),
  field('partitions', array('int32'), '0+'),
]);

const addPartitionsToTxnPartitionResult = struct('AddPartitionsToTxnPartitionResult', [
  field('partitionIndex', 'int32', '0+'),
  field('partitionErrorCode', 'int16', '0+'),
]);

const addPartitionsToTxnTopicResult = struct('AddPartitionsToTxnTopicResult', [
  field('name', 'string', '0+'),
  field('resultsByPartition', array(addPartitionsToTxnPartitionResult), '0+'),
]);

export default defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request: [
    field(
      'transactions',
      array('AddPartitionsToTxnTransaction', [
        field('transactionalId', 'string', '4+'),
        field('producerId', 'int64', '4+'),
        field('producerEpoch', 'int16', '4+'),
        field('verifyOnly', 'bool', '4+', { default: false }),
        field('topics', array(addPartitionsToTxnTopic), '4+'),
      ]),
      '4+',
    ),
    field('v3AndBelowTransactionalId', 'string', '0-3'),
    field('v3AndBelowProducerId', 'int64', '0-3'),
    field('v3AndBelowProducerEpoch', 'int16', '0-3'),
    field('v3AndBelowTopics', array(addPartitionsToTxnTopic), '0-3'),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '4+', { ignorable: true }),
    field(
      'resultsByTransaction',
      array('AddPartitionsToTxnResult', [
        field('transactionalId', 'string', '4+'),
        field('topicResults', array(addPartitionsToTxnTopicResult), '4+'),
      ]),
      '4+',
    ),
    field('resultsByTopicV3AndBelow', array(addPartitionsToTxnTopicResult), '0-3'),
  ],
});
