/** What the logs of a broker count: appends, flushes and their latency. Names are Kafka's where Kafka has one. */
import type { FlushSummary } from '../../introspection/answers/log-flush.ts';
import type { Counter, Histogram, MetricsRegistry } from '../../runtime/metrics.ts';
import { FlushStats } from './flush-stats.ts';
import type { Flush } from './flush-stats.ts';

/** Of the latest flushes of all logs. */
const KEPT_TIMES = 2_048;

export class LogStats {
  /** One value per gathered write: its bytes. */
  readonly writeBytes: Histogram;
  readonly writeTimeMs: Histogram;
  readonly asyncWrites: Counter;
  /** Kafka's `kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs`. */
  readonly flushTimeMs: Histogram;
  /** Calls of fsync by flushes. */
  readonly fsyncs: Counter;
  readonly flushErrors: Counter;
  readonly tailReads: Counter;
  readonly fileReads: Counter;

  readonly #flushes = new FlushStats(KEPT_TIMES);

  constructor(metrics: MetricsRegistry) {
    this.writeBytes = metrics.histogram('samsa.log:type=LogWriteStats,name=WriteBytes');
    this.writeTimeMs = metrics.histogram('samsa.log:type=LogWriteStats,name=WriteTimeMs');
    this.asyncWrites = metrics.counter('samsa.log:type=LogWriteStats,name=AsyncWrites');
    this.flushTimeMs = metrics.histogram('kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs');
    this.fsyncs = metrics.counter('samsa.log:type=LogFlushStats,name=Fsyncs');
    this.flushErrors = metrics.counter('samsa.log:type=LogFlushStats,name=FlushErrors');
    this.tailReads = metrics.counter('samsa.log:type=LogReadStats,name=TailReads');
    this.fileReads = metrics.counter('samsa.log:type=LogReadStats,name=FileReads');
  }

  flushed(flush: Flush): void {
    this.flushTimeMs.record(flush.tookMs);
    this.fsyncs.add(flush.fsyncs);
    this.#flushes.record(flush);
  }

  /** Of all logs. */
  flushSummary(nowMs: number): FlushSummary {
    return this.#flushes.summary(nowMs);
  }
}
