/** Makes a log: its folder with one empty segment. One that exists is opened by `loadLog`. */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { LogConfig } from '../config/log-config.ts';
import { LocalLog } from './local-log.ts';
import type { LogContext } from './log-context.ts';
import { LogSegment } from './log-segment.ts';
import { LogSegments } from './log-segments.ts';
import { ProducerSnapshots } from './producer-snapshots.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import { UnifiedLog } from './unified-log.ts';

export interface NewLogOptions {
  readonly topicPartition: TopicPartition;
  readonly directory: string;
  readonly config: LogConfig;
  readonly topicId?: string | undefined;
}

/** Makes the folder of a new log and opens it. Throws the disk's errors. */
export function createLog(context: LogContext, options: NewLogOptions): UnifiedLog {
  const { topicPartition, directory, config, topicId } = options;
  context.disk.makeDirectory(directory);
  const segments = new LogSegments();
  segments.add(LogSegment.create(context, directory, 0, config));
  const log = new UnifiedLog(context, {
    topicPartition,
    config,
    local: new LocalLog(context, directory, { segments, logEndOffset: 0, directoryDirty: true, unsyncedLengths: [] }),
    producerState: new ProducerStateManager(),
    snapshots: new ProducerSnapshots(context.disk, directory, context.logger),
    epochEntries: [],
    epochsDirty: false,
    topicId: undefined,
    logStartOffset: 0,
    recoveryPoint: 0,
    rebuilt: [],
  });
  if (topicId !== undefined) log.assignTopicId(topicId);
  return log;
}
