/**
 * Logs that are being filled to take the place of a partition's present log in another log dir, and the log dirs that were chosen for
 * partitions that aren't made yet.
 *
 *   <topic>-<p>.<32 hex digits>-future   grows beside the present log, in another log dir; loaded at start, its move goes on
 *   rename to <topic>-<p>                it is the partition's log from here on
 *   the old folder ─► …-delete           removed after file.delete.delay.ms
 *
 * After an unclean end a future log is cut to its checkpointed recovery point, and filled from there.
 * A broker that dies between the two renames leaves two folders of one name, each with every record: at the next start the one that
 * reaches further is kept. Kafka refuses to start on such folders. Source: Kafka's LogManager.replaceCurrentWithFutureLog, KIP-113.
 */
import { FUTURE_DIR_SUFFIX, markedDirName } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { UnifiedLog } from './unified-log.ts';

export class FutureLogs {
  readonly #logs = new Map<string, UnifiedLog>();
  readonly #preferredDirs = new Map<string, string>();

  get(topicPartition: TopicPartition): UnifiedLog | undefined {
    return this.#logs.get(topicPartitionKey(topicPartition));
  }

  all(): IterableIterator<UnifiedLog> {
    return this.#logs.values();
  }

  in(directory: string): UnifiedLog[] {
    return this.#logs.size === 0 ? [] : [...this.#logs.values()].filter((log) => log.logDir === directory);
  }

  add(log: UnifiedLog): void {
    this.#logs.set(topicPartitionKey(log.topicPartition), log);
  }

  delete(topicPartition: TopicPartition): void {
    this.#logs.delete(topicPartitionKey(topicPartition));
  }

  clear(): void {
    this.#logs.clear();
  }

  /** Where the partition's log is to be made, once it is. */
  prefer(topicPartition: TopicPartition, directory: string): void {
    this.#preferredDirs.set(topicPartitionKey(topicPartition), directory);
  }

  takePreferred(topicPartition: TopicPartition): string | undefined {
    const key = topicPartitionKey(topicPartition);
    const directory = this.#preferredDirs.get(key);
    this.#preferredDirs.delete(key);
    return directory;
  }
}

/** Whether the name of the partition's future folder can be told back: a longer topic is cut in it. */
export function canHaveFutureLog(topicPartition: TopicPartition): boolean {
  return markedDirName(topicPartition, '0'.repeat(32), FUTURE_DIR_SUFFIX).startsWith(`${topicPartition.topic}-`);
}

/**
 * Whether `future` may take the place of `current` now: it holds all that is written, as safely, and nothing is under way in either that
 * would be answered, cut or written in the wrong folder.
 */
export function isReadyToReplace(current: UnifiedLog, future: UnifiedLog): boolean {
  return (
    future.logEndOffset === current.logEndOffset &&
    future.recoveryPoint >= current.recoveryPoint &&
    current.isQuiet &&
    future.isQuiet &&
    !future.isFlushing
  );
}

/** What only the present log knows, not its records. */
export function takeOver(current: UnifiedLog, future: UnifiedLog): void {
  for (const { epoch, startOffset } of current.epochEntries) {
    if (epoch > (future.latestEpoch ?? -1)) future.maybeAssignEpochStartOffset(epoch, startOffset);
  }
  future.updateHighWatermark(current.highWatermark);
  if (current.logStartOffset > future.logStartOffset) future.maybeIncrementLogStartOffset(current.logStartOffset);
}

/** Which of two logs of one partition is kept: the one that reaches further; undefined when both reach as far. */
export function furtherOf(one: UnifiedLog, other: UnifiedLog): UnifiedLog | undefined {
  const byEpoch = (one.latestEpoch ?? -1) - (other.latestEpoch ?? -1);
  const difference = byEpoch === 0 ? one.logEndOffset - other.logEndOffset : byEpoch;
  if (difference === 0) return undefined;
  return difference > 0 ? one : other;
}
