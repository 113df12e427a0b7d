/** What of this broker's logs is not on the device for certain: for a power loss that is played (src/introspection/power-loss.ts). */
import type { PowerLossNote, UnsyncedLog } from '../../introspection/power-loss.ts';
import { syncedBytesOf } from '../log/synced-bytes.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { BrokerParts } from '../broker-parts.ts';

/** Synchronous: nothing is answered between the look and the end that follows it. */
export function noteUnsynced({ config, logManager, runtime }: BrokerParts): PowerLossNote {
  const logs: UnsyncedLog[] = [];
  for (const log of logManager.allLogs) {
    const files = unsyncedFilesOf(log);
    if (files.length === 0) continue;
    const { topicPartition, directory, recoveryPoint, highWatermark, logEndOffset } = log;
    logs.push({ ...topicPartition, directory, recoveryPoint, highWatermark, logEndOffset, files });
  }
  return { brokerId: config.brokerId, atMs: runtime.clock.wallMs(), logs };
}

function unsyncedFilesOf({ segments, flushedOffset, isOffline }: UnifiedLog): UnsyncedLog['files'] {
  if (isOffline) return [];
  return segments.flatMap((segment, index) => {
    const syncedBytes = syncedBytesOf(segment, flushedOffset, segments[index + 1]?.baseOffset);
    if (syncedBytes >= segment.sizeBytes) return [];
    return [{ name: segment.path.slice(segment.path.lastIndexOf('/') + 1), sizeBytes: segment.sizeBytes, syncedBytes }];
  });
}
