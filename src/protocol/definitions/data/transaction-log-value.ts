/**
 * State of a transaction in `__transaction_state`. Kafka 3.9 writes v0; v1 is flexible, read only.
 * transactionStatus: 0 Empty, 1 Ongoing, 2 PrepareCommit, 3 PrepareAbort, 4 CompleteCommit, 5 CompleteAbort, 6 Dead,
 * 7 PrepareEpochFence. Empty ones have null partitions.
 */
import { array, defineData, field } from '../../generator/definition.ts';

export default defineData({
  name: 'TransactionLogValue',
  versions: '0-1',
  flexible: '1+',
  fields: [
    field('producerId', 'int64', '0+'),
    field('producerEpoch', 'int16', '0+'),
    field('transactionTimeoutMs', 'int32', '0+'),
    field('transactionStatus', 'int8', '0+'),
    field(
      'transactionPartitions',
      array('PartitionsSchema', [field('topic', 'string', '0+'), field('partitionIds', array('int32'), '0+')]),
      '0+',
      { nullable: '0+' },
    ),
    field('transactionLastUpdateTimestampMs', 'timestamp', '0+'),
    field('transactionStartTimestampMs', 'timestamp', '0+'),
  ],
});
