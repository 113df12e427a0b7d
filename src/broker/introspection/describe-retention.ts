/** Answers `log.retention`. */
import type { LogRetentionAnswer, ReplicaRetention, RetentionSegment } from '../../introspection/answers/log-retention.ts';
import { QueryError } from '../../introspection/queries.ts';
import type { BrokerParts } from '../broker-parts.ts';
import { forecastRetention } from '../log/retention-forecast.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import { cleanerAnswer, cleaningOf } from './describe-cleaning.ts';

/** A log may have thousands; what goes next is at its begin. */
const MAX_SEGMENTS = 1_000;

/** @throws QueryError ('not-found') when the partition has no log here. */
export function describeRetention(parts: BrokerParts, topic: string, partition: number): LogRetentionAnswer {
  const { config, logManager, runtime, dynamicConfig } = parts;
  const log = logManager.getLog({ topic, partition });
  if (log === undefined || log.isOffline)
    throw new QueryError('not-found', `${topic}-${partition} has no log on this broker that is online`);
  return {
    brokerId: config.brokerId,
    nowMs: runtime.clock.wallMs(),
    checkIntervalMs: dynamicConfig.current.logRetentionCheckIntervalMs,
    nextCheckMs: logManager.nextRetentionCheckMs,
    cleaner: cleanerAnswer(logManager.describeCleaner()),
    replica: describeReplica(parts, log),
  };
}

function describeReplica({ replicaManager, logManager, runtime }: BrokerParts, log: UnifiedLog): ReplicaRetention {
  const { topicPartition, segments, config, logStartOffset, highWatermark, logEndOffset } = log;
  const forecast = forecastRetention({ segments, logStartOffset, highWatermark, logEndOffset }, config, runtime.clock.wallMs());
  return {
    partition: topicPartition.partition,
    isLeader: replicaManager.partition(topicPartition)?.isLeader ?? false,
    logStartOffset,
    highWatermark,
    logEndOffset,
    sizeBytes: log.sizeBytes,
    deletes: config.delete,
    compacts: config.compact,
    retentionMs: config.retentionMs,
    retentionBytes: config.retentionBytes,
    fileDeleteDelayMs: config.fileDeleteDelayMs,
    segmentCount: forecast.length,
    segments: oldestAndActive(forecast),
    leaving: log.leavingSegments,
    deletions: log.deletions.toReversed(),
    cleaning: cleaningOf(logManager.describeCleaner(), log),
  };
}

function oldestAndActive(segments: readonly RetentionSegment[]): readonly RetentionSegment[] {
  return segments.length <= MAX_SEGMENTS ? segments : [...segments.slice(0, MAX_SEGMENTS - 1), ...segments.slice(-1)];
}
