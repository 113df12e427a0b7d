/**
 * The offsets of a log that say what its records mean: where it starts for readers, up to where they are committed, up to where
 * transactions are decided.      logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset
 */
import type { LocalLog } from './local-log.ts';
import { OffsetOutOfRangeError } from './log-errors.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

export class LogOffsets {
  readonly #local: LocalLog;
  readonly #producers: ProducerStateManager;
  #logStartOffset: number;
  #highWatermark: number;

  constructor(local: LocalLog, producers: ProducerStateManager, logStartOffset: number) {
    this.#local = local;
    this.#producers = producers;
    this.#logStartOffset = logStartOffset;
    this.#highWatermark = logStartOffset;
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }
  get highWatermark(): number {
    return this.#highWatermark;
  }

  get lastStableOffset(): number {
    const firstUnstable = this.#producers.firstUnstableOffset;
    if (firstUnstable === undefined || firstUnstable >= this.#highWatermark) return this.#highWatermark;
    return Math.max(firstUnstable, this.#logStartOffset);
  }

  /** Sets the high watermark, kept between log start and log end offset; whether it changed. */
  updateHighWatermark(offset: number): boolean {
    const highWatermark = Math.min(Math.max(offset, this.#logStartOffset), this.#local.logEndOffset);
    if (highWatermark === this.#highWatermark) return false;
    this.#highWatermark = highWatermark;
    this.#producers.onHighWatermarkUpdated(highWatermark);
    return true;
  }

  /** Moves the log start offset up; whether it did. @throws OffsetOutOfRangeError above the high watermark. */
  incrementLogStartOffset(offset: number): boolean {
    if (offset > this.#highWatermark) {
      throw new OffsetOutOfRangeError(`The log start offset can't be ${offset}: the high watermark is ${this.#highWatermark}`);
    }
    if (offset <= this.#logStartOffset) return false;
    this.#logStartOffset = offset;
    this.#producers.onLogStartOffsetIncremented(offset);
    return true;
  }

  /** The log was cut back to `logEndOffset`; the high watermark is set apart from this. */
  cutTo(logStartOffset: number): void {
    this.#logStartOffset = logStartOffset;
  }

  /** The log begins anew: nothing before its end is uncommitted. */
  restartAt(logStartOffset: number, logEndOffset: number): void {
    this.#logStartOffset = logStartOffset;
    this.#highWatermark = Math.max(logStartOffset, logEndOffset);
  }
}
