/**
 * Everything that takes records away from a log or closes a segment: truncation, the log start offset, retention, rolls.
 * Segments, producer state, epochs, offsets and the recovery point are brought in line together.
 *
 * After a truncation what is appended waits until the cut is on the device: else old records could come back between the new.
 * Before one that goes below the recovery point or the log start offset the checkpoint files are lowered. Kafka does neither.
 * Source: Kafka's UnifiedLog.truncateTo, truncateFullyAndStartAt, deleteOldSegments, roll.
 */
import type { LogConfig } from '../config/log-config.ts';
import type { AppendPlanner } from './append-planner.ts';
import type { AppendQueue } from './append-queue.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LocalLog } from './local-log.ts';
import type { LogAppender } from './log-appender.ts';
import type { CleaningPause, LogContext } from './log-context.ts';
import type { LogFlusher } from './log-flusher.ts';
import type { LogGuard } from './log-guard.ts';
import type { LogOffsets } from './log-offsets.ts';
import { deletableByRetention, segmentsBelow } from './log-retention.ts';
import type { DeletableSegments, RetentionView } from './log-retention.ts';
import type { LogSegment } from './log-segment.ts';
import { rollReason } from './roll-reason.ts';
import { rebuildProducerState } from './producer-state-rebuild.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

export interface LogCutterParts {
  readonly context: LogContext;
  readonly guard: LogGuard;
  readonly local: LocalLog;
  readonly offsets: LogOffsets;
  readonly producers: ProducerStateManager;
  readonly snapshots: ProducerSnapshots;
  readonly epochs: LeaderEpochFileCache;
  readonly queue: AppendQueue;
  readonly planner: AppendPlanner;
  readonly appender: LogAppender;
  readonly flusher: LogFlusher;
  readonly config: () => LogConfig;
  /** The recovery point has gone back, perhaps the start too: resolves when the checkpoints say so. */
  readonly onRecoveryPointLowered: () => Promise<void>;
  /** Set while the checkpoint doesn't say where the log starts. */
  readonly beforeSegmentsGo: () => Promise<void> | undefined;
  /** Called before closed segments are cut off. */
  readonly pauseCleaning: () => CleaningPause | undefined;
  /** The log end offset has gone back. */
  readonly onCut: () => void;
  readonly onLogStartOffsetMoved: () => void;
  /** A segment was closed; the next begins at `nextOffset`. */
  readonly onRoll: (closed: LogSegment, nextOffset: number, reason: string) => void;
}

export class LogCutter {
  readonly #parts: LogCutterParts;
  /** Segments that wait to leave the log. */
  readonly #going = new Set<LogSegment>();
  #segmentsGoing: Promise<void> | undefined;

  constructor(parts: LogCutterParts) {
    this.#parts = parts;
  }

  async truncateTo(offset: number, isWanted: () => boolean): Promise<boolean> {
    // The active segment is never cleaned.
    const pause = offset < this.#parts.local.activeSegment.baseOffset ? this.#parts.pauseCleaning() : undefined;
    try {
      if (pause?.settled !== undefined) await pause.settled;
      return await this.#truncateWhenSettled(offset, isWanted);
    } finally {
      pause?.resume();
    }
  }

  async #truncateWhenSettled(offset: number, isWanted: () => boolean): Promise<boolean> {
    const { guard, local } = this.#parts;
    if (!this.#isSettled()) await this.#settledOrThrow();
    const cut = (): boolean => isWanted() && guard.runOrThrow(() => this.#truncateTo(offset));
    if (offset >= this.#checkpointedOffset) return cut();
    const end = guard.runOrThrow(() => local.segments.floor(offset)?.endAfterTruncation(offset) ?? offset);
    return this.#withRecoveryPointAt(end, cut);
  }

  #truncateTo(offset: number): boolean {
    const { local, epochs, snapshots, offsets, config } = this.#parts;
    if (offset >= local.logEndOffset) {
      // The epoch of a leadership that wrote nothing may still be there.
      epochs.truncateFromEnd(local.logEndOffset);
      return false;
    }
    if ((local.segments.first?.baseOffset ?? 0) > offset) {
      this.startAt(offset, offset);
      return true;
    }
    const gone = local.truncateTo(offset, config());
    for (const segment of gone) snapshots.remove(segment.baseOffset);
    const end = local.logEndOffset;
    epochs.truncateFromEnd(end);
    offsets.cutTo(Math.min(end, offsets.logStartOffset));
    this.#afterCut(end);
    offsets.updateHighWatermark(Math.min(offsets.highWatermark, end));
    return true;
  }

  async truncateFullyAndStartAt(offset: number, logStartOffset: number, isWanted: () => boolean): Promise<void> {
    const pause = this.#parts.pauseCleaning();
    try {
      if (pause?.settled !== undefined) await pause.settled;
      await this.#truncateFullyWhenSettled(offset, logStartOffset, isWanted);
    } finally {
      pause?.resume();
    }
  }

  async #truncateFullyWhenSettled(offset: number, logStartOffset: number, isWanted: () => boolean): Promise<void> {
    if (!this.#isSettled()) await this.#settledOrThrow();
    const cut = (): void => {
      if (isWanted()) this.#parts.guard.runOrThrow(() => this.startAt(offset, logStartOffset));
    };
    if (this.#checkpointedOffset > 0) await this.#withRecoveryPointAt(0, cut);
    else cut();
  }

  /** The most that a checkpoint may say of this log: as its recovery point or as its start. */
  get #checkpointedOffset(): number {
    return Math.max(this.#parts.flusher.recoveryPoint, this.#parts.offsets.logStartOffset);
  }

  /** Runs `cut` when the checkpoints say that the log starts at `offset` at most, and is on the device up to there at most. */
  async #withRecoveryPointAt<T>(offset: number, cut: () => T): Promise<T> {
    const release = this.#parts.flusher.holdAt(offset);
    try {
      await this.#parts.onRecoveryPointLowered();
      await this.#settledOrThrow();
      return cut();
    } finally {
      release();
    }
  }

  /** Removes everything, at once; nothing waits to be written. */
  startAt(offset: number, logStartOffset: number): void {
    const { local, epochs, snapshots, producers, offsets, config } = this.#parts;
    local.truncateFullyAndStartAt(offset, config());
    epochs.clear();
    snapshots.removeWhere(() => true);
    producers.reset(offset);
    offsets.cutTo(logStartOffset);
    this.#afterCut(offset);
    offsets.restartAt(logStartOffset, offset);
  }

  #afterCut(end: number): void {
    const { context, guard, local, flusher, planner, queue, producers, snapshots, offsets, onCut } = this.#parts;
    flusher.truncatedTo(end);
    planner.reset();
    queue.hold(guard.runAsync(() => local.syncActive()));
    onCut();
    rebuildProducerState({
      state: producers,
      snapshots,
      segments: local.segments,
      logStartOffset: offsets.logStartOffset,
      endOffset: end,
      nowMs: context.clock.wallMs(),
      producerIdExpirationMs: context.producerIdExpirationMs(),
    });
  }

  /** @throws OffsetOutOfRangeError above the high watermark. */
  maybeIncrementLogStartOffset(offset: number): boolean {
    const { offsets, epochs, onLogStartOffsetMoved } = this.#parts;
    if (!offsets.incrementLogStartOffset(offset)) return false;
    epochs.truncateFromStart(offset);
    onLogStartOffsetMoved();
    return true;
  }

  /**
   * What the log start offset and retention let go; the count of segments. They leave the log when the checkpoint says where it starts:
   * a crash may bring some of them back and not others, and what lies behind such a hole would be taken for lost.
   */
  deleteOldSegments(onDelete: (segments: readonly LogSegment[], reason: string) => void): number {
    const { guard, beforeSegmentsGo } = this.#parts;
    if (guard.failure !== undefined) return 0;
    const going = guard.run(() => this.#letGo()) ?? [];
    if (going.length === 0) return 0;
    const remove = (): void => {
      guard.run(() => this.#removeGoing(going, onDelete));
    };
    const written = beforeSegmentsGo();
    if (written === undefined) remove();
    else {
      const removed = written.then(() => {
        if (guard.failure === undefined) remove();
        if (this.#segmentsGoing === removed) this.#segmentsGoing = undefined;
      });
      this.#segmentsGoing = removed;
    }
    return going.reduce((count, { segments }) => count + segments.length, 0);
  }

  /** Set while segments wait to leave the log. */
  get segmentsGoing(): Promise<void> | undefined {
    return this.#segmentsGoing;
  }

  /** Moves the start of the log above what goes. */
  #letGo(): DeletableSegments[] {
    const { context, offsets, config } = this.#parts;
    const rules = [
      () => [{ segments: segmentsBelow(this.#view()), reason: `log start offset ${offsets.logStartOffset}` }],
      () => deletableByRetention(this.#view(), config(), context.clock.wallMs()),
    ];
    const going: DeletableSegments[] = [];
    for (const rule of rules) {
      for (const { segments, reason } of rule()) {
        const chosen = this.#withoutActive(segments.filter((segment) => !this.#going.has(segment)));
        const last = chosen.at(-1);
        if (last === undefined) continue;
        for (const segment of chosen) this.#going.add(segment);
        going.push({ segments: chosen, reason });
        const next = this.#parts.local.segments.higher(last.baseOffset);
        if (next !== undefined) this.maybeIncrementLogStartOffset(Math.min(next.baseOffset, offsets.highWatermark));
      }
    }
    return going;
  }

  #view(): RetentionView {
    const { local, offsets } = this.#parts;
    const { logStartOffset, highWatermark } = offsets;
    const segments = this.#going.size === 0 ? local.segments.all : local.segments.all.filter((segment) => !this.#going.has(segment));
    return { segments, logStartOffset, highWatermark, logEndOffset: local.logEndOffset };
  }

  /** The active segment goes only while nothing waits for it, and another is begun: there is always one. */
  #withoutActive(segments: readonly LogSegment[]): readonly LogSegment[] {
    const { local, queue } = this.#parts;
    if (segments.length === 0 || segments.at(-1) !== local.segments.last) return segments;
    if (queue.isIdle) {
      this.#rollAtEnd();
      return segments;
    }
    void queue.settled();
    return segments.slice(0, -1);
  }

  #removeGoing(going: readonly DeletableSegments[], onDelete: (segments: readonly LogSegment[], reason: string) => void): void {
    const { local, snapshots, offsets, config } = this.#parts;
    for (const { segments, reason } of going) {
      for (const segment of segments) this.#going.delete(segment);
      // The log may have been cut meanwhile.
      const left = segments.filter((segment) => {
        const next = local.segments.higher(segment.baseOffset);
        return local.segments.floor(segment.baseOffset) === segment && next !== undefined && next.baseOffset <= offsets.logStartOffset;
      });
      if (left.length === 0) continue;
      local.removeSegments(left, config());
      for (const segment of left) snapshots.remove(segment.baseOffset);
      onDelete(left, reason);
    }
  }

  async roll(): Promise<void> {
    await this.#settledOrThrow();
    this.#parts.guard.runOrThrow(() => this.#rollAtEnd());
  }

  #rollAtEnd(): void {
    const { local, planner, appender } = this.#parts;
    this.rollTo(local.logEndOffset, appender.planRoll(local.logEndOffset).snapshot, 'asked for');
    planner.reset();
  }

  /** Begins a segment at `baseOffset`; `snapshot` is the producer state there. */
  rollTo(baseOffset: number, snapshot: Buffer | undefined, reason?: string): void {
    const { context, local, snapshots, flusher, config, onRoll } = this.#parts;
    const closed = local.activeSegment;
    const segment = local.roll(Math.max(baseOffset, local.logEndOffset), config());
    if (snapshot !== undefined) snapshots.write(baseOffset, snapshot);
    onRoll(closed, segment.baseOffset, reason ?? rollReason(closed, segment.baseOffset, config(), context.clock.wallMs()));
    // What is closed goes to the device in the background, so that recovery never has much to scan.
    if (segment.baseOffset > flusher.recoveryPoint) void flusher.flush(segment.baseOffset, 'roll');
  }

  /** Writes what waits, if it can be done now; whether nothing waits then and the log is in order. */
  #isSettled(): boolean {
    const { queue, guard } = this.#parts;
    queue.drain();
    return queue.isIdle && guard.failure === undefined;
  }

  async #settledOrThrow(): Promise<void> {
    const { queue, guard } = this.#parts;
    await queue.settled();
    if (guard.failure !== undefined) throw guard.failure;
  }
}
