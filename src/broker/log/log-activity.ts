/** What logs do, as events for the timeline: what flushes of all logs did in some seconds, what a cleaning did. */
import { FLUSH_REASONS } from '../../introspection/answers/log-flush.ts';
import type { FlushSummary } from '../../introspection/answers/log-flush.ts';
import type { CleaningRun } from './cleaner/cleaner-stats.ts';
import type { LogCleaned, LogsFlushed } from './log-events.ts';
import type { UnifiedLog } from './unified-log.ts';

/** With `flush.messages` of 1 there is a flush for each batch: they are told together. */
export class FlushReport {
  readonly #summary: (nowMs: number) => FlushSummary;
  #before: FlushSummary;
  #beforeMs: number;

  constructor(summary: (nowMs: number) => FlushSummary, nowMs: number) {
    this.#summary = summary;
    this.#before = summary(nowMs);
    this.#beforeMs = nowMs;
  }

  /** What came since the last call; undefined when nothing did. */
  next(nowMs: number): LogsFlushed | undefined {
    const before = this.#before;
    const now = this.#summary(nowMs);
    const overMs = nowMs - this.#beforeMs;
    this.#before = now;
    this.#beforeMs = nowMs;
    if (now.flushes === before.flushes) return undefined;
    return {
      kind: 'logs-flushed',
      flushes: now.flushes - before.flushes,
      fsyncs: now.fsyncs - before.fsyncs,
      messages: now.messages - before.messages,
      bytes: now.bytes - before.bytes,
      tookMs: Math.round(now.totalMs - before.totalMs),
      overMs,
      reason: FLUSH_REASONS.map((reason) => ({ reason, count: now.byReason[reason] - before.byReason[reason] }))
        .filter(({ count }) => count > 0)
        .map(({ reason, count }) => `${count} by ${reason}`)
        .join(', '),
    };
  }
}

export function cleanedEvent({ topicPartition }: UnifiedLog, run: CleaningRun): LogCleaned {
  const { firstDirtyOffset, nextDirtyOffset, bytesRead, bytesWritten, recordsRead, recordsWritten, tombstonesDropped } = run;
  return {
    kind: 'log-cleaned',
    ...topicPartition,
    firstDirtyOffset,
    nextDirtyOffset,
    bytesRead,
    bytesWritten,
    recordsRead,
    recordsWritten,
    tombstonesDropped,
    tookMs: Math.round(run.durationMs),
    reason: `newer records had replaced ${recordsRead - recordsWritten - tombstonesDropped}`,
  };
}
