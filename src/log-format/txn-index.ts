/**
 * The transaction index of a segment: the aborted transactions whose ABORT marker lies in it, ordered by the marker's offset.
 *
 *   entry (34 bytes, big endian)   int16 version 0    int64 producerId    int64 firstOffset    int64 lastOffset (the marker's)
 *                                  int64 lastStableOffset (when the marker was written)
 *
 * The file may be absent. A torn last entry or an unknown version makes it corrupt: it is rebuilt from the log.
 * Source: Kafka's AbortedTxn and TransactionIndex.
 */
import { readInt64Lossy, writeInt64 } from '../protocol/int64.ts';
import { LogFormatError } from './log-format-error.ts';

export const TXN_INDEX_ENTRY_BYTES = 34;

export interface AbortedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly lastStableOffset: number;
}

export function encodeAbortedTxn(txn: AbortedTxn): Buffer {
  const bytes = Buffer.alloc(TXN_INDEX_ENTRY_BYTES);
  writeInt64(bytes, txn.producerId, 2);
  writeInt64(bytes, txn.firstOffset, 10);
  writeInt64(bytes, txn.lastOffset, 18);
  writeInt64(bytes, txn.lastStableOffset, 26);
  return bytes;
}

/**
 * All entries of a file.
 *
 * @throws LogFormatError 'corrupt-index' on a torn entry, an unknown version, or last offsets that don't grow.
 */
export function decodeTxnIndex(bytes: Buffer): AbortedTxn[] {
  if (bytes.length % TXN_INDEX_ENTRY_BYTES !== 0) {
    throw new LogFormatError(
      'corrupt-index',
      `transaction index has ${bytes.length} bytes, no multiple of ${TXN_INDEX_ENTRY_BYTES}`,
      bytes.length - (bytes.length % TXN_INDEX_ENTRY_BYTES),
    );
  }
  const txns: AbortedTxn[] = [];
  let previous = -1;
  for (let at = 0; at < bytes.length; at += TXN_INDEX_ENTRY_BYTES) {
    const version = bytes.readInt16BE(at);
    if (version !== 0) throw new LogFormatError('corrupt-index', `transaction index entry at ${at} has version ${version}, known is 0`, at);
    const lastOffset = readInt64Lossy(bytes, at + 18);
    if (lastOffset <= previous) throw new LogFormatError('corrupt-index', `transaction index doesn't grow at byte ${at}`, at);
    previous = lastOffset;
    txns.push({
      producerId: readInt64Lossy(bytes, at + 2),
      firstOffset: readInt64Lossy(bytes, at + 10),
      lastOffset,
      lastStableOffset: readInt64Lossy(bytes, at + 26),
    });
  }
  return txns;
}
