/** Where the messages page gets batches from: the client library's fetch, or a test's. */
import type { TopicPartition } from '../../protocol/topic-partition.ts';

export interface FetchedBatches {
  /** Batches from the one that holds the offset asked for; the last may be cut short. Empty: there is nothing from there on. */
  readonly records: Buffer;
  /** For READ_COMMITTED: producers whose transaction from that offset on was aborted. */
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
}

export interface FetchOptions {
  readonly maxBytes: number;
  readonly readCommitted: boolean;
  readonly timeoutMs: number;
}

export interface RecordSource {
  /** Rejects with KafkaError: OFFSET_OUT_OF_RANGE, and what can go wrong on the way. At least one whole batch comes, however large. */
  fetch(partition: TopicPartition, offset: number, options: FetchOptions): Promise<FetchedBatches>;
}
