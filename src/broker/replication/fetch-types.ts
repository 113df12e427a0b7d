/** What a fetch asks of the local logs and what it gets, independent of the wire's versions. */
import type { TopicPartition } from '../../protocol/topic-partition.ts';

export type FetchIsolation =
  /** Up to the log end: followers. */
  | 'log-end'
  /** Up to the high watermark: consumers. */
  | 'high-watermark'
  /** Up to the last stable offset: read_committed consumers. */
  | 'txn-committed';

export interface FetchParams {
  /** The follower's broker id, or -1 for a consumer. */
  readonly replicaId: number;
  /** The follower's broker epoch, or -1. */
  readonly replicaEpoch: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolation: FetchIsolation;
}

export interface FetchPartitionRequest {
  readonly topicPartition: TopicPartition;
  readonly topicId: string;
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  /** -1 when the reader doesn't know: no divergence check. */
  readonly lastFetchedEpoch: number;
  readonly logStartOffset: number;
  readonly maxBytes: number;
}

export interface FetchPartitionResult {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Whole batches, in order; null when there are none to give. */
  readonly records: readonly Buffer[] | null;
  readonly sizeBytes: number;
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[] | null;
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number };
  /** The leader's log end when it was read: what a follower's progress is measured against. */
  readonly leaderLogEndOffset: number;
}

/** A result without records. */
export function failedFetch(errorCode: number): FetchPartitionResult {
  return {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: null,
    sizeBytes: 0,
    abortedTransactions: null,
    leaderLogEndOffset: -1,
  };
}
