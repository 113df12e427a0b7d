/**
 * What the logs of a broker tell of themselves, for the timeline and the flush lab: what recovery found after an unclean end, a
 * log dir that has failed, segments rolled and deleted, logs flushed and cleaned. Kafka says the like in its log only.
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

/** A segment was closed and the next begun. */
export interface SegmentRolled extends TopicPartition {
  readonly kind: 'segment-rolled';
  /** Of the closed one. */
  readonly baseOffset: number;
  readonly sizeBytes: number;
  /** Where the next begins. */
  readonly nextOffset: number;
  readonly reason: string;
}

export interface SegmentsDeleted extends TopicPartition {
  readonly kind: 'segments-deleted';
  readonly segments: number;
  readonly sizeBytes: number;
  /** Where the log starts now. */
  readonly logStartOffset: number;
  readonly reason: string;
}

/** What flushes did in some seconds, of all logs. */
export interface LogsFlushed {
  readonly kind: 'logs-flushed';
  readonly flushes: number;
  readonly fsyncs: number;
  readonly messages: number;
  readonly bytes: number;
  readonly tookMs: number;
  readonly overMs: number;
  /** How many for what. */
  readonly reason: string;
}

export interface LogCleaned extends TopicPartition {
  readonly kind: 'log-cleaned';
  readonly firstDirtyOffset: number;
  readonly nextDirtyOffset: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  readonly tombstonesDropped: number;
  readonly tookMs: number;
  readonly reason: string;
}

export type LogActivity = SegmentRolled | SegmentsDeleted | LogsFlushed | LogCleaned;

export type LogEvent = LogActivity | LogRecovered | LogsRecovered | LogDirFailed;
