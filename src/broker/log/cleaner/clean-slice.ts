/**
 * The work of cleaning, in slices that a worker does one after another: reading the dirty section into the offset map, and copying a group
 * of segments into one. A slice ends at a batch, after some megabytes; between two of them the broker looks whether to go on, waits for the
 * throttle and lets other work have the worker. All that a slice knows goes in and comes out as plain data, the map's memory handed over.
 *
 * Nothing here touches a live file but to read it. Errors come back as values, since a worker's lose their code.
 * Source: Kafka's Cleaner.buildOffsetMap, cleanInto.
 */
import { attributesAt, baseOffsetAt, lastOffsetAt, recordCountAt } from '../../../log-format/batch-fields.ts';
import { BatchScanner } from '../../../log-format/batch-scanner.ts';
import type { ScannedBatch } from '../../../log-format/batch-scanner.ts';
import type { AbortedTxn } from '../../../log-format/txn-index.ts';
import { decompress } from '../../../protocol/records/compression.ts';
import type { CompressionCodec } from '../../../protocol/records/compression.ts';
import { COMPRESSION_MASK, CONTROL_FLAG, hasValidCrc, RECORD_BATCH_OVERHEAD } from '../../../protocol/records/record-batch.ts';
import type { Disk, DiskFile } from '../../../runtime/disk.ts';
import { BatchFilter, MAX_DECOMPRESSED_BYTES } from './batch-filter.ts';
import type { LastRecord } from './batch-filter.ts';
import { BatchOutput } from './batch-output.ts';
import { CleanedSegmentWriter } from './cleaned-segment-writer.ts';
import type { CleanedSegmentState } from './cleaned-segment-writer.ts';
import { CleanedTransactionMetadata } from './cleaned-transaction-metadata.ts';
import type { TransactionState } from './cleaned-transaction-metadata.ts';
import { LogCleaningError } from './log-cleaning-error.ts';
import { RecordCursor } from './record-cursor.ts';
import { SkimpyOffsetMap } from './skimpy-offset-map.ts';
import type { OffsetMapState } from './skimpy-offset-map.ts';

export interface SourceSegment {
  readonly path: string;
  readonly sizeBytes: number;
  /** Where the first batch of interest begins. */
  readonly from: number;
  /** Aborted transactions that reach into the segment: for copying. */
  readonly abortedTxns: readonly AbortedTxn[];
  /** Where the next segment begins, or the cleanable section ends: for the map. */
  readonly endOffset: number;
}

/** How far a job has got: the segment, and the position in it (-1: not begun). */
export interface SliceCursor {
  readonly segment: number;
  readonly position: number;
}

interface SliceInput {
  readonly map: OffsetMapState;
  readonly transactions: TransactionState;
  readonly segments: readonly SourceSegment[];
  readonly cursor: SliceCursor;
  /** Ends after this many bytes read, at a batch. */
  readonly budgetBytes: number;
  /** log.cleaner.io.buffer.size, one thread's half. */
  readonly ioBufferBytes: number;
}

export interface IndexSliceInput extends SliceInput {
  readonly kind: 'index';
  readonly startOffset: number;
  readonly maxEntries: number;
}

export interface CopySliceInput extends SliceInput {
  readonly kind: 'copy';
  readonly target: CleanedSegmentState;
  readonly lastRecords: ReadonlyMap<number, LastRecord>;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
}

export type CleanSliceInput = IndexSliceInput | CopySliceInput;

export interface SliceStats {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly recordsRead: number;
  readonly recordsWritten: number;
  readonly invalidRecords: number;
  readonly tombstonesDropped: number;
}

export type CleanSliceOutput =
  | {
      readonly ok: true;
      readonly map: OffsetMapState;
      readonly transactions: TransactionState;
      readonly cursor: SliceCursor;
      readonly target: CleanedSegmentState | undefined;
      /** The job is done: all is copied, or all is in the map, or the map is full. */
      readonly isDone: boolean;
      readonly stats: SliceStats;
    }
  | {
      readonly ok: false;
      readonly message: string;
      /** Of an error of the disk. */
      readonly disk: { readonly code: string; readonly syscall: string } | undefined;
    };

/** Does one slice. Never throws but for a fault of ours. */
export function runCleanSlice(disk: Disk, input: CleanSliceInput): CleanSliceOutput {
  try {
    return input.kind === 'index' ? indexSlice(disk, input) : copySlice(disk, input);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code, syscall } = error as NodeJS.ErrnoException;
    const isDiskError = typeof code === 'string' && typeof syscall === 'string';
    return { ok: false, message: error.message, disk: isDiskError ? { code, syscall } : undefined };
  }
}

// ---- The map

function indexSlice(disk: Disk, input: IndexSliceInput): CleanSliceOutput {
  const map = new SkimpyOffsetMap(input.map);
  const transactions = new CleanedTransactionMetadata(input.transactions);
  const reader = new SliceReader(disk, input);
  const indexer = new Indexer(map, transactions, input);
  let isFull = false;
  reader.each(
    (batch) => {
      isFull = !indexer.take(batch);
      return !isFull;
    },
    {
      onBegin: () => {},
      onEnd: (segment) => {
        map.latestOffset = segment.endOffset - 1;
      },
    },
  );
  return {
    ok: true,
    map: map.state,
    transactions: transactions.state,
    cursor: reader.cursor,
    target: undefined,
    isDone: isFull || reader.isDone,
    stats: {
      bytesRead: reader.bytesRead,
      bytesWritten: 0,
      recordsRead: indexer.recordsRead,
      recordsWritten: 0,
      invalidRecords: 0,
      tombstonesDropped: 0,
    },
  };
}

class Indexer {
  readonly #map: SkimpyOffsetMap;
  readonly #transactions: CleanedTransactionMetadata;
  readonly #startOffset: number;
  readonly #maxEntries: number;
  readonly #cursor = new RecordCursor();
  recordsRead = 0;

  constructor(map: SkimpyOffsetMap, transactions: CleanedTransactionMetadata, input: IndexSliceInput) {
    this.#map = map;
    this.#transactions = transactions;
    this.#startOffset = input.startOffset;
    this.#maxEntries = input.maxEntries;
  }

  /** Takes a batch into the map; false when the map got full on the way, which its latest offset tells of. */
  take({ buffer, at, sizeBytes }: ScannedBatch): boolean {
    const lastOffset = lastOffsetAt(buffer, at);
    const attributes = attributesAt(buffer, at);
    this.recordsRead += Math.max(0, recordCountAt(buffer, at));
    if ((attributes & CONTROL_FLAG) !== 0) this.#transactions.onControlBatchRead(buffer, at);
    else if (!this.#transactions.onBatchRead(buffer, at) && !this.#takeRecords(buffer, at, sizeBytes)) return false;
    if (lastOffset >= this.#startOffset) this.#map.latestOffset = lastOffset;
    return true;
  }

  #takeRecords(buffer: Buffer, at: number, sizeBytes: number): boolean {
    const codec = (attributesAt(buffer, at) & COMPRESSION_MASK) as CompressionCodec;
    const records = buffer.subarray(at + RECORD_BATCH_OVERHEAD, at + sizeBytes);
    const content = codec === 0 ? records : decompress(codec, records, MAX_DECOMPRESSED_BYTES);
    const cursor = this.#cursor;
    const map = this.#map;
    const baseOffset = baseOffsetAt(buffer, at);
    cursor.reset(content, 0, content.length, recordCountAt(buffer, at));
    while (cursor.next()) {
      const offset = baseOffset + cursor.offsetDelta;
      if (cursor.keyLength < 0 || offset < this.#startOffset) continue;
      if (map.size >= this.#maxEntries) return false;
      map.put(content, cursor.keyAt, cursor.keyAt + cursor.keyLength, offset);
    }
    return true;
  }
}

// ---- The copy

function copySlice(disk: Disk, input: CopySliceInput): CleanSliceOutput {
  const map = new SkimpyOffsetMap(input.map);
  const transactions = new CleanedTransactionMetadata(input.transactions);
  const filter = new BatchFilter({ ...input, map, transactions });
  const reader = new SliceReader(disk, input);
  const writer = new CleanedSegmentWriter(disk, input.target);
  const output = new BatchOutput(input.ioBufferBytes);
  const before = input.target.sizeBytes;
  const write = (): void => {
    writer.append(output.bytes);
    output.cutTo(0);
  };
  try {
    reader.each(
      ({ buffer, at, sizeBytes }) => {
        filter.filter(buffer, at, sizeBytes, output);
        if (output.length >= input.ioBufferBytes) write();
        return true;
      },
      { onBegin: (segment) => transactions.addAbortedTransactions(segment.abortedTxns), onEnd: () => {} },
    );
    write();
    if (reader.isDone) writer.finish(transactions.state.cleanedIndex);
    else writer.suspend();
  } finally {
    writer.close();
  }
  return {
    ok: true,
    map: map.state,
    transactions: transactions.state,
    cursor: reader.cursor,
    target: input.target,
    isDone: reader.isDone,
    stats: { bytesRead: reader.bytesRead, bytesWritten: input.target.sizeBytes - before, ...filter.stats },
  };
}

// ---- Reading

class SliceReader {
  readonly #disk: Disk;
  readonly #input: SliceInput;
  #segment: number;
  #position: number;
  bytesRead = 0;

  constructor(disk: Disk, input: SliceInput) {
    this.#disk = disk;
    this.#input = input;
    this.#segment = input.cursor.segment;
    this.#position = input.cursor.position;
  }

  get cursor(): SliceCursor {
    return { segment: this.#segment, position: this.#position };
  }
  get isDone(): boolean {
    return this.#segment >= this.#input.segments.length;
  }

  /** Calls `visit` for each batch, until it returns false or the budget is used up. */
  each(
    visit: (batch: ScannedBatch) => boolean,
    hooks: { onBegin: (segment: SourceSegment) => void; onEnd: (segment: SourceSegment) => void },
  ): void {
    for (;;) {
      const segment = this.#input.segments[this.#segment];
      if (segment === undefined) return;
      if (this.#position < 0) {
        hooks.onBegin(segment);
        this.#position = segment.from;
      }
      if (!this.#readSegment(segment, visit)) return;
      hooks.onEnd(segment);
      this.#segment++;
      this.#position = -1;
    }
  }

  /** Whether the segment's end was reached. */
  #readSegment(segment: SourceSegment, visit: (batch: ScannedBatch) => boolean): boolean {
    if (this.#position >= segment.sizeBytes) return true;
    const file = this.#disk.open(segment.path, 'read');
    try {
      return this.#readFile(segment, file, visit);
    } finally {
      file.close();
    }
  }

  #readFile(segment: SourceSegment, file: DiskFile, visit: (batch: ScannedBatch) => boolean): boolean {
    const scanner = new BatchScanner((target, offset, length, position) => file.read(target, offset, length, position), {
      from: this.#position,
      to: segment.sizeBytes,
      bodies: true,
      chunkBytes: this.#input.ioBufferBytes,
    });
    while (this.bytesRead < this.#input.budgetBytes) {
      const batch = scanner.next();
      if (batch === undefined) {
        if (scanner.end?.kind === 'invalid') throw new LogCleaningError(`${segment.path} at ${scanner.position}: ${scanner.end.reason}`);
        return true;
      }
      if (!hasValidCrc(batch.buffer, batch.at)) throw new LogCleaningError(`${segment.path} at ${batch.position}: a wrong checksum`);
      this.bytesRead += batch.sizeBytes;
      if (!this.#visit(segment, batch, visit)) return false;
      this.#position = scanner.position;
    }
    return false;
  }

  #visit(segment: SourceSegment, batch: ScannedBatch, visit: (batch: ScannedBatch) => boolean): boolean {
    try {
      return visit(batch);
    } catch (error) {
      // What the disk says names its own file.
      if (!(error instanceof Error) || 'syscall' in error) throw error;
      throw new LogCleaningError(`${segment.path} at ${batch.position}: ${error.message}`, { cause: error });
    }
  }
}
