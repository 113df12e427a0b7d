/**
 * Batches of a producer that its snapshot doesn't hold. A snapshot has the last batch of each producer; a log that was loaded from one (after a
 * start, or after a truncation) would call one of the four before it, sent again because its answer was lost, out of order, and librdkafka's
 * idempotent producer gives up for that. They are in the log, near the last one: looked up there when one is asked for.
 *
 * Apache Kafka doesn't look.
 */
import { attributesAt, baseOffsetAt, producerEpochAt, producerIdAt } from '../../log-format/batch-fields.ts';
import { CONTROL_FLAG } from '../../protocol/records/record-batch.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';
import { batchMetadataAt, firstOffsetOf, firstSequenceOf, NUM_BATCHES_TO_RETAIN, sequenceBefore } from './producer-state-entry.ts';
import type { BatchMetadata, ProducerStateEntry } from './producer-state-entry.ts';

/** It is read in the way of other requests: some milliseconds, once for each producer at most. */
const LOOK_BACK_BYTES = 4 * 1024 * 1024;

/** The batches right before the first one that `entry` knows, oldest first: those that make five with them, or what there is of them. */
export function readEarlierBatches(segments: LogSegments, entry: ProducerStateEntry): BatchMetadata[] {
  const [oldest] = entry.batches;
  if (oldest === undefined) return [];
  const missing = NUM_BATCHES_TO_RETAIN - entry.batches.length;
  let earlier: BatchMetadata[] = [];
  let bytesLeft = LOOK_BACK_BYTES;
  let belowOffset = firstOffsetOf(oldest);
  for (let segment = segments.lower(belowOffset); segment !== undefined && bytesLeft > 0; segment = segments.lower(segment.baseOffset)) {
    const { batches, bytes } = batchesBelow(segment, { belowOffset, bytesLeft, entry });
    earlier = unbrokenEnd([...batches, ...earlier], oldest).slice(-missing);
    if (earlier.length === missing) break;
    bytesLeft -= bytes;
    belowOffset = segment.baseOffset;
  }
  return earlier;
}

interface Piece {
  readonly belowOffset: number;
  readonly bytesLeft: number;
  readonly entry: ProducerStateEntry;
}

/** What the producer has in the last bytes of a segment before `belowOffset`, in order; and how many bytes there were. */
function batchesBelow(segment: LogSegment, { belowOffset, bytesLeft, entry }: Piece): { batches: BatchMetadata[]; bytes: number } {
  const to = segment.findBatch(belowOffset)?.position ?? segment.sizeBytes;
  const from = segment.indexes.offsetIndex.lastPositionAtOrBelow(Math.max(0, to - bytesLeft));
  const batches: BatchMetadata[] = [];
  const scanner = segment.scan({ from, to, bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    const { buffer, at } = batch;
    if (producerIdAt(buffer, at) !== entry.producerId || producerEpochAt(buffer, at) !== entry.producerEpoch) continue;
    if ((attributesAt(buffer, at) & CONTROL_FLAG) !== 0 || baseOffsetAt(buffer, at) >= belowOffset) continue;
    batches.push(batchMetadataAt(buffer, at));
  }
  return { batches, bytes: to - from };
}

/** Those from behind the last gap in the sequences on: what was before it (compacted away, or damaged) may be anything. */
function unbrokenEnd(batches: readonly BatchMetadata[], next: BatchMetadata): BatchMetadata[] {
  let follower = next;
  let begin = batches.length;
  for (let batch = batches[begin - 1]; batch !== undefined; batch = batches[begin - 1]) {
    if (batch.lastSequence !== sequenceBefore(firstSequenceOf(follower)) || batch.lastOffset >= firstOffsetOf(follower)) break;
    follower = batch;
    begin--;
  }
  return batches.slice(begin);
}
