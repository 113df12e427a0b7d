/**
 * Batches by the client library: one Fetch to the partition's leader, found and found again as every Admin call does. Asks by topic
 * name (up to version 12), waits for nothing (what is asked for is there already), and knows no fetch sessions.
 */
import { errorOf, runSingle } from '../../client/admin/keyed-call.ts';
import { partitionLeader } from '../../client/admin/lookups.ts';
import { Fetch } from '../../protocol/generated/fetch.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { ConsoleAdmin } from './cluster-session.ts';
import type { FetchOptions, FetchedBatches, RecordSource } from './record-source.ts';

const LAST_VERSION_BY_NAME = 12;
const CONSUMER_REPLICA_ID = -1;
const NO_BYTES = Buffer.alloc(0);

export class ClientRecordSource implements RecordSource {
  readonly #admin: () => ConsoleAdmin;

  /** `admin` is asked for at each fetch: a cluster that was started again has another. */
  constructor(admin: () => ConsoleAdmin) {
    this.#admin = admin;
  }

  async fetch(tp: TopicPartition, offset: number, { maxBytes, readCommitted, timeoutMs }: FetchOptions): Promise<FetchedBatches> {
    const { context } = this.#admin();
    const key = topicPartitionKey(tp);
    return runSingle<FetchedBatches>(
      context,
      {
        name: 'fetch',
        lookup: partitionLeader(context, new Map([[key, tp]])),
        async request(node, keys, attempt) {
          const partition = { partition: tp.partition, fetchOffset: offset, partitionMaxBytes: maxBytes };
          const body = {
            replicaId: CONSUMER_REPLICA_ID,
            maxWaitMs: 0,
            minBytes: 0,
            maxBytes,
            isolationLevel: readCommitted ? 1 : 0,
            topics: [{ topic: tp.topic, partitions: [partition] }],
            forgottenTopicsData: [],
          };
          const response = await context.client.send(node, Fetch, body, { maxVersion: LAST_VERSION_BY_NAME, timeoutMs: attempt.timeoutMs });
          const answer = response.responses[0]?.partitions[0];
          if (answer === undefined)
            return new Map(keys.map((own) => [own, errorOf(response.errorCode) ?? new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)]));
          const { records, abortedTransactions } = answer;
          const fetched = { records: joined(records), abortedTransactions: abortedTransactions ?? [] };
          return new Map(keys.map((own) => [own, errorOf(answer.errorCode) ?? fetched]));
        },
        isFinal: (error) => error.code === ErrorCode.OFFSET_OUT_OF_RANGE,
      },
      key,
      { timeoutMs },
    );
  }
}

/** Decoded responses hold their records in one piece. */
function joined(records: readonly Buffer[] | null): Buffer {
  const [first, ...rest] = records ?? [];
  if (first === undefined) return NO_BYTES;
  return rest.length === 0 ? first : Buffer.concat([first, ...rest]);
}
