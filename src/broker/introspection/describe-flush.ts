/** Answers `log.flush`. */
import type { LogFlushAnswer, LogRecovery, ReplicaFlush, TopicFlush } from '../../introspection/answers/log-flush.ts';
import type { BrokerParts } from '../broker-parts.ts';
import type { LogRecovered } from '../log/log-events.ts';
import type { UnifiedLog } from '../log/unified-log.ts';

export function describeFlush(parts: BrokerParts, topic: string, max: number): LogFlushAnswer {
  const { config, logManager, runtime } = parts;
  const nowMs = runtime.clock.wallMs();
  const logs = logManager.logsOfTopic(topic).toSorted((a, b) => a.topicPartition.partition - b.topicPartition.partition);
  return {
    brokerId: config.brokerId,
    nowMs,
    startedAtMs: logManager.openedAtMs,
    replicas: logs.slice(0, max).map((log) => describeReplica(parts, log)),
    total: totalOf(logs),
    broker: logManager.flushSummary(nowMs),
  };
}

function totalOf(logs: readonly UnifiedLog[]): TopicFlush {
  let [fsyncs, unflushedBytes] = [0, 0];
  let p99Ms: number | null = null;
  for (const log of logs) {
    const { fsyncs: own, latency } = log.flushSummary;
    fsyncs += own;
    unflushedBytes += log.unflushedBytes;
    if (latency !== null) p99Ms = Math.max(p99Ms ?? 0, latency.p99Ms);
  }
  return { replicas: logs.length, fsyncs, p99Ms, unflushedBytes };
}

function describeReplica({ replicaManager, logManager }: BrokerParts, log: UnifiedLog): ReplicaFlush {
  const recovery = logManager.recoveryOf(log.topicPartition);
  const { topicPartition, logStartOffset, recoveryPoint, highWatermark, logEndOffset, unflushedMessages, unflushedBytes } = log;
  return {
    partition: topicPartition.partition,
    isLeader: replicaManager.partition(topicPartition)?.isLeader ?? false,
    logStartOffset,
    recoveryPoint,
    highWatermark,
    logEndOffset,
    openedLogEndOffset: log.openedLogEndOffset,
    unflushedMessages,
    unflushedBytes,
    sizeBytes: log.sizeBytes,
    flushMessages: log.config.flushMessages,
    flushMs: log.config.flushMs,
    flushes: log.flushSummary,
    recovery: recovery === undefined ? null : recoveryOf(recovery),
  };
}

function recoveryOf({ scannedBytes, truncatedBytes, logEndOffset, recoveryPoint, reason, tookMs }: LogRecovered): LogRecovery {
  return { scannedBytes, truncatedBytes, logEndOffset, recoveryPoint, reason, tookMs };
}
