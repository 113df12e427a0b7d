/**
 * A produce request with acks=all that waits until every partition's high watermark has reached the end of what was
 * appended, or has failed. Watched under each topic-partition. Source: Kafka's `DelayedProduce`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { DelayedOperation } from '../purgatory/delayed-operation.ts';
import type { Partition } from './partition.ts';

export interface ProducePartitionStatus {
  readonly key: string;
  readonly partition: Partition;
  /** The high watermark that must be reached: last appended offset + 1. */
  readonly requiredOffset: number;
  /** In which it was appended (`Partition.leadership`). */
  readonly leadership: number;
  /** Undefined while it waits; then the code to answer. */
  errorCode: number | undefined;
}

export class DelayedProduce extends DelayedOperation {
  readonly #statuses: readonly ProducePartitionStatus[];
  readonly #respond: (statuses: readonly ProducePartitionStatus[]) => void;

  constructor(
    delayMs: number,
    statuses: readonly ProducePartitionStatus[],
    respond: (statuses: readonly ProducePartitionStatus[]) => void,
  ) {
    super(delayMs);
    this.#statuses = statuses;
    this.#respond = respond;
  }

  override tryComplete(): boolean {
    let waiting = false;
    for (const status of this.#statuses) {
      if (status.errorCode !== undefined) continue;
      const outcome = status.partition.checkEnoughReplicasReachOffset(status.requiredOffset, status.leadership);
      if (outcome === undefined) waiting = true;
      else status.errorCode = outcome;
    }
    return waiting ? false : this.forceComplete();
  }

  override onComplete(): void {
    for (const status of this.#statuses) status.errorCode ??= ErrorCode.REQUEST_TIMED_OUT;
    this.#respond(this.#statuses);
  }

  override onExpiration(): void {}

  override describe(): string {
    const waiting = this.#statuses.filter((status) => status.errorCode === undefined);
    return `produce acks=all: ${waiting.map((status) => `${status.key} to offset ${status.requiredOffset}`).join(', ')}`;
  }
}
