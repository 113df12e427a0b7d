/**
 * DescribeLogDirs (35), versions 1-4: each log folder with the sizes of its partitions' logs and their lag behind the high watermark; those
 * that are being filled to take another's place (isFutureKey) with their lag behind that one's end; 4+ the file system's sizes (KIP-827). A failed folder is listed with KAFKA_STORAGE_ERROR.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { DescribeLogDirsRequest } from '../../../protocol/generated/describe-log-dirs.ts';
import type { LogManager } from '../../log/log-manager.ts';
import type { UnifiedLog } from '../../log/unified-log.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface DescribeLogDirsDeps {
  readonly logManager: Pick<LogManager, 'describeLogDirs' | 'getLog'>;
}

export function createDescribeLogDirsHandler({ logManager }: DescribeLogDirsDeps): ApiHandler<DescribeLogDirsRequest> {
  return (request) => {
    const wanted =
      request.body.topics === null ? undefined : new Map(request.body.topics.map(({ topic, partitions }) => [topic, new Set(partitions)]));
    const results = logManager.describeLogDirs().map((directory) => {
      const topics = new Map<string, { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[]>();
      for (const log of [...directory.logs, ...directory.futureLogs]) {
        const isFutureKey = directory.futureLogs.includes(log);
        const { topic, partition } = log.topicPartition;
        if (wanted !== undefined && !wanted.get(topic)?.has(partition)) continue;
        const entry = {
          partitionIndex: partition,
          partitionSize: log.sizeBytes,
          offsetLag: lagOf(log, isFutureKey ? logManager.getLog(log.topicPartition)?.logEndOffset : log.highWatermark),
          isFutureKey,
        };
        const list = topics.get(topic);
        if (list === undefined) topics.set(topic, [entry]);
        else list.push(entry);
      }
      return {
        errorCode: directory.isOffline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE,
        logDir: directory.path,
        topics: Array.from(topics, ([name, partitions]) => ({ name, partitions })),
        totalBytes: directory.totalBytes,
        usableBytes: directory.usableBytes,
      };
    });
    request.respond({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, results });
  };
}

/** -1 when the log that it shall replace is offline. */
function lagOf(log: UnifiedLog, end: number | undefined): number {
  return end === undefined ? -1 : Math.max(0, end - log.logEndOffset);
}
