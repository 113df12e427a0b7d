/**
 * What the logs of a broker tell of themselves, for the timeline and the flush lab: what recovery found after an unclean end, and a
 * log dir that has failed. Kafka says the like in its log only.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';

/** One log that was scanned at start, because the broker had not closed it in order. */
export interface LogRecovered extends TopicPartition {
  readonly kind: 'log-recovered';
  /** Cut off, with the segments behind that went too; 0 when every batch was whole. */
  readonly truncatedBytes: number;
  readonly logEndOffset: number;
  /** Below it everything was known to be on the device, and nothing was scanned. */
  readonly recoveryPoint: number;
  /** Why the rest was cut off; what was found where nothing was. */
  readonly reason: string;
  readonly scannedBytes: number;
  readonly tookMs: number;
}

/** All logs are open, some of them after recovery. */
export interface LogsRecovered {
  readonly kind: 'logs-recovered';
  readonly totalLogs: number;
  readonly recoveredLogs: number;
  /** Logs that something was cut off. */
  readonly truncatedLogs: number;
  readonly truncatedBytes: number;
  readonly scannedBytes: number;
  readonly tookMs: number;
  readonly reason: string;
}

export interface LogDirFailed {
  readonly kind: 'log-dir-failed';
  readonly directory: string;
  readonly reason: string;
  /** What is left online. */
  readonly liveLogDirs: number;
}

export type LogEvent = LogRecovered | LogsRecovered | LogDirFailed;
