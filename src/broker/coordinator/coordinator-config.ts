/** What the group coordinator takes from the broker's configuration, and what it is given to work with. */
import type { CompressionCodec } from '../../protocol/records/compression.ts';

export interface GroupCoordinatorConfig {
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupMaxSize: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly offsetMetadataMaxBytes: number;
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly offsetsLoadBufferSize: number;
  readonly offsetsTopicCompressionCodec: CompressionCodec;
}

/** `__consumer_offsets` on this broker. */
export interface CoordinatorLog {
  partitionCount(): number;
  /** Appends one batch with acks=all; the produce error or 0 follows. */
  append(partition: number, batch: Buffer, onDone: (errorCode: number) => void): void;
  isLeader(partition: number): boolean;
  logStartOffset(partition: number): number;
  logEndOffset(partition: number): number;
  /** Whole batches from `offset`; empty at the end, or when this broker leads no more. */
  read(partition: number, offset: number, maxBytes: number): Buffer;
}

/** Something the console's timeline shows. */
export interface GroupEvent {
  readonly kind: 'group-rebalanced' | 'group-emptied' | 'group-deleted';
  readonly groupId: string;
  /** The generation that has begun, or that was the last one. */
  readonly generationId: number;
  readonly memberCount: number;
  /** Who came or left, and why: one line for people. */
  readonly reason: string;
}

export interface GroupEventSink {
  emit(event: GroupEvent): void;
}
