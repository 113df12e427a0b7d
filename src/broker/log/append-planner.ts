/**
 * Decides, while appends wait to be written, which of them begin a new segment: it counts what the active segment will hold once all
 * in front is written. Called for every batch: it makes no objects.
 */
import type { AppendConfig } from './append-config.ts';
import type { LocalLog } from './local-log.ts';
import { MAX_RELATIVE_OFFSET } from './segment-scan.ts';

const UNKNOWN = -1;

export class AppendPlanner {
  readonly #log: LocalLog;
  #appendEndOffset: number;
  /** Of the segment that the next append goes to: the active one, or one that a waiting append will begin. */
  #baseOffset = UNKNOWN;
  /** Its size once all that waits is written; UNKNOWN when nothing waits and the active segment tells. */
  #sizeBytes = UNKNOWN;
  /** A batch with a later one begins a new segment. */
  #latestTimestamp = Infinity;
  /** Any batch does. Asked once: indexes don't grow before what waits is written. */
  #isDue = false;

  constructor(log: LocalLog) {
    this.#log = log;
    this.#appendEndOffset = log.logEndOffset;
  }

  /** The offset that the next record gets. */
  get appendEndOffset(): number {
    return this.#appendEndOffset;
  }

  /** Nothing waits (any more), or the log was cut: what is on disk counts. */
  reset(): void {
    this.#sizeBytes = UNKNOWN;
    this.#appendEndOffset = this.#log.logEndOffset;
  }

  /** Whether a batch must begin a new segment. An empty one takes whatever its offsets allow. */
  shouldRoll(sizeBytes: number, lastOffset: number, maxTimestamp: number, config: AppendConfig): boolean {
    if (this.#sizeBytes === UNKNOWN) this.#startAtActive(config);
    const relativeOffset = lastOffset - this.#baseOffset;
    if (relativeOffset < 0 || relativeOffset > MAX_RELATIVE_OFFSET) return true;
    if (this.#sizeBytes === 0) return false;
    return this.#isDue || this.#sizeBytes > config.segmentBytes - sizeBytes || maxTimestamp > this.#latestTimestamp;
  }

  /** The next batch begins a segment. */
  rollAt(baseOffset: number, maxTimestamp: number, config: AppendConfig): void {
    this.#baseOffset = baseOffset;
    this.#latestTimestamp = maxTimestamp >= 0 ? maxTimestamp + config.segmentMs : Infinity;
    this.#isDue = false;
    this.#sizeBytes = 0;
  }

  /** The batch goes to the log. */
  add(sizeBytes: number, lastOffset: number): void {
    this.#sizeBytes += sizeBytes;
    this.#appendEndOffset = lastOffset + 1;
  }

  #startAtActive({ segmentMs }: AppendConfig): void {
    const active = this.#log.activeSegment;
    this.#baseOffset = active.baseOffset;
    this.#sizeBytes = active.sizeBytes;
    this.#latestTimestamp = active.latestTimestamp(segmentMs);
    this.#isDue = active.isDueForRoll(segmentMs);
  }
}
