/**
 * An internal topic (`__consumer_offsets`, `__transaction_state`) as its coordinator uses it: appends with acks=all, and reads
 * of everything up to the log end while it loads a partition that it leads.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { RecordAppender } from './record-appender.ts';
import type { ReplicaManager } from './replica-manager.ts';

export interface InternalTopicLogOptions {
  readonly topic: string;
  readonly replicaManager: ReplicaManager;
  readonly appender: RecordAppender;
  /** How long an append waits for the replicas: `offsets.commit.timeout.ms`. */
  readonly appendTimeoutMs: number;
  /** The topic's partition count: as it is, or as configured while it doesn't exist. */
  readonly partitionCount: () => number;
}

const ALL_REPLICAS = -1;

export class InternalTopicLog {
  readonly #options: InternalTopicLogOptions;

  constructor(options: InternalTopicLogOptions) {
    this.#options = options;
  }

  partitionCount(): number {
    return this.#options.partitionCount();
  }

  /** Appends one batch; `onDone` gets NONE when it is committed, else the produce error. */
  append(partition: number, batch: Buffer, onDone: (errorCode: number) => void): void {
    const { appender, appendTimeoutMs, topic } = this.#options;
    appender.append({
      entries: [{ topicPartition: { topic, partition }, records: batch }],
      requiredAcks: ALL_REPLICAS,
      timeoutMs: appendTimeoutMs,
      origin: 'coordinator',
      respond: ([result]) => onDone(result?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR),
    });
  }

  isLeader(partition: number): boolean {
    return this.#leaderLog(partition) !== undefined;
  }

  leaderEpoch(partition: number): number {
    return this.#options.replicaManager.partition({ topic: this.#options.topic, partition })?.leaderEpoch ?? -1;
  }

  logStartOffset(partition: number): number {
    return this.#leaderLog(partition)?.logStartOffset ?? -1;
  }

  logEndOffset(partition: number): number {
    return this.#leaderLog(partition)?.logEndOffset ?? -1;
  }

  /** Whole batches from `offset` on, at least one where there is one; empty at the end or when this broker leads no more. */
  read(partition: number, offset: number, maxBytes: number): Buffer {
    const log = this.#leaderLog(partition);
    if (log === undefined || offset >= log.logEndOffset) return Buffer.alloc(0);
    const read = log.read(offset, { maxBytes, maxOffset: log.logEndOffset, minOneMessage: true });
    return Buffer.concat(read.records);
  }

  #leaderLog(partition: number): UnifiedLog | undefined {
    const log = this.#options.replicaManager.partition({ topic: this.#options.topic, partition })?.leaderLogOrError();
    return typeof log === 'number' ? undefined : log;
  }
}
