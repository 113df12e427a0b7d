/**
 * Which leader epoch begins at which offset of a log: what tells a follower where to cut its log back (KIP-101, KIP-279).
 *
 * Epochs and start offsets grow strictly. `leader-epoch-checkpoint` is written in the background and synced before the recovery
 * point passes; what a crash loses of it is put together again from the batches that recovery scans. Differs: Kafka syncs the file
 * inside `assign`, which would hold the event loop at each change of leadership.
 * Source: Kafka's LeaderEpochFileCache.
 */
import { lastOf } from './last-of.ts';
import type { EpochEntry } from '../../log-format/checkpoint.ts';

export interface OffsetAndEpoch {
  readonly epoch: number;
  readonly endOffset: number;
}

/** What was only added can be read from the batches again; what is gone must not come back from an old file. */
export type EpochsChange = 'added' | 'removed';

export class LeaderEpochFileCache {
  /** Ascending. */
  #entries: EpochEntry[];
  readonly #onChange: (change: EpochsChange) => void;

  /** @param onChange called after each change: the checkpoint is to be written. */
  constructor(entries: readonly EpochEntry[], onChange: (change: EpochsChange) => void) {
    this.#entries = [];
    this.#onChange = () => {};
    for (const entry of entries) this.assign(entry.epoch, entry.startOffset);
    this.#onChange = onChange;
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  get latestEpoch(): number | undefined {
    return this.#entries.at(-1)?.epoch;
  }

  get latestEntry(): EpochEntry | undefined {
    return this.#entries.at(-1);
  }

  get earliestEntry(): EpochEntry | undefined {
    return this.#entries[0];
  }

  /** Notes that `epoch` begins at `startOffset`; entries that contradict it are removed. Returns whether anything changed. */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || startOffset < 0) throw new RangeError(`leader epoch ${epoch} from offset ${startOffset} isn't possible`);
    // For every batch: `at` costs more than the rest.
    const latest = lastOf(this.#entries);
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return false;
    const before = this.#entries.length;
    while (this.#entries.length > 0) {
      const last = this.#entries.at(-1);
      if (last === undefined || (last.epoch < epoch && last.startOffset < startOffset)) break;
      this.#entries.pop();
    }
    const change = this.#entries.length < before ? 'removed' : 'added';
    this.#entries.push({ epoch, startOffset });
    this.#onChange(change);
    return true;
  }

  /**
   * The largest epoch at or below `epoch` and the offset at which it ends: where the next one begins, or the log's end.
   * Undefined when `epoch` is -1 or above all that are known. Below all, it is `epoch` itself, ending where the first begins.
   */
  endOffsetFor(epoch: number, logEndOffset: number): OffsetAndEpoch | undefined {
    if (epoch < 0) return undefined;
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset };
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const next = this.#entries[higher];
    if (next === undefined) return undefined;
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset: next.startOffset };
  }

  /** The epoch that the record at `offset` was written in, or undefined when it isn't known. */
  epochForOffset(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch;
  }

  /** Removes the entries that begin at or above `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.startOffset < endOffset);
    if (this.#entries.length !== before) this.#onChange('removed');
  }

  /** Removes the entries that end at or below `startOffset`; the one that covers it begins there from now on. */
  truncateFromStart(startOffset: number): void {
    const covering = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    const entry = this.#entries[covering];
    if (entry === undefined || (covering === 0 && entry.startOffset === startOffset)) return;
    this.#entries = [{ epoch: entry.epoch, startOffset }, ...this.#entries.slice(covering + 1)];
    this.#onChange('removed');
  }

  clear(): void {
    if (this.#entries.length === 0) return;
    this.#entries = [];
    this.#onChange('removed');
  }
}
