/**
 * Reads one partition from an offset to an end that was fixed when the read began: every record once, gaps (compaction,
 * aborted transactions, markers) passed over and accounted for.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { batchSizeAt, readBatchHeader } from '../../protocol/records/record-batch.ts';
import type { RecordBatchHeader } from '../../protocol/records/record-batch.ts';
import type { MessageRow } from '../contract/messages.ts';
import { batchRows } from './message-rows.ts';
import type { FetchedBatches, RecordSource } from './record-source.ts';

const FETCH_BYTES = 256 * 1024;
const FETCH_TIMEOUT_MS = 8_000;

export interface CursorOptions {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. */
  readonly end: number;
  readonly previewBytes: number;
  readonly readCommitted: boolean;
  readonly includeControl: boolean;
}

export class PartitionCursor {
  readonly options: CursorOptions;
  readonly #source: RecordSource;
  #next: number;
  #bytes = 0;

  constructor(source: RecordSource, options: CursorOptions) {
    this.#source = source;
    this.options = options;
    this.#next = options.from;
  }

  /** The next offset to read. */
  get position(): number {
    return this.#next;
  }

  get done(): boolean {
    return this.#next >= this.options.end;
  }

  /** Bytes of batches read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One fetch: the rows it brought, at most `maxRows`; what is over is fetched again by the next call. Rejects with KafkaError. */
  async read(maxRows: number): Promise<MessageRow[]> {
    const { topic, partition, end, readCommitted } = this.options;
    const fetched = await this.#source.fetch({ topic, partition }, this.#next, {
      maxBytes: FETCH_BYTES,
      readCommitted,
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    const rows: MessageRow[] = [];
    const aborted = new AbortedProducers(fetched);
    let position = 0;
    let any = false;
    for (;;) {
      const size = batchSizeAt(fetched.records, position);
      if (size === undefined || position + size > fetched.records.length) break;
      if (size <= 0) throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `a batch of ${topic}-${partition} says it has ${size} bytes`);
      const batch = fetched.records.subarray(position, position + size);
      const header = readBatchHeader(batch, 0);
      any = true;
      this.#bytes += size;
      if (!this.#take(batch, header, aborted, rows, maxRows)) return rows;
      position += size;
      if (this.#next >= end) return rows;
    }
    // Nothing from here to the end of the log: what was there has been deleted or compacted away.
    if (!any) this.#next = end;
    return rows;
  }

  /** False when `rows` is full. */
  #take(batch: Buffer, header: RecordBatchHeader, aborted: AbortedProducers, rows: MessageRow[], maxRows: number): boolean {
    const { partition, end, previewBytes, includeControl } = this.options;
    const skipped = aborted.skips(batch, header) || (header.isControl && !includeControl);
    if (!skipped) {
      for (const row of batchRows(batch, header, partition, previewBytes)) {
        if (row.offset < this.#next) continue;
        if (row.offset >= end) break;
        if (rows.length >= maxRows) return false;
        rows.push(row);
        this.#next = row.offset + 1;
      }
    }
    this.#next = Math.max(this.#next, header.lastOffset + 1);
    return true;
  }
}

/** Which batches belong to aborted transactions: those of a producer from its transaction's first offset to its abort marker. */
class AbortedProducers {
  readonly #waiting: { readonly producerId: number; readonly firstOffset: number }[];
  readonly #aborting = new Set<number>();

  constructor({ abortedTransactions }: FetchedBatches) {
    this.#waiting = abortedTransactions.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  skips(batch: Buffer, header: RecordBatchHeader): boolean {
    while (this.#waiting[0] !== undefined && this.#waiting[0].firstOffset <= header.lastOffset) {
      const transaction = this.#waiting.shift();
      if (transaction) this.#aborting.add(transaction.producerId);
    }
    if (!header.isTransactional || !this.#aborting.has(header.producerId)) return false;
    if (!header.isControl) return true;
    for (const row of batchRows(batch, header, 0, 0)) if (row.kind === 'abortMarker') this.#aborting.delete(header.producerId);
    return false;
  }
}
