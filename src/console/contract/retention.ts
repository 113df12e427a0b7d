/** What of a replica will go, when and why, and what compaction has done and will do, as its broker tells it. Only for local clusters. */
import { z } from 'zod';
import type { LogRetentionAnswer } from '../../introspection/answers/log-retention.ts';
import { brokerId, clusterId, existingTopic, partitionId } from './inputs.ts';
import { bulk, read } from './procedure.ts';

export type { LeavingSegment, LogRetentionAnswer, RetentionSegment, SegmentDeletion } from '../../introspection/answers/log-retention.ts';

/** What of a topic's configuration decides what goes; on a remote cluster they are all that can be told. */
export const RETENTION_KEYS = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'segment.ms',
  'segment.bytes',
  'file.delete.delay.ms',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'max.compaction.lag.ms',
  'delete.retention.ms',
] as const;

export const retention = {
  replica: read.input(z.object({ clusterId, brokerId, topic: existingTopic, partition: partitionId })).output(bulk<LogRetentionAnswer>()),
};
