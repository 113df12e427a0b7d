/**
 * The one record of a control batch that ends a transaction, read in place.
 *
 *   key    int16 version 0    int16 type (0 ABORT, 1 COMMIT)
 *   value  int16 version 0    int32 coordinatorEpoch
 *
 * Source: Kafka's EndTransactionMarker, ControlRecordType.
 */
import { recordCountAt, sizeAt } from '../../log-format/batch-fields.ts';
import { RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import { readVarint, readVarlong } from '../../protocol/records/varint.ts';

export interface EndTransactionMarker {
  readonly kind: 'abort' | 'commit';
  readonly coordinatorEpoch: number;
}

/** The marker of the control batch at `at`; undefined when it holds none (cleaned away, damaged, or a type of KRaft's). */
export function readEndTransactionMarker(buffer: Buffer, at: number): EndTransactionMarker | undefined {
  if (recordCountAt(buffer, at) < 1) return undefined;
  const end = at + sizeAt(buffer, at);
  const cursor = { position: at + RECORD_BATCH_OVERHEAD, failed: false };
  readVarint(buffer, cursor, end); // the record's length
  cursor.position += 1; // its attributes
  readVarlong(buffer, cursor, end); // its timestamp
  readVarint(buffer, cursor, end); // its offset
  const keyLength = readVarint(buffer, cursor, end);
  const keyAt = cursor.position;
  if (cursor.failed || keyLength < 4 || keyAt + keyLength > end) return undefined;
  const type = buffer.readInt16BE(keyAt + 2);
  if (type !== 0 && type !== 1) return undefined;
  cursor.position = keyAt + keyLength;
  const valueLength = readVarint(buffer, cursor, end);
  if (cursor.failed || valueLength < 6 || cursor.position + valueLength > end) return undefined;
  return { kind: type === 0 ? 'abort' : 'commit', coordinatorEpoch: buffer.readInt32BE(cursor.position + 2) };
}
