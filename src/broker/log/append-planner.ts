/**
 * Decides, while appends wait to be written, which of them begin a new segment: it counts what the active segment will hold once all
 * in front is written.
 */
import type { LogConfig } from '../config/log-config.ts';
import type { LocalLog } from './local-log.ts';
import type { LogContext } from './log-context.ts';
import type { LogSegment } from './log-segment.ts';

export interface PlannedBatch {
  readonly sizeBytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/** The segment that the next append would go to: the active one, or one that a waiting append will begin. */
interface NextSegment {
  readonly active: LogSegment | undefined;
  readonly baseOffset: number;
  readonly firstTimestamp: number;
  sizeBytes: number;
}

export class AppendPlanner {
  readonly #context: LogContext;
  readonly #log: LocalLog;
  #next: NextSegment | undefined;
  #appendEndOffset: number;

  constructor(context: LogContext, log: LocalLog) {
    this.#context = context;
    this.#log = log;
    this.#appendEndOffset = log.logEndOffset;
  }

  /** The offset that the next record gets. */
  get appendEndOffset(): number {
    return this.#appendEndOffset;
  }

  /** Nothing waits (any more), or the log was cut: what is on disk counts. */
  reset(): void {
    this.#next = undefined;
    this.#appendEndOffset = this.#log.logEndOffset;
  }

  /** Whether a batch must begin a new segment. */
  shouldRoll(batch: PlannedBatch, config: LogConfig): boolean {
    const next = (this.#next ??= this.#activeSegment());
    const { sizeBytes, lastOffset, maxTimestamp } = batch;
    if (next.active !== undefined) {
      const params = {
        maxSegmentMs: config.segmentMs,
        maxSegmentBytes: config.segmentBytes,
        maxTimestampInMessages: maxTimestamp,
        maxOffsetInMessages: lastOffset,
        messagesSize: sizeBytes,
        nowMs: this.#context.clock.wallMs(),
      };
      return next.active.shouldRoll(params, next.sizeBytes);
    }
    return (
      next.sizeBytes > config.segmentBytes - sizeBytes ||
      lastOffset - next.baseOffset > 0x7fff_ffff ||
      (next.firstTimestamp >= 0 && maxTimestamp - next.firstTimestamp > config.segmentMs)
    );
  }

  /** The batch goes to the log; `rollAt` is the base offset of the segment that it begins. */
  add(batch: PlannedBatch, rollAt: number | undefined): void {
    this.#appendEndOffset = batch.lastOffset + 1;
    if (rollAt === undefined) (this.#next ??= this.#activeSegment()).sizeBytes += batch.sizeBytes;
    else this.#next = { active: undefined, baseOffset: rollAt, firstTimestamp: batch.maxTimestamp, sizeBytes: batch.sizeBytes };
  }

  #activeSegment(): NextSegment {
    const active = this.#log.activeSegment;
    return { active, baseOffset: active.baseOffset, firstTimestamp: -1, sizeBytes: active.sizeBytes };
  }
}
