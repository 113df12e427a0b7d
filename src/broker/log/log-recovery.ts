/**
 * Recovers a segment that may be damaged: it is scanned, here or by a worker; what doesn't hold is cut off with all behind it, and indexes, epochs
 * and producer state are those of the scan. Reads don't hold the event loop, so that several logs recover beside each other and the process stays
 * reachable. Source: Kafka's LogSegment.recover.
 */
import { RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogSegment } from './log-segment.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { RecoveryWorkers } from './recovery-workers.ts';
import { SCAN_BUFFER_BYTES, scanSegment } from './segment-scan.ts';
import type { EpochRun, ScanFindings, ScanTarget } from './segment-scan.ts';
import { SegmentOverflowError } from './segment-split.ts';

const SYNC_READ_BYTES = 256 * 1024;

export interface SegmentRecovery {
  readonly segment: LogSegment;
  readonly logDir: string;
  /** Reflects the log up to the segment's begin; afterwards to its end. */
  readonly producerState: ProducerStateManager;
  readonly epochs: LeaderEpochFileCache;
  /** Where the buffer for reading comes from: fresh memory for each of many small logs costs more than their scan. */
  readonly buffers: BufferPool;
  /** Undefined where every scan is done here. */
  readonly workers?: RecoveryWorkers | undefined;
  readonly nowMs: number;
  readonly onBytes: (bytes: number) => void;
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
  /** It was zeros. */
  readonly endsInZeros: boolean;
}

/**
 * Recovers one segment. Its log file is changed only when something must be cut off.
 *
 * @throws SegmentOverflowError when the records are good and their offsets too far from the base offset: the segment must be split.
 */
export async function recoverSegment(recovery: SegmentRecovery): Promise<RecoveryOutcome> {
  const { segment, workers, epochs, producerState, onBytes, endOffset, mayHaveGaps } = recovery;
  const { baseOffset, sizeBytes: fileBytes, indexIntervalBytes } = segment;
  const target: ScanTarget = { baseOffset, fileBytes, indexIntervalBytes, endOffset, mayHaveGaps };
  const scanHere = (hear: (bytes: number) => void): Promise<ScanFindings> => scanOnEventLoop(recovery, target, hear);
  const found =
    workers === undefined
      ? await scanHere(onBytes)
      : await workers.scan({ logDir: recovery.logDir, path: segment.path, target, producerState, onBytes, scanHere });
  if (found.overflows) throw new SegmentOverflowError(segment);
  for (const run of found.epochs) takeEpochs(epochs, run);
  const truncatedBytes = segment.recovered(found);
  // What is appended later must not end up behind what was cut off here.
  if (truncatedBytes > 0) await segment.flush();
  return { nextOffset: found.nextOffset, truncatedBytes, reason: found.reason, endsInZeros: found.endsInZeros };
}

async function scanOnEventLoop(
  { segment, buffers, nowMs, producerState }: SegmentRecovery,
  target: ScanTarget,
  onBytes: (bytes: number) => void,
): Promise<ScanFindings> {
  const buffer = buffers.take(Math.max(RECORD_BATCH_OVERHEAD, Math.min(SCAN_BUFFER_BYTES, target.fileBytes)), nowMs);
  const found = await scanSegment(target, {
    // A small segment is in the page cache, as a rule, and not worth the way through the thread pool.
    read: (into, length, position) =>
      target.fileBytes <= SYNC_READ_BYTES ? segment.readAt(into, 0, length, position) : segment.readAsync(into, length, position),
    readHeader: (position) => segment.read(position, RECORD_BATCH_OVERHEAD),
    buffer,
    producerState,
    onBytes,
  });
  buffers.giveBack([buffer]);
  return found;
}

/** The batches are right and the checkpoint file may be older: what it says of another epoch from here on is gone. */
function takeEpochs(epochs: LeaderEpochFileCache, { epoch, firstOffset, endOffset }: EpochRun): void {
  if (epoch < 0) return;
  if (epochs.epochForOffset(firstOffset) !== epoch) {
    epochs.truncateFromEnd(firstOffset);
    if (epochs.latestEpoch !== epoch) epochs.assign(epoch, firstOffset);
  }
  if (epochs.epochForOffset(endOffset - 1) !== epoch) epochs.truncateFromEnd(firstOffset + 1);
}
