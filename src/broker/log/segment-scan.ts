/**
 * The scan of a segment that may be damaged: every batch is read and its checksum computed, up to the first byte that can't begin a whole and
 * plausible batch. What it finds (where the good part ends, the indexes, epochs, aborted transactions, the producers' state) is returned; nothing
 * is written. One scan for both places: on the event loop with reads that it waits for, in a worker with reads in place.
 * Source: Kafka's LogSegment.recover.
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
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { hasValidCrc, MAGIC_V2, NO_PRODUCER_ID, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import { IndexBuilder } from './index-builder.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

/** Index entries have four bytes for the distance from the base offset. */
export const MAX_RELATIVE_OFFSET = 0x7fff_ffff;

export const SCAN_BUFFER_BYTES = 2 * 1024 * 1024;
/** No request is larger (socket.request.max.bytes is an int, 100 MiB by default): a length above is damage, not worth its memory. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

/** What is known of the segment beforehand; plain data. */
export interface ScanTarget {
  readonly baseOffset: number;
  readonly fileBytes: number;
  readonly indexIntervalBytes: number;
  /** Where the next segment begins; Infinity behind the last. */
  readonly endOffset: number;
  /** Whether offsets may be missing in any number: a cleaner has been here. */
  readonly mayHaveGaps: boolean;
}

export interface ScanParts {
  /** Reads up to `length` bytes at `position` to the begin of `target`; gives how many, 0 at the end of the file. */
  readonly read: (target: Buffer, length: number, position: number) => number | Promise<number>;
  /** The header at `position` behind what was read, or what there is of it. */
  readonly readHeader: (position: number) => Buffer;
  /** For what is read; a batch that is larger gets a buffer of its own. */
  readonly buffer: Buffer;
  /** Reflects the log up to the segment's begin; afterwards up to the end of what is good. */
  readonly producerState: ProducerStateManager;
  /** Hears of each piece of the file that was good. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Batches beside each other that have one leader epoch. */
export interface EpochRun {
  readonly epoch: number;
  readonly firstOffset: number;
  /** Exclusive. */
  endOffset: number;
}

export interface ScanFindings {
  /** The good part of the file. */
  validBytes: number;
  /** One above the last offset that is good. */
  nextOffset: number;
  /** Why the rest isn't. */
  reason: string | undefined;
  /** What lies behind the good part are zeros, as far as was read: no record was there, or none that reached the device. */
  endsInZeros: boolean;
  /** The batch behind the good part is good itself and doesn't fit the segment: that must be split. */
  overflows: boolean;
  readonly indexes: IndexBuilder;
  readonly epochs: EpochRun[];
  readonly abortedTxns: AbortedTxn[];
}

/** @throws what `read` does. */
export async function scanSegment(target: ScanTarget, parts: ScanParts): Promise<ScanFindings> {
  const { fileBytes, baseOffset } = target;
  const { onBytes, producerState } = parts;
  let { buffer } = parts;
  const found: ScanFindings = {
    validBytes: 0,
    nextOffset: baseOffset,
    reason: undefined,
    endsInZeros: false,
    overflows: false,
    indexes: new IndexBuilder(baseOffset, target.indexIntervalBytes),
    epochs: [],
    abortedTxns: [],
  };
  while (found.validBytes < fileBytes && found.reason === undefined) {
    const read = await readFully(parts, buffer, Math.min(buffer.length, fileBytes - found.validBytes), found.validBytes);
    const at = takeBatches(target, parts, found, buffer.subarray(0, read));
    if (at > 0) producerState.updateMapEndOffset(found.nextOffset);
    found.validBytes += at;
    if (found.overflows) break;
    onBytes?.(at);
    if (at > 0 || found.reason !== undefined) continue;
    // Not one whole batch in the buffer: it is larger, or the file ends here.
    const wanted = read < RECORD_BATCH_OVERHEAD ? 0 : sizeAt(buffer, 0);
    if (wanted > buffer.length && read === buffer.length) buffer = Buffer.allocUnsafeSlow(wanted);
    else found.reason = 'the file ends inside a batch';
  }
  found.indexes.finish();
  return found;
}

async function readFully({ read }: ScanParts, buffer: Buffer, length: number, position: number): Promise<number> {
  let total = 0;
  while (total < length) {
    const count = await read(total === 0 ? buffer : buffer.subarray(total), length - total, position + total);
    if (count === 0) break;
    total += count;
  }
  return total;
}

/** Checks and takes the whole batches in `buffer`, whose first byte is behind the good part; returns the bytes that they have. */
function takeBatches(target: ScanTarget, parts: ScanParts, found: ScanFindings, buffer: Buffer): number {
  const { fileBytes, baseOffset: segmentBegin } = target;
  const position = found.validBytes;
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
      baseOffset >= found.nextOffset &&
      lastOffset >= baseOffset;
    const fits = lastOffset - segmentBegin <= MAX_RELATIVE_OFFSET;
    if (
      !isPlausible ||
      (!fits && !isOverflow(target, parts, { nextOffset: found.nextOffset, lastOffset, end: position + at + sizeBytes }))
    ) {
      found.endsInZeros = isZeros(buffer, at);
      found.reason = found.endsInZeros
        ? 'zeros'
        : headerFault(buffer, at, { nextOffset: found.nextOffset, left: fileBytes - position - at });
      return at;
    }
    if (at + sizeBytes > buffer.length) return at;
    if (!hasValidCrc(buffer, at)) {
      found.reason = 'a wrong checksum';
      return at;
    }
    found.overflows = !fits;
    if (found.overflows) return at;
    found.indexes.noteBatch(position + at, sizeBytes, lastOffset, maxTimestampAt(buffer, at));
    noteEpoch(found.epochs, leaderEpochAt(buffer, at), baseOffset, lastOffset + 1);
    if (producerIdAt(buffer, at) !== NO_PRODUCER_ID) noteProducer(parts.producerState, found.abortedTxns, buffer, at);
    found.nextOffset = lastOffset + 1;
    at += sizeBytes;
  }
  return at;
}

/**
 * Whether offsets that are too far from the base offset can be right. No checksum covers a batch's base offset: one that leaves room for
 * neither the batch behind it nor the next segment is damage, and so is a large gap where no cleaner makes any.
 */
function isOverflow(
  { endOffset, mayHaveGaps }: ScanTarget,
  { readHeader }: ScanParts,
  batch: { readonly nextOffset: number; readonly lastOffset: number; readonly end: number },
): boolean {
  const { nextOffset, lastOffset, end } = batch;
  if (lastOffset >= endOffset || (!mayHaveGaps && lastOffset - nextOffset > MAX_RELATIVE_OFFSET)) return false;
  const following = readHeader(end);
  return following.length < RECORD_BATCH_OVERHEAD || magicAt(following, 0) !== MAGIC_V2 || baseOffsetAt(following, 0) > lastOffset;
}

function isZeros(buffer: Buffer, from: number): boolean {
  for (let at = from; at < buffer.length; at++) if (buffer[at] !== 0) return false;
  return true;
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

function noteEpoch(runs: EpochRun[], epoch: number, firstOffset: number, endOffset: number): void {
  const run = runs[runs.length - 1];
  if (run !== undefined && run.epoch === epoch) run.endOffset = endOffset;
  else runs.push({ epoch, firstOffset, endOffset });
}

function noteProducer(state: ProducerStateManager, abortedTxns: AbortedTxn[], buffer: Buffer, at: number): void {
  const completed = state.update(buffer, at);
  if (completed === undefined) return;
  if (completed.isAborted) abortedTxns.push(state.abortedTxn(completed));
  state.completeTxn(completed);
}
