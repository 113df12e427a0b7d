/**
 * The producer snapshot files of one log: which there are, reading the newest good one, writing and removing them.
 * A damaged file is removed and the one before it is tried. Source: Kafka's ProducerStateManager (its half that deals with files).
 */
import { PRODUCER_SNAPSHOT_SUFFIX, parseSegmentFileName, segmentFileName } from '../../log-format/file-names.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { decodeProducerSnapshot } from '../../log-format/producer-snapshot.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ProducerStateEntry } from './producer-state-entry.ts';

export interface LoadedSnapshot {
  readonly offset: number;
  readonly entries: readonly ProducerStateEntry[];
}

export class ProducerSnapshots {
  readonly #disk: Disk;
  readonly #logger: Logger;
  #directory: string;
  /** Ascending. */
  #offsets: number[] = [];

  constructor(disk: Disk, directory: string, logger: Logger) {
    this.#disk = disk;
    this.#directory = directory;
    this.#logger = logger;
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  get latestOffset(): number | undefined {
    return this.#offsets.at(-1);
  }

  pathOf(offset: number): string {
    return `${this.#directory}/${segmentFileName(offset, PRODUCER_SNAPSHOT_SUFFIX)}`;
  }

  moved(directory: string): void {
    this.#directory = directory;
  }

  /** Takes note of the files named in a listing of the folder. */
  setFrom(fileNames: Iterable<string>): void {
    this.#offsets = [];
    for (const name of fileNames) {
      const file = parseSegmentFileName(name);
      if (file?.suffix === PRODUCER_SNAPSHOT_SUFFIX && file.state === '') this.#offsets.push(file.offset);
    }
    this.#offsets.sort((a, b) => a - b);
  }

  /**
   * Removes snapshots that belong to no segment, but the newest when it lies above all segments (made when the log was closed).
   */
  removeStray(segmentBaseOffsets: ReadonlySet<number>): void {
    const latest = this.latestOffset;
    const highest = Math.max(...segmentBaseOffsets, -1);
    for (const offset of this.#offsets) {
      const isLatestAboveAll = offset === latest && offset > highest;
      if (!segmentBaseOffsets.has(offset) && !isLatestAboveAll) this.remove(offset);
    }
  }

  /** Writes a snapshot, not synced. */
  write(offset: number, bytes: Buffer): void {
    this.#disk.writeFile(this.pathOf(offset), bytes);
    if (!this.#offsets.includes(offset)) {
      this.#offsets.push(offset);
      this.#offsets.sort((a, b) => a - b);
    }
  }

  /** The newest snapshot that can be read; damaged ones are removed. */
  loadLatest(): LoadedSnapshot | undefined {
    for (;;) {
      const offset = this.latestOffset;
      if (offset === undefined) return undefined;
      try {
        const entries = decodeProducerSnapshot(this.#disk.readFile(this.pathOf(offset)));
        return { offset, entries: entries.map((entry) => ProducerStateEntry.fromSnapshot(entry)) };
      } catch (error) {
        if (!(error instanceof LogFormatError)) throw error;
        this.#logger.warn({ err: error }, `Removing the damaged producer snapshot ${this.pathOf(offset)}: it is built again from the log`);
        this.remove(offset);
      }
    }
  }

  remove(offset: number): void {
    this.#offsets = this.#offsets.filter((other) => other !== offset);
    const path = this.pathOf(offset);
    if (this.#disk.exists(path)) this.#disk.remove(path);
  }

  removeWhere(predicate: (offset: number) => boolean): void {
    for (const offset of this.#offsets.filter(predicate)) this.remove(offset);
  }
}
