/** The cleaner's gauges, under Kafka's names. */
import type { MetricsRegistry, MetricTags } from '../../../runtime/metrics.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { logToClean } from './cleanable-offsets.ts';
import type { CleaningRun } from './cleaner-stats.ts';
import type { LogCleanerManager } from './log-cleaner-manager.ts';

interface ThreadNumbers {
  readonly isDead: boolean;
  readonly lastRun: CleaningRun | undefined;
}

/** Returns a function that removes them. */
export function registerCleanerMetrics(
  options: { readonly runtime: { readonly metrics: MetricsRegistry; readonly clock: Clock }; readonly logDirs: readonly string[] },
  manager: LogCleanerManager,
  threads: () => readonly ThreadNumbers[],
): () => void {
  const { metrics, clock } = options.runtime;
  const registered: { readonly name: string; readonly tags: MetricTags }[] = [];
  const gauge = (name: string, read: () => number, tags: MetricTags = {}): void => {
    metrics.gauge(name, read, tags);
    registered.push({ name, tags });
  };
  const runs = (): CleaningRun[] => threads().flatMap(({ lastRun }) => (lastRun === undefined ? [] : [lastRun]));
  const largest = (numberOf: (run: CleaningRun) => number): number => Math.max(0, ...runs().map(numberOf));
  const total = (numberOf: (run: CleaningRun) => number): number => runs().reduce((sum, run) => sum + numberOf(run), 0);

  const cleaner = 'kafka.log:type=LogCleaner,name=';
  gauge(`${cleaner}max-buffer-utilization-percent`, () => Math.floor(largest((run) => run.bufferUtilization) * 100));
  gauge(`${cleaner}cleaner-recopy-percent`, () =>
    Math.floor(
      (100 * total((run) => run.bytesWritten)) /
        Math.max(
          1,
          total((run) => run.bytesRead),
        ),
    ),
  );
  gauge(`${cleaner}max-clean-time-secs`, () => Math.floor(largest((run) => run.durationMs) / 1000));
  gauge(`${cleaner}max-compaction-delay-secs`, () => Math.floor(manager.preCleanStats.maxCompactionDelayMs / 1000));
  gauge(`${cleaner}DeadThreadCount`, () => threads().filter(({ isDead }) => isDead).length);

  const managers = 'kafka.log:type=LogCleanerManager,name=';
  gauge(`${managers}max-dirty-percent`, () => Math.floor(100 * manager.dirtiestRatio));
  gauge(`${managers}time-since-last-run-ms`, () => clock.wallMs() - manager.lastRunMs);
  for (const logDirectory of options.logDirs) {
    gauge(`${managers}uncleanable-partitions-count`, () => manager.uncleanablePartitions(logDirectory).length, { logDirectory });
    gauge(`${managers}uncleanable-bytes`, () => uncleanableBytes(manager, logDirectory, clock.wallMs()), { logDirectory });
  }
  return () => {
    for (const { name, tags } of registered) metrics.remove(name, tags);
  };
}

/** Of the partitions that are set aside: what a cleaning would have had to look at. */
function uncleanableBytes(manager: LogCleanerManager, logDirectory: string, nowMs: number): number {
  let bytes = 0;
  for (const log of manager.uncleanablePartitions(logDirectory))
    bytes += logToClean(log, manager.cleanableOffsets(log, nowMs), 0).cleanableBytes;
  return bytes;
}
