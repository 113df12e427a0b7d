/**
 * What cleaning leaves of one batch: nothing, all of it as it was, some of its records, or only its header.
 *
 * A record stays when the offset map knows no newer one of its key; a tombstone until its batch's delete horizon has passed; a record without a key
 * goes, and all of an aborted transaction. A marker stays until nothing of its transaction is left and then until its horizon. The horizon
 * (KIP-534) is set when a batch with a tombstone or such a marker is copied for the first time. A producer's last batch stays as a header, so
 * that its sequence number isn't forgotten.
 *
 * What is rebuilt keeps its offsets, codec, epochs, producer and sequence; records are copied as bytes. Differs from Kafka: the base timestamp
 * stays that of the original batch (Kafka takes the first kept record's), every checksum is verified before anything is rewritten, and a batch whose
 * timestamps no number holds (nanoseconds) gets no horizon: its tombstones stay. Source: Cleaner.cleanInto, MemoryRecords.filterTo.
 */
import {
  attributesAt,
  baseOffsetAt,
  baseTimestampAt,
  lastOffsetAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
} from '../../../log-format/batch-fields.ts';
import { writeInt64 } from '../../../protocol/int64.ts';
import { compress, CompressionCodec, decompress } from '../../../protocol/records/compression.ts';
import {
  ATTRIBUTES_OFFSET,
  BASE_TIMESTAMP_OFFSET,
  BATCH_LENGTH_OFFSET,
  COMPRESSION_MASK,
  computeBatchCrc,
  CONTROL_FLAG,
  CRC_OFFSET,
  DELETE_HORIZON_FLAG,
  LOG_APPEND_TIME_FLAG,
  LOG_OVERHEAD,
  MAX_TIMESTAMP_OFFSET,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_OFFSET,
} from '../../../protocol/records/record-batch.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../../../protocol/records/varint.ts';
import { BatchOutput } from './batch-output.ts';
import type { CleanedTransactionMetadata } from './cleaned-transaction-metadata.ts';
import { RecordCursor } from './record-cursor.ts';
import type { SkimpyOffsetMap } from './skimpy-offset-map.ts';

/** A compressed batch that must be opened may grow to this: what the log's validation allows. */
export const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;
const SCRATCH_BYTES = 64 * 1024;

/** The last batch of a producer that may still write: by offset, or, where only markers are known of it, by epoch. */
export interface LastRecord {
  /** -1: no batch of records is known. */
  readonly lastDataOffset: number;
  readonly producerEpoch: number;
}

export interface FilterContext {
  readonly map: SkimpyOffsetMap;
  readonly transactions: CleanedTransactionMetadata;
  readonly lastRecords: ReadonlyMap<number, LastRecord>;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
}

export interface FilterStats {
  recordsRead: number;
  recordsWritten: number;
  /** Records without a key. */
  invalidRecords: number;
  /** Of the records that went: tombstones that no newer record had replaced, whose delete horizon had passed. */
  tombstonesDropped: number;
}

export class BatchFilter {
  readonly #context: FilterContext;
  readonly #cursor = new RecordCursor();
  /** The kept records of a batch under work: [start, end) pairs, neighbours joined. */
  readonly #runs: number[] = [];
  #scratch = new BatchOutput(SCRATCH_BYTES);
  readonly stats: FilterStats = { recordsRead: 0, recordsWritten: 0, invalidRecords: 0, tombstonesDropped: 0 };

  constructor(context: FilterContext) {
    this.#context = context;
  }

  /** Adds to `output` what is left of the whole batch at `at`. @throws LogCleaningError, KafkaError when it is damaged. */
  filter(buffer: Buffer, at: number, sizeBytes: number, output: BatchOutput): void {
    const attributes = attributesAt(buffer, at);
    const count = recordCountAt(buffer, at);
    this.stats.recordsRead += Math.max(0, count);
    if ((attributes & CONTROL_FLAG) !== 0) this.#filterControlBatch(buffer, at, sizeBytes, output);
    else if (this.#context.transactions.onBatchRead(buffer, at)) this.#dropAll(buffer, at, output);
    else this.#filterRecords(buffer, at, sizeBytes, output);
  }

  #filterControlBatch(buffer: Buffer, at: number, sizeBytes: number, output: BatchOutput): void {
    const { transactions, nowMs } = this.#context;
    const isOfEmptyTxn = transactions.onControlBatchRead(buffer, at);
    const count = recordCountAt(buffer, at);
    const horizonMs = this.#horizonOf(buffer, at);
    if (count <= 0 || (isOfEmptyTxn && horizonMs !== undefined && horizonMs <= nowMs)) this.#dropAll(buffer, at, output);
    else if (isOfEmptyTxn && horizonMs === undefined && this.#mayHaveHorizon(buffer, at)) {
      const content = contentOf(buffer, at, sizeBytes);
      this.#runs.length = 0;
      this.#runs.push(content.start, content.end);
      this.#writeWithHorizon(buffer, at, content, count, output);
    } else this.#keepAll(buffer, at, sizeBytes, output);
  }

  #filterRecords(buffer: Buffer, at: number, sizeBytes: number, output: BatchOutput): void {
    const count = recordCountAt(buffer, at);
    const content = contentOf(buffer, at, sizeBytes);
    const baseOffset = baseOffsetAt(buffer, at);
    const horizonMs = this.#horizonOf(buffer, at);
    const cursor = this.#cursor;
    const runs = this.#runs;
    runs.length = 0;
    cursor.reset(content.bytes, content.start, content.end, count);
    let kept = 0;
    let hasTombstones = false;
    let maxTimestampDelta = -Infinity;
    while (cursor.next()) {
      if (!this.#retains(content.bytes, baseOffset + cursor.offsetDelta, horizonMs)) continue;
      kept++;
      if (!cursor.hasValue) hasTombstones = true;
      if (cursor.timestampDelta > maxTimestampDelta) maxTimestampDelta = cursor.timestampDelta;
      if (runs.at(-1) === cursor.start) runs[runs.length - 1] = cursor.position;
      else runs.push(cursor.start, cursor.position);
    }
    if (kept === 0) this.#dropAll(buffer, at, output);
    else if (hasTombstones && horizonMs === undefined && this.#mayHaveHorizon(buffer, at))
      this.#writeWithHorizon(buffer, at, content, kept, output);
    else if (kept === count) this.#keepAll(buffer, at, sizeBytes, output);
    else this.#writeRuns(buffer, at, content, { kept, maxTimestampDelta }, output);
  }

  /** Whether the cursor's record stays. */
  #retains(bytes: Buffer, offset: number, horizonMs: number | undefined): boolean {
    const { map, nowMs } = this.#context;
    if (offset > map.latestOffset) return true;
    const { keyAt, keyLength, hasValue } = this.#cursor;
    if (keyLength < 0) {
      this.stats.invalidRecords++;
      return false;
    }
    if (map.get(bytes, keyAt, keyAt + keyLength) > offset) return false;
    if (hasValue || horizonMs === undefined || nowMs < horizonMs) return true;
    this.stats.tombstonesDropped++;
    return false;
  }

  #horizonOf(buffer: Buffer, at: number): number | undefined {
    return (attributesAt(buffer, at) & DELETE_HORIZON_FLAG) === 0 ? undefined : baseTimestampAt(buffer, at);
  }

  #mayHaveHorizon(buffer: Buffer, at: number): boolean {
    return (
      Math.abs(baseTimestampAt(buffer, at)) <= Number.MAX_SAFE_INTEGER && Math.abs(maxTimestampAt(buffer, at)) <= Number.MAX_SAFE_INTEGER
    );
  }

  /** The batch goes; of a producer's last one the header stays. */
  #dropAll(buffer: Buffer, at: number, output: BatchOutput): void {
    if (!this.#isLastOfProducer(buffer, at)) return;
    const header = output.add(buffer, at, at + RECORD_BATCH_OVERHEAD);
    const target = output.buffer;
    target.writeInt16BE(attributesAt(target, header) & ~(COMPRESSION_MASK | DELETE_HORIZON_FLAG), header + ATTRIBUTES_OFFSET);
    writeInt64(target, NO_TIMESTAMP, header + BASE_TIMESTAMP_OFFSET);
    target.writeInt32BE(0, header + RECORD_COUNT_OFFSET);
    finishBatch(target, header, RECORD_BATCH_OVERHEAD);
  }

  #isLastOfProducer(buffer: Buffer, at: number): boolean {
    const producerId = producerIdAt(buffer, at);
    if (producerId === NO_PRODUCER_ID) return false;
    const last = this.#context.lastRecords.get(producerId);
    if (last === undefined) return false;
    if (last.lastDataOffset >= 0) return lastOffsetAt(buffer, at) === last.lastDataOffset;
    return (attributesAt(buffer, at) & CONTROL_FLAG) !== 0 && producerEpochAt(buffer, at) === last.producerEpoch;
  }

  #keepAll(buffer: Buffer, at: number, sizeBytes: number, output: BatchOutput): void {
    this.stats.recordsWritten += recordCountAt(buffer, at);
    output.add(buffer, at, at + sizeBytes);
  }

  /** Copies the kept records as they are. */
  #writeRuns(buffer: Buffer, at: number, content: Content, kept: { kept: number; maxTimestampDelta: number }, output: BatchOutput): void {
    const isCompressed = content.codec !== CompressionCodec.NONE;
    const begin = output.add(buffer, at, at + RECORD_BATCH_OVERHEAD);
    const target = isCompressed ? this.#emptyScratch() : output;
    for (let index = 0; index < this.#runs.length; index += 2) target.add(content.bytes, this.#runs[index]!, this.#runs[index + 1]!);
    if (isCompressed) addCompressed(content.codec, target.bytes, output);
    const isLogAppendTime = (attributesAt(buffer, at) & LOG_APPEND_TIME_FLAG) !== 0;
    const maxTimestamp = baseTimestampAt(buffer, at) + kept.maxTimestampDelta;
    if (!isLogAppendTime && this.#mayHaveHorizon(buffer, at)) writeInt64(output.buffer, maxTimestamp, begin + MAX_TIMESTAMP_OFFSET);
    this.#finish(output, begin, kept.kept);
  }

  /** The delete horizon takes the base timestamp's place: every timestamp is told from it anew. */
  #writeWithHorizon(buffer: Buffer, at: number, content: Content, kept: number, output: BatchOutput): void {
    const horizonMs = this.#context.nowMs + this.#context.deleteRetentionMs;
    const isLogAppendTime = (attributesAt(buffer, at) & LOG_APPEND_TIME_FLAG) !== 0;
    const baseTimestamp = baseTimestampAt(buffer, at);
    const appendTime = maxTimestampAt(buffer, at);
    const isCompressed = content.codec !== CompressionCodec.NONE;
    const begin = output.add(buffer, at, at + RECORD_BATCH_OVERHEAD);
    const target = isCompressed ? this.#emptyScratch() : output;
    const cursor = this.#cursor;
    let maxTimestamp: number = NO_TIMESTAMP;
    for (let index = 0; index < this.#runs.length; index += 2) {
      const end = this.#runs[index + 1]!;
      cursor.reset(content.bytes, this.#runs[index]!, end, Infinity);
      while (cursor.position < end) {
        cursor.next();
        const timestamp = isLogAppendTime ? appendTime : baseTimestamp + cursor.timestampDelta;
        if (timestamp > maxTimestamp) maxTimestamp = timestamp;
        addWithTimestampDelta(content.bytes, cursor, timestamp - horizonMs, target);
      }
    }
    if (isCompressed) addCompressed(content.codec, target.bytes, output);
    const { buffer: written } = output;
    written.writeInt16BE(attributesAt(buffer, at) | DELETE_HORIZON_FLAG, begin + ATTRIBUTES_OFFSET);
    writeInt64(written, horizonMs, begin + BASE_TIMESTAMP_OFFSET);
    if (!isLogAppendTime) writeInt64(written, maxTimestamp, begin + MAX_TIMESTAMP_OFFSET);
    this.#finish(output, begin, kept);
  }

  #finish(output: BatchOutput, begin: number, kept: number): void {
    this.stats.recordsWritten += kept;
    output.buffer.writeInt32BE(kept, begin + RECORD_COUNT_OFFSET);
    finishBatch(output.buffer, begin, output.length - begin);
  }

  #emptyScratch(): BatchOutput {
    this.#scratch.cutTo(0);
    return this.#scratch;
  }
}

/** The records of a batch, uncompressed. */
interface Content {
  readonly codec: CompressionCodec;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

function contentOf(buffer: Buffer, at: number, sizeBytes: number): Content {
  const codec = (attributesAt(buffer, at) & COMPRESSION_MASK) as CompressionCodec;
  if (codec === CompressionCodec.NONE) return { codec, bytes: buffer, start: at + RECORD_BATCH_OVERHEAD, end: at + sizeBytes };
  const bytes = decompress(codec, buffer.subarray(at + RECORD_BATCH_OVERHEAD, at + sizeBytes), MAX_DECOMPRESSED_BYTES);
  return { codec, bytes, start: 0, end: bytes.length };
}

function addCompressed(codec: CompressionCodec, records: Buffer, output: BatchOutput): void {
  const compressed = compress(codec, records);
  output.add(compressed, 0, compressed.length);
}

function addWithTimestampDelta(bytes: Buffer, cursor: RecordCursor, timestampDelta: number, output: BatchOutput): void {
  const { bodyAt, timestampAt, timestampEnd, position } = cursor;
  const deltaBytes = varlongSize(timestampDelta);
  const bodyBytes = position - bodyAt - (timestampEnd - timestampAt) + deltaBytes;
  let at = output.reserve(varintSize(bodyBytes) + bodyBytes);
  const target = output.buffer;
  at = writeVarint(target, bodyBytes, at);
  target.set(bytes.subarray(bodyAt, timestampAt), at);
  at = writeVarlong(target, timestampDelta, at + timestampAt - bodyAt);
  target.set(bytes.subarray(timestampEnd, position), at);
}

function finishBatch(buffer: Buffer, at: number, sizeBytes: number): void {
  buffer.writeInt32BE(sizeBytes - LOG_OVERHEAD, at + BATCH_LENGTH_OFFSET);
  buffer.writeUInt32BE(computeBatchCrc(buffer, at), at + CRC_OFFSET);
}
