/**
 * Splits a segment whose offsets go further from its base offset than an index entry can say: cleaners before Kafka 2.0 merged segments to such
 * ones. Found by recovery, done while the log is loaded, before anything else knows the segment.
 *
 *   1  each piece is written as `<base offset>.log.cleaned`, synced
 *   2  all but the first → .swap, synced; then the first, synced      while one .cleaned is left, all of it is thrown away at start
 *   3  from then on a finished replacement: LogLoader puts it in place as it does a cleaner's
 *
 * The pieces get no indexes: a log file without any is scanned at load, which makes them with its epochs and producers. A piece begins where the
 * one before ends if it can, so that there is no hole in front of it. Source: Kafka's UnifiedLog.splitOverflowedSegment.
 */
import { baseOffsetAt, lastOffsetAt } from '../../log-format/batch-fields.ts';
import { CLEANED_SUFFIX, LOG_SUFFIX, segmentFileName, SWAP_SUFFIX } from '../../log-format/file-names.ts';
import { shortWriteError } from '../../runtime/disk.ts';
import type { LogContext } from './log-context.ts';
import { MAX_RELATIVE_OFFSET } from './segment-scan.ts';
import type { LogSegment } from './log-segment.ts';

const COPY_BYTES = 1024 * 1024;

/** A segment has records that are good and whose offsets are too far from its base offset. */
export class SegmentOverflowError extends Error {
  readonly segment: LogSegment;

  constructor(segment: LogSegment) {
    super(`${segment.path} has offsets more than ${MAX_RELATIVE_OFFSET} above its base offset`);
    this.name = 'SegmentOverflowError';
    this.segment = segment;
  }
}

interface Piece {
  readonly baseOffset: number;
  readonly from: number;
  to: number;
}

/** Leaves `.swap` files in the folder, which the next load puts in the segment's place. What comes behind damage isn't copied. */
export async function splitOverflowedSegment(
  context: LogContext,
  directory: string,
  segment: LogSegment,
  endOffset: number,
): Promise<void> {
  const { disk, logger } = context;
  const pieces = piecesOf(segment, endOffset);
  const path = (piece: Piece, suffix: string): string => `${directory}/${segmentFileName(piece.baseOffset, LOG_SUFFIX)}${suffix}`;
  const offsets = pieces.map(({ baseOffset }) => baseOffset).join(', ');
  logger.warn(`Splitting ${segment.path}, whose offsets overflow its index, into segments ${offsets}`);
  for (const piece of pieces) await copy(context, segment, piece, path(piece, CLEANED_SUFFIX));
  await disk.syncDirectoryAsync(directory);
  for (const step of [pieces.slice(1), pieces.slice(0, 1)]) {
    for (const piece of step) disk.rename(path(piece, CLEANED_SUFFIX), path(piece, SWAP_SUFFIX));
    await disk.syncDirectoryAsync(directory);
  }
}

/** The first keeps the segment's base offset, even when it has no record. */
function piecesOf(segment: LogSegment, endOffset: number): Piece[] {
  let piece: Piece = { baseOffset: segment.baseOffset, from: 0, to: 0 };
  const pieces = [piece];
  let nextOffset = segment.baseOffset;
  const scanner = segment.scan({ bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    const baseOffset = baseOffsetAt(batch.buffer, batch.at);
    const lastOffset = lastOffsetAt(batch.buffer, batch.at);
    if (baseOffset < nextOffset || lastOffset < baseOffset || lastOffset >= endOffset) break;
    if (lastOffset - piece.baseOffset > MAX_RELATIVE_OFFSET) {
      const begin = lastOffset - nextOffset <= MAX_RELATIVE_OFFSET && nextOffset > piece.baseOffset ? nextOffset : baseOffset;
      piece = { baseOffset: begin, from: batch.position, to: batch.position };
      pieces.push(piece);
    }
    piece.to = batch.position + batch.sizeBytes;
    nextOffset = lastOffset + 1;
  }
  return pieces;
}

async function copy({ disk }: LogContext, segment: LogSegment, piece: Piece, path: string): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, Math.max(1, piece.to - piece.from)));
  const file = disk.open(path, 'truncate');
  try {
    for (let position = piece.from; position < piece.to;) {
      const read = await segment.readAsync(buffer, Math.min(buffer.length, piece.to - position), position);
      if (read === 0) throw new Error(`${segment.path} ends at byte ${position}, inside what was read of it before`);
      const written = await file.writeGatheredAsync([buffer.subarray(0, read)], position - piece.from);
      if (written !== read) throw shortWriteError(path, written, read);
      position += read;
    }
    await file.syncAsync();
  } finally {
    file.close();
  }
}
