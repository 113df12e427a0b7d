/**
 * `replication-offset-checkpoint` of each log folder: the high watermark of every partition, written every
 * `replica.high.watermark.checkpoint.interval.ms` and at shutdown. After a crash it lags; the leader's word moves it on.
 */
import { join } from 'node:path';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { REPLICATION_OFFSET_CHECKPOINT } from '../../log-format/file-names.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { writeFileAtomically } from '../../runtime/disk.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';

export interface HighWatermark {
  readonly topicPartition: TopicPartition;
  readonly offset: number;
}

export class HighWatermarkCheckpoint {
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #offsets = new Map<string, number>();

  constructor(options: { disk: Disk; logger: Logger }) {
    this.#disk = options.disk;
    this.#logger = options.logger;
  }

  /** Reads the files of `logDirs`; a broken one is said and counts as empty, which costs a truncation check, never records. */
  load(logDirs: readonly string[]): void {
    for (const directory of logDirs) {
      const path = join(directory, REPLICATION_OFFSET_CHECKPOINT);
      if (!this.#disk.exists(path)) continue;
      try {
        for (const { topicPartition, offset } of decodeOffsetCheckpoint(this.#disk.readFile(path).toString('utf8')))
          this.#offsets.set(topicPartitionKey(topicPartition), offset);
      } catch (error) {
        this.#logger.error({ err: error }, `${path} cannot be read; its high watermarks start at the log start offsets`);
      }
    }
  }

  /** The checkpointed high watermark; undefined for a partition that no file names. */
  get(topicPartition: TopicPartition): number | undefined {
    return this.#offsets.get(topicPartitionKey(topicPartition));
  }

  /** Writes one folder's file. Throws the disk's error. */
  write(logDir: string, highWatermarks: readonly HighWatermark[]): void {
    for (const { topicPartition, offset } of highWatermarks) this.#offsets.set(topicPartitionKey(topicPartition), offset);
    writeFileAtomically(this.#disk, join(logDir, REPLICATION_OFFSET_CHECKPOINT), encodeOffsetCheckpoint(highWatermarks));
  }
}
