/**
 * Sends ISR changes to the controller: at most one AlterPartition request in flight, at most one change per partition
 * waiting; what gathers meanwhile goes out together. What finds no controller, or is answered with an error that says nothing of
 * the change, is sent again; any other answer is delivered, once. Source: Kafka's `DefaultAlterPartitionManager`, KIP-497.
 */
import type { AlterPartitionRequestInput, AlterPartitionResponse } from '../../protocol/generated/alter-partition.ts';
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';

export interface AlterPartitionItem {
  readonly topicId: string;
  readonly topicPartition: TopicPartition;
  readonly leaderEpoch: number;
  readonly newIsr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[];
  readonly leaderRecoveryState: number;
  readonly partitionEpoch: number;
  /** False once a LeaderAndIsr request has overtaken the change: then it is dropped, without a result. */
  readonly isCurrent: () => boolean;
  /** Called at most once, with success or one of `FINAL_ERRORS`. */
  readonly onResult: (result: AlterPartitionResult) => void;
}

export type AlterPartitionResult =
  | {
      readonly errorCode: 0;
      readonly leaderId: number;
      readonly leaderEpoch: number;
      readonly isr: readonly number[];
      readonly partitionEpoch: number;
    }
  | { readonly errorCode: number };

export interface AlterPartitionSender {
  alterPartition(request: AlterPartitionRequestInput): Promise<AlterPartitionResponse>;
}

export interface AlterPartitionManagerOptions {
  readonly brokerId: number;
  readonly brokerEpoch: () => number;
  readonly sender: AlterPartitionSender;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

const RETRY_MS = 50;

/** What the controller says of the change itself. After any other code the change is sent again, also when it concerns the whole request. */
const FINAL_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.OPERATION_NOT_ATTEMPTED,
  ErrorCode.INELIGIBLE_REPLICA,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.INVALID_UPDATE_VERSION,
  ErrorCode.INVALID_REQUEST,
  ErrorCode.NEW_LEADER_ELECTED,
]);

export class AlterPartitionManager {
  readonly #options: AlterPartitionManagerOptions;
  /** By topic id and partition. */
  readonly #unsent = new Map<string, AlterPartitionItem>();
  #inFlight = false;
  #closed = false;

  constructor(options: AlterPartitionManagerOptions) {
    this.#options = options;
  }

  /** Queues a change; false when one for that partition waits already. */
  submit(item: AlterPartitionItem): boolean {
    const key = `${item.topicId}:${item.topicPartition.partition}`;
    if (this.#closed || this.#unsent.get(key)?.isCurrent() === true) return false;
    this.#unsent.set(key, item);
    this.#options.scheduler.endOfTurn(() => this.#maybeSend());
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#unsent.clear();
  }

  #maybeSend(): void {
    if (this.#inFlight || this.#closed) return;
    for (const [key, item] of this.#unsent) if (!item.isCurrent()) this.#unsent.delete(key);
    if (this.#unsent.size === 0) return;
    this.#inFlight = true;
    const items = new Map(this.#unsent);
    void this.#send(items).then((answered) => {
      this.#inFlight = false;
      if (answered) this.#maybeSend();
      else this.#options.scheduler.after(RETRY_MS, () => this.#maybeSend());
    });
  }

  /** Resolves true when all items were answered, false when some are to be sent again. */
  async #send(items: ReadonlyMap<string, AlterPartitionItem>): Promise<boolean> {
    const { sender, logger } = this.#options;
    let response: AlterPartitionResponse;
    try {
      response = await sender.alterPartition(this.#requestOf(items));
    } catch (error) {
      logger.info({ err: error }, `AlterPartition for ${items.size} partitions did not reach the controller; trying again`);
      return false;
    }
    if (this.#closed) return true;
    if (response.errorCode !== ErrorCode.NONE) {
      logger.info(`AlterPartition was answered ${errorByCode(response.errorCode).name}; trying again`);
      return false;
    }
    const results = resultsOf(response);
    let allAnswered = true;
    for (const [key, item] of items) {
      const result = results.get(key);
      if (result === undefined || (result.errorCode !== ErrorCode.NONE && !FINAL_ERRORS.has(result.errorCode))) {
        const answer = result === undefined ? 'not answered' : `answered ${errorByCode(result.errorCode).name}`;
        logger.info(`The ISR change of ${topicPartitionKey(item.topicPartition)} was ${answer}; trying again`);
        allAnswered = false;
        continue;
      }
      // Taken out before the callback, which may submit the next change of the same partition.
      if (this.#unsent.get(key) === item) this.#unsent.delete(key);
      item.onResult(result);
    }
    return allAnswered;
  }

  #requestOf(items: ReadonlyMap<string, AlterPartitionItem>): AlterPartitionRequestInput {
    const byTopic = new Map<string, AlterPartitionItem[]>();
    for (const item of items.values()) {
      const list = byTopic.get(item.topicId);
      if (list === undefined) byTopic.set(item.topicId, [item]);
      else list.push(item);
    }
    return {
      brokerId: this.#options.brokerId,
      brokerEpoch: this.#options.brokerEpoch(),
      topics: Array.from(byTopic, ([topicId, list]) => ({
        topicId,
        partitions: list.map((item) => ({
          partitionIndex: item.topicPartition.partition,
          leaderEpoch: item.leaderEpoch,
          newIsrWithEpochs: [...item.newIsr],
          leaderRecoveryState: item.leaderRecoveryState,
          partitionEpoch: item.partitionEpoch,
        })),
      })),
    };
  }
}

function resultsOf(response: AlterPartitionResponse): Map<string, AlterPartitionResult> {
  const results = new Map<string, AlterPartitionResult>();
  for (const topic of response.topics) {
    for (const partition of topic.partitions) {
      const { errorCode, leaderId, leaderEpoch, isr, partitionEpoch } = partition;
      results.set(
        `${topic.topicId}:${partition.partitionIndex}`,
        errorCode === 0 ? { errorCode, leaderId, leaderEpoch, isr, partitionEpoch } : { errorCode },
      );
    }
  }
  return results;
}
