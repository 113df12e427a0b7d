/** What the checkpoints of a log dir say of one replica: they are written each minute or so, and at an orderly end. Null: not told. */
import { join } from 'node:path';
import { decodeOffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { LOG_START_OFFSET_CHECKPOINT, RECOVERY_POINT_CHECKPOINT, REPLICATION_OFFSET_CHECKPOINT } from '../../log-format/file-names.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import type { ReplicaMarks } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import type { Replica } from './replica-folder.ts';

const MAX_BYTES = 32 * 1024 * 1024;

export function readMarks(session: ClusterSession, logDir: string, replica: Replica): ReplicaMarks {
  const logStart = read(session, join(logDir, LOG_START_OFFSET_CHECKPOINT), replica);
  const recovery = read(session, join(logDir, RECOVERY_POINT_CHECKPOINT), replica);
  const highWatermark = read(session, join(logDir, REPLICATION_OFFSET_CHECKPOINT), replica);
  return { logStartOffset: logStart.offset, recoveryPoint: recovery.offset, highWatermark: highWatermark.offset, asOfMs: recovery.asOfMs };
}

function read(
  session: ClusterSession,
  path: string,
  { topic, partition }: Replica,
): { readonly offset: number | null; readonly asOfMs: number | null } {
  const { disk } = session.runtime;
  const stat = disk.stat(path);
  if (stat === undefined || stat.sizeBytes > MAX_BYTES) return { offset: null, asOfMs: null };
  try {
    const entries = decodeOffsetCheckpoint(disk.readFile(path).toString('utf8'));
    const found = entries.find(({ topicPartition }) => topicPartition.topic === topic && topicPartition.partition === partition);
    return { offset: found?.offset ?? null, asOfMs: stat.mtimeMs };
  } catch (error) {
    // A damaged one, or one that is replaced just now, tells nothing; opened as a file it says why.
    if (error instanceof LogFormatError || (error instanceof Error && 'code' in error)) return { offset: null, asOfMs: null };
    throw error;
  }
}
