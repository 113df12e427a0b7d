/**
 * The records of a topic. A read takes a snapshot of the end offsets when it opens, so it ends, and reads no record twice; `next` is
 * a long poll on a bounded buffer. Keys and values come truncated to `previewBytes` with their full size; `bytes` gives the whole
 * one in pieces (a message of the transport is at most 1 MiB).
 */
import { z } from 'zod';
import { clusterId, existingTopic, offset, partitionId, readerInput } from './inputs.ts';
import type { Failure } from './failure.ts';
import { bulk, read } from './procedure.ts';

/** Bytes as text where they are valid UTF-8 without control characters (tab, CR, LF are fine), else base64. */
export interface Payload {
  /** Of the whole, not of `data`. */
  readonly sizeBytes: number;
  readonly encoding: 'text' | 'base64';
  readonly data: string;
  /** `data` is a beginning only. */
  readonly truncated: boolean;
}

export interface MessageHeader {
  readonly key: string;
  readonly value: Payload | null;
}

export interface MessageRow {
  readonly partition: number;
  readonly offset: number;
  readonly kind: 'record' | 'tombstone' | 'commitMarker' | 'abortMarker' | 'otherControl';
  /** Milliseconds since the epoch; null when the batch has none (-1). */
  readonly timestampMs: number | null;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly key: Payload | null;
  readonly value: Payload | null;
  /** An ordered list: names may repeat. */
  readonly headers: readonly MessageHeader[];
  /** Of the batch it came in. */
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly batch: {
    readonly baseOffset: number;
    readonly sizeBytes: number;
    readonly leaderEpoch: number;
    readonly producerId: number | null;
    readonly producerEpoch: number | null;
    readonly baseSequence: number | null;
    readonly transactional: boolean;
  };
}

export const seek = z.discriminatedUnion('from', [
  /** Each partition's first record on. */
  z.object({ from: z.literal('start') }),
  /** The last `count` records in all, spread over the partitions by time. */
  z.object({ from: z.literal('last'), count: z.int().min(1).max(10_000) }),
  z.object({ from: z.literal('offset'), offset }),
  /** The first record of each partition at or after this time. */
  z.object({ from: z.literal('time'), timestampMs: z.int() }),
]);
export type Seek = z.infer<typeof seek>;

/** The scope of one read, per partition: [startOffset, endOffset) was there, [fromOffset, endOffset) is read. */
export interface ReadPartition {
  readonly partition: number;
  readonly startOffset: number | null;
  readonly endOffset: number | null;
  readonly fromOffset: number | null;
  readonly failure: Failure | null;
}

export interface OpenedRead {
  readonly readerId: string;
  readonly partitions: readonly ReadPartition[];
}

export interface MessagePage {
  readonly messages: readonly MessageRow[];
  /** Nothing more will come: the limit or the snapshot's end is reached, or every partition failed. */
  readonly done: boolean;
  readonly progress: {
    readonly records: number;
    /** Bytes of batches fetched. */
    readonly bytes: number;
    /** Offsets passed, and of how many in the snapshot's scope. */
    readonly offsetsPassed: number;
    readonly offsetsInScope: number;
  };
  /** Partitions that could not be read (on), with the reason. */
  readonly failures: readonly (Failure & { readonly partition: number })[];
}

const place = z.object({ clusterId, topic: existingTopic, partition: partitionId, offset });

export interface PayloadPiece {
  readonly sizeBytes: number;
  readonly position: number;
  readonly bytes: Uint8Array;
}

export const messages = {
  open: read
    .input(
      z.object({
        clusterId,
        topic: existingTopic,
        /** All when missing. */
        partitions: z.array(partitionId).min(1).max(10_000).optional(),
        seek,
        /** Records in all. */
        limit: z.int().min(1).max(100_000).default(500),
        previewBytes: z.int().min(16).max(65_536).default(1024),
        isolation: z.enum(['readUncommitted', 'readCommitted']).default('readUncommitted'),
        /** Commit and abort markers are rows too. */
        includeControl: z.boolean().default(true),
      }),
    )
    .output(bulk<OpenedRead>()),
  /** Waits up to `waitMs` for the first record, then answers with what is there, at most `max` and about 512 KiB. */
  next: read
    .input(
      z.object({
        readerId: z.string().min(1).max(64),
        max: z.int().min(1).max(2000).default(200),
        waitMs: z.int().min(0).max(10_000).default(1000),
      }),
    )
    .output(bulk<MessagePage>()),
  close: read.input(readerInput).output(bulk<null>()),
  /** `length` bytes (at most 512 KiB) of a key, value or header's value, from `position`. Loop until `position + bytes.length === sizeBytes`. */
  bytes: read
    .input(
      place.extend({
        part: z.discriminatedUnion('of', [
          z.object({ of: z.literal('key') }),
          z.object({ of: z.literal('value') }),
          z.object({ of: z.literal('header'), index: z.int().min(0).max(100_000) }),
        ]),
        position: z.int().min(0).default(0),
        length: z.int().min(1).max(524_288).default(524_288),
      }),
    )
    .output(bulk<PayloadPiece>()),
};
