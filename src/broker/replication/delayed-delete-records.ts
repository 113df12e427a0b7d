/**
 * A DeleteRecords request that waits until every live replica's log begins at or above what was asked for: only then can no
 * change of leadership bring the records back. Watched under each topic-partition. Source: Kafka's `DelayedDeleteRecords`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { DelayedOperation } from '../purgatory/delayed-operation.ts';
import type { Partition } from './partition.ts';

export interface DeleteRecordsStatus {
  readonly key: string;
  /** The low watermark that must be reached. */
  readonly requiredOffset: number;
  /** The smallest log start offset of the live replicas, as last seen. */
  lowWatermark: number;
  /** Undefined while it waits; then the code to answer. */
  errorCode: number | undefined;
}

export const INVALID_LOW_WATERMARK = -1;

export class DelayedDeleteRecords extends DelayedOperation {
  readonly #statuses: readonly DeleteRecordsStatus[];
  readonly #partitionOf: (status: DeleteRecordsStatus) => Partition | undefined;
  readonly #respond: () => void;

  constructor(options: {
    delayMs: number;
    statuses: readonly DeleteRecordsStatus[];
    partitionOf: (status: DeleteRecordsStatus) => Partition | undefined;
    respond: () => void;
  }) {
    super(options.delayMs);
    this.#statuses = options.statuses;
    this.#partitionOf = options.partitionOf;
    this.#respond = options.respond;
  }

  override tryComplete(): boolean {
    let waiting = false;
    for (const status of this.#statuses) {
      if (status.errorCode !== undefined) continue;
      const partition = this.#partitionOf(status);
      const lowWatermark = partition?.lowWatermarkOrError();
      if (lowWatermark === undefined) fail(status, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      else if (!lowWatermark.ok) fail(status, lowWatermark.errorCode);
      else {
        status.lowWatermark = lowWatermark.offset;
        if (lowWatermark.offset >= status.requiredOffset) status.errorCode = ErrorCode.NONE;
        else waiting = true;
      }
    }
    return waiting ? false : this.forceComplete();
  }

  override onComplete(): void {
    for (const status of this.#statuses) status.errorCode ??= ErrorCode.REQUEST_TIMED_OUT;
    this.#respond();
  }

  override onExpiration(): void {}

  override describe(): string {
    const waiting = this.#statuses.filter((status) => status.errorCode === undefined);
    return `delete records: ${waiting.map(({ key, requiredOffset, lowWatermark }) => `${key} below offset ${requiredOffset}, low watermark ${lowWatermark}`).join(', ')}`;
  }
}

function fail(status: DeleteRecordsStatus, errorCode: number): void {
  status.errorCode = errorCode;
  status.lowWatermark = INVALID_LOW_WATERMARK;
}
