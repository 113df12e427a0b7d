/** Answers `log.flush`. */
import type { LogFlushAnswer, LogRecovery, ReplicaFlush } from '../../introspection/answers/log-flush.ts';
import type { BrokerParts } from '../broker-parts.ts';
import type { LogRecovered } from '../log/log-events.ts';
import type { UnifiedLog } from '../log/unified-log.ts';

export function describeFlush(parts: BrokerParts, topic: string): LogFlushAnswer {
  const { config, logManager, runtime } = parts;
  const nowMs = runtime.clock.wallMs();
  const replicas = logManager.logsOfTopic(topic).map((log) => describeReplica(parts, log));
  return {
    brokerId: config.brokerId,
    nowMs,
    startedAtMs: logManager.openedAtMs,
    replicas: replicas.toSorted((a, b) => a.partition - b.partition),
    broker: logManager.flushSummary(nowMs),
  };
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
