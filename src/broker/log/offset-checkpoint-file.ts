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
  /** Asked for and not begun. */
  #waiting: Promise<void> | undefined;
  #last: string | undefined;
  #written: ReadonlyMap<string, number> = new Map();

  constructor(disk: Disk, logDirectory: string, fileName: string, logger: Logger) {
    this.#disk = disk;
    this.#path = `${logDirectory}/${fileName}`;
    this.#logger = logger;
  }

  /** The offsets by `topic-partition`. Throws the disk's errors. */
  read(): ReadonlyMap<string, number> {
    return byName(this.readEntries());
  }

  readEntries(): readonly OffsetCheckpoint[] {
    if (!this.#disk.exists(this.#path)) return [];
    try {
      return decodeOffsetCheckpoint(this.#disk.readFile(this.#path).toString('utf8'));
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      this.#logger.warn({ err: error }, `${this.#path} can't be read and counts as empty`);
      return [];
    }
  }

  /**
   * Writes and syncs, on the thread pool; one write at a time, and none when nothing changed. Rejects with the disk's error.
   *
   * @param entries asked when the writing begins: calls that come before share it.
   */
  write(entries: () => readonly OffsetCheckpoint[]): Promise<void> {
    this.#waiting ??= this.#writeAfter(this.#writing, entries);
    this.#writing = this.#waiting.catch(() => {});
    return this.#waiting;
  }

  async #writeAfter(before: Promise<void>, entries: () => readonly OffsetCheckpoint[]): Promise<void> {
    await before;
    this.#waiting = undefined;
    const next = entries();
    const text = encodeOffsetCheckpoint(next);
    if (text === this.#last) return;
    await writeAtomicallyInBackground(this.#disk, this.#path, text);
    this.#last = text;
    this.#written = byName(next);
  }

  /** By `topic-partition`, what is on the device for certain: as it was last written. */
  get written(): ReadonlyMap<string, number> {
    return this.#written;
  }

  /** Resolves when what was to be written up to now is, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** The same at once, holding the event loop: at shutdown, when nothing is being written. */
  writeNow(entries: readonly OffsetCheckpoint[]): void {
    writeFileAtomically(this.#disk, this.#path, encodeOffsetCheckpoint(entries));
  }
}

function byName(entries: readonly OffsetCheckpoint[]): ReadonlyMap<string, number> {
  return new Map(entries.map(({ topicPartition, offset }) => [topicPartitionKey(topicPartition), offset]));
}
