/** The cleaner's part of `log.retention`: what compaction has done to a log, and what it will do. */
import type { LogRetentionAnswer, PartitionCleaningAnswer } from '../../introspection/answers/log-retention.ts';
import type { CleanerDescription, PartitionCleaning } from '../log/cleaner/cleaner-description.ts';
import type { UnifiedLog } from '../log/unified-log.ts';

export function cleanerAnswer({
  isEnabled,
  threads,
  deadThreads,
  lastCheckMs,
  backoffMs,
}: CleanerDescription): LogRetentionAnswer['cleaner'] {
  return { isEnabled, threads, deadThreads, lastCheckMs, backoffMs };
}

/** Null for a log that isn't compacted, or when nothing is. */
export function cleaningOf({ partitions }: CleanerDescription, { topicPartition }: UnifiedLog): PartitionCleaningAnswer | null {
  const { topic, partition } = topicPartition;
  const found = partitions.find((one) => one.topic === topic && one.partition === partition);
  return found === undefined ? null : cleaningAnswer(found);
}

function cleaningAnswer(cleaning: PartitionCleaning): PartitionCleaningAnswer {
  const { lastRun } = cleaning;
  return {
    state: cleaning.state,
    uncleanableReason: cleaning.uncleanableReason ?? null,
    firstDirtyOffset: cleaning.firstDirtyOffset,
    firstUncleanableOffset: cleaning.firstUncleanableOffset,
    boundBy: cleaning.boundBy,
    cleanBytes: cleaning.cleanBytes,
    cleanableBytes: cleaning.cleanableBytes,
    uncleanableBytes: cleaning.uncleanableBytes,
    dirtyRatio: cleaning.dirtyRatio,
    minCleanableDirtyRatio: cleaning.minCleanableDirtyRatio,
    isDue: cleaning.isDue,
    dueMs: cleaning.dueMs ?? null,
    lastRun:
      lastRun === undefined
        ? null
        : {
            startedMs: lastRun.startedMs,
            durationMs: lastRun.durationMs,
            firstDirtyOffset: lastRun.firstDirtyOffset,
            nextDirtyOffset: lastRun.nextDirtyOffset,
            bytesRead: lastRun.bytesRead,
            bytesWritten: lastRun.bytesWritten,
            recordsRead: lastRun.recordsRead,
            recordsWritten: lastRun.recordsWritten,
            segmentsBefore: lastRun.segmentsBefore,
            segmentsAfter: lastRun.segmentsAfter,
          },
  };
}
