/** What a LogManager needs, and what it tells of its log dirs. */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { LogCleanerConfig } from './cleaner/log-cleaner.ts';
import type { LogLimits } from './log-context.ts';
import type { LogEvent } from './log-events.ts';
import type { RecoveryBounds } from './recovery-workers.ts';
import type { UnifiedLog } from './unified-log.ts';

export type LogManagerConfig = Pick<
  KafkaConfig,
  | 'brokerId'
  | 'logDirs'
  | 'logFlushSchedulerIntervalMs'
  | 'logFlushOffsetCheckpointIntervalMs'
  | 'logFlushStartOffsetCheckpointIntervalMs'
  | 'logRetentionCheckIntervalMs'
  | 'logInitialTaskDelayMs'
  | 'producerIdExpirationMs'
  | 'numRecoveryThreadsPerDataDir'
  | 'producerIdExpirationCheckIntervalMs'
  | 'logCleanerEnable'
> &
  LogCleanerConfig;

export interface LogManagerOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'clock' | 'scheduler' | 'random' | 'logger' | 'metrics' | 'net' | 'offload'>;
  /** Asked each time: a dynamic change of the broker's configuration counts from then on. */
  readonly config: () => LogManagerConfig;
  readonly clusterId: string;
  /** A topic's configuration: its own settings over the broker's. */
  readonly topicConfig: (topic: string) => LogConfig;
  /** The log of a partition that had none was made, with `topicConfig` as it was then. */
  readonly onNewLog?: (topicPartition: TopicPartition) => void;
  readonly pid: number;
  /** A folder with a short path for sockets: the system's temporary one. */
  readonly socketDirectory: string;
  /** A log dir has failed; its logs are offline by then. `liveLogDirs` tells how many are left: with none the process must end. */
  readonly onLogDirFailure?: (directory: string, message: string) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** What recovery found, and log dirs that fail. */
  readonly onEvent?: (event: LogEvent) => void;
  readonly limits?: Partial<LogLimits>;
  /** From how much on workers scan what must be recovered, when not as usual: for tests. */
  readonly recoveryBounds?: RecoveryBounds;
}

export interface LoadProgress {
  readonly totalLogs: number;
  readonly loadedLogs: number;
  /** Bytes scanned by recovery. */
  readonly scannedBytes: number;
}

export interface LogDirDescription {
  readonly path: string;
  readonly isOffline: boolean;
  readonly logs: readonly UnifiedLog[];
  /** Those that are being filled here, to take the place of one in another log dir. */
  readonly futureLogs: readonly UnifiedLog[];
  /** Of the file system; -1 when it can't be told. */
  readonly totalBytes: number;
  readonly usableBytes: number;
}
