/**
 * Reads what a fetch asks for from the local logs: bounded by isolation, by bytes per partition and in all; the first
 * partition with data gives at least one batch even when it is larger than every bound (KIP-74). Source: Kafka's
 * `ReplicaManager.readFromLog` and `Partition.fetchRecords`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import { failedFetch } from './fetch-types.ts';
import type { FetchIsolation, FetchParams, FetchPartitionRequest, FetchPartitionResult } from './fetch-types.ts';
import type { Partition } from './partition.ts';

export interface ReadOutcome {
  readonly request: FetchPartitionRequest;
  readonly partition: Partition | undefined;
  readonly result: FetchPartitionResult;
}

export type PartitionLookup = (request: FetchPartitionRequest) => Partition | number;

/**
 * Reads each partition in the order asked. `lookup` gives the partition or the code to answer for it; one that is held back gives no
 * records, whatever there is.
 */
export function readFromLogs(
  params: FetchParams,
  requests: readonly FetchPartitionRequest[],
  lookup: PartitionLookup,
  isHeldBack: (partition: Partition) => boolean = () => false,
): ReadOutcome[] {
  let remainingBytes = params.maxBytes;
  let minOneBatch = true;
  return requests.map((request) => {
    const found = lookup(request);
    if (typeof found === 'number') return { request, partition: undefined, result: failedFetch(found) };
    const log = found.leaderLogOrError(request.currentLeaderEpoch);
    if (typeof log === 'number') return { request, partition: found, result: failedFetch(log) };
    const limits = { maxBytes: Math.min(remainingBytes, request.maxBytes), minOneBatch, isHeldBack: isHeldBack(found) };
    const result = readOne(log, request, params.isolation, limits);
    if (result.sizeBytes > 0) minOneBatch = false;
    remainingBytes = Math.max(0, remainingBytes - result.sizeBytes);
    return { request, partition: found, result };
  });
}

function readOne(
  log: UnifiedLog,
  request: FetchPartitionRequest,
  isolation: FetchIsolation,
  { maxBytes, minOneBatch, isHeldBack }: { readonly maxBytes: number; readonly minOneBatch: boolean; readonly isHeldBack: boolean },
): FetchPartitionResult {
  const { highWatermark, lastStableOffset, logStartOffset, logEndOffset } = log;
  const base = { highWatermark, lastStableOffset, logStartOffset, leaderLogEndOffset: logEndOffset };
  const empty = { ...base, errorCode: ErrorCode.NONE, records: null, sizeBytes: 0, abortedTransactions: null };
  const outOfRange = { ...failedFetch(ErrorCode.OFFSET_OUT_OF_RANGE), logStartOffset, leaderLogEndOffset: logEndOffset };
  // Before the divergence: what is below the log start cannot be fetched, whatever its epoch was.
  if (request.fetchOffset < logStartOffset) return outOfRange;
  const divergingEpoch = divergenceOf(log, request);
  if (divergingEpoch === 'unknown') return outOfRange;
  if (divergingEpoch !== undefined) return { ...empty, divergingEpoch };
  if (request.fetchOffset > logEndOffset) return outOfRange;
  const maxOffset = isolation === 'log-end' ? logEndOffset : isolation === 'high-watermark' ? highWatermark : lastStableOffset;
  if (request.fetchOffset >= maxOffset || isHeldBack || (maxBytes <= 0 && !minOneBatch)) return empty;
  const read = log.read(request.fetchOffset, {
    maxBytes,
    maxOffset,
    minOneMessage: minOneBatch,
    includeAbortedTransactions: isolation === 'txn-committed',
  });
  if (read.errorCode !== ErrorCode.NONE) return { ...failedFetch(read.errorCode), logStartOffset, leaderLogEndOffset: logEndOffset };
  return {
    ...base,
    errorCode: ErrorCode.NONE,
    records: read.records,
    sizeBytes: read.sizeBytes,
    abortedTransactions: read.abortedTransactions ?? null,
  };
}

/** KIP-595: where the reader's last epoch ends here, when that is before what it has; 'unknown' for an epoch above all of this log. */
export function divergenceOf(
  log: UnifiedLog,
  request: Pick<FetchPartitionRequest, 'lastFetchedEpoch' | 'fetchOffset'>,
): { epoch: number; endOffset: number } | 'unknown' | undefined {
  if (request.lastFetchedEpoch < 0) return undefined;
  const found = log.endOffsetForEpoch(request.lastFetchedEpoch);
  if (found === undefined) return 'unknown';
  const diverges = found.epoch < request.lastFetchedEpoch || found.endOffset < request.fetchOffset;
  return diverges ? { epoch: found.epoch, endOffset: found.endOffset } : undefined;
}
