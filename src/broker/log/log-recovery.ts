/**
 * Scans a segment that may be damaged: every batch is read and its checksum computed, what doesn't hold is cut off with all behind it,
 * indexes, epochs and producer state are built anew. Reads are asynchronous, so that several logs recover beside each other and the
 * process stays reachable. Source: Kafka's LogSegment.recover.
 */
import { baseOffsetAt, lastOffsetAt, leaderEpochAt, magicAt, maxTimestampAt, producerIdAt, sizeAt } from '../../log-format/batch-fields.ts';
import { hasValidCrc, MAGIC_V2, NO_PRODUCER_ID, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogSegment } from './log-segment.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

const CHUNK_BYTES = 1024 * 1024;
const SYNC_READ_BYTES = 256 * 1024;
/** No request is larger (socket.request.max.bytes is an int, 100 MiB by default): a length above is damage, not worth its memory. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

export interface SegmentRecovery {
  readonly segment: LogSegment;
  /** Reflects the log up to the segment's begin; afterwards to its end. */
  readonly producerState: ProducerStateManager;
  readonly epochs: LeaderEpochFileCache;
  readonly onBytes?: (bytes: number) => void;
}

export interface RecoveryOutcome {
  /** One above the last offset that is good. */
  readonly nextOffset: number;
  readonly truncatedBytes: number;
  /** Why the rest was cut off. */
  readonly reason: string | undefined;
}

/** Recovers one segment. Its log file is changed only when something must be cut off. */
export async function recoverSegment(recovery: SegmentRecovery): Promise<RecoveryOutcome> {
  const { segment, onBytes } = recovery;
  const fileBytes = segment.sizeBytes;
  let buffer = Buffer.allocUnsafeSlow(Math.max(RECORD_BATCH_OVERHEAD, Math.min(CHUNK_BYTES, fileBytes)));
  let position = 0;
  let nextOffset = segment.baseOffset;
  let reason: string | undefined;
  segment.beginRecovery();
  while (position < fileBytes && reason === undefined) {
    const read = await readFully(segment, buffer, Math.min(buffer.length, fileBytes - position), position);
    let at = 0;
    let wanted = RECORD_BATCH_OVERHEAD;
    while (at + RECORD_BATCH_OVERHEAD <= read) {
      const sizeBytes = sizeAt(buffer, at);
      reason = headerFault(buffer, at, sizeBytes, { nextOffset, segment, left: fileBytes - position - at });
      if (reason !== undefined) break;
      wanted = sizeBytes;
      if (at + sizeBytes > read) break;
      if (!hasValidCrc(buffer, at)) {
        reason = 'a wrong checksum';
        break;
      }
      takeBatch(recovery, buffer, at, position + at);
      nextOffset = lastOffsetAt(buffer, at) + 1;
      at += sizeBytes;
    }
    onBytes?.(at);
    position += at;
    if (at > 0 || reason !== undefined) continue;
    // Not one whole batch in the buffer: it is larger, or the file ends here.
    if (wanted > buffer.length && read === buffer.length) buffer = Buffer.allocUnsafeSlow(wanted);
    else reason = 'the file ends inside a batch';
  }
  const truncatedBytes = segment.endRecovery(position);
  // What is appended later must not end up behind what was cut off here.
  if (truncatedBytes > 0) await segment.flush();
  return { nextOffset, truncatedBytes, reason };
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

function headerFault(
  buffer: Buffer,
  at: number,
  sizeBytes: number,
  context: { nextOffset: number; segment: LogSegment; left: number },
): string | undefined {
  if (sizeBytes < RECORD_BATCH_OVERHEAD) return `a batch of ${sizeBytes} bytes, less than its header`;
  if (sizeBytes > context.left) return `a batch of ${sizeBytes} bytes where ${context.left} are left`;
  if (sizeBytes > MAX_BATCH_BYTES) return `a batch of ${sizeBytes} bytes, more than any can have`;
  if (magicAt(buffer, at) !== MAGIC_V2) return `message format ${magicAt(buffer, at)}`;
  const baseOffset = baseOffsetAt(buffer, at);
  const lastOffset = lastOffsetAt(buffer, at);
  if (baseOffset < context.nextOffset || lastOffset < baseOffset)
    return `offsets ${baseOffset} to ${lastOffset} behind offset ${context.nextOffset - 1}`;
  if (!context.segment.canConvertToRelativeOffset(lastOffset)) return `offset ${lastOffset}, too far from the segment's base offset`;
  return undefined;
}

/** The batches are right and the checkpoint file may be older: what it says of another epoch from here on is gone. */
function noteEpoch(epochs: LeaderEpochFileCache, epoch: number, baseOffset: number): void {
  if (epochs.epochForOffset(baseOffset) === epoch) return;
  epochs.truncateFromEnd(baseOffset);
  if (epochs.latestEpoch !== epoch) epochs.assign(epoch, baseOffset);
}

function takeBatch(recovery: SegmentRecovery, buffer: Buffer, at: number, position: number): void {
  const { segment, producerState, epochs } = recovery;
  const lastOffset = lastOffsetAt(buffer, at);
  segment.noteRecovered(position, sizeAt(buffer, at), lastOffset, maxTimestampAt(buffer, at));
  const leaderEpoch = leaderEpochAt(buffer, at);
  if (leaderEpoch >= 0) noteEpoch(epochs, leaderEpoch, baseOffsetAt(buffer, at));
  if (producerIdAt(buffer, at) !== NO_PRODUCER_ID) {
    const completed = producerState.update(buffer, at);
    if (completed !== undefined) {
      if (completed.isAborted) segment.appendAbortedTxn(producerState.abortedTxn(completed));
      producerState.completeTxn(completed);
    }
  }
  producerState.updateMapEndOffset(lastOffset + 1);
}
