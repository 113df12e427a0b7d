/**
 * One `*-offset-checkpoint` file of a log dir. A damaged one counts as empty, which costs scanning or a truncation check, never records.
 * Source: Kafka's OffsetCheckpointFile.
 */
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../log-format/checkpoint.ts';
import type { OffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { Disk } from '../../runtime/disk.ts';
import { writeFileAtomically } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import { writeAtomicallyInBackground } from './background-file.ts';

export class OffsetCheckpointFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #logger: Logger;
  #writing: Promise<void> = Promise.resolve();
  #last: string | undefined;

  constructor(disk: Disk, logDirectory: string, fileName: string, logger: Logger) {
    this.#disk = disk;
    this.#path = `${logDirectory}/${fileName}`;
    this.#logger = logger;
  }

  /** The offsets by `topic-partition`. Throws the disk's errors. */
  read(): Map<string, number> {
    const offsets = new Map<string, number>();
    if (!this.#disk.exists(this.#path)) return offsets;
    try {
      const text = this.#disk.readFile(this.#path).toString('utf8');
      for (const { topicPartition, offset } of decodeOffsetCheckpoint(text)) offsets.set(topicPartitionKey(topicPartition), offset);
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      this.#logger.warn({ err: error }, `${this.#path} can't be read and counts as empty`);
      offsets.clear();
    }
    return offsets;
  }

  /** Writes and syncs, on the thread pool; one write at a time, and none when nothing changed. Rejects with the disk's error. */
  write(entries: readonly OffsetCheckpoint[]): Promise<void> {
    const text = encodeOffsetCheckpoint(entries);
    const write = this.#writing.then(async () => {
      if (text === this.#last) return;
      await writeAtomicallyInBackground(this.#disk, this.#path, text);
      this.#last = text;
    });
    this.#writing = write.catch(() => {});
    return write;
  }

  /** Resolves when what was to be written up to now is, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** The same at once, holding the event loop: at shutdown. */
  writeNow(entries: readonly OffsetCheckpoint[]): void {
    writeFileAtomically(this.#disk, this.#path, encodeOffsetCheckpoint(entries));
  }
}
