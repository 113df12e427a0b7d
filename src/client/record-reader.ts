/**
 * Reads records of one partition from its leader, a fetch at a time: for looking at a topic, not for consuming it.
 *
 * Fetches ask the leader only, without a session, and do not wait for new records unless told to. An Admin's connections
 * are shared, so a long wait holds up what follows on that broker's connection: give a tailing reader an Admin of its own.
 * Source: Fetcher, KIP-74 (the first batch comes whole, however large), KIP-98 (aborted transactions).
 */
import { KafkaError } from '../protocol/errors.ts';
import { Fetch } from '../protocol/generated/fetch.ts';
import type { FetchResponse } from '../protocol/generated/fetch.ts';
import { iterateBatches, readBatchHeader } from '../protocol/records/record-batch.ts';
import type { RecordBatchHeader } from '../protocol/records/record-batch.ts';
import { iterateRecords } from '../protocol/records/record-reader.ts';
import type { KafkaRecord } from '../protocol/records/record-reader.ts';
import { topicPartitionKey } from '../protocol/topic-partition.ts';
import type { TopicPartition } from '../protocol/topic-partition.ts';
import { errorOf, runSingle } from './admin/keyed-call.ts';
import type { AdminContext, CallOptions } from './admin/keyed-call.ts';
import { partitionLeader } from './admin/lookups.ts';
import { IsolationLevel } from './admin/offsets.ts';
import { believeUnknownTopic } from './admin/topics.ts';

export interface FetchBatchesOptions extends CallOptions {
  /** At most so much, but for the first batch, which comes whole. Default 1 MiB. */
  readonly maxBytes?: number;
  /** How long the broker may wait for `minBytes`. Default 0: it answers with what is there. */
  readonly maxWaitMs?: number;
  /** Default 1. */
  readonly minBytes?: number;
  /** READ_COMMITTED ends at the last stable offset and tells of aborted transactions. */
  readonly isolationLevel?: IsolationLevel;
}

export interface FetchedBatches {
  /** From the batch that holds the offset asked for, whose first records may lie before it; the last may be cut short. */
  readonly records: Buffer;
  readonly highWatermark: number;
  /** -1 from a broker that doesn't tell. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Producers whose transaction, from that offset on, was aborted. */
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
}

export interface FetchedRecord extends KafkaRecord {
  readonly batch: RecordBatchHeader;
}

export interface FetchedRecords extends Omit<FetchedBatches, 'records'> {
  /** In order, from the offset asked for on; those of control batches too (`batch.isControl`). */
  readonly records: readonly FetchedRecord[];
  /** Where to go on. */
  readonly nextOffset: number;
}

const DEFAULT_MAX_BYTES = 1 << 20;
const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 << 20;
const CONSUMER_REPLICA_ID = -1;
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 };
/** By topic name; later versions go by topic id, which not every broker tells. */
const LAST_FETCH_BY_NAME = 12;
const FIRST_FETCH_WITH_ISOLATION = 4;

export class RecordReader {
  readonly #context: AdminContext;

  /** `context` is an Admin's. */
  constructor(context: AdminContext) {
    this.#context = context;
  }

  /**
   * Batches as they are stored. Tries again on lost connections and moved leaders until its time is up. Rejects with
   * `KafkaError`: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, …
   */
  fetchBatches(partition: TopicPartition, offset: number, options: FetchBatchesOptions = {}): Promise<FetchedBatches> {
    const key = topicPartitionKey(partition);
    const { maxBytes = DEFAULT_MAX_BYTES, maxWaitMs = 0, minBytes = 1, isolationLevel = IsolationLevel.READ_UNCOMMITTED } = options;
    const wanted = { partition: partition.partition, fetchOffset: offset, partitionMaxBytes: maxBytes };
    const body = {
      replicaId: CONSUMER_REPLICA_ID,
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      ...NO_SESSION,
      topics: [{ topic: partition.topic, partitions: [wanted] }],
      forgottenTopicsData: [],
    };
    return runSingle<FetchedBatches>(
      this.#context,
      {
        name: 'fetch',
        lookup: partitionLeader(this.#context, new Map([[key, partition]])),
        request: async (node, _keys, { timeoutMs }) => {
          const response = await this.#context.client.send(node, Fetch, body, {
            minVersion: FIRST_FETCH_WITH_ISOLATION,
            maxVersion: LAST_FETCH_BY_NAME,
            timeoutMs: timeoutMs + maxWaitMs,
          });
          return new Map([[key, batchesOf(response, partition)]]);
        },
        isFinal: believeUnknownTopic,
      },
      key,
      options,
    );
  }

  /**
   * Records from `offset` on, decoded. Rejects as `fetchBatches`, and with CORRUPT_MESSAGE and the like for what can't be
   * decoded, MESSAGE_TOO_LARGE for a batch that opens to more than `maxDecompressedBytes` (default 64 MiB).
   */
  async fetchRecords(
    partition: TopicPartition,
    offset: number,
    options: FetchBatchesOptions & { readonly maxDecompressedBytes?: number } = {},
  ): Promise<FetchedRecords> {
    const { records: bytes, ...rest } = await this.fetchBatches(partition, offset, options);
    const records: FetchedRecord[] = [];
    let nextOffset = offset;
    for (const batchBytes of iterateBatches(bytes)) {
      const batch = readBatchHeader(batchBytes, 0);
      for (const record of iterateRecords(batchBytes, options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES)) {
        if (record.offset >= offset) records.push({ ...record, batch });
      }
      // A compacted batch may have lost its last records: the batch's own end counts.
      nextOffset = Math.max(nextOffset, batch.lastOffset + 1);
    }
    return { ...rest, records, nextOffset };
  }
}

function batchesOf(response: FetchResponse, { topic, partition }: TopicPartition): FetchedBatches | KafkaError {
  const error = errorOf(response.errorCode);
  if (error !== undefined) return error;
  const own = response.responses
    .find((candidate) => candidate.topic === topic)
    ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
  if (own === undefined) return new KafkaError(-1, `the broker's answer leaves out ${topicPartitionKey({ topic, partition })}`);
  const parts = own.records ?? [];
  const [only] = parts;
  return (
    errorOf(own.errorCode) ?? {
      records: parts.length === 1 && only !== undefined ? only : Buffer.concat(parts),
      highWatermark: own.highWatermark,
      lastStableOffset: own.lastStableOffset,
      logStartOffset: own.logStartOffset,
      abortedTransactions: own.abortedTransactions ?? [],
    }
  );
}
