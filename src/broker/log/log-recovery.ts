/**
 * Scans a segment that may be damaged: every batch is read and its checksum computed, what doesn't hold is cut off with all behind it,
 * indexes, epochs and producer state are built anew. Reads are asynchronous, so that several logs recover beside each other and the
 * process stays reachable. Source: Kafka's LogSegment.recover.
 */
import {
  baseOffsetAt,
  lastOffsetAt,
  lastOffsetDeltaAt,
  leaderEpochAt,
  magicAt,
  maxTimestampAt,
  producerIdAt,
  sizeAt,
} from '../../log-format/batch-fields.ts';
import { hasValidCrc, MAGIC_V2, NO_PRODUCER_ID, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import { MAX_RELATIVE_OFFSET } from './log-segment.ts';
import type { LogSegment } from './log-segment.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import { SegmentOverflowError } from './segment-split.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;
const SYNC_READ_BYTES = 256 * 1024;
/** No request is larger (socket.request.max.bytes is an int, 100 MiB by default): a length above is damage, not worth its memory. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

export interface SegmentRecovery {
  readonly segment: LogSegment;
  /** Reflects the log up to the segment's begin; afterwards to its end. */
  readonly producerState: ProducerStateManager;
  readonly epochs: LeaderEpochFileCache;
  /** Where the buffer for reading comes from: fresh memory for each of many small logs costs more than their scan. */
  readonly buffers: BufferPool;
  readonly nowMs: number;
  readonly onBytes?: (bytes: number) => void;
  /** Where the next segment begins; Infinity behind the last. */
  readonly endOffset: number;
  /** Whether offsets may be missing in any number: a cleaner has been here. */
  readonly mayHaveGaps: boolean;
}

export interface RecoveryOutcome {
  /** One above the last offset that is good. */
  readonly nextOffset: number;
  readonly truncatedBytes: number;
  /** Why the rest was cut off. */
  readonly reason: string | undefined;
}

/**
 * Recovers one segment. Its log file is changed only when something must be cut off.
 *
 * @throws SegmentOverflowError when the records are good and their offsets too far from the base offset: the segment must be split.
 */
export async function recoverSegment(recovery: SegmentRecovery): Promise<RecoveryOutcome> {
  const { segment, buffers, nowMs, onBytes } = recovery;
  const fileBytes = segment.sizeBytes;
  let buffer = buffers.take(Math.max(RECORD_BATCH_OVERHEAD, Math.min(CHUNK_BYTES, fileBytes)), nowMs);
  const scan: Scan = { nextOffset: segment.baseOffset, reason: undefined, overflows: false };
  let position = 0;
  segment.beginRecovery();
  while (position < fileBytes && scan.reason === undefined) {
    const read = await readFully(segment, buffer, Math.min(buffer.length, fileBytes - position), position);
    const at = takeBatches(recovery, scan, buffer.subarray(0, read), position);
    if (scan.overflows) {
      buffers.giveBack([buffer]);
      throw new SegmentOverflowError(segment);
    }
    onBytes?.(at);
    if (at > 0) recovery.producerState.updateMapEndOffset(scan.nextOffset);
    position += at;
    if (at > 0 || scan.reason !== undefined) continue;
    // Not one whole batch in the buffer: it is larger, or the file ends here.
    const wanted = read < RECORD_BATCH_OVERHEAD ? 0 : sizeAt(buffer, 0);
    if (wanted > buffer.length && read === buffer.length) buffer = Buffer.allocUnsafeSlow(wanted);
    else scan.reason = 'the file ends inside a batch';
  }
  buffers.giveBack([buffer]);
  const truncatedBytes = segment.endRecovery(position);
  // What is appended later must not end up behind what was cut off here.
  if (truncatedBytes > 0) await segment.flush();
  return { nextOffset: scan.nextOffset, truncatedBytes, reason: scan.reason };
}

interface Scan {
  nextOffset: number;
  reason: string | undefined;
  /** The batch that was reached doesn't fit the segment. */
  overflows: boolean;
}

/** Checks and takes the whole batches in `buffer`, whose first byte is at `position` of the file; returns the bytes that they have. */
function takeBatches(recovery: SegmentRecovery, scan: Scan, buffer: Buffer, position: number): number {
  const { segment } = recovery;
  const fileBytes = segment.sizeBytes;
  let at = 0;
  while (at + RECORD_BATCH_OVERHEAD <= buffer.length) {
    const sizeBytes = sizeAt(buffer, at);
    const baseOffset = baseOffsetAt(buffer, at);
    const lastOffset = baseOffset + lastOffsetDeltaAt(buffer, at);
    const isPlausible =
      sizeBytes >= RECORD_BATCH_OVERHEAD &&
      sizeBytes <= MAX_BATCH_BYTES &&
      sizeBytes <= fileBytes - position - at &&
      magicAt(buffer, at) === MAGIC_V2 &&
      baseOffset >= scan.nextOffset &&
      lastOffset >= baseOffset;
    const fits = segment.canConvertToRelativeOffset(lastOffset);
    if (!isPlausible || (!fits && !isOverflow(recovery, scan.nextOffset, lastOffset, position + at + sizeBytes))) {
      scan.reason = headerFault(buffer, at, { nextOffset: scan.nextOffset, left: fileBytes - position - at });
      return at;
    }
    if (at + sizeBytes > buffer.length) return at;
    if (!hasValidCrc(buffer, at)) {
      scan.reason = 'a wrong checksum';
      return at;
    }
    scan.overflows = !fits;
    if (scan.overflows) return at;
    takeBatch(recovery, buffer, at, { position: position + at, baseOffset, lastOffset, sizeBytes });
    scan.nextOffset = lastOffset + 1;
    at += sizeBytes;
  }
  return at;
}

/**
 * Whether offsets that are too far from the base offset can be right. No checksum covers a batch's base offset: one that leaves room for
 * neither the batch behind it nor the next segment is damage, and so is a large gap where no cleaner makes any.
 */
function isOverflow({ segment, endOffset, mayHaveGaps }: SegmentRecovery, nextOffset: number, lastOffset: number, end: number): boolean {
  if (lastOffset >= endOffset || (!mayHaveGaps && lastOffset - nextOffset > MAX_RELATIVE_OFFSET)) return false;
  const following = segment.read(end, RECORD_BATCH_OVERHEAD);
  return following.length < RECORD_BATCH_OVERHEAD || magicAt(following, 0) !== MAGIC_V2 || baseOffsetAt(following, 0) > lastOffset;
}

async function readFully(segment: LogSegment, buffer: Buffer, length: number, position: number): Promise<number> {
  // A small segment is in the page cache, as a rule, and not worth the way through the thread pool.
  if (segment.sizeBytes <= SYNC_READ_BYTES) return segment.readAt(buffer, 0, length, position);
  let total = 0;
  while (total < length) {
    const read = await segment.readAsync(total === 0 ? buffer : buffer.subarray(total), length - total, position + total);
    if (read === 0) break;
    total += read;
  }
  return total;
}

/** What is wrong with a header, in words. */
function headerFault(buffer: Buffer, at: number, context: { nextOffset: number; left: number }): string {
  const sizeBytes = sizeAt(buffer, at);
  if (sizeBytes < RECORD_BATCH_OVERHEAD) return `a batch of ${sizeBytes} bytes, less than its header`;
  if (sizeBytes > context.left) return `a batch of ${sizeBytes} bytes where ${context.left} are left`;
  if (sizeBytes > MAX_BATCH_BYTES) return `a batch of ${sizeBytes} bytes, more than any can have`;
  if (magicAt(buffer, at) !== MAGIC_V2) return `message format ${magicAt(buffer, at)}`;
  const baseOffset = baseOffsetAt(buffer, at);
  const lastOffset = lastOffsetAt(buffer, at);
  if (baseOffset < context.nextOffset || lastOffset < baseOffset)
    return `offsets ${baseOffset} to ${lastOffset} behind offset ${context.nextOffset - 1}`;
  return `offset ${lastOffset}, too far from the segment's base offset`;
}

/** The batches are right and the checkpoint file may be older: what it says of another epoch from here on is gone. */
function noteEpoch(epochs: LeaderEpochFileCache, epoch: number, baseOffset: number): void {
  const latest = epochs.latestEntry;
  if (latest !== undefined && latest.epoch === epoch && latest.startOffset <= baseOffset) return;
  if (epochs.epochForOffset(baseOffset) === epoch) return;
  epochs.truncateFromEnd(baseOffset);
  if (epochs.latestEpoch !== epoch) epochs.assign(epoch, baseOffset);
}

interface TakenBatch {
  readonly position: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
}

function takeBatch(
  { segment, producerState, epochs }: SegmentRecovery,
  buffer: Buffer,
  at: number,
  { position, baseOffset, lastOffset, sizeBytes }: TakenBatch,
): void {
  segment.noteRecovered(position, sizeBytes, lastOffset, maxTimestampAt(buffer, at));
  const leaderEpoch = leaderEpochAt(buffer, at);
  if (leaderEpoch >= 0) noteEpoch(epochs, leaderEpoch, baseOffset);
  if (producerIdAt(buffer, at) !== NO_PRODUCER_ID) {
    const completed = producerState.update(buffer, at);
    if (completed !== undefined) {
      if (completed.isAborted) segment.appendAbortedTxn(producerState.abortedTxn(completed));
      producerState.completeTxn(completed);
    }
  }
}
