/**
 * Decides, while appends wait to be written, which of them begin a new segment: it counts what the active segment will hold once all
 * in front is written. Called for every batch: it makes no objects.
 */
import type { AppendConfig } from './append-config.ts';
import type { LocalLog } from './local-log.ts';
import type { LogSegment } from './log-segment.ts';

const UNKNOWN = -1;

export class AppendPlanner {
  readonly #log: LocalLog;
  #appendEndOffset: number;
  /** The segment that the next append goes to: the active one, or (undefined) one that a waiting append will begin. */
  #active: LogSegment | undefined;
  #baseOffset = UNKNOWN;
  #firstTimestamp = UNKNOWN;
  /** Its size once all that waits is written; UNKNOWN when nothing waits and the active segment tells. */
  #sizeBytes = UNKNOWN;

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
    this.#active = undefined;
    this.#sizeBytes = UNKNOWN;
    this.#appendEndOffset = this.#log.logEndOffset;
  }

  /** Whether a batch must begin a new segment. */
  shouldRoll(sizeBytes: number, lastOffset: number, maxTimestamp: number, config: AppendConfig): boolean {
    if (this.#sizeBytes === UNKNOWN) this.#startAtActive();
    if (this.#active !== undefined) return this.#active.shouldRoll(this.#sizeBytes, sizeBytes, lastOffset, maxTimestamp, config);
    return (
      this.#sizeBytes > config.segmentBytes - sizeBytes ||
      lastOffset - this.#baseOffset > 0x7fff_ffff ||
      (this.#firstTimestamp >= 0 && maxTimestamp - this.#firstTimestamp > config.segmentMs)
    );
  }

  /** The next batch begins a segment. */
  rollAt(baseOffset: number, maxTimestamp: number): void {
    this.#active = undefined;
    this.#baseOffset = baseOffset;
    this.#firstTimestamp = maxTimestamp;
    this.#sizeBytes = 0;
  }

  /** The batch goes to the log. */
  add(sizeBytes: number, lastOffset: number): void {
    this.#sizeBytes += sizeBytes;
    this.#appendEndOffset = lastOffset + 1;
  }

  #startAtActive(): void {
    this.#active = this.#log.activeSegment;
    this.#sizeBytes = this.#active.sizeBytes;
  }
}
