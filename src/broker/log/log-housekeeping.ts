/**
 * What time asks for of the logs: retention, flushing by `flush.ms`, checkpoints, forgetting producers, memory that isn't in use. All periods
 * are asked for each time.
 */
import type { Cancellable } from '../../runtime/scheduler.ts';
import type { LogCleaner } from './cleaner/log-cleaner.ts';
import { FlushReport } from './log-activity.ts';
import type { LogCheckpoints } from './log-checkpoints.ts';
import type { LogContext } from './log-context.ts';
import type { LogEvent } from './log-events.ts';
import type { LogManagerConfig } from './log-manager-options.ts';
import type { LogTable } from './log-table.ts';

export interface LogHousekeepingParts {
  readonly context: LogContext;
  readonly config: () => LogManagerConfig;
  readonly table: LogTable;
  readonly checkpoints: LogCheckpoints;
  readonly cleaner: () => LogCleaner | undefined;
  readonly onEvent: (event: LogEvent) => void;
}

const INDEX_SWEEP_MS = 1000;
const FLUSH_REPORT_MS = 10_000;
/** Tails of logs that nothing is appended to are dropped after this. */
const TAIL_EXPIRY_MS = 10_000;
const MAX_PERIOD_MS = 0x7fff_ffff;

export class LogHousekeeping {
  readonly #parts: LogHousekeepingParts;
  readonly #timers = new Set<Cancellable>();
  #nextRetentionCheckMs = 0;
  #isStopped = false;

  constructor(parts: LogHousekeepingParts) {
    this.#parts = parts;
  }

  /** Wall clock. */
  get nextRetentionCheckMs(): number {
    return this.#nextRetentionCheckMs;
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  start(): void {
    const { config, checkpoints, context } = this.#parts;
    const initialDelayMs = config().logInitialTaskDelayMs;
    this.#nextRetentionCheckMs = this.#parts.context.clock.wallMs() + initialDelayMs;
    this.#repeat(
      () => config().logRetentionCheckIntervalMs,
      initialDelayMs,
      () => {
        this.#nextRetentionCheckMs = this.#parts.context.clock.wallMs() + config().logRetentionCheckIntervalMs;
        this.deleteOldSegments();
      },
    );
    this.#repeat(
      () => config().logFlushSchedulerIntervalMs,
      initialDelayMs,
      () => this.flushDirtyLogs(),
    );
    this.#repeat(
      () => config().logFlushOffsetCheckpointIntervalMs,
      initialDelayMs,
      () => void checkpoints.writeRecoveryPoints(),
    );
    this.#repeat(
      () => config().logFlushStartOffsetCheckpointIntervalMs,
      initialDelayMs,
      () => void checkpoints.writeLogStartOffsets(),
    );
    this.#repeat(
      () => config().producerIdExpirationCheckIntervalMs,
      initialDelayMs,
      () => this.#removeExpiredProducers(),
    );
    const flushes = new FlushReport((nowMs) => context.stats.flushSummary(nowMs), this.#parts.context.clock.wallMs());
    this.#repeat(
      () => FLUSH_REPORT_MS,
      FLUSH_REPORT_MS,
      () => {
        const event = flushes.next(this.#parts.context.clock.wallMs());
        if (event !== undefined) this.#parts.onEvent(event);
      },
    );
    this.#repeat(
      () => INDEX_SWEEP_MS,
      INDEX_SWEEP_MS,
      () => this.#sweep(),
    );
  }

  #repeat(periodMs: () => number, firstMs: number, task: () => void): void {
    const again = (delayMs: number): void => {
      this.after(delayMs, () => {
        task();
        again(periodMs());
      });
    };
    again(firstMs);
  }

  /** Runs a task later, unless the end has come by then. */
  after(delayMs: number, task: () => void): void {
    const timer = this.#parts.context.scheduler.after(Math.min(delayMs, MAX_PERIOD_MS), () => {
      this.#timers.delete(timer);
      if (!this.#isStopped) task();
    });
    this.#timers.add(timer);
  }

  /** Deletes what retention and the log start offsets let go, of logs that the cleaner doesn't look after. Returns the count of segments. */
  deleteOldSegments(): number {
    let count = 0;
    for (const log of this.#parts.table.logs.values()) {
      const cleaner = this.#parts.cleaner();
      const isCleaners = cleaner !== undefined && (log.config.compact || cleaner.isInProgress(log));
      if (!isCleaners) count += log.deleteOldSegments();
    }
    return count;
  }

  /** Flushes the logs whose `flush.ms` has passed since the last time. */
  flushDirtyLogs(): void {
    const nowMs = this.#parts.context.clock.wallMs();
    for (const log of this.#parts.table.logs.values()) {
      if (log.unflushedMessages > 0 && nowMs - log.lastFlushMs >= log.config.flushMs) void log.flush('flush.ms');
    }
  }

  #removeExpiredProducers(): void {
    const nowMs = this.#parts.context.clock.wallMs();
    for (const log of this.#parts.table.logs.values()) if (log.activeProducers.size > 0) log.removeExpiredProducers(nowMs);
  }

  /** Index entries go to their files for whoever looks at them from outside; memory that isn't in use any more is dropped. */
  #sweep(): void {
    for (const log of this.#parts.table.logs.values()) if (log.unflushedMessages > 0) log.persistIndexes();
    const idleSinceMs = this.#parts.context.clock.wallMs() - TAIL_EXPIRY_MS;
    this.#parts.context.tail.expire(idleSinceMs);
    this.#parts.context.readBuffers.expire(idleSinceMs);
    this.#parts.context.tailBuffers.expire(idleSinceMs);
  }
}
