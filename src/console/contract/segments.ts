/** The folder of one replica as it is on the disk of a local broker: files, segments, batches, records. Only for local clusters. */
import { z } from 'zod';
import { brokerId, clusterId, existingTopic, offset, partitionId, topicInput } from './inputs.ts';
import type { MessageRow } from './messages.ts';
import { bulk, read } from './procedure.ts';

export interface ReplicaFolder {
  readonly partition: number;
  readonly brokerId: number;
  readonly path: string;
  readonly role: 'leader' | 'follower';
  readonly inSync: boolean;
  /** False: the folder isn't there (not made yet, or deleted). */
  readonly onDisk: boolean;
  readonly sizeBytes: number | null;
  readonly segments: number | null;
}

export interface LogFile {
  readonly name: string;
  readonly kind:
    | 'log'
    | 'index'
    | 'timeindex'
    | 'txnindex'
    | 'snapshot'
    | 'leaderEpochCheckpoint'
    | 'partitionMetadata'
    | 'deleted'
    | 'other';
  /** From the name; null for files that belong to the whole partition. */
  readonly baseOffset: number | null;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface SegmentRow {
  readonly baseOffset: number;
  readonly file: string;
  readonly sizeBytes: number;
  readonly indexBytes: number | null;
  readonly timeIndexBytes: number | null;
  /** Null when the segment is empty. */
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  readonly modifiedAtMs: number;
  /** The one that is appended to. */
  readonly active: boolean;
}

export interface ReplicaContents {
  readonly path: string;
  readonly files: readonly LogFile[];
  readonly segments: readonly SegmentRow[];
}

export interface BatchRow {
  /** Byte position in the file. */
  readonly position: number;
  readonly sizeBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  readonly baseTimestampMs: number | null;
  readonly maxTimestampMs: number | null;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'unknown';
  readonly leaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly crcValid: boolean;
  readonly producerId: number | null;
  readonly producerEpoch: number | null;
  readonly baseSequence: number | null;
  readonly transactional: boolean;
  readonly control: boolean;
}

export interface BatchPage {
  readonly batches: readonly BatchRow[];
  /** Pass it as `position` for the next page; null at the end. */
  readonly nextPosition: number | null;
  /** Bytes at the end that are no whole batch (a torn tail), if any. */
  readonly torn: { readonly position: number; readonly reason: string } | null;
}

const replica = z.object({ clusterId, brokerId, topic: existingTopic, partition: partitionId });

export const segments = {
  /** The replicas of a topic's partitions and where each lives. */
  replicas: read.input(topicInput).output(bulk<readonly ReplicaFolder[]>()),
  contents: read.input(replica).output(bulk<ReplicaContents>()),
  batches: read
    .input(replica.extend({ baseOffset: offset, position: z.int().min(0).default(0), max: z.int().min(1).max(1000).default(200) }))
    .output(bulk<BatchPage>()),
  /** The records of the batch at `position`, truncated as in a message read. */
  records: read
    .input(
      replica.extend({
        baseOffset: offset,
        position: z.int().min(0),
        skip: z.int().min(0).default(0),
        max: z.int().min(1).max(1000).default(200),
        previewBytes: z.int().min(16).max(65_536).default(1024),
      }),
    )
    .output(bulk<{ readonly records: readonly MessageRow[]; readonly more: boolean }>()),
};
