/** What the logs of a broker count: appends, flushes and their latency. Names are Kafka's where Kafka has one. */
import type { Counter, Histogram, MetricsRegistry } from '../../runtime/metrics.ts';

export class LogStats {
  /** One value per gathered write: its bytes. */
  readonly writeBytes: Histogram;
  readonly writeTimeMs: Histogram;
  readonly asyncWrites: Counter;
  /** Kafka's `kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs`. */
  readonly flushTimeMs: Histogram;
  readonly flushErrors: Counter;
  readonly tailReads: Counter;
  readonly fileReads: Counter;

  constructor(metrics: MetricsRegistry) {
    this.writeBytes = metrics.histogram('samsa.log:type=LogWriteStats,name=WriteBytes');
    this.writeTimeMs = metrics.histogram('samsa.log:type=LogWriteStats,name=WriteTimeMs');
    this.asyncWrites = metrics.counter('samsa.log:type=LogWriteStats,name=AsyncWrites');
    this.flushTimeMs = metrics.histogram('kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs');
    this.flushErrors = metrics.counter('samsa.log:type=LogFlushStats,name=FlushErrors');
    this.tailReads = metrics.counter('samsa.log:type=LogReadStats,name=TailReads');
    this.fileReads = metrics.counter('samsa.log:type=LogReadStats,name=FileReads');
  }
}
