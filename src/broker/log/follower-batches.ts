/**
 * What a follower checks of the batches a leader sent: whole, of format 2, undamaged, with offsets that grow from its log's end.
 * Everything else the leader has checked. A batch cut short at the end is left out. Source: Kafka's UnifiedLog.analyzeAndValidateRecords.
 */
import { baseOffsetAt, lastOffsetAt, magicAt, sizeAt, wholeBatchesBytes } from '../../log-format/batch-fields.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { hasValidCrc, MAGIC_V2 } from '../../protocol/records/record-batch.ts';
import { appendError } from './log-errors.ts';
import type { LogAppendError } from './log-errors.ts';

export interface FollowerBatches {
  readonly ok: true;
  /** Bytes of whole batches. */
  readonly validBytes: number;
}

/** @param nextOffset the lowest offset that the first record may have. Compaction leaves gaps, so it may be higher. */
export function checkFollowerBatches(records: Buffer, nextOffset: number): FollowerBatches | LogAppendError {
  const validBytes = wholeBatchesBytes(records);
  let expected = nextOffset;
  for (let at = 0; at < validBytes; at += sizeAt(records, at)) {
    if (magicAt(records, at) !== MAGIC_V2)
      return appendError(ErrorCode.CORRUPT_MESSAGE, `A fetched batch has message format ${magicAt(records, at)}: only 2 is supported`);
    if (!hasValidCrc(records, at))
      return appendError(ErrorCode.CORRUPT_MESSAGE, `The fetched batch at offset ${baseOffsetAt(records, at)} has a wrong checksum`);
    const baseOffset = baseOffsetAt(records, at);
    const lastOffset = lastOffsetAt(records, at);
    if (baseOffset < expected || lastOffset < baseOffset) {
      return appendError(
        ErrorCode.INVALID_RECORD,
        `Unexpected offsets ${baseOffset} to ${lastOffset} in a fetched batch: the next offset is ${expected}`,
      );
    }
    expected = lastOffset + 1;
  }
  return { ok: true, validBytes };
}
