/**
 * One step of filling a future log from the present one: cuts it where the present one was cut, notes the next leader epoch, or copies
 * some batches as they are.
 *
 * Epochs are taken from the present log's history, not from the batches alone: compaction may have removed the first batches of an epoch, and
 * an epoch that begins too late would keep a follower's diverging records (KIP-101). So no piece reaches over the beginning of an epoch.
 */
import { baseOffsetAt } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { UnifiedLog } from '../log/unified-log.ts';

export interface CopyOptions {
  /** Asked after a wait: the move may have been cancelled. */
  readonly isWanted: () => boolean;
  readonly releaseRecords: (records: readonly Buffer[]) => void;
}

/** Written in one go, below the size from which a log writes asynchronously. */
const PIECE_BYTES = 1024 * 1024 - 1;

/** The bytes that were copied, 0 when the step was another one; 'caught-up' when the present log has nothing more. Rejects when it can't go on. */
export async function copyNext(current: UnifiedLog, future: UnifiedLog, options: CopyOptions): Promise<number | 'caught-up'> {
  if (await cutAsCurrent(current, future, options.isWanted)) return 0;
  follow(current, future);
  const from = future.logEndOffset;
  const next = nextEpoch(current, future);
  if (next !== undefined && next.startOffset <= from) {
    future.maybeAssignEpochStartOffset(next.epoch, next.startOffset);
    return 0;
  }
  if (from >= current.logEndOffset) return 'caught-up';
  const end = Math.min(next?.startOffset ?? Number.POSITIVE_INFINITY, current.logEndOffset);
  const read = current.read(from, { maxBytes: PIECE_BYTES, maxOffset: end, minOneMessage: true });
  if (read.errorCode !== ErrorCode.NONE) throw new Error(`reading from offset ${from} failed: ${read.errorMessage ?? read.errorCode}`);
  const first = read.records[0];
  if (first === undefined || first.length === 0 || baseOffsetAt(first, 0) >= end) {
    options.releaseRecords(read.records);
    // Compaction took all up to the next epoch; without one, up to the end of the log, which the next append closes.
    if (next === undefined) return 'caught-up';
    future.maybeAssignEpochStartOffset(next.epoch, next.startOffset);
    return 0;
  }
  // A copy: what a log was given may be kept as its tail, and what was read may be used for the next read.
  const records = Buffer.concat(read.records);
  options.releaseRecords(read.records);
  await appendNow(future, records);
  follow(current, future);
  return records.length;
}

/** True when something was cut, or had to be and wasn't wanted any more. */
async function cutAsCurrent(current: UnifiedLog, future: UnifiedLog, isWanted: () => boolean): Promise<boolean> {
  if (future.logEndOffset < current.logStartOffset) {
    const { logStartOffset } = current;
    await future.truncateFullyAndStartAt(logStartOffset, logStartOffset, isWanted);
    return true;
  }
  const target = commonEnd(current, future);
  if (target === undefined) return false;
  // Below the start there may be others by now: a log that is cut below its own start begins lower than what followed it there.
  if (target <= future.logStartOffset) await future.truncateFullyAndStartAt(current.logStartOffset, current.logStartOffset, isWanted);
  else await future.truncateTo(target, isWanted);
  return true;
}

/** Up to where both logs have the same history; undefined when that is all of the future one. */
function commonEnd(current: UnifiedLog, future: UnifiedLog): number | undefined {
  const epoch = future.latestEpoch;
  if (epoch === undefined) return future.logEndOffset > current.logEndOffset ? current.logEndOffset : undefined;
  const known = current.endOffsetForEpoch(epoch);
  if (known?.epoch === epoch && known.endOffset >= future.logEndOffset) return undefined;
  if (known === undefined) return future.logStartOffset;
  return Math.min(known.endOffset, future.endOffsetForEpoch(known.epoch)?.endOffset ?? future.logStartOffset);
}

/** What is committed, and where the log begins. */
function follow(current: UnifiedLog, future: UnifiedLog): void {
  future.updateHighWatermark(Math.min(current.highWatermark, future.logEndOffset));
  if (current.logStartOffset <= future.logStartOffset || current.logStartOffset > future.highWatermark) return;
  future.maybeIncrementLogStartOffset(current.logStartOffset);
  future.deleteOldSegments();
}

function nextEpoch(current: UnifiedLog, future: UnifiedLog): { readonly epoch: number; readonly startOffset: number } | undefined {
  const latest = future.latestEpoch;
  return current.epochEntries.find(({ epoch }) => latest === undefined || epoch > latest);
}

/** Resolves within the turn, unless the disk is slow. */
async function appendNow(log: UnifiedLog, records: Buffer): Promise<void> {
  const written = new Promise<void>((resolve, reject) => {
    const result = log.appendAsFollower(records, { onComplete: (error) => (error === undefined ? resolve() : reject(error)) });
    if (!result.ok) reject(new Error(result.message));
  });
  void log.settled();
  await written;
}
