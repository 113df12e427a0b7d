/**
 * Produce, API 0. Appends record batches to partitions.
 *
 * v0-v2 may carry message formats 0 and 1: they are parsed, so that they can be refused by partition.
 * v3 (KIP-98): transactionalId; exactly one batch of format 2 a partition from here on.
 * v5 (KIP-107): logStartOffset in the response. v7 (KIP-110): zstd allowed.
 * v8 (KIP-467): recordErrors and errorMessage. v9: flexible.
 * v10 (KIP-951): currentLeader and nodeEndpoints, tagged. v11 (KIP-890): unchanged on the wire.
 * Not here: v12 (transactions V2), which a broker without it must not claim.
 */
import { array, defineApi, field, struct } from '../generator/definition.ts';

export default defineApi({
  key: 0,
  name: 'Produce',
  versions: '0-11',
  flexible: '9+',
  request: [
    field('transactionalId', 'string', '3+', { nullable: '3+', default: null }),
    field('acks', 'int16', '0+'),
    field('timeoutMs', 'int32', '0+'),
    field(
      'topicData',
      array('TopicProduceData', [
        field('name', 'string', '0+'),
        field(
          'partitionData',
          array('PartitionProduceData', [field('index', 'int32', '0+'), field('records', 'records', '0+', { nullable: '0+' })]),
          '0+',
        ),
      ]),
      '0+',
    ),
  ],
  response: [
    field(
      'responses',
      array('TopicProduceResponse', [
        field('name', 'string', '0+'),
        field(
          'partitionResponses',
          array('PartitionProduceResponse', [
            field('index', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('baseOffset', 'int64', '0+'),
            field('logAppendTimeMs', 'timestamp', '2+', { default: -1, ignorable: true }),
            field('logStartOffset', 'int64', '5+', { default: -1, ignorable: true }),
            field(
              'recordErrors',
              array('BatchIndexAndErrorMessage', [
                field('batchIndex', 'int32', '8+'),
                field('batchIndexErrorMessage', 'string', '8+', { nullable: '8+', default: null }),
              ]),
              '8+',
              { ignorable: true },
            ),
            field('errorMessage', 'string', '8+', { nullable: '8+', default: null, ignorable: true }),
            field(
              'currentLeader',
              struct('LeaderIdAndEpoch', [
                field('leaderId', 'int32', '10+', { default: -1 }),
                field('leaderEpoch', 'int32', '10+', { default: -1 }),
              ]),
              '10+',
              { tag: 0 },
            ),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
    field('throttleTimeMs', 'int32', '1+', { default: 0, ignorable: true }),
    field(
      'nodeEndpoints',
      array('NodeEndpoint', [
        field('nodeId', 'int32', '10+'),
        field('host', 'string', '10+'),
        field('port', 'int32', '10+'),
        field('rack', 'string', '10+', { nullable: '10+', default: null }),
      ]),
      '10+',
      { tag: 0 },
    ),
  ],
});
