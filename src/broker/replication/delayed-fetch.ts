/**
 * A fetch that waits until its min bytes have come, or something makes an answer due now: this broker leads no more, the
 * epoch is fenced, the log was truncated below the fetch offset or has diverged. Watched under each topic-partition.
 * Bytes are estimated from positions in segments, without reading. Source: Kafka's `DelayedFetch`.
 */
import { DelayedOperation } from '../purgatory/delayed-operation.ts';
import type { FetchParams, FetchPartitionRequest } from './fetch-types.ts';
import { divergenceOf } from './log-reader.ts';
import type { Partition } from './partition.ts';

export interface DelayedFetchOptions {
  readonly params: FetchParams;
  readonly partitions: readonly FetchPartitionRequest[];
  readonly partitionOf: (request: FetchPartitionRequest) => Partition | undefined;
  /** Its bytes don't count: a throttle holds them back. */
  readonly isHeldBack: (partition: Partition) => boolean;
  /** Reads again and answers. */
  readonly complete: () => void;
}

export class DelayedFetch extends DelayedOperation {
  readonly #options: DelayedFetchOptions;

  constructor(options: DelayedFetchOptions) {
    super(options.params.maxWaitMs);
    this.#options = options;
  }

  override tryComplete(): boolean {
    const { params, partitions } = this.#options;
    let bytes = 0;
    for (const request of partitions) {
      const available = this.#availableBytes(request);
      if (available === undefined) return this.forceComplete();
      bytes += available;
      if (bytes >= params.minBytes) return this.forceComplete();
    }
    return false;
  }

  /** Bytes that a read would give now; undefined when the answer is due whatever the bytes. */
  #availableBytes(request: FetchPartitionRequest): number | undefined {
    const partition = this.#options.partitionOf(request);
    const log = partition?.leaderLogOrError(request.currentLeaderEpoch);
    if (partition === undefined || log === undefined || typeof log === 'number') return undefined;
    const { isolation } = this.#options.params;
    const end = isolation === 'log-end' ? log.logEndOffset : isolation === 'high-watermark' ? log.highWatermark : log.lastStableOffset;
    if (request.fetchOffset > log.logEndOffset || request.fetchOffset < log.logStartOffset) return undefined;
    if (divergenceOf(log, request) !== undefined) return undefined;
    if (request.fetchOffset >= end || this.#options.isHeldBack(partition)) return 0;
    return Math.min(log.bytesBetween(request.fetchOffset, end), request.maxBytes);
  }

  override onComplete(): void {
    this.#options.complete();
  }

  override onExpiration(): void {}

  override describe(): string {
    const { params, partitions } = this.#options;
    const who = params.replicaId >= 0 ? `follower ${params.replicaId}` : 'consumer';
    return `fetch of ${who}: ${params.minBytes} bytes from ${partitions.length} partitions`;
  }
}
