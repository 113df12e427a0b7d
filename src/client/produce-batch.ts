/**
 * Sends one finished record batch to a partition's leader. For small jobs (a message typed into the console, a test); the
 * Producer with its batching, idempotence and ordering is another thing.
 */
import { KafkaError } from '../protocol/errors.ts';
import { Produce } from '../protocol/generated/produce.ts';
import { topicPartitionKey } from '../protocol/topic-partition.ts';
import type { TopicPartition } from '../protocol/topic-partition.ts';
import { errorOf, runSingle } from './admin/keyed-call.ts';
import type { AdminContext, CallOptions } from './admin/keyed-call.ts';
import { partitionLeader } from './admin/lookups.ts';
import { afterBroker, believeUnknownTopic } from './admin/topics.ts';

export interface ProduceBatchOptions extends CallOptions {
  /** -1 for all in-sync replicas (default), 1 for the leader, 0 for nobody. */
  readonly acks?: -1 | 0 | 1;
}

export interface ProducedBatch {
  /** -1 with acks 0. */
  readonly baseOffset: number;
  /** -1 unless the topic stamps records itself. */
  readonly logAppendTimeMs: number;
}

/** Messages of format 2, and zstd, from here on. */
const FIRST_WITH_ZSTD = 7;

/**
 * `batch` is one whole record batch of format 2 (`buildRecordBatch`). Rejects with `KafkaError`. A batch whose connection
 * was lost is sent again: without a producer id in it, it may then be in the log twice.
 */
export function produceBatch(
  context: AdminContext,
  partition: TopicPartition,
  batch: Buffer,
  options: ProduceBatchOptions = {},
): Promise<ProducedBatch> {
  const key = topicPartitionKey(partition);
  const { acks = -1 } = options;
  return runSingle<ProducedBatch>(
    context,
    {
      name: 'produce',
      lookup: partitionLeader(context, new Map([[key, partition]])),
      async request(node, _keys, { timeoutMs }) {
        const body = {
          acks,
          timeoutMs,
          topicData: [{ name: partition.topic, partitionData: [{ index: partition.partition, records: [batch] }] }],
        };
        const response = await context.client.send(node, Produce, body, {
          minVersion: FIRST_WITH_ZSTD,
          timeoutMs: afterBroker(timeoutMs),
          expectsResponse: acks !== 0,
        });
        if (acks === 0) return new Map([[key, { baseOffset: -1, logAppendTimeMs: -1 }]]);
        const own = response.responses[0]?.partitionResponses[0];
        if (own === undefined) return new Map([[key, new KafkaError(-1, 'the answer to Produce is empty')]]);
        const { errorCode, errorMessage, baseOffset, logAppendTimeMs } = own;
        return new Map([[key, errorOf(errorCode, errorMessage) ?? { baseOffset, logAppendTimeMs }]]);
      },
      isFinal: believeUnknownTopic,
    },
    key,
    options,
  );
}
