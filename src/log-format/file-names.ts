/**
 * Names of the files and folders in a log dir.
 *
 * A partition's folder is `<topic>-<partition>` (a topic may contain '-'), or `<topic>-<partition>.<32 hex digits>` followed
 * by `-delete`, `-future` or `-stray`. A segment's files carry its base offset in 20 decimal digits.
 * Source: Kafka's LocalLog, UnifiedLog and LogFileUtils.
 */
import type { TopicPartition } from '../protocol/topic-partition.ts';

export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TXN_INDEX_SUFFIX = '.txnindex';
export const PRODUCER_SNAPSHOT_SUFFIX = '.snapshot';
/** Added to a file's whole name: renamed for deletion, removed later. */
export const DELETED_SUFFIX = '.deleted';
/** Added by the cleaner to a segment it has not finished: thrown away at start. */
export const CLEANED_SUFFIX = '.cleaned';
/** Added by the cleaner to a finished segment that is about to replace others: the replacement is completed at start. */
export const SWAP_SUFFIX = '.swap';

export const DELETE_DIR_SUFFIX = '-delete';
export const FUTURE_DIR_SUFFIX = '-future';
export const STRAY_DIR_SUFFIX = '-stray';

export const META_PROPERTIES = 'meta.properties';
export const LOCK_FILE = '.lock';
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
export const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint';
export const REPLICATION_OFFSET_CHECKPOINT = 'replication-offset-checkpoint';
export const CLEANER_OFFSET_CHECKPOINT = 'cleaner-offset-checkpoint';
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';
export const PARTITION_METADATA = 'partition.metadata';

/** The longest file name that file systems take. */
const MAX_NAME_LENGTH = 255;

export type SegmentFileSuffix =
  | typeof LOG_SUFFIX
  | typeof OFFSET_INDEX_SUFFIX
  | typeof TIME_INDEX_SUFFIX
  | typeof TXN_INDEX_SUFFIX
  | typeof PRODUCER_SNAPSHOT_SUFFIX;

/** `00000000000000000042.log` for (42, '.log'). */
export function segmentFileName(baseOffset: number, suffix: SegmentFileSuffix): string {
  return `${baseOffset.toString().padStart(20, '0')}${suffix}`;
}

export interface SegmentFile {
  readonly offset: number;
  readonly suffix: SegmentFileSuffix;
  /** '.deleted', '.cleaned', '.swap', or '' for a live file. */
  readonly state: '' | typeof DELETED_SUFFIX | typeof CLEANED_SUFFIX | typeof SWAP_SUFFIX;
}

const SEGMENT_FILE = /^(\d{1,20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap)?$/;

/** What a file of a partition's folder is, or undefined when it belongs to no segment. */
export function parseSegmentFileName(name: string): SegmentFile | undefined {
  const match = SEGMENT_FILE.exec(name);
  if (match === null) return undefined;
  const offset = Number(match[1]);
  if (!Number.isSafeInteger(offset)) return undefined;
  return { offset, suffix: match[2] as SegmentFileSuffix, state: (match[3] ?? '') as SegmentFile['state'] };
}

/** The folder of a partition: `orders-eu-3`. */
export function logDirName(topicPartition: TopicPartition): string {
  return `${topicPartition.topic}-${topicPartition.partition}`;
}

/**
 * The folder's name once the partition is deleted or stray: `<topic>-<p>.<uniqueId>-delete`. A long topic is cut so that the
 * whole fits a file name (Kafka cuts the same way).
 *
 * @param uniqueId 32 hex digits, random.
 */
export function markedDirName(
  topicPartition: TopicPartition,
  uniqueId: string,
  suffix: typeof DELETE_DIR_SUFFIX | typeof STRAY_DIR_SUFFIX | typeof FUTURE_DIR_SUFFIX,
): string {
  const tail = `-${topicPartition.partition}.${uniqueId}${suffix}`;
  return topicPartition.topic.slice(0, MAX_NAME_LENGTH - tail.length) + tail;
}

export interface PartitionDir {
  readonly topicPartition: TopicPartition;
  readonly kind: 'current' | 'delete' | 'future' | 'stray';
}

const MARKED_DIR = /^(\S+)-(\d+)\.(\S+)-(delete|future|stray)$/;
const PLAIN_DIR = /^(.+)-(\d+)$/;

/** The partition that a folder of a log dir holds, or undefined when it isn't one of Kafka's. */
export function parsePartitionDirName(name: string): PartitionDir | undefined {
  const marked = MARKED_DIR.exec(name);
  if (marked !== null) return partitionDir(marked[1], marked[2], marked[4] as PartitionDir['kind']);
  const plain = PLAIN_DIR.exec(name);
  return plain === null ? undefined : partitionDir(plain[1], plain[2], 'current');
}

function partitionDir(topic: string | undefined, digits: string | undefined, kind: PartitionDir['kind']): PartitionDir | undefined {
  const partition = Number(digits);
  if (topic === undefined || partition > 0x7fff_ffff) return undefined;
  return { topicPartition: { topic, partition }, kind };
}
