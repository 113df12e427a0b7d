/**
 * How far each file of a log is on the device for certain: what fsync has confirmed in this process, and what lies below the flushed
 * offset, which an earlier one has confirmed. What lies behind may be there or not; a power loss decides.
 */
import type { LogSegment } from './log-segment.ts';

/** Bytes at the begin of `segment`'s log file; `nextBaseOffset` is the next segment's, undefined for the active one. */
export function syncedBytesOf(segment: LogSegment, flushedOffset: number, nextBaseOffset: number | undefined): number {
  const { sizeBytes, unsyncedBytes, baseOffset } = segment;
  if (unsyncedBytes === 0 || (nextBaseOffset !== undefined && nextBaseOffset <= flushedOffset)) return sizeBytes;
  const confirmed = sizeBytes - unsyncedBytes;
  if (confirmed > 0 || baseOffset >= flushedOffset) return confirmed;
  // Nothing was synced since this process recovered it: its recovery point lies in the middle.
  return segment.findBatch(flushedOffset)?.position ?? sizeBytes;
}
