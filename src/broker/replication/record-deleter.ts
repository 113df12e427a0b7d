/**
 * Deletes records below an offset on the partitions that this broker leads: the log start offset moves at once, the answer waits for
 * the replicas. Segments that lie below go at the next look of retention. Source: Kafka's `ReplicaManager.deleteRecords`, KIP-107.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import { LogStorageError, OffsetOutOfRangeError } from '../log/log-errors.ts';
import { isInternalTopic } from '../metadata/topic-names.ts';
import { DelayedDeleteRecords, INVALID_LOW_WATERMARK } from './delayed-delete-records.ts';
import type { DeleteRecordsStatus } from './delayed-delete-records.ts';
import type { ReplicaManager } from './replica-manager.ts';

export interface DeleteRecordsEntry {
  readonly topicPartition: TopicPartition;
  /** Records below it go; -1 for all below the high watermark. */
  readonly offset: number;
}

export interface DeleteRecordsResult {
  readonly topicPartition: TopicPartition;
  readonly errorCode: number;
  /** The smallest log start offset of the live replicas; -1 on an error that isn't a time-out. */
  readonly lowWatermark: number;
}

export class RecordDeleter {
  readonly #replicaManager: ReplicaManager;
  readonly #logger: Logger;

  constructor(options: { replicaManager: ReplicaManager; logger: Logger }) {
    this.#replicaManager = options.replicaManager;
    this.#logger = options.logger.child({ component: 'RecordDeleter' });
  }

  /**
   * `respond` is called once, with a result for each entry in their order. Codes: INVALID_TOPIC_EXCEPTION (an internal topic),
   * NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE (above the high watermark, or negative but -1), POLICY_VIOLATION (`cleanup.policy`
   * has no `delete`), KAFKA_STORAGE_ERROR, REQUEST_TIMED_OUT (deleted here, but not yet on every replica).
   */
  delete(entries: readonly DeleteRecordsEntry[], timeoutMs: number, respond: (results: readonly DeleteRecordsResult[]) => void): void {
    const statuses = entries.map((entry) => ({ ...this.#deleteOne(entry), topicPartition: entry.topicPartition }));
    const answer = (): void =>
      respond(
        statuses.map(({ topicPartition, errorCode, lowWatermark }) => ({
          topicPartition,
          errorCode: errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR,
          lowWatermark,
        })),
      );
    const waiting = statuses.filter(({ errorCode }) => errorCode === undefined);
    if (waiting.length === 0) {
      answer();
      return;
    }
    const partitions = new Map(waiting.map(({ key, topicPartition }) => [key, topicPartition]));
    const operation = new DelayedDeleteRecords({
      delayMs: timeoutMs,
      statuses: waiting,
      partitionOf: ({ key }) => {
        const topicPartition = partitions.get(key);
        return topicPartition === undefined ? undefined : this.#replicaManager.partition(topicPartition);
      },
      respond: answer,
    });
    this.#replicaManager.deleteRecordsPurgatory.tryCompleteElseWatch(operation, [...partitions.keys()]);
  }

  #deleteOne({ topicPartition, offset }: DeleteRecordsEntry): DeleteRecordsStatus {
    const key = topicPartitionKey(topicPartition);
    const failed = (errorCode: number): DeleteRecordsStatus => ({
      key,
      requiredOffset: offset,
      lowWatermark: INVALID_LOW_WATERMARK,
      errorCode,
    });
    if (isInternalTopic(topicPartition.topic)) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const partition = this.#replicaManager.partition(topicPartition);
    if (partition === undefined) return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    try {
      const { requiredOffset, lowWatermark } = partition.deleteRecordsOnLeader(offset);
      this.#logger.info(
        `Records of ${key} below offset ${requiredOffset} are deleted at a client's request; low watermark ${lowWatermark}`,
      );
      // Consumers that wait below are told that they are out of range.
      this.#replicaManager.completeDelayed(key);
      return { key, requiredOffset, lowWatermark, errorCode: lowWatermark >= requiredOffset ? ErrorCode.NONE : undefined };
    } catch (error) {
      if (error instanceof KafkaError) return failed(error.code);
      if (error instanceof OffsetOutOfRangeError || error instanceof LogStorageError) return failed(error.errorCode);
      throw error;
    }
  }
}
