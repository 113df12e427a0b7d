/** The answer to `log.flush`: what of a topic's replicas on this broker is on the device, and what getting it there has cost. */
export const FLUSH_REASONS = [
  /** A segment was closed: the one before goes to the device in the background. */
  'roll',
  /** `flush.messages` unflushed messages were reached. */
  'flush.messages',
  /** The scheduler (`log.flush.scheduler.interval.ms`) found the last flush longer ago than `flush.ms`. */
  'flush.ms',
  /** The log was closed in order. */
  'close',
  /** Something else asked for it. */
  'request',
] as const;
export type FlushReason = (typeof FLUSH_REASONS)[number];

export interface FlushSummary {
  /** All counts since the broker's start. */
  readonly flushes: number;
  /** Calls of fsync that the flushes made: log file, index files, snapshots, folder. */
  readonly fsyncs: number;
  readonly messages: number;
  readonly bytes: number;
  /** Sum of the flushes' times. */
  readonly totalMs: number;
  readonly byReason: Readonly<Record<FlushReason, number>>;
  /** Of the latest flushes, none older than a minute; null without any. */
  readonly latency: { readonly samples: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } | null;
  readonly last: {
    readonly reason: FlushReason;
    readonly atMs: number;
    readonly tookMs: number;
    readonly fsyncs: number;
    readonly messages: number;
    readonly bytes: number;
  } | null;
}

/** What recovery found when this log was opened after an unclean end. */
export interface LogRecovery {
  readonly scannedBytes: number;
  readonly truncatedBytes: number;
  readonly logEndOffset: number;
  /** Where the scan began. */
  readonly recoveryPoint: number;
  readonly reason: string;
  readonly tookMs: number;
}

export interface ReplicaFlush {
  readonly partition: number;
  readonly isLeader: boolean;
  readonly logStartOffset: number;
  /** Below it everything is on the device. */
  readonly recoveryPoint: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** When this process opened the log: what recovery had left. 0 for one that was made since. */
  readonly openedLogEndOffset: number;
  /** At risk: written, answered for where acks allow, and not yet on the device. */
  readonly unflushedMessages: number;
  readonly unflushedBytes: number;
  readonly sizeBytes: number;
  /** What holds for this log now: Kafka's LONG_MAX (9223372036854775807) as a number for "never". */
  readonly flushMessages: number;
  readonly flushMs: number;
  readonly flushes: FlushSummary;
  readonly recovery: LogRecovery | null;
}

export interface TopicFlush {
  readonly replicas: number;
  /** Since the broker's start. */
  readonly fsyncs: number;
  /** The slowest replica's; null without any flush in the last minute. */
  readonly p99Ms: number | null;
  readonly unflushedBytes: number;
}

export interface LogFlushAnswer {
  readonly brokerId: number;
  readonly nowMs: number;
  /** When this process opened its logs: a recovery is of that moment. */
  readonly startedAtMs: number;
  /** Of this topic, by partition: the first of them, as many as were asked for. */
  readonly replicas: readonly ReplicaFlush[];
  /** Of all of this topic's. */
  readonly total: TopicFlush;
  /** Of all logs of the broker: Kafka's LogFlushRateAndTimeMs. */
  readonly broker: FlushSummary;
}
