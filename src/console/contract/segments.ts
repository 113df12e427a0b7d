/** The folder of one replica as it is on the disk of a local broker: files, segments, batches, records. Only for local clusters. */
import { z } from 'zod';
import { brokerId, clusterId, existingTopic, offset, partitionId, topicInput } from './inputs.ts';
import type { MessageRow } from './messages.ts';
import { bulk, read } from './procedure.ts';

export interface ReplicaFolder {
  readonly partition: number;
  readonly brokerId: number;
  readonly path: string;
  /** 'unknown' while no broker can be asked: the folder was found on the disk. 'stray': it lies on a broker that is assigned no replica of it. */
  readonly role: 'leader' | 'follower' | 'stray' | 'unknown';
  readonly inSync: boolean | null;
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
    | 'offsetCheckpoint'
    | 'metaProperties'
    | 'cleanShutdown'
    | 'deleted'
    /** Of a compaction that has not replaced the old segments yet. */
    | 'unfinished'
    | 'other';
  /** From the name; null for files that belong to the whole partition. */
  readonly baseOffset: number | null;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface SegmentRow {
  readonly baseOffset: number;
  readonly file: string;
  /** Of its records: a file that got its length in advance (`preallocate`) is longer. */
  readonly sizeBytes: number;
  /** Zeros behind the records (`preallocate`), which are not in `sizeBytes`. */
  readonly preallocatedBytes: number;
  readonly indexBytes: number | null;
  readonly timeIndexBytes: number | null;
  /** Null when the segment is empty. */
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  readonly modifiedAtMs: number;
  /** The one that is appended to. */
  readonly active: boolean;
}

/** What the checkpoints of the log dir say, as of when they were written; null where they don't tell. */
export interface ReplicaMarks {
  readonly logStartOffset: number | null;
  readonly recoveryPoint: number | null;
  readonly highWatermark: number | null;
  readonly asOfMs: number | null;
}

export interface ReplicaContents {
  readonly path: string;
  readonly logDir: string;
  /** False: nobody writes here now, what is shown stays. */
  readonly brokerRuns: boolean;
  readonly files: readonly LogFile[];
  /** Files of the log dir around the folder, which tell of all its replicas. */
  readonly logDirFiles: readonly LogFile[];
  readonly segments: readonly SegmentRow[];
  readonly marks: ReplicaMarks;
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
  readonly torn: {
    readonly position: number;
    readonly reason: string;
    readonly bytes: number;
    /** Zeros of a file that got its length in advance: nothing is torn. */
    readonly isPreallocated: boolean;
  } | null;
}

/** A record as it is on the disk. */
export interface SegmentRecord extends MessageRow {
  /** Of `__consumer_offsets`, `__transaction_state` and of control records: what it says, in words. */
  readonly decoded: { readonly key: string; readonly value: string | null } | null;
}

export type FileField =
  | 'slot'
  | 'offset'
  | 'position'
  | 'timestampMs'
  | 'producerId'
  | 'producerEpoch'
  | 'lastSequence'
  | 'firstOffset'
  | 'lastOffset'
  | 'lastStableOffset'
  | 'coordinatorEpoch'
  | 'currentTxnFirstOffset'
  | 'epoch'
  | 'startOffset'
  | 'topic'
  | 'partition'
  | 'name'
  | 'value'
  | 'hex'
  | 'text';

export type FileCell = string | number | null;

/** A page of a file as a table; a damaged or unknown file shows its bytes. */
export interface FilePage {
  readonly sizeBytes: number;
  readonly fields: readonly FileField[];
  /** A cell for each field. */
  readonly rows: readonly (readonly FileCell[])[];
  /** The row that `rows` begins with. */
  readonly from: number;
  readonly total: number;
  /** Entries of zeros behind those: preallocated by an Apache Kafka broker. */
  readonly zeroEntries: number;
  readonly problem: { readonly position: number | null; readonly reason: string } | null;
}

export interface LookupEntry {
  readonly slot: number;
  readonly offset: number;
  /** Of an offset index. */
  readonly position: number | null;
  /** Of a time index. */
  readonly timestampMs: number | null;
}

export interface LookupIndexStep {
  readonly kind: 'offset' | 'time';
  readonly target: number;
  /** Null: the index is not there, the segment is read from its begin. */
  readonly entries: number | null;
  readonly probes: readonly { readonly low: number; readonly high: number; readonly entry: LookupEntry; readonly isAtOrBelow: boolean }[];
  /** Null: the target lies before the first entry. */
  readonly found: LookupEntry | null;
}

export interface LookupScannedBatch {
  readonly position: number;
  readonly sizeBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestampMs: number | null;
  readonly records: number;
}

export interface LookupSegment {
  readonly baseOffset: number;
  readonly indexes: readonly LookupIndexStep[];
  readonly scanFrom: number;
  /** The last ones, in order. */
  readonly scanned: readonly LookupScannedBatch[];
  readonly scannedCount: number;
  readonly damage: { readonly position: number; readonly reason: string } | null;
}

/** A look-up in the files of a replica, each step told. */
export interface LookupResult {
  readonly by: 'offset' | 'time';
  readonly target: number;
  readonly segmentCount: number;
  /** Base offset of the first segment; null: there is none. */
  readonly firstOffset: number | null;
  /** Base offset of the segment behind the chosen one. */
  readonly nextBaseOffset: number | null;
  readonly logStartOffset: number;
  /** By time: the segments that were asked for their largest timestamp, the last ones. */
  readonly segmentTimes: readonly { readonly baseOffset: number; readonly largestTimestampMs: number | null }[];
  readonly segmentTimesCount: number;
  readonly segments: readonly LookupSegment[];
  readonly found: {
    readonly segment: number;
    readonly batch: LookupScannedBatch;
    /** Null: compaction has taken the batch's records from there on, or the batch can't be opened (`recordError`). */
    readonly record: SegmentRecord | null;
    readonly recordError: string | null;
  } | null;
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
    .output(bulk<{ readonly records: readonly SegmentRecord[]; readonly more: boolean }>()),
  /** Any file of the folder, or of the log dir around it, as a table. */
  file: read
    .input(
      replica.extend({
        name: z.string().min(1).max(300),
        in: z.enum(['partition', 'logDir']).default('partition'),
        from: z.int().min(0).default(0),
        max: z.int().min(1).max(2000).default(500),
      }),
    )
    .output(bulk<FilePage>()),
  /** Where an offset, or the first record at or after a time, is: each step from the segments' names to the record. */
  lookup: read.input(replica.extend({ by: z.enum(['offset', 'time']), target: z.int().min(0) })).output(bulk<LookupResult>()),
};
